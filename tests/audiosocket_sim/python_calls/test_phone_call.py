"""How a call in Python ends: passed, failed, not judged, misused, cancelled; in each case nothing is left running."""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from audiosocket_core.phrase_book.shipped import SHIPPED
from audiosocket_core.slin import read_audio
from audiosocket_sim import (
    CallArgumentError,
    CallFailed,
    CallMisuse,
    CallNotJudged,
    Outcome,
    PhoneCall,
    Result,
    place_call,
)
from audiosocket_sim.call_log.events import Noted
from audiosocket_sim.python_calls.file_names import safe_file_name
from audiosocket_sim.running import one_call
from audiosocket_sim.virtual_time import run as run_virtually

BOT = "helpers.scripted_bot:serve"
HELLO = [0.5, "say", "pt-br/pode_subir"]
HERE = Path(__file__).name


def virtually(
    body: Callable[[PhoneCall], Awaitable[object]], *script: Any, artefacts: Path | None = None, **keys: Any
) -> PhoneCall:
    """The body inside a call to the scripted bot, in virtual time; no task may be left when it is over."""
    server = {"script": list(script), **keys.pop("server", {})}
    target, name = keys.pop("target", BOT), keys.pop("name", "test")
    made = place_call(target, name=name, server=server, artefacts=artefacts, **keys)

    async def main() -> None:
        try:
            async with made as call:
                await body(call)
        finally:
            assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []

    run_virtually(main)
    return made


def failing(
    body: Callable[[PhoneCall], Awaitable[object]], kind: type[BaseException], *script: Any, **keys: Any
) -> tuple[Any, Result]:
    with pytest.raises(kind) as raised:
        virtually(body, *script, **keys)
    result = getattr(raised.value, "result", None)
    return raised.value, result  # type: ignore[return-value]


def line_of(function: Any, words: str) -> int:
    lines, first = inspect.getsourcelines(function)
    return first + next(number for number, line in enumerate(lines) if words in line)


# --- what steps give back


def test_what_steps_give_back() -> None:
    said: dict[str, Any] = {}

    async def body(call: PhoneCall) -> None:
        said["hold"] = await call.expect_hold(within=2)
        said["stopped"] = await call.expect_hold("stopped")
        said["speech"] = await call.expect_says("SUBIR")
        said["silent"] = await call.expect_silent(1)
        said["say"] = await call.say("pt-br/sim")
        said["asked"] = await call.expect_backend_asked("quero")
        said["wait"] = await call.wait(1)
        said["state"] = await call.expect_state("WAITING", when_told=True)
        said["end"] = await call.expect_hangs_up(within=30)

    script = [
        [0.5, "hold"],
        [2, "hold_off"],
        [2.5, "say", "pt-br/pode_subir"],
        [6, "ask", "Quero o 202"],
        [9, "hang_up"],
    ]
    result = virtually(body, *script, ai=[{"says": "Oi."}]).result
    assert result.outcome is Outcome.PASSED
    assert (said["hold"].at, said["stopped"].duration_ms) == (0.5, 1500)
    speech = said["speech"]
    assert (speech.text, speech.voice, speech.at) == ("Pode subir.", "prompt", 2.81)
    assert speech.until == pytest.approx(speech.at + speech.heard_ms / 1000)
    assert said["silent"].until - said["silent"].at == pytest.approx(1)
    assert said["say"].at < said["say"].until <= said["asked"].until
    assert (said["asked"].content, said["asked"].number, said["asked"].at) == ("Quero o 202", 1, 6.0)
    assert said["wait"].until - said["wait"].at == pytest.approx(1)
    assert not said["state"].reported
    assert (said["end"].who, said["end"].how, said["end"].at) == ("server", "hangup_message", 9.0)


def test_hold_music_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bot plays the loop: another file is not heard, and the loop itself by the name of a file is."""
    loop = read_audio(SHIPPED / "audio" / "waiting.slin")
    monkeypatch.setattr(one_call, "hold_music_in", lambda file, folder: loop if file == HERE else loop[-40_000:])

    async def body(call: PhoneCall) -> None:
        assert (await call.expect_hold(file=HERE, within=2)).at == 0.5
        await call.never_hold(file="test_same_as_yaml.py")
        assert (await call.expect_hold("stopped", file=HERE)).duration_ms == 1500

    assert virtually(body, [0.5, "hold"], [2, "hold_off"]).result.outcome is Outcome.PASSED


def test_a_state_that_the_target_reports() -> None:
    async def body(call: PhoneCall) -> None:
        seen = await call.expect_state("WAITING", within=2)
        assert (seen.state, seen.at, seen.reported) == ("WAITING", 1.0, True)

    assert virtually(body, [1, "state", "WAITING"], server={"control": True}).result.outcome is Outcome.PASSED


def test_without_a_target_it_is_the_one_of_pyproject(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def one_call() -> PhoneCall:
        async with place_call(server={"script": [HELLO]}, artefacts=None) as call:
            await call.expect_says("pode subir")
        return call

    monkeypatch.chdir(tmp_path)
    with pytest.raises(CallNotJudged, match=r"no target: say what the scenario calls .*place_call\(target\)"):
        run_virtually(one_call)
    (tmp_path / "pyproject.toml").write_text(f"[tool.audiosocket-sim]\ntarget = '{BOT}'\n", encoding="utf-8")
    result = run_virtually(one_call).result
    assert result.outcome is Outcome.PASSED
    assert result.environment is not None
    assert result.environment.target_origin == "pyproject.toml, [tool.audiosocket-sim]"


@pytest.mark.every(2)
@pytest.mark.parametrize("name", ["../x/../../y", "ABSOLUTE", "..", ".", "a/b", "a\0b", "ramal 202: não", "x" * 300])
def test_no_name_of_a_call_leads_out_of_the_folder_of_artefacts(name: str, tmp_path: Path) -> None:
    async def body(call: PhoneCall) -> None:
        await call.wait(0.1)

    artefacts = tmp_path / "one" / "two" / "runs"
    name = name.replace("ABSOLUTE", f"{tmp_path}/elsewhere")
    made = virtually(body, name=name, artefacts=artefacts)
    assert made.result.artefacts is not None
    assert made.result.artefacts.call_log.parent.parent == artefacts
    assert made.result.artefacts.call_log.is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_two_names_of_calls_never_share_a_folder() -> None:
    names = ["a/b", "a-b", "a b", "a:b", "..", ".", "-", "x" * 300, "x" * 301]
    assert len({safe_file_name(name) for name in names}) == len(names)
    assert safe_file_name("test_a_call[22.10]") == "test_a_call[22.10]"


def test_an_open_call_is_hung_up_at_the_end_and_its_files_are_written(tmp_path: Path) -> None:
    async def body(call: PhoneCall) -> None:
        await call.expect_says("pode subir")
        with pytest.raises(CallMisuse, match="no result before its end"):
            call.result  # noqa: B018

    result = virtually(body, HELLO, artefacts=tmp_path).result
    assert result.transcript.splitlines()[-1].split()[1:] == ["end", "caller", "hung", "up"]
    assert result.artefacts is not None
    assert result.artefacts.call_log.parent == tmp_path / "test"
    assert result.artefacts.transcript.read_text(encoding="utf-8") == result.transcript
    assert result.calls[0].uuid == result.uuid is not None
    assert result.calls[0].entries == result.entries
    assert "test · Asterisk 22.10, app · µ-law" in result.transcript


def test_the_keys_of_a_scenario_reach_the_call() -> None:
    async def body(call: PhoneCall) -> None:
        await call.wait(1)

    keys = {"asterisk": {"version": "20.6", "packet_time": "30ms"}, "line": {"codec": "alaw", "noise_dbfs": -55}}
    result = virtually(body, **keys).result
    assert result.transcript.startswith("test · Asterisk 20.6, app, 30 ms packets · A-law, noise −55 dBFS\n")


def test_time_that_the_test_lets_pass_counts() -> None:
    async def body(call: PhoneCall) -> None:
        await call.wait(0.2)
        await asyncio.sleep(3)
        await call.expect_says("pode subir", within=1)  # it was said in that time
        await asyncio.sleep(3)
        await call.expect_says("pode subir", within=2)  # and a second time it was not

    failed, _ = failing(body, CallFailed, HELLO)
    assert "from 1.800 until 3.800" in str(failed)


def test_the_call_ends_while_the_test_does_something_else() -> None:
    async def body(call: PhoneCall) -> None:
        await call.expect_says("pode subir")
        await asyncio.sleep(5)
        await call.say("pt-br/sim")

    failed, _ = failing(body, CallFailed, HELLO, [3, "hang_up"])
    assert "step 2 (say)" in str(failed)
    assert "it ended at 3.000 (server" in str(failed)


# --- failures


def test_a_failure_reads_as_a_scenarios_and_ends_the_call(tmp_path: Path) -> None:
    async def body(call: PhoneCall) -> None:
        await call.wait(0.1)
        await call.expect_says("pode descer", within=2)

    failed, result = failing(body, CallFailed, HELLO, artefacts=tmp_path)
    where = f"{result.failures[0].where}"
    assert where.endswith(f"{HERE}:{line_of(body, 'descer')}")
    lines = str(failed).splitlines()
    assert lines[:3] == [
        f"{where}: test, step 2 (expect bot_says)",
        "  expected  the bot says something with “pode descer”, from 0.100 until 2.100",
        "  happened  0.810 the bot said “Pode subir.”",
    ]
    assert lines[-2:] == [f"call log: {tmp_path}/test/call.jsonl", f"recording: {tmp_path}/test/call.wav"]
    assert any("FAILED   step 2" in line for line in lines)
    assert isinstance(failed, AssertionError)
    assert result.outcome is Outcome.FAILED


def test_a_step_of_another_file_is_named_by_that_file() -> None:
    elsewhere: dict[str, Any] = {}
    source = "async def greeted(call):\n    await call.wait(1)\n    await call.expect_says('bom dia', within=1)\n"
    exec(compile(source, "/elsewhere/steps.py", "exec"), elsewhere)

    async def body(call: PhoneCall) -> None:
        await call.wait(0.1)
        await elsewhere["greeted"](call)

    failed, _ = failing(body, CallFailed)
    assert str(failed).startswith("/elsewhere/steps.py:3: test, step 3 (expect bot_says)\n")


def test_after_a_failure_nothing_more_can_be_done_and_it_is_raised_again() -> None:
    async def body(call: PhoneCall) -> None:
        with pytest.raises(CallFailed):
            await call.expect_speaks(within=0)
        with pytest.raises(CallMisuse, match=r"say at .*: the call is over \(failed\)"):
            await call.say("pt-br/sim")

    failed, result = failing(body, CallFailed)
    assert "step 1 (expect bot_speaks)" in str(failed)
    assert result.outcome is Outcome.FAILED


def test_a_failure_in_a_task_that_nobody_asks_is_raised_at_the_end() -> None:
    async def body(call: PhoneCall) -> None:
        async def racer() -> None:
            await call.expect_says("bom dia")

        (task,), _ = await asyncio.wait([asyncio.ensure_future(racer())])
        assert isinstance(task.exception(), CallFailed)

    failed, _ = failing(body, CallFailed, HELLO)
    assert f"{HERE}:{line_of(body, 'bom dia')}: test, step 1 (expect bot_says)" in str(failed)


def test_a_set_up_that_failed_is_raised_again_if_the_test_goes_on() -> None:
    async def body(call: PhoneCall) -> None:
        with pytest.raises(CallNotJudged):
            await call.wait(1)

    _, result = failing(body, CallNotJudged, target="no_such_module:serve")
    assert result.outcome is Outcome.SET_UP


def test_an_error_of_the_test_after_a_failure_is_the_one_that_is_raised() -> None:
    async def body(call: PhoneCall) -> None:
        with pytest.raises(CallFailed):
            await call.expect_speaks(within=0)
        raise KeyError("of the test")

    failing(body, KeyError)


def test_a_never_that_was_broken_is_raised_at_the_end() -> None:
    reached = []

    async def body(call: PhoneCall) -> None:
        await call.never_says("pode subir")
        await call.expect_silent(1, within=5)
        reached.append(True)

    failed, result = failing(body, CallFailed, HELLO)
    assert reached
    assert result.failures[0].at_ms == 810
    assert f"{HERE}:{line_of(body, 'never_says')}: test, step 1 (never bot_says)" in str(failed)


def test_a_never_with_a_window_waits_and_fails_at_its_end() -> None:
    async def body(call: PhoneCall) -> None:
        await call.never_speaks(during=0.5)
        await call.never_speaks(during=2)
        pytest.fail("not reached")

    failed, _ = failing(body, CallFailed, HELLO)
    assert "step 2 (never bot_speaks)" in str(failed)


def test_the_ais_script_is_judged_at_the_end() -> None:
    async def body(call: PhoneCall) -> None:
        await call.wait(1)

    _, result = failing(body, CallFailed, ai=[{"hears": "202", "says": "Oi."}])
    assert result.failures[0].happened == ("1 (hears “202”) was never used",)
    assert HERE in result.failures[0].where  # where the call was made


def test_a_call_that_lasts_too_long() -> None:
    async def body(call: PhoneCall) -> None:
        await call.wait(1)
        await call.wait(60)

    failed, _ = failing(body, CallFailed, max_duration=5)
    assert "the call to end within 5 s" in str(failed)
    assert "it still waited for step 2 (wait)" in str(failed)


# --- what the test itself does


def test_an_error_of_the_test_leaves_the_files_and_names_them(tmp_path: Path) -> None:
    async def body(call: PhoneCall) -> None:
        await call.expect_says("pode subir")
        raise KeyError("of the test")

    error, _ = failing(body, KeyError, HELLO, artefacts=tmp_path)
    assert error.__notes__ == [f"call log: {tmp_path}/test/call.jsonl", f"recording: {tmp_path}/test/call.wav"]
    entries = [json.loads(line) for line in (tmp_path / "test" / "call.jsonl").read_text("utf-8").splitlines()]
    assert {"Noted", "CallEnded", "BotSpoke"} <= {entry["type"] for entry in entries}
    assert "the test raised KeyError after step 1: 'of the test'" in [entry.get("what") for entry in entries]


def test_a_test_that_is_cancelled_leaves_its_files_and_nothing_else(tmp_path: Path) -> None:
    async def main() -> PhoneCall:
        call = place_call(BOT, name="test", server={"script": [HELLO]}, artefacts=tmp_path)

        async def body() -> None:
            async with call:
                await call.expect_says("pode subir")
                await call.wait(60)

        task = asyncio.create_task(body())
        await asyncio.sleep(5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return call

    result = run_virtually(main).result
    assert result.outcome is Outcome.INCONCLUSIVE
    assert any(isinstance(entry.event, Noted) for entry in result.entries)
    assert (tmp_path / "test" / "call.wav").stat().st_size > 44


@pytest.mark.long("a step that was never awaited is no green test")
def test_a_step_that_is_cancelled_leaves_the_call_usable_and_is_no_green_test(tmp_path: Path) -> None:
    async def body(call: PhoneCall) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(call.expect_says("pode descer", within=60), 2)  # type: ignore[arg-type]
        await call.hang_up()
        await call.expect_hangs_up("caller")

    failed, result = failing(body, CallNotJudged, HELLO, artefacts=tmp_path)
    assert f"{HERE}:{line_of(body, 'descer')} was cancelled before its end: " in str(failed)
    assert result.outcome is Outcome.INVALID
    assert "caller hung up" in (tmp_path / "test" / "transcript.txt").read_text(encoding="utf-8")


@pytest.mark.long("quicker tests of this file are run")
def test_a_step_in_a_task_that_is_cancelled_is_no_green_test() -> None:
    async def body(call: PhoneCall) -> None:
        task = asyncio.ensure_future(call.play([{"wait": "1s"}, {"expect": {"bot_says": "Pode descer."}}]))
        await asyncio.sleep(2)
        task.cancel()
        await asyncio.wait([task])

    failed, result = failing(body, CallNotJudged, HELLO)
    assert "play at " in str(failed)
    assert "was cancelled before its end" in str(failed)
    assert result.outcome is Outcome.INVALID


@pytest.mark.long("a failure in a task that nobody asks is raised at the end")
def test_a_step_that_was_refused_in_a_task_that_nobody_asks_is_no_green_test() -> None:
    async def body(call: PhoneCall) -> None:
        first = asyncio.ensure_future(call.wait(2))
        await asyncio.sleep(1)
        second = asyncio.ensure_future(call.expect_says("bom dia"))
        await asyncio.wait([first, second])
        assert isinstance(second.exception(), CallMisuse)

    failed, result = failing(body, CallNotJudged, HELLO)
    assert "expect_says at " in str(failed)
    assert ": one step at a time, and wait at " in str(failed)
    assert result.outcome is Outcome.INVALID


@pytest.mark.long("a step that was never awaited is no green test")
def test_a_step_that_is_still_going_on_at_the_end_is_no_green_test() -> None:
    tasks: list[asyncio.Future[Any]] = []

    async def body(call: PhoneCall) -> None:
        tasks.append(asyncio.ensure_future(call.expect_says("pode descer", within=60)))
        await asyncio.sleep(2)

    async def main() -> None:
        with pytest.raises(CallNotJudged, match=r"expect_says at .* was still going on at the end: await it") as failed:
            async with place_call(BOT, name="test", server={"script": [HELLO]}, artefacts=None) as call:
                await body(call)
        assert call.result is failed.value.result
        await asyncio.wait(tasks, timeout=100)
        assert tasks[0].done()
        assert isinstance(tasks[0].exception(), CallNotJudged)
        assert call.result is failed.value.result
        assert call.result.outcome is Outcome.INVALID

    run_virtually(main)


@pytest.mark.long("a failing step leaves one result in other tests")
@pytest.mark.parametrize("seconds", [1.98, 2.0, 2.02, 2.04, 2.06, 2.1])
def test_a_step_that_fails_in_a_task_as_the_test_ends_leaves_one_result(seconds: float) -> None:
    async def main() -> None:
        made = place_call(BOT, name="test", server={"script": [HELLO]}, artefacts=None)
        tasks: list[asyncio.Future[Any]] = []

        async def body() -> None:
            async with made as call:
                await call.wait(0.1)
                loop = asyncio.get_running_loop()
                began = loop.time()
                tasks.append(asyncio.ensure_future(call.expect_says("pode descer", within=2)))
                await asyncio.sleep(began + seconds - loop.time())

        with pytest.raises((CallFailed, CallNotJudged)) as failed:
            await body()
        await asyncio.wait(tasks)
        raised = tasks[0].exception()
        assert isinstance(raised, CallFailed | CallNotJudged)
        assert raised.result is failed.value.result is made.result

    run_virtually(main)


def test_a_step_that_was_never_awaited_is_no_green_test() -> None:
    async def body(call: PhoneCall) -> None:
        await call.wait(1)
        call.expect_says("bom dia")

    failed, result = failing(body, CallNotJudged)
    where = f"{HERE}:{line_of(body, 'bom dia')}"
    assert f"{where} was never awaited: write `await call.expect_says(…)`" in str(failed)
    assert result.outcome is Outcome.INVALID


def test_a_call_without_a_step_is_no_green_test() -> None:
    async def body(call: PhoneCall) -> None:
        pass

    failed, result = failing(body, CallNotJudged)
    assert "no call was made: the test has no step of it" in str(failed)
    assert result.outcome is Outcome.INVALID


def test_two_steps_at_a_time() -> None:
    async def body(call: PhoneCall) -> None:
        first = asyncio.ensure_future(call.wait(2))
        await asyncio.sleep(1)
        with pytest.raises(CallMisuse, match=r"say at .*: one step at a time, and wait at .* is still going on"):
            await call.say("pt-br/sim")
        await first

    failed, result = failing(body, CallNotJudged)
    assert "one step at a time, and wait at " in str(failed)
    assert result.outcome is Outcome.INVALID


def test_a_step_that_is_awaited_twice() -> None:
    async def body(call: PhoneCall) -> None:
        step = call.wait(0.1)
        await step
        with pytest.raises(CallMisuse, match="awaited before"):
            await step

    virtually(body)


def test_a_call_that_is_not_entered_or_twice() -> None:
    async def main() -> None:
        call = place_call(BOT, artefacts=None)
        with pytest.raises(CallMisuse, match="the call is not open: write `async with place_call"):
            await call.wait(1)
        with pytest.raises(CallNotJudged, match=r"wait at .*: the call is not open"):
            async with call:
                await call.wait(1)
        call = place_call(BOT, artefacts=None)
        async with call:
            await call.wait(1)
        with pytest.raises(CallMisuse, match="once"):
            await call.__aenter__()

    run_virtually(main)


def test_hanging_up_before_the_uuid_is_a_first_step() -> None:
    async def body(call: PhoneCall) -> None:
        await call.hang_up(before_uuid=True)

    result = virtually(body, asterisk={"attach": "chan", "connect_pause": "1s"}).result
    assert result.outcome is Outcome.PASSED


def test_a_list_of_steps_within_a_call() -> None:
    async def body(call: PhoneCall) -> None:
        await call.play([{"expect": {"bot_says": "Pode subir."}}, {"wait": "1s"}])
        await call.play([{"expect": {"bot_says": "Pode descer.", "within": "1s"}}])

    failed, _ = failing(body, CallFailed, HELLO)
    assert "step 3 (expect bot_says)" in str(failed)
    assert f"{HERE}:{line_of(body, 'descer')}: test" in str(failed)


# --- not the bot's fault


@pytest.mark.parametrize(
    ("keys", "outcome", "words"),
    [
        ({"target": "no_such_module:serve"}, Outcome.SET_UP, "no_such_module:serve cannot be imported"),
        ({"target": "nothing"}, Outcome.INVALID, "nothing: expected module:callable"),
        (
            {"target": "tcp://127.0.0.1:1"},
            Outcome.INVALID,
            "needs the real clock, and the running loop's",
        ),
        ({"target": "command: x {port}"}, Outcome.INVALID, "needs the real clock"),
    ],
)
def test_what_is_no_fault_of_the_bot(keys: dict[str, Any], outcome: Outcome, words: str) -> None:
    async def body(call: PhoneCall) -> None:
        await call.wait(1)

    failed, result = failing(body, CallNotJudged, **keys)
    assert result.outcome is outcome
    assert words in str(failed)
    assert not isinstance(failed, AssertionError)


def test_wrong_settings_of_the_server_name_the_line_of_the_call() -> None:
    async def main() -> None:
        async with place_call(
            "audiosocket_server:serve", server={"system": {"barge_inn": True}}, artefacts=None
        ) as call:
            await call.wait(1)

    with pytest.raises(CallNotJudged) as failed:
        run_virtually(main)
    assert failed.value.result.outcome is Outcome.INVALID
    assert f"{HERE}:{line_of(main, 'place_call')}:1: " in str(failed.value)
    assert "did you mean 'barge_in'?" in str(failed.value)


def test_a_state_that_nobody_reports() -> None:
    async def body(call: PhoneCall) -> None:
        await call.expect_state("WAITING")

    failed, result = failing(body, CallNotJudged)
    assert result.outcome is Outcome.INVALID
    assert "say when_told: true" in str(failed)


@pytest.mark.long("the same is tried in scenarios")
def test_a_voice_that_cannot_be_read() -> None:
    async def body(call: PhoneCall) -> None:
        await call.expect_says("pode subir")

    failed, result = failing(body, CallNotJudged, [0.5, "say", "recordings/pt-br/sim"])
    assert result.outcome is Outcome.SET_UP
    assert "use bot_speaks" in str(failed)


# --- wrong arguments: one line, before anything is done


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda c: c.say("pt-br/simm"),
            "say: there is no recording 'pt-br/simm' in recordings/; did you mean",
        ),
        (lambda c: c.say(), "say needs exactly one of: recording, file, text; text may stand beside file"),
        (lambda c: c.say("pt-br/sim", text="Sim."), "say needs exactly one of"),
        (lambda c: c.say(file="no.wav"), "say: file: there is no file no.wav"),
        (lambda c: c.say(file="/etc/passwd"), "say: file: /etc/passwd: a path is relative"),
        (lambda c: c.say("pt-br/sim", gain_db=100), "say: gain_db: must be at most 40, not 100"),
        (lambda c: c.wait(-1), "wait: seconds: seconds, 0 to 86400, or a text such as '300ms', not -1"),
        (lambda c: c.wait(float("nan")), "wait: seconds: seconds, 0 to 86400"),
        (lambda c: c.wait(True), "wait: seconds: seconds, 0 to 86400"),
        (lambda c: c.wait(None), "wait: a duration needs a number and a unit (300ms, 1.2s, 5min), not None"),
        (lambda c: c.wait("4"), "wait: a duration needs a number and a unit (300ms, 1.2s, 5min), not '4'"),
        (
            lambda c: c.expect_says("?!"),
            "expect_says: expect: bot_says: text: needs a letter or a digit at least",
        ),
        (
            lambda c: c.expect_says("Oi", within="x"),
            "expect_says: expect: within: a duration needs a number",
        ),
        (lambda c: c.expect_state("WAITIN"), "did you mean 'WAITING'?"),
        (lambda c: c.expect_hold("on"), "must be playing or stopped, not 'on'"),
        (lambda c: c.expect_hangs_up("bot"), "must be server, caller or asterisk, not 'bot'"),
        (lambda c: c.dtmf("20 2"), "dtmf: a phone's keys are 0 to 9"),
        (lambda c: c.noise(0), "noise: for: a duration longer than 0 is needed here"),
        (lambda c: c.never_speaks(during=0), "a duration longer than 0 is needed here"),
        (lambda c: c.hang_up("now"), "must be close, reset or mid_frame, not 'now'"),
        (lambda c: c.play({"say": "pt-br/sim"}), "play: needs a list of steps"),
        (lambda c: c.play([]), "play: needs one step at least"),
        (lambda c: c.play(["say"]), "play: step 1: a step is a mapping, such as {'wait': '1s'}, not 'say'"),
        (
            lambda c: c.play([{"sya": "x"}, {"wait": 1}]),
            "play: step 1: unknown step 'sya'; did you mean 'say'?; step 2: wait: a duration needs a number and a unit",
        ),
    ],
)
def test_wrong_arguments(make: Callable[[Any], Any], words: str) -> None:
    async def body(call: PhoneCall) -> None:
        with pytest.raises(CallArgumentError) as wrong:
            make(call)
        assert words in str(wrong.value)
        assert "\n" not in str(wrong.value)
        await call.wait(0.1)

    assert virtually(body).result.outcome is Outcome.PASSED


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (
            {"line": {"codec": "ulwa"}},
            "place_call: line: codec: must be ulaw, alaw, gsm or none, not 'ulwa'; did",
        ),
        ({"line": {"codek": "ulaw"}}, "place_call: line: unknown key 'codek'; did you mean 'codec'?"),
        ({"asterisk": 22.1}, "place_call: asterisk: version: needs quotes"),
        ({"asterisk": "9"}, "place_call: asterisk: version: "),
        ({"ai": [{"hears": "a"}, {"hear": "b"}]}, "place_call: ai: 2. unknown key 'hear'; did you mean 'hears'?"),
        ({"says": "Oi."}, "place_call: says: needs a list of texts, not 'Oi.'"),
        ({"says": [{"recording": "x", "text": "Oi."}]}, "place_call: says: say needs exactly one of"),
        ({"max_duration": 0}, "place_call: max_duration: a duration longer than 0"),
    ],
)
def test_wrong_keys_of_a_call(keys: dict[str, Any], words: str) -> None:
    with pytest.raises(CallArgumentError) as wrong:
        place_call(BOT, **keys)
    assert words in str(wrong.value)


def test_what_cannot_follow_a_hang_up() -> None:
    async def body(call: PhoneCall) -> None:
        await call.hang_up()
        with pytest.raises(CallArgumentError, match="say: after hang_up only expect, never and wait can follow"):
            await call.say("pt-br/sim")
        await call.expect_hangs_up("caller")

    failed, result = failing(body, CallNotJudged)
    assert "was refused: say: after hang_up only expect, never and wait can follow" in str(failed)
    assert result.outcome is Outcome.INVALID


# --- on the real clock


@pytest.mark.long("a test of the plug-in calls on the real clock")
@pytest.mark.real_time
def test_on_a_loop_with_a_real_clock(tmp_path: Path) -> None:
    async def main() -> Result:
        async with place_call(BOT, server={"script": [HELLO]}, artefacts=tmp_path) as call:
            await call.expect_says("pode subir", within=5)
            await call.hang_up()
        return call.result

    result = asyncio.run(main())
    assert result.outcome is Outcome.PASSED
    assert result.artefacts is not None
    assert result.artefacts.call_log == tmp_path / "main" / "call.jsonl"
