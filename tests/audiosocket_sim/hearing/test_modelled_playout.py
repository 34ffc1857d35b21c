"""What comes out of a phone whose buffer is a model: its sound, its losses, and what is never heard."""

import numpy as np
import pytest

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.hearing import Ear, Fact, HeardSpeech, PhoneLost, SentAhead
from audiosocket_sim.hearing.modelled_playout import ModelledPlayout, PhoneUse
from audiosocket_sim.hearing.phone_buffer import PhoneBuffer
from audiosocket_sim.hearing.phones import phone_model

LOUD = np.tile(np.array([6000, -6000], "<i2"), 80).tobytes()
QUIET = bytes(320)


def playout(lost: list[PhoneLost], delay_ms: int = 200, size_ms: int = 400) -> ModelledPlayout:
    phone = phone_model("fifo", delay_ms=delay_ms, size_ms=size_ms)
    assert phone is not None
    return ModelledPlayout(phone, PhoneBuffer(endless=True, lead_ms=300), lost.append)


def test_sound_comes_out_when_the_model_plays_it() -> None:
    phone = playout([])
    for number in range(5):
        phone.queue(1 + number * 0.02, 8000, LOUD)
    phone.advance(3.0)
    assert phone.started_at == 1.0
    assert phone.timeline(None, 2.0) == bytes(3200) + LOUD * 5 + bytes(16000 - 3200 - 1600)
    assert phone.holes(0, 10**6) == [(2400, 13600)]  # from the last chunk on; the wait before the first is none
    assert phone.finish() == PhoneUse(100, 0, (200, 200))


def test_a_hole_that_the_buffer_hides_is_none() -> None:
    phone = playout([])
    for at in (1.0, 1.02, 1.2, 1.22):
        phone.queue(at, 8000, LOUD)
    phone.advance(1.2 + 0.08)
    assert [length for _, length in phone.holes(0, 10**6)] == []
    phone.queue(1.5, 8000, LOUD)
    phone.advance(1.8)
    assert [hole for hole, _ in phone.holes(0, 10**6)] == [2240, 5760]


def test_losses_are_reported_together_once_they_are_over() -> None:
    lost: list[PhoneLost] = []
    phone = playout(lost)
    for _ in range(50):
        phone.queue(1.0, 8000, LOUD)
    assert lost == []
    phone.advance(2.1)
    assert [(one.at, one.lost_ms, one.lasted_ms) for one in lost] == [(1.0, 780, 0)]
    for number in range(50):
        phone.queue(3.0 + number * 0.001, 8000, LOUD)
    assert phone.finish().lost_ms == 780 + lost[1].lost_ms
    assert lost[1].lasted_ms == pytest.approx(49, abs=15)


def test_silence_that_is_lost_is_no_loss() -> None:
    lost: list[PhoneLost] = []
    phone = playout(lost)
    for _ in range(50):
        phone.queue(1.0, 8000, QUIET)
    assert (phone.finish().lost_ms, lost) == (0, [])


def test_two_reasons_are_two_losses() -> None:
    lost: list[PhoneLost] = []
    model = phone_model("asterisk adaptive")
    assert model is not None
    phone = ModelledPlayout(model, PhoneBuffer(endless=True), lost.append)
    for number in range(3000):
        at = 1 + number * 0.02 + 0.06 * (number // 50)
        phone.queue(at, 8000, LOUD)
    phone.queue(70.0, 8000, LOUD)
    for number in range(100):
        phone.queue(70.02 + number * 0.0001, 8000, LOUD)
    phone.advance(90.0)
    phone.finish()
    whys = [one.why for one in lost]
    assert whys[0] == "it came too late for its time stamp"
    assert whys[-1] == "it came at once to the phone behind it, which holds 300 ms"


@pytest.mark.parametrize(("rate_hz", "per_frame"), [(8000, 1), (16000, 2)])
def test_what_was_sent_and_not_played(rate_hz: int, per_frame: int) -> None:
    """What waits, what is playing, and what was lost until it would have been played."""
    phone = playout([])
    frame = np.repeat(np.frombuffer(LOUD, "<i2"), per_frame).tobytes()
    for _ in range(50):
        phone.queue(1.0, rate_hz, frame)
    phone.advance(1.01)
    assert phone.unheard(1.01) == (1.0, pytest.approx(1000, abs=8))
    phone.advance(1.21)
    assert phone.unheard(1.21) == (1.0, pytest.approx(990, abs=20))
    phone.advance(1.5)
    assert phone.unheard(1.5) == (1.0, pytest.approx(500, abs=8))
    phone.advance(2.5)
    assert phone.unheard(2.5) == (None, 0)


def test_a_lead_is_the_bots_doing_and_is_measured_without_the_buffer() -> None:
    facts: list[Fact] = []
    ear = Ear(PhraseBook([]), b"", facts.append, phone=phone_model("asterisk adaptive"), lead_ms=300)
    for _ in range(50):
        ear.hear(1.0, 8000, LOUD)
    ear.close(9.0)
    (lead,) = [fact for fact in facts if isinstance(fact, SentAhead)]
    assert (lead.at, lead.ahead_ms, lead.lost_ms) == (1.0, 980, 0)
    (spoke,) = [fact for fact in facts if isinstance(fact, HeardSpeech)][:1]
    assert spoke.ahead_ms >= 300
    assert ear.phone_use is not None


def test_what_a_phone_plays_is_told() -> None:
    played: list[tuple[float, int, bytes]] = []
    ear = Ear(
        PhraseBook([]),
        b"",
        lambda fact: None,
        phone=phone_model("fifo", delay_ms=100, size_ms=200),
        on_played=lambda *what: played.append(what),
    )
    ear.hear(1.0, 16000, LOUD * 2)
    ear.advance(1.05)
    assert played == []
    ear.advance(1.2)
    assert played == [(pytest.approx(1.1), 16000, LOUD * 2)]
