"""Whole calls to other phones than the usual one: what is heard of the same bot, and what is said about the phone."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiosocket_sim.call_log.events import BotSpoke, PhoneLostSound, PhoneUsed
from audiosocket_sim.phone.line import LineModel
from audiosocket_sim.phone.line_echo import LineEcho
from audiosocket_sim.running.report_lines import report_lines
from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import load_text
from audiosocket_sim.scenario.loading.ear_option import parse_ear

ROOT = Path(__file__).resolve().parents[3]
HELLO = [0.5, "say", "pt-br/pode_subir"]  # reaches the phone from 0.81 to 1.80
AT_ONCE = [0.5, "ahead", "pt-br/pode_subir"]
OTHERS = ("fifo 200ms", "asterisk fixed", "asterisk adaptive", "neteq-like")


def call(ear: str, *script: list[Any], steps: str = "wait: 4s", keys: str = "", folder: Path | None = None) -> Result:
    text = f"summary: A call.\near: {ear}\n{keys}\nsteps:\n  - {steps}\n"
    scenario = load_text(text, "call", folder=ROOT / "scenarios")
    scenario = scenario.model_copy(update={"server": {"script": list(script)}})
    return run(scenario, Options(target="helpers.scripted_bot:serve", artefacts=folder))


def of(result: Result, kind: type) -> list[tuple[int, Any]]:
    return [(entry.at_ms, entry.event) for entry in result.entries if isinstance(entry.event, kind)]


@pytest.mark.every(3)
@pytest.mark.parametrize(("ear", "late_ms"), [("fifo 200ms", 200), ("asterisk fixed", 200), ("neteq-like", 40)])
def test_a_bot_that_keeps_time_is_heard_whole_and_later(ear: str, late_ms: int) -> None:
    result = call(ear, HELLO, steps="expect: {bot_says: Pode subir}")
    assert result.outcome is Outcome.PASSED, result.transcript
    ((at_ms, spoke),) = of(result, BotSpoke)
    assert at_ms == pytest.approx(810 + late_ms, abs=20)
    assert (spoke.text, spoke.cut_off, spoke.gap_ms) == ("Pode subir.", False, 0)
    ((_, used),) = of(result, PhoneUsed)
    assert used.lost_ms == 0
    assert of(result, PhoneLostSound) == []


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("ear", "n_lost"),
    [("fifo 200ms", 1), ("{model: fifo 700ms, size: 2s}", 0), ("neteq-like", 0)],
)
def test_a_sentence_at_once_is_heard_as_far_as_the_phone_keeps_it(ear: str, n_lost: int) -> None:
    result = call(ear, AT_ONCE, keys="quality: {ahead: allowed}")
    heard = [spoke for _, spoke in of(result, BotSpoke) if spoke.text == "Pode subir." and not spoke.cut_off]
    assert len(heard) == 1 - n_lost, result.transcript
    lost = of(result, PhoneLostSound)
    assert len(lost) == n_lost
    assert sum(event.lost_ms for _, event in lost) == of(result, PhoneUsed)[0][1].lost_ms


def test_the_transcript_names_the_phone_its_losses_and_its_delay() -> None:
    lines = call("fifo 200ms", AT_ONCE, keys="quality: {ahead: allowed}").transcript.splitlines()
    assert lines[0].endswith(" · µ-law · ear: fifo 200 ms, holds 400 ms")
    lost = (
        "    0.500  ear      fifo lost 0.99 s of the bot's sound: 400 ms were waiting, and there was room for no more"
    )
    assert lost in lines
    assert lines[-2] == (
        "    4.000  ear      fifo 200 ms, holds 400 ms (a model): sound was played 0.20 s to 0.40 s after it had come, "
        "0.99 s lost"
    )


@pytest.mark.long("a sentence at once is heard as far as the phone keeps it")
def test_of_a_sentence_at_once_a_far_asterisk_passes_the_end_first() -> None:
    result = call("asterisk fixed", AT_ONCE, keys="quality: {ahead: allowed}")
    (_, end), (_, beginning) = of(result, BotSpoke)
    assert end.skipped_ms > 500
    assert beginning.lost_end_ms > 200


@pytest.mark.parametrize("ear", ["phone", "endless"])
def test_a_phone_that_delays_nothing_says_nothing_of_itself(ear: str) -> None:
    result = call(ear, HELLO)
    assert of(result, PhoneUsed) == []
    assert result.transcript.splitlines()[0].endswith(" · ear: endless") is (ear == "endless")


def test_a_phone_to_which_nothing_came() -> None:
    result = call("fifo 200ms", [0.1, "hang_up"], steps="expect: {hangs_up: server}", keys="quality: {}")
    assert of(result, PhoneUsed)[0][1].delays_ms in (None, (200, 200))


def test_a_failure_names_the_phone() -> None:
    result = call("asterisk fixed", HELLO, steps="expect: {bot_says: Boa tarde, within: 2s}")
    assert result.outcome is Outcome.FAILED
    assert "ear: asterisk fixed 200 ms, resync 1000 ms (a model of a phone)" in report_lines(result)
    usual = call("phone", HELLO, steps="expect: {bot_says: Boa tarde, within: 2s}")
    assert not any(line.startswith("ear:") for line in report_lines(usual))


def test_a_server_that_hangs_up_at_its_last_word_loses_what_the_phone_still_holds() -> None:
    hangs_up = [1.9, "hang_up"]  # the last word has come
    assert call("phone", HELLO, hangs_up, steps="expect: {hangs_up: server}").outcome is Outcome.PASSED
    result = call("fifo 300ms", HELLO, hangs_up, steps="expect: {hangs_up: server}")
    assert result.outcome is Outcome.FAILED
    assert "speech were sent and not heard" in result.transcript


def test_the_recording_is_what_the_phone_played(tmp_path: Path) -> None:
    from audiosocket_core.wav import read_wav

    result = call("fifo 200ms", HELLO, folder=tmp_path / "late")
    usual = call("phone", HELLO, folder=tmp_path / "usual")
    assert result.artefacts is not None
    assert usual.artefacts is not None
    late, early = (right(read_wav(one.artefacts.by_name()["recording"].read_bytes())) for one in (result, usual))
    assert first_loud(late) - first_loud(early) == pytest.approx(1600, abs=170)


def right(wav: Any) -> "np.ndarray[Any, Any]":
    return np.frombuffer(wav.data, "<i2")[1::2]


def first_loud(samples: "np.ndarray[Any, Any]") -> int:
    return int(np.argmax(np.abs(samples.astype(int)) > 1000))


def test_an_echo_comes_behind_what_was_played() -> None:
    """What comes makes no echo before it is played: else a bot would hear itself too early."""
    line = LineModel("none", echo=LineEcho(20, -6.0, 0, 1))
    sound = b"\x00\x20" * 160
    assert line.receive(sound, 1.0, plays=False) == sound
    assert not any(line.send(bytes(320), at=1.02) + line.send(bytes(320), at=1.04))
    line.played(1.04, sound)
    assert any(line.send(bytes(320), at=1.06) + line.send(bytes(320), at=1.08))


@pytest.mark.every(2)
@pytest.mark.parametrize("ear", OTHERS)
def test_an_option_replaces_the_scenarios_phone(ear: str) -> None:
    scenario = load_text("summary: A call.\nsteps: [wait: 1s]\n", "call", folder=ROOT / "scenarios")
    result = run(scenario, Options(target="helpers.scripted_bot:serve", ear_model=parse_ear(ear)))
    assert result.scenario.ear.title in result.transcript
    assert result.environment is not None
    assert result.environment.ear == parse_ear(ear).title
