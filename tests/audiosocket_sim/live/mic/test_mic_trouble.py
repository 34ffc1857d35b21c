"""What is wrong with a live call is reported while it happens; a pause of our own is not blamed on the bot."""

import asyncio
import os
import sys

import pytest

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.call_log.transcript import line_of
from audiosocket_sim.live.mic.options import MicOptions
from audiosocket_sim.live.mic.own_pauses import LateMessage, OwnPauses
from audiosocket_sim.live.mic.session import MicCall
from audiosocket_sim.live.mic.sound_card import quiet_libraries
from audiosocket_sim.live.mic.trouble import troubles
from audiosocket_sim.phone.line import tone
from audiosocket_sim.virtual_time.loop import run

PACKET = tone(20, 400, -12)


def kinds(now: float, **how: float | None) -> list[str]:
    all_well: dict[str, float | None] = {
        "microphone_at": now,
        "loudspeaker_at": now,
        "answered_at": 0.0,
        "bot_at": now,
        "waiting": 0.0,
    }
    return [one.kind for one in troubles(now, **(all_well | how))]  # type: ignore[arg-type]


def test_a_loudspeaker_that_is_gone_is_no_microphone_that_is() -> None:
    assert kinds(10.0) == []
    assert kinds(10.0, loudspeaker_at=7.9) == ["loudspeaker"]
    assert kinds(10.0, microphone_at=7.9) == ["microphone"]
    assert kinds(10.0, loudspeaker_at=7.9, microphone_at=7.9, waiting=60.0) == ["microphone", "loudspeaker"]


def test_a_bot_that_sends_nothing_or_far_ahead() -> None:
    assert kinds(10.0, answered_at=None, bot_at=None) == []
    assert kinds(2.9, bot_at=None) == []
    assert kinds(3.1, bot_at=None) == ["never_sent"]
    assert kinds(10.0, bot_at=6.9) == ["nothing_sent"]
    assert kinds(10.0, waiting=2.1) == ["ahead"]


def through(first: int, last: int, *, reads_ms: int) -> list[float]:
    """Return the times of messages sent every 20 ms, by number, to a program that was stopped from 1 s to 2 s and then
    takes so long to read what came meanwhile."""
    pauses = OwnPauses()
    heard: list[LateMessage] = []
    late = [i for i in range(first, last) if 1.0 < i * 0.02 < 2.0]
    reads = {i: 2.0 + reads_ms / 1000 * n / len(late) for n, i in enumerate(late)}
    for i in range(200):
        at = i * 0.02
        if not 1.0 < at < 2.0:
            pauses.tick(at)
            heard += pauses.ready(at)
            assert pauses.known_until(at) == (1.0 if 2.0 <= at < 2.41 else at)
        else:
            pauses.tick(reads.get(i, 2.0))
        if first <= i < last:
            heard += pauses.take((reads.get(i, at), 8000, PACKET))
    assert pauses.ended == 2.0
    return [at for at, _, _ in heard]


@pytest.mark.parametrize("reads_ms", [0, 15])
@pytest.mark.parametrize(("first", "last"), [(0, 200), (0, 80), (60, 200)], ids=["goes on", "ends", "begins"])
def test_what_piled_up_in_a_pause_of_ours_has_the_times_at_which_it_came(first: int, last: int, reads_ms: int) -> None:
    assert through(first, last, reads_ms=reads_ms) == pytest.approx([i * 0.02 for i in range(first, last)], abs=0.0201)


@pytest.mark.parametrize("seconds", [0.0, 5.0])
def test_what_a_bot_sends_ahead_of_a_pauses_length_stays_ahead(seconds: float) -> None:
    pauses = OwnPauses()
    assert pauses.tick(1.0) is None
    assert pauses.tick(2.0) == 1.0
    burst = [(2.001, 8000, PACKET)] * round(seconds * 50)
    heard = [*(message for one in burst for message in pauses.take(one)), *pauses.ready(2.5)]
    assert len(heard) == len(burst)
    assert all(at == 1.0 for at, _, _ in heard[:150])
    assert [*pauses.ready(2.6)] == []


def a_call(lines: list[str]) -> MicCall:
    return MicCall(
        MicOptions(echo_guard=False),
        microphone_hz=8000,
        loudspeaker_hz=8000,
        bot_book=PhraseBook([]),
        hold_pcm=b"",
        on_entry=lambda entry, call: lines.append(" ".join(line_of(entry).split()[1:])),
    )


@pytest.mark.long("quicker tests of this file are run")
def test_a_call_that_is_stopped_for_two_seconds_blames_nobody_else() -> None:
    lines: list[str] = []

    async def go() -> None:
        loop = asyncio.get_running_loop()
        call = a_call(lines)
        call.leg.t0 = start = loop.time()
        for i in range(250):
            at = start + i * 0.02
            if not 1.0 < i * 0.02 < 3.5:
                await asyncio.sleep(at - loop.time())
                call.phone.captured(PACKET)
                call._source(160)
                call.phone.pull(160)
            if 1.0 < i * 0.02 < 3.5:  # read in one go afterwards
                await asyncio.sleep(start + 3.5 - loop.time())
            call._on_bot_audio(loop.time(), 8000, PACKET)
        assert call.phone.playout.depth_ms < 100
        call.ear.close(loop.time())
        call.leg.abort()

    run(go())
    assert [line for line in lines if "stood still" in line] == [
        "note this program stood still for 2.5 s, which is not the bot's fault"
    ]
    assert not [line for line in lines if "ahead" in line or "gap" in line or "microphone" in line]


def test_trouble_is_noted_once_and_stands_in_the_status_while_it_lasts() -> None:
    lines: list[str] = []

    async def go() -> None:
        loop = asyncio.get_running_loop()
        call = a_call(lines)
        call.leg.t0 = loop.time()
        for i in range(250):
            call.phone.captured(PACKET)
            call._source(160)
            if i == 240:
                assert [one.kind for one in call.troubles] == ["loudspeaker", "never_sent"]
            await asyncio.sleep(0.02)
        call.leg.abort()

    run(go())
    assert lines == [
        "note the loudspeaker takes no sound any more: hang up, choose another with --output, and call again",
        "note the bot has sent nothing for 3 s, not even silence",
    ]


def test_what_a_library_prints_does_not_break_the_drawing(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet_libraries():
        os.write(2, b"Expression failed")
        sys.stderr.write("ours\n")
    os.write(2, b" and after")
    assert capfd.readouterr().err == "ours\n and after"
