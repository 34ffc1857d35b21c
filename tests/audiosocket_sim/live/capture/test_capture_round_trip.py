"""A committed scenario runs through the capture, what was written runs by itself, and both are the same call.

Compared by `agreement`, one frame and 20 ms of allowance, on what the bot did: its states, what it was understood to
hear, its backend, its voice, hold audio, the end. Loosened: what the caller did is left out, since it is told otherwise
by nature (a recording is now a file, with some sound before and behind it); that the bot did the same at the same time
shows that it heard the same. So are the latencies of stages and notes. Of the end it counts who and how, not the words.
"""

import json
from pathlib import Path

import pytest
from helpers.capture_bench import SCENARIOS, captured, comparable, lines, troubles

from audiosocket_core.phrase_book.book import PhraseBook, normalise
from audiosocket_core.phrase_book.matching import Matcher
from audiosocket_core.slin import read_audio
from audiosocket_sim.call_log.agreement import disagreements
from audiosocket_sim.call_log.events import BotSpoke, CallerSpoke
from audiosocket_sim.live.captured_call import writer
from audiosocket_sim.live.captured_call.analysis import KnownSounds, load_known_sounds
from audiosocket_sim.running.runner import Outcome, run
from audiosocket_sim.scenario import SayStep
from audiosocket_sim.scenario.loading import load

FIRST = ("two_turns", "barge_in")
MORE = (
    "dtmf",
    "unrecognised_speech",
    "greeting_then_hold",
    "hang_up_in_user_turn",
    "backend_recovers",
    "backend_refused",
    "status_waiting_two_pushes",
    "phone_stops_sending_after_speech",
    "talking_over_the_bot",
    "echo_opens_no_turn",
    "noisy_line",
    "jittered_caller",
    "split_writes_bytes",
)
OF_A_KIND = pytest.mark.long("one call of each kind is captured, and one redacted")
CALLS = [
    FIRST[0],
    *(pytest.param(name, marks=OF_A_KIND) for name in (*FIRST[1:], *MORE[:-1])),
    pytest.param(MORE[-1], marks=(OF_A_KIND, pytest.mark.one_python)),  # a message for each byte takes a minute
]
REDACTED = ["dtmf", *(pytest.param(n, marks=OF_A_KIND) for n in (*FIRST, *MORE[1:5]))]
UNREAD = ["barge_in", *(pytest.param(n, marks=OF_A_KIND) for n in ("greeting_then_hold", "two_turns", MORE[6]))]
NO_BACKEND = ["two_turns", *(pytest.param(n, marks=OF_A_KIND) for n in ("greeting_then_hold", "unrecognised_speech"))]
PRIVATE_WORDS = 3


@pytest.mark.parametrize("name", CALLS)
def test_the_same_call_again(name: str, tmp_path: Path) -> None:
    with captured(name, tmp_path) as (first, written):
        assert first.outcome is Outcome.PASSED, first.problems
        again = run(load(written))
    assert again.outcome is Outcome.PASSED, again.problems
    assert disagreements(comparable(first.entries), comparable(again.entries), 20) == []
    assert _said(first.entries) == _said(again.entries)


@pytest.mark.long("a voice that is known is captured")
@pytest.mark.parametrize("name", UNREAD)
def test_the_same_call_again_where_nobody_can_read_the_bots_voice(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No sentence is recognised, as with a live bot of another voice."""
    music = load_known_sounds(tmp_path).hold_pcm
    monkeypatch.setattr(writer, "load_known_sounds", lambda folder: KnownSounds(PhraseBook([]), music))
    with captured(name, tmp_path) as (first, written):
        assert "bot_says" not in written.read_text(encoding="utf-8")
        again = run(load(written))
    assert again.outcome is Outcome.PASSED, again.problems
    assert disagreements(comparable(first.entries), comparable(again.entries), 20) == []


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize("name", NO_BACKEND)
def test_without_the_backend_texts_come_from_the_control_api_and_answers_from_the_ear(
    name: str, tmp_path: Path
) -> None:
    with captured(name, tmp_path, ai_to="not captured") as (first, written):
        assert first.outcome is Outcome.PASSED, first.problems
        assert not (tmp_path / name / "cassette.json").exists()
        again = run(load(written))
    assert again.outcome is Outcome.PASSED, again.problems
    assert _said(first.entries) == _said(again.entries)
    assert _heard(first.entries) == _heard(again.entries)


def _heard(entries: object) -> list[str]:
    return [e.event.text for e in entries if isinstance(e.event, BotSpoke)]  # type: ignore[attr-defined]


def _said(entries: object) -> list[str]:
    """The texts of the utterances that the bot understood; the others are files without a text."""
    said = [e.event.text for e in entries if isinstance(e.event, CallerSpoke)]  # type: ignore[attr-defined]
    asked = {normalise(e.event.content) for e in entries if hasattr(e.event, "content")}  # type: ignore[attr-defined]
    return [normalise(text) for text in said if text is not None and normalise(text) in asked]


@pytest.mark.long("one call is captured")
def test_the_command_prints_a_line_for_each_call_without_words(tmp_path: Path) -> None:
    with captured("two_turns", tmp_path) as (_, written):
        assert troubles == []
        assert [line.partition(": ")[0] for line in lines] == [str(written)]
        told = normalise(" ".join(lines))
    assert "speaks twice" in told
    assert "joao" not in told
    assert "apartamento" not in told


@pytest.mark.long("other calls are captured")
def test_only_the_owner_can_read_what_was_captured(tmp_path: Path) -> None:
    with captured("two_turns", tmp_path / "out") as (_, written):
        folder = written.parent
    assert folder.stat().st_mode & 0o777 == 0o700
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*")}
    assert modes == {
        "two_turns": 0o700,
        "two_turns.yaml": 0o600,
        "call.wav": 0o600,
        "cassette.json": 0o600,
        "utterance_1.wav": 0o600,
        "utterance_2.wav": 0o600,
    }


@pytest.mark.long("the writer is tried alone")
def test_the_page_shows_a_scenario_as_it_is_written(tmp_path: Path) -> None:
    page = (SCENARIOS.parent / "docs" / "capture.md").read_text(encoding="utf-8")
    with captured("two_turns", tmp_path) as (_, written):
        assert page.partition("```yaml\n")[2].partition("```")[0] == written.read_text(encoding="utf-8")


@pytest.mark.long("the names of files are tried alone")
def test_a_second_call_never_overwrites_the_first(tmp_path: Path) -> None:
    with captured("two_turns", tmp_path) as (_, written):
        first = written.read_bytes()
    with captured("two_turns", tmp_path):
        assert written.read_bytes() == first
        assert (tmp_path / "two_turns_2.yaml").is_file()
        assert load(tmp_path / "two_turns_2.yaml").steps


@pytest.mark.long("other calls are captured")
def test_what_was_not_recognised_says_so(tmp_path: Path) -> None:
    with captured("unrecognised_speech", tmp_path) as (_, written):
        text = written.read_text(encoding="utf-8")
    says = [step.say for step in load(written).steps if isinstance(step, SayStep)]
    assert [say.text for say in says] == [None, "Obrigado, tchau."]
    assert "  # not recognised\n  - say: {file: unrecognised_speech/utterance_1.wav}" in text


@pytest.mark.long("a question and its answer are on the tape")
def test_the_cassette_holds_what_the_backend_said(tmp_path: Path) -> None:
    with captured("greeting_then_hold", tmp_path):
        tape = json.loads((tmp_path / "greeting_then_hold" / "cassette.json").read_text(encoding="utf-8"))
    assert [e["content"] for e in tape["exchanges"]] == ["Quero falar com o apartamento 202, por favor."]
    assert tape["exchanges"][0]["answer"]["body"]["set_call_status"] == "WAITING"
    assert [p["body"]["content"]["mensagem"] for p in tape["pushes"]] == ["A autorização foi confirmada, pode entrar."]


@pytest.mark.long("a redacted call is searched for what was said; others run")
@pytest.mark.parametrize("name", REDACTED)
def test_redacted_it_still_runs(name: str, tmp_path: Path) -> None:
    """The bot says «utterance n» in the synthetic voice."""
    with captured(name, tmp_path, redact=True) as (first, written):
        assert first.outcome is Outcome.PASSED, first.problems
        again = run(load(written))
    assert again.outcome is Outcome.PASSED, again.problems


@pytest.mark.long("the texts and sounds of redaction are tried, and a page of a redacted call")
@pytest.mark.parametrize("name", REDACTED)
def test_redacted_nothing_of_it_is_left(name: str, tmp_path: Path) -> None:
    with captured(name, tmp_path / "whole") as (first, _):
        pass
    with captured(name, tmp_path / "redacted", redact=True) as (_, written):
        pass
    files = [path for path in written.parent.rglob("*") if path.is_file()]
    texts = normalise(" ".join(path.read_text(encoding="utf-8") for path in files if path.suffix in (".yaml", ".json")))
    for private in _private_texts(name):
        words = normalise(private).split()
        pieces = [" ".join(words[at : at + PRIVATE_WORDS]) for at in range(max(1, len(words) - PRIVATE_WORDS + 1))]
        assert not [piece for piece in pieces if piece in texts]
    uuid = next((e.event.conversation_id for e in first.entries if hasattr(e.event, "conversation_id")), None)
    assert uuid is None or normalise(uuid) not in texts
    assert load(written).asterisk.uuid is None
    assert all(set(step.dtmf) == {"0"} for step in load(written).steps if hasattr(step, "dtmf"))
    everything = b"".join(path.read_bytes() for path in files)
    for sound in (tmp_path / "whole").rglob("*.wav"):
        assert not _pieces(sound.read_bytes()[44:]) & _pieces_in(everything, _pieces(sound.read_bytes()[44:]))
    book = PhraseBook.load(SCENARIOS.parent / "recordings", SCENARIOS.parent / "audio" / "prompts")
    for sound in files:
        if sound.suffix == ".wav":
            listening = Matcher(book.phrases).listen()
            listening.feed(read_audio(sound))
            assert listening.matches() == ()


def _private_texts(name: str) -> list[str]:
    scenario = load(SCENARIOS / f"{name}.yaml")
    replies = [reply.says for reply in scenario.ai] + [push.says for reply in scenario.ai for push in reply.then_pushes]
    return [text for text in [*replies, *(reply.hears for reply in scenario.ai)] if text]


def _pieces(pcm: bytes) -> set[bytes]:
    """The pieces of 5 ms that are not silent."""
    pieces = {pcm[at : at + 80] for at in range(0, len(pcm) - 80, 800)}
    return {piece for piece in pieces if len(set(piece)) > 20}


def _pieces_in(everything: bytes, pieces: set[bytes]) -> set[bytes]:
    return {piece for piece in pieces if piece in everything}
