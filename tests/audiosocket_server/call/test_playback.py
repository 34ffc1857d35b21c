"""Which 20 ms leave next. Arithmetic: a frame is a frame."""

import pytest
from audiosocket_server.call.playback import (
    FRAME_BYTES,
    HoldBegan,
    HoldEnded,
    Playback,
    SpeechBegan,
    SpeechEnded,
    SpeechNearlyOver,
)
from hypothesis import given
from hypothesis import strategies as st

SILENCE = bytes(FRAME_BYTES)
HOLD = b"".join(bytes([n + 1]) * FRAME_BYTES for n in range(3))


def voice(frames: float, fill: int = 9) -> bytes:
    return bytes([fill]) * int(frames * FRAME_BYTES)


def take(playback: Playback, frames: int) -> list[bytes]:
    return [playback.next_frame() for _ in range(frames)]


def news(playback: Playback) -> list[object]:
    told: list[object] = list(playback.news)
    playback.news.clear()
    return told


def test_nothing_to_say_is_silence_of_a_whole_frame() -> None:
    assert take(Playback(), 2) == [SILENCE, SILENCE]


def test_speech_goes_out_whole_and_its_end_is_told_when_its_last_frame_has_been_out() -> None:
    playback = Playback()
    playback.begin(7)
    assert playback.job == 7
    playback.feed(voice(1.5))
    playback.finish()
    assert take(playback, 2) == [voice(1), voice(0.5) + bytes(160)]
    assert news(playback) == [SpeechBegan(7)]
    assert playback.next_frame() == SILENCE
    assert news(playback) == [SpeechEnded(7, 40, complete=True, of_ms=30)]


def test_hold_audio_loops_without_a_seam_and_starts_from_its_beginning_each_time() -> None:
    playback = Playback(HOLD[:-160])
    playback.start_hold()
    assert b"".join(take(playback, 5)) == (HOLD[:-160] * 2)[: 5 * FRAME_BYTES]
    playback.stop_hold()
    assert playback.next_frame() == SILENCE
    assert news(playback) == [HoldBegan(), HoldEnded(100)]
    playback.start_hold()
    assert playback.next_frame() == HOLD[:FRAME_BYTES]


def test_the_newest_sound_is_the_end_of_what_left() -> None:
    playback = Playback(HOLD)
    assert playback.newest(20) == b""
    playback.start_hold()
    take(playback, 2)
    assert playback.newest(20) == HOLD[FRAME_BYTES : 2 * FRAME_BYTES]
    assert playback.newest(60_000) == HOLD[: 2 * FRAME_BYTES]
    playback.begin(1)
    playback.feed(voice(3, fill=8))
    take(playback, 1)
    assert playback.newest(10) == voice(0.5, fill=8)
    assert playback.newest(60_000) == voice(1, fill=8)


def test_hold_audio_shorter_than_a_frame() -> None:
    playback = Playback(b"ab" * 50)
    playback.start_hold()
    assert b"".join(take(playback, 3)) == b"ab" * 480


def test_speech_takes_over_from_hold_audio_in_one_frame() -> None:
    playback = Playback(HOLD)
    playback.start_hold()
    assert playback.next_frame() == HOLD[:FRAME_BYTES]
    playback.begin(1)
    assert playback.next_frame() == HOLD[FRAME_BYTES : 2 * FRAME_BYTES]  # it is not ready yet: hold audio goes on
    playback.feed(voice(2))
    assert playback.next_frame() == voice(1)
    assert news(playback) == [HoldBegan(), HoldEnded(40), SpeechBegan(1)]


def test_a_held_message_waits_for_its_release() -> None:
    playback = Playback()
    playback.begin(1, held=True)
    playback.feed(voice(1))
    playback.finish()
    assert take(playback, 3) == [SILENCE] * 3
    playback.release()
    assert playback.next_frame() == voice(1)


def test_speech_that_comes_too_late_leaves_silence_and_loses_nothing() -> None:
    playback = Playback()
    playback.begin(1)
    playback.feed(voice(1, 1))
    assert take(playback, 3) == [voice(1, 1), SILENCE, SILENCE]
    playback.feed(voice(0.5, 2))
    playback.feed(voice(0.5, 3))
    playback.finish()
    assert playback.next_frame() == voice(0.5, 2) + voice(0.5, 3)
    playback.next_frame()
    assert news(playback) == [SpeechBegan(1), SpeechEnded(1, 80, complete=True, of_ms=40)]


def test_a_message_that_stalls_is_over_incomplete() -> None:
    playback = Playback(longest_stall_ms=60)
    playback.begin(1)
    playback.feed(voice(2))
    assert take(playback, 6) == [voice(1)] * 2 + [SILENCE] * 4
    assert news(playback) == [SpeechBegan(1), SpeechEnded(1, 40, complete=False)]


def test_flush_stops_at_once() -> None:
    playback = Playback()
    playback.begin(1)
    playback.feed(voice(100))
    take(playback, 3)
    playback.flush()
    assert playback.next_frame() == SILENCE
    assert playback.queued_ms == 0
    assert news(playback) == [SpeechBegan(1), SpeechEnded(1, 60, complete=False)]
    playback.feed(voice(1))  # what its maker still delivers is nobody's
    assert playback.next_frame() == SILENCE


def test_flush_of_a_message_that_nobody_heard_is_no_news() -> None:
    playback = Playback()
    playback.begin(1)
    playback.feed(voice(0.5))
    playback.next_frame()
    playback.flush()
    assert news(playback) == []


@given(
    pieces=st.lists(st.binary(min_size=1, max_size=1500).map(lambda b: b[: len(b) // 2 * 2]), max_size=12),
    pulls=st.lists(st.integers(0, 3), max_size=12),
)
def test_however_it_is_cut_all_of_it_goes_out_once(pieces: list[bytes], pulls: list[int]) -> None:
    playback = Playback()
    playback.begin(1)
    out = b""
    for number, piece in enumerate(pieces):
        playback.feed(piece)
        for _ in range(pulls[number] if number < len(pulls) else 0):
            if playback.queued_ms >= 20:
                out += playback.next_frame()
    playback.finish()
    while playback.queued_ms or playback.job is not None:
        frame = playback.next_frame()
        if playback.job is None or not b"".join(pieces):
            break
        out += frame
    whole = b"".join(pieces)
    assert out[: len(whole)] == whole
    assert len(out) - len(whole) < FRAME_BYTES
    assert not out[len(whole) :].strip(b"\0")


@pytest.mark.parametrize("odd", [b"\1" * 321, b"\1"])
def test_an_odd_byte_does_not_shift_what_follows(odd: bytes) -> None:
    playback = Playback()
    playback.begin(1)
    playback.feed(odd)
    playback.feed(b"\2\3" * 400)
    playback.finish()
    assert b"".join(take(playback, 4)).rstrip(b"\0") == odd[: len(odd) // 2 * 2] + b"\2\3" * 400


@pytest.mark.parametrize("silent_frames", [0, 4])
def test_the_last_word_is_announced_and_silence_behind_it_does_not_count(silent_frames: int) -> None:
    playback = Playback(nearly_over_ms=60)
    playback.begin(7)
    playback.feed(voice(6))
    playback.feed(bytes(silent_frames * FRAME_BYTES))
    playback.finish()
    take(playback, 3)
    assert news(playback) == [SpeechBegan(7)]
    take(playback, 1)
    assert news(playback) == [SpeechNearlyOver(7)]  # 60 ms are to come, and the frame that goes now
    take(playback, 3 + silent_frames)
    assert news(playback) == [SpeechEnded(7, 120 + 20 * silent_frames, complete=True, of_ms=120 + 20 * silent_frames)]


def test_the_end_is_not_announced_while_the_message_is_still_made() -> None:
    playback = Playback(nearly_over_ms=60)
    playback.begin(7)
    playback.feed(voice(2))
    take(playback, 1)
    assert news(playback) == [SpeechBegan(7)]
    playback.finish()
    take(playback, 1)
    assert news(playback) == [SpeechNearlyOver(7)]
    playback.begin(8)
    playback.feed(voice(9))
    take(playback, 9)
    assert SpeechNearlyOver(8) not in news(playback)


def numbered(frames: int) -> bytes:
    return b"".join(bytes([n + 1]) * FRAME_BYTES for n in range(frames))


def speaking(frames: int = 10) -> Playback:
    playback = Playback(HOLD)
    playback.begin(7)
    playback.feed(numbered(frames)[:1000])
    playback.feed(numbered(frames)[1000:])
    playback.finish()
    return playback


def test_a_paused_message_goes_on_where_it_was() -> None:
    playback = speaking()
    take(playback, 4)
    playback.pause()
    assert take(playback, 500) == [SILENCE] * 500
    assert (playback.played_ms, playback.position_ms, playback.left_ms) == (80, 80, 120)
    playback.resume(80)
    assert b"".join(take(playback, 6)) == numbered(10)[4 * FRAME_BYTES :]
    playback.next_frame()
    assert news(playback) == [SpeechBegan(7), SpeechEnded(7, 200, complete=True, of_ms=200)]


@pytest.mark.every(3)
@pytest.mark.parametrize("at_frames", range(10))
@given(paused_after=st.integers(1, 9))
def test_it_goes_on_at_any_frame_near_by(at_frames: int, paused_after: int) -> None:
    playback = speaking()
    take(playback, paused_after)
    playback.pause()
    playback.resume(at_frames * 20)
    assert playback.played_ms == playback.position_ms == at_frames * 20
    assert b"".join(take(playback, 10 - at_frames)) == numbered(10)[at_frames * FRAME_BYTES :]
    playback.next_frame()
    assert news(playback)[-1] == SpeechEnded(7, 200, complete=True, of_ms=200)


def test_no_further_back_than_what_is_kept_and_no_further_on_than_its_end() -> None:
    playback = speaking(30)
    take(playback, 20)
    playback.pause()
    playback.resume(0)
    assert playback.position_ms == 100
    playback.pause()
    playback.resume(5000)
    assert playback.position_ms == 600


def test_what_is_stopped_in_a_pause_tells_how_much_was_played() -> None:
    playback = speaking()
    take(playback, 4)
    playback.pause()
    take(playback, 9)
    playback.flush()
    assert news(playback)[-1] == SpeechEnded(7, 80, complete=False, of_ms=200)
    playback.begin(8)
    playback.feed(numbered(3))
    assert take(playback, 1) == [numbered(1)]  # the next message is not paused
    playback.pause()
    playback.resume(0)
    assert take(playback, 1) == [numbered(1)]


def test_how_much_is_left_is_known_when_all_has_arrived() -> None:
    playback = Playback()
    assert playback.left_ms is None
    playback.begin(1)
    playback.feed(voice(3))
    take(playback, 1)
    assert playback.left_ms is None
    playback.finish()
    assert playback.left_ms == 40
