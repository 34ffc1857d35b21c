"""A saved call is read back whole, also an older one; what is no event is left out, and what is no call is refused."""

import json
import shutil
from pathlib import Path

import pytest
from helpers.capture_bench import captured
from helpers.reported_calls import hostile_call, shipped_call

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import silence, write_wav
from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendReplied,
    BotSpoke,
    CallerSpoke,
    HoldStarted,
    Source,
    WireSummary,
)
from audiosocket_sim.report.saved.call_source import calls_in, read_saved_call
from audiosocket_sim.report.saved.saved_call import NoSavedCall
from audiosocket_sim.report.saved.sound_alone import log_of_sound
from audiosocket_sim.report.saved.stereo import StereoSound
from audiosocket_sim.running.runner import Options, run
from audiosocket_sim.scenario.loading import load, load_text

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shipped_call("slow_backend_plays_hold", tmp_path_factory.mktemp("calls") / "held")


def test_a_run_is_read_back_as_it_was(tmp_path: Path) -> None:
    result = run(
        load(ROOT / "scenarios" / "two_turns.yaml"), Options("audiosocket_server:serve", artefacts=tmp_path / "r")
    )
    found = read_saved_call(tmp_path / "r")
    assert [(one.at_ms, one.source, one.event) for one in found.entries] == [
        (one.at_ms, one.source, one.event) for one in result.entries
    ]
    assert any(isinstance(one.event, WireSummary) and one.event.from_server for one in found.entries)
    assert (found.name, found.kind, found.outcome, found.verdict) == ("two_turns", "run", "passed", "passed")
    assert found.duration_ms == result.duration_ms
    assert found.sound is not None
    assert abs(found.sound.duration_ms - result.duration_ms) < 100
    assert found.scenario is not None
    assert "steps:" in found.scenario.text
    line = found.scenario.lines[(0,)]
    assert found.scenario.text.splitlines()[line - 1].strip().startswith("- expect:")
    assert set(found.hashes) == {"scenario", "audio", "profile"}
    assert found.notes == ()


@pytest.mark.long("quicker tests of this file are run")
def test_the_log_names_the_folder_too_and_sound_may_be_left_out(held: Path) -> None:
    found = read_saved_call(held / "call.jsonl", sound=False)
    assert found.sound is None
    assert found.name == "slow_backend_plays_hold"
    assert sum(row.sound_ms for row in found.sent if row.audible) > 8000


def test_failures_stand_in_the_order_of_the_verdict_with_their_places(tmp_path: Path) -> None:
    text = "summary: A call.\nsteps:\n  - expect: {bot_says: 'Bom dia.', within: 1s}\n"
    scenario = load_text(text, "greets", file="greets.yaml", folder=tmp_path)
    run(scenario, Options("helpers.scripted_bot:serve", artefacts=tmp_path / "r"))
    found = read_saved_call(tmp_path / "r")
    assert found.outcome == "failed"
    assert [(one.where, one.what) for one in found.failures] == [("greets.yaml:3", "step 1 (expect bot_says)")]


@pytest.mark.long("a run is read back as it was")
def test_a_call_that_was_saved_before_there_was_a_result_is_read(held: Path, tmp_path: Path) -> None:
    old = shutil.copytree(held, tmp_path / "old")
    (old / "result.json").unlink()
    found = read_saved_call(old)
    assert (found.name, found.kind, found.outcome) == ("slow_backend_plays_hold", "run", None)
    assert found.heading.startswith("slow_backend_plays_hold · Asterisk")
    assert len(found.entries) > 10


def test_a_call_with_the_microphone_has_no_verdict(held: Path, tmp_path: Path) -> None:
    mic = shutil.copytree(held, tmp_path / "mic-1")
    (mic / "result.json").unlink()
    lines = (mic / "call.jsonl").read_text().splitlines(keepends=True)
    (mic / "call.jsonl").write_text("".join(lines[1:]))
    found = read_saved_call(mic)
    assert (found.kind, found.verdict) == ("microphone", "not judged")


def test_lines_that_are_no_events_are_left_out_and_counted(tmp_path: Path) -> None:
    found = read_saved_call(hostile_call(tmp_path / "hostile"))
    assert len(found.entries) == 100
    assert "lines of call.jsonl could not be read" in found.notes[0]
    assert "call.wav cannot be played" in found.notes[1]
    assert all(isinstance(one.at_ms, int) for one in found.entries)
    assert found.scenario is not None
    assert found.scenario.lines[(0,)] == 1
    assert [row.sound_ms for row in found.sent] == [2]


def test_a_stereo_wav_alone_tells_who_spoke_and_what_the_known_voice_said(held: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone.wav"
    shutil.copyfile(held / "call.wav", alone)
    found = read_saved_call(alone)
    logged = read_saved_call(held)
    assert (found.kind, found.name) == ("sound", "alone")
    said = [(one.at_ms, one.event.text) for one in found.entries if isinstance(one.event, BotSpoke)]
    assert said == [(one.at_ms, one.event.text) for one in logged.entries if isinstance(one.event, BotSpoke)]
    [spoke] = [one for one in found.entries if isinstance(one.event, CallerSpoke)]
    [wanted] = [one for one in logged.entries if isinstance(one.event, CallerSpoke)]
    assert abs(spoke.at_ms - wanted.at_ms - wanted.event.audible_ms[0][0]) < 50
    assert any(isinstance(one.event, HoldStarted) for one in found.entries)


@pytest.mark.long("the folder of a run, and a sound alone, are read")
def test_a_captured_call_has_the_callers_words_where_they_are_in_the_sound(tmp_path: Path) -> None:
    with captured("two_turns", tmp_path / "captured") as (result, path):
        pass
    for named in (path, path.with_suffix("")):
        found = read_saved_call(named)
        assert (found.kind, found.outcome) == ("capture", None)
        said = [(one.at_ms, one.event) for one in found.entries if isinstance(one.event, CallerSpoke)]
        wanted = [(one.at_ms, one.event) for one in result.entries if isinstance(one.event, CallerSpoke)]
        assert [event.text for _, event in said] == [event.text for _, event in wanted]
        for (at_ms, event), (wanted_ms, _) in zip(said, wanted, strict=True):
            assert at_ms <= wanted_ms + 400
            assert wanted_ms <= at_ms + event.duration_ms
        asked = [one.event.content for one in found.entries if isinstance(one.event, BackendAsked)]
        replied = [one.event.says for one in found.entries if isinstance(one.event, BackendReplied)]
        assert len(asked) == len(replied) == 2
        assert all(asked)
        assert all(replied)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("nothing", None, "no such file or folder: expected the folder of a call with call.jsonl"),
        ("empty/", None, "no saved call: expected the folder of a call"),
        ("mono.wav", "mono", "1 channel: expected two, the caller on the left"),
        ("text.wav", b"no sound", "not a WAV"),
        ("log/call.jsonl", b"no event\n", "not a call log: no line of it is an event"),
    ],
)
def test_what_is_no_call_is_refused_in_one_line(
    name: str, content: bytes | str | None, words: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    if name.endswith("/"):
        path.mkdir()
    elif content == "mono":
        write_wav(path, silence(1000))
    elif isinstance(content, bytes):
        path.write_bytes(content)
    with pytest.raises(NoSavedCall) as error:
        read_saved_call(path)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_the_calls_below_a_folder_are_found_second_runs_too(tmp_path: Path) -> None:
    for name in ("b", "a", "a/second-run"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "call.jsonl").write_text(json.dumps({"at_ms": 0}))
    assert [path.relative_to(tmp_path).as_posix() for path in calls_in(tmp_path)] == ["a", "a/second-run", "b"]
    with pytest.raises(NoSavedCall, match="there is no call in it"):
        calls_in(tmp_path / "b" / "nothing")


def test_what_the_caller_said_may_be_given_with_a_sound() -> None:
    said = [(100, Source.CALLER, CallerSpoke("Sim.", None, 500))]
    entries = log_of_sound(StereoSound(bytes(16000), bytes(16000)), PhraseBook([]), b"", said)
    assert [type(one.event).__name__ for one in entries] == ["CallerSpoke", "Noted"]
    assert entries[-1].at_ms == 1000
