"""What is no fault of the bot is never called one: one clear line, the right outcome, and the files are left."""

import asyncio
import contextlib
import functools
import json
import signal
import wave
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from helpers import scripted_bot

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import write_wav
from audiosocket_core.wav import wav_bytes
from audiosocket_sim.hearing import Ear
from audiosocket_sim.mock_ai.backend import MockAi
from audiosocket_sim.mock_ai.switchboard import Switchboard
from audiosocket_sim.phone.caller import Caller
from audiosocket_sim.phone.sounds import Sounds
from audiosocket_sim.running import call_setup, expectation_steps, runner
from audiosocket_sim.running.report_lines import report_lines
from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load_text
from audiosocket_sim.virtual_time import new_loop

ROOT = Path(__file__).resolve().parents[3]
HELLO = [0.5, "say", "pt-br/pode_subir"]


def scenario(*script: list[Any], steps: str = "[{wait: 3s}]", keys: str = "", **bot: Any) -> Scenario:
    text = f"summary: A call.\n{keys}\nsteps: {steps}\n"
    made = load_text(text, "call", folder=ROOT / "scenarios")
    return made.model_copy(update={"server": {"script": list(script), **bot}})


def go(made: Scenario, folder: Path, *, serve: str = "helpers.scripted_bot:serve", **options: Any) -> Result:
    on_entry = options.pop("on_entry", None)
    return run(made, Options(target=serve, artefacts=folder / "run", **options), on_entry)


def check(result: Result, outcome: Outcome, words: str) -> None:
    assert result.outcome is outcome, result.problems
    assert words in result.problems[0]
    assert "\n" not in result.problems[0]
    assert result.artefacts is not None
    assert words in result.artefacts.transcript.read_text(encoding="utf-8") or not result.entries
    for line in result.artefacts.call_log.read_text(encoding="utf-8").splitlines():
        json.loads(line)
    with wave.open(str(result.artefacts.recording)) as recording:
        assert recording.getnchannels() == 2


def boom(*args: Any, **more: Any) -> Any:
    raise KeyError("boom")


async def boom_later(*args: Any, **more: Any) -> Any:
    raise KeyError("boom")


@pytest.mark.every(12)
@pytest.mark.parametrize(
    ("place", "name", "broken"),
    [
        (Ear, "hear", boom),
        (Ear, "advance", boom),
        (Caller, "source", boom),
        (MockAi, "_choose", boom),
        (Switchboard, "start", boom_later),
        (MockAi, "aclose", boom_later),
        (Sounds, "prepare", boom_later),
        (Sounds, "bot_book", boom_later),
        (expectation_steps, "evaluate", boom),
        (call_setup, "hold_music", boom),
    ],
)
def test_a_fault_of_our_own(
    place: Any, name: str, broken: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = scenario(
        HELLO,
        [1, "ask", "Oi"],
        steps="[{expect: {bot_speaks: 3s}}, {wait: 1s}]",
        keys="ai: [{says: Oi., optional: true}]",
    )
    monkeypatch.setattr(place, name, broken)
    result = go(made, tmp_path)
    if name == "aclose":  # the call itself had failed before, and that verdict stands
        assert result.outcome is Outcome.FAILED
        assert any("the simulator failed: KeyError('boom')" in fault for fault in result.faults)
    else:
        check(result, Outcome.SET_UP, "the simulator failed: KeyError('boom')")
    assert "boom" in result.details
    assert result.artefacts is not None
    assert result.artefacts.details is not None
    assert 'raise KeyError("boom")' in result.artefacts.details.read_text(encoding="utf-8")


@pytest.mark.every(6)
@pytest.mark.parametrize("event", ["CallerSpoke", "BotSpoke", "BackendAsked", "StateTold", "CallEnded"])
def test_who_looks_on_breaks(event: str, tmp_path: Path) -> None:
    made = scenario(
        HELLO,
        [1, "ask", "Oi"],
        [1, "state", "WAITING"],
        steps="[{say: pt-br/sim, after: 2s}, {wait: 500ms}]",
        keys="ai: [{says: Oi.}]",
        control=True,
    )

    def look(entry: Any, stage: Any) -> None:
        if type(entry.event).__name__ == event:
            raise ValueError(f"cannot show {event}")

    check(go(made, tmp_path, on_entry=look), Outcome.SET_UP, f"the simulator failed: ValueError('cannot show {event}')")
    assert go(made, tmp_path).outcome is Outcome.PASSED
    assert not (tmp_path / "run" / "details.txt").exists()


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file, no folder")
    result = go(scenario(), tmp_path)
    assert result.outcome is Outcome.SET_UP
    assert "cannot write to" in result.problems[0]


def test_a_transcript_that_cannot_be_made_costs_no_other_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiosocket_sim.running.result.transcript", boom)
    result = go(scenario(HELLO), tmp_path)
    assert result.outcome is Outcome.SET_UP
    assert "the simulator failed to write the files of this run: KeyError('boom')" in result.problems
    assert (tmp_path / "run" / "call.jsonl").stat().st_size > 0
    assert (tmp_path / "run" / "call.wav").stat().st_size > 44


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("name", "content", "line"),
    [
        ("a.wav", b"", "{folder}/a.wav: empty: there is no sound in it"),
        ("a.mp3", b"", "{folder}/a.mp3: empty: there is no sound in it"),
        ("a.wav", wav_bytes(b"\0\x20" * 80, 8000)[:100], "{folder}/a.wav: cut off: 56 bytes of sound, and its header"),
        ("a.wav", wav_bytes(b"\0\x20" * 90, 8000, channels=9), "{folder}/a.wav: 9 channels: from 1 to 8 were expected"),
        ("a.wav", wav_bytes(b"\0\x20" * 90, 2_000_000_000), "{folder}/a.wav: a rate of 2000000000 Hz"),
        ("a.wav", wav_bytes(bytes(32_000), 8000), "say: a.wav is silent throughout: use `silence` if that is meant"),
    ],
)
def test_a_sound_that_cannot_be_said(name: str, content: bytes, line: str, tmp_path: Path) -> None:
    """Never a call in which the caller is silent, or sounds like something else."""
    (tmp_path / name).write_bytes(content)
    made = load_text(f"summary: A call.\nsteps: [{{say: {{file: {name}}}}}]\n", "call", folder=tmp_path)
    check(go(made, tmp_path), Outcome.SET_UP, line.format(folder=tmp_path))


def test_hold_music_that_cannot_be_recognised(tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "waiting.slin").write_bytes(b"\1" * 127)
    made = load_text("summary: A call.\nsteps: [{wait: 1s}]\n", "call", folder=tmp_path)
    line = f"{tmp_path}/audio/waiting.slin: 126 bytes long: too short to be recognised as hold music"
    check(go(made, tmp_path), Outcome.SET_UP, line)


def test_a_file_that_cannot_be_read_is_named_without_its_number(tmp_path: Path) -> None:
    (tmp_path / "recordings").mkdir()
    write_wav(tmp_path / "recordings" / "a.wav", b"\0\x20" * 8000)
    entry = "{file: a.wav, text: A., language: x, duration_ms: 1000, speech_start_ms: 0, speech_end_ms: 1000}"
    (tmp_path / "recordings" / "manifest.yaml").write_text(f"- {entry}\n")
    made = load_text("summary: A call.\nsteps: [{say: a}]\n", "call", folder=tmp_path)
    PhraseBook.load(tmp_path / "recordings")  # which is remembered
    (tmp_path / "recordings" / "a.wav").unlink()
    check(go(made, tmp_path), Outcome.SET_UP, f"{tmp_path}/recordings/a.wav: No such file or directory")


def test_a_time_out_of_our_own_is_not_the_longest_duration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*args: Any) -> Any:
        raise TimeoutError("somewhere")

    monkeypatch.setattr(expectation_steps, "evaluate", late)
    result = go(scenario(steps="[{expect: {bot_silent: 1s}}]"), tmp_path)
    check(result, Outcome.SET_UP, "somewhere")


def test_half_characters_and_control_characters_of_the_bot(tmp_path: Path) -> None:
    made = scenario([1, "ask", "a\nb\x1b[31m"], [2, "ask", "\ud800"], keys="ai: [{says: Oi., times: 2}]")
    result = go(made, tmp_path)
    assert result.outcome is Outcome.PASSED, result.problems
    assert result.artefacts is not None
    text = result.artefacts.transcript.read_text(encoding="utf-8")
    assert "“a\\nb\\x1b[31m”" in text
    assert "“\\ud800”" in text
    assert len(result.artefacts.call_log.read_text(encoding="utf-8").splitlines()) == 1 + len(result.entries)


# --- the target


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("no such key\n  greting"), "did not start: no such key greting"),
        (OSError(98, "Address already in use"), "did not start: [Errno 98] Address already in use"),
        (ValueError(), "did not start: ValueError"),
        (RuntimeError("no model"), "did not start: RuntimeError: no model"),
        (TypeError("unexpected keyword"), "did not start: TypeError: unexpected keyword"),
        (SystemExit(0), "did not start: SystemExit: 0"),
        (TimeoutError("model server"), "did not start: model server"),
    ],
)
def test_a_target_that_raises(error: BaseException, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(**options: Any) -> Any:
        raise error

    monkeypatch.setattr(scripted_bot, "serve", serve)
    check(go(scenario(), tmp_path), Outcome.SET_UP, f"helpers.scripted_bot:serve {line}")


@pytest.mark.parametrize(
    ("serve", "line"),
    [
        (7, "did not start: TypeError: 'int' object is not callable"),
        (lambda **options: 7, "did not start: TypeError: object int can't be used in 'await' expression"),
    ],
)
def test_a_target_that_is_none(serve: Any, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted_bot, "serve", serve)
    check(go(scenario(), tmp_path), Outcome.SET_UP, line)


def test_a_target_that_returns_something_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(**options: Any) -> Any:
        return SimpleNamespace(host="127.0.0.1", port=1)

    monkeypatch.setattr(scripted_bot, "serve", serve)
    line = "returned SimpleNamespace without control_url, close (docs/targets.md)"
    check(go(scenario(), tmp_path), Outcome.SET_UP, line)


def test_a_target_that_never_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(**options: Any) -> Any:
        await asyncio.Event().wait()

    monkeypatch.setattr(scripted_bot, "serve", serve)
    check(go(scenario(), tmp_path), Outcome.SET_UP, "did not start within 20 s")


@pytest.mark.parametrize("text", ["1/0", "import sys; sys.exit(0)", "def serve(:"])
def test_a_module_that_cannot_be_imported(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"broken_{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    check(go(scenario(), tmp_path, serve=f"{name}:serve"), Outcome.SET_UP, f"{name}:serve cannot be imported: ")


async def _raise_at_close(self: Any) -> None:
    await REAL_CLOSE(self)
    raise RuntimeError("still busy")


async def _hang_at_close(self: Any) -> None:
    await REAL_CLOSE(self)
    await asyncio.sleep(3600)


async def _let_out_a_cancellation(self: Any) -> None:
    await REAL_CLOSE(self)
    task = asyncio.ensure_future(asyncio.sleep(3600))
    task.cancel()
    await task


async def _cancel_all_tasks(self: Any) -> None:
    await REAL_CLOSE(self)
    for task in asyncio.all_tasks():
        task.cancel()


async def _cancel_all_tasks_and_wait(self: Any) -> None:
    await _cancel_all_tasks(self)
    await asyncio.sleep(1)


async def _cancel_all_tasks_and_catch_it(self: Any) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        await _cancel_all_tasks_and_wait(self)


REAL_CLOSE = scripted_bot.ScriptedBot.close
CLOSES = [
    (_raise_at_close, "the target's close() failed: RuntimeError: still busy"),
    (_hang_at_close, "the target's close() did not return within 20 s"),
    (_let_out_a_cancellation, "the target's close() failed: it let a CancelledError out"),
    (_cancel_all_tasks, "the target's close() cancelled the task that called it"),
    (_cancel_all_tasks_and_wait, "the target's close() failed: it let a CancelledError out"),
]


@pytest.mark.every(12)
@pytest.mark.parametrize(("close", "line"), CLOSES)
@pytest.mark.parametrize(("within", "outcome"), [("3s", Outcome.PASSED), ("1s", Outcome.FAILED)])
def test_a_target_that_does_not_end_costs_no_verdict(
    close: Any, line: str, within: str, outcome: Outcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted_bot.ScriptedBot, "close", close)
    result = go(
        scenario([2, "say", "pt-br/pode_subir"], steps=f"[{{expect: {{bot_speaks: 300ms, within: {within}}}}}]"),
        tmp_path,
    )
    assert result.outcome is outcome, result.problems
    assert any(line in fault for fault in result.faults)
    assert [failure.what for failure in result.failures] == ["step 1 (expect bot_speaks)"] * (outcome is Outcome.FAILED)


def test_a_target_may_cancel_tasks_if_it_is_ready_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted_bot.ScriptedBot, "close", _cancel_all_tasks_and_catch_it)
    result = go(scenario(), tmp_path)
    assert (result.outcome, result.faults) == (Outcome.PASSED, ())


def test_the_first_line_of_a_failure_is_the_failure_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted_bot.ScriptedBot, "close", _raise_at_close)
    lines = list(report_lines(go(scenario(steps="[{expect: {bot_speaks: 1s, within: 1s}}]"), tmp_path)))
    assert "step 1 (expect bot_speaks)" in lines[0]
    assert any("the target's close() failed" in line for line in lines)


def test_a_failure_is_not_hidden_by_a_target_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted_bot.ScriptedBot, "close", _raise_at_close)
    result = go(scenario(steps="[{expect: {state: WAITING}}]"), tmp_path)
    check(result, Outcome.INVALID, "step 1 expects a state")


def test_a_bot_that_ends_the_process(tmp_path: Path) -> None:
    result = go(scenario([1, "exit", 0]), tmp_path)
    check(result, Outcome.FAILED, "the target ended its own process (exit 0), during step 1 (wait)")


def test_a_bot_that_spins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def spin(self: Any) -> None:
        while True:  # noqa: ASYNC110 - that is the point
            await asyncio.sleep(0)

    monkeypatch.setattr(scripted_bot.ScriptedCall, "carry_out", spin)
    monkeypatch.setattr(runner, "new_loop", functools.partial(new_loop, max_cycles=2000))
    result = go(scenario(), tmp_path)
    check(result, Outcome.SET_UP, "virtual time does not go on: ")
    assert "spin" in result.details


def test_a_bot_that_cancels_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def cancel(self: Any) -> None:
        await asyncio.sleep(1)
        for task in asyncio.all_tasks():
            task.cancel()

    monkeypatch.setattr(scripted_bot.ScriptedCall, "carry_out", cancel)
    check(go(scenario(), tmp_path), Outcome.SET_UP, "somebody cancelled the simulator's task, during step 1 (wait)")


@pytest.mark.every(3)
@pytest.mark.parametrize("server", [{"ai": 5}, {"speech": [1]}, {"speech": {"more_phrase_books": "x"}}])
def test_settings_that_are_no_mapping(server: dict[str, Any], tmp_path: Path) -> None:
    made = scenario(steps="[{say: {text: Bom dia.}}]").model_copy(update={"server": server})
    check(go(made, tmp_path), Outcome.INVALID, "must be a mapping")


def test_nobody_hears_what_is_said_without_a_folder() -> None:
    """A book of what the caller says reaches the target also where no files are kept."""
    seen: list[dict[str, Any]] = []

    async def serve(**options: Any) -> Any:
        books = options["settings"]["speech"]["more_phrase_books"]
        seen.append({"text": (Path(books[0]) / "manifest.yaml").read_text(encoding="utf-8")})
        return await REAL_SERVE(**options)

    scripted_bot.serve, kept = serve, scripted_bot.serve
    try:
        result = run(scenario(steps="[{say: {text: Bom dia.}}]"), Options(target="helpers.scripted_bot:serve"))
    finally:
        scripted_bot.serve = kept
    assert result.outcome is Outcome.PASSED, result.problems
    assert "Bom dia." in seen[0]["text"]


REAL_SERVE = scripted_bot.serve


def test_an_interruption_is_noted_when_it_came(tmp_path: Path) -> None:
    def interrupt_later(*_: Any) -> None:
        asyncio.get_running_loop().call_later(2.0, signal.raise_signal, signal.SIGINT)

    steps = "[{dtmf: '1', after: 500ms}, {wait: 1min}]"
    result = go(scenario(steps=steps, quiet=True), tmp_path, on_entry=interrupt_later)
    assert (result.outcome, result.interrupted) == (Outcome.INCONCLUSIVE, True)
    assert result.transcript.splitlines()[-1] == "    2.500  note     interrupted, while waiting for step 2 (wait)"


def test_without_a_target_the_scenario_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(scenario().model_copy(update={"folder": tmp_path}), Options())
    assert result.outcome is Outcome.INVALID
    assert result.environment is None
    (line,) = result.problems
    for words in ("module:callable", "'command: PROGRAM … {port}'", "tcp://HOST:PORT", "Options(target=…)"):
        assert words in line


def test_the_target_of_pyproject_holds_for_python_code_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[tool.audiosocket-sim]\ntarget = 'helpers.scripted_bot:serve'\n")
    result = run(scenario(), Options())
    assert result.outcome is Outcome.PASSED, result.problems
    assert result.environment is not None
    assert result.environment.target == "helpers.scripted_bot:serve"
