"""When does the caller speak. Arithmetic over frames whose verdict is written in their first byte."""

import random
from collections.abc import Sequence

import pytest
from audiosocket_server.endpointing import (
    Endpointer,
    EndpointingFact,
    IsEcho,
    SpeechPaused,
    SpeechWentOn,
    UtteranceClosed,
    UtteranceOpened,
    Vad,
    WebRtcVad,
)
from hypothesis import given
from hypothesis import strategies as st

SPEECH = b"\1" * 320
QUIET = bytes(320)


class FirstByte:
    def __init__(self, *, adapts: bool = True) -> None:
        self.adapts = adapts
        self.asked = self.resets = 0

    def is_speech(self, frame: bytes) -> bool:
        assert len(frame) == 320
        self.asked += 1
        return frame[0] == 1

    def reset(self) -> None:
        self.resets += 1


def endpointer(
    vad: Vad | None = None,
    *,
    silence_ms: int = 200,
    longest_ms: int = 2000,
    pre_roll_ms: int = 60,
    minimum_speech_ms: int = 100,
    guards: Sequence[IsEcho] = (),
    short_silence_ms: int = 0,
) -> Endpointer:
    made = Endpointer(
        vad or FirstByte(),
        silence_ms=silence_ms,
        longest_ms=longest_ms,
        pre_roll_ms=pre_roll_ms,
        minimum_speech_ms=minimum_speech_ms,
        guards=guards,
        short_silence_ms=short_silence_ms,
    )
    made.listen(True)
    return made


def feed(ep: Endpointer, what: str) -> list[tuple[int, EndpointingFact]]:
    """`s` is 20 ms of speech, `.` 20 ms of silence, `-` 20 ms in which nothing comes; facts with their position."""
    facts: list[tuple[int, EndpointingFact]] = []
    for at, sign in enumerate(what):
        told = ep.missing(20) if sign == "-" else ep.audio(SPEECH if sign == "s" else QUIET)
        facts += [(at, fact) for fact in told or ()]
    return facts


def test_an_utterance_and_the_silence_that_ends_it() -> None:
    began, ended = feed(endpointer(), "....ssssssss.............")
    assert began[0] == 6  # the third voiced frame
    assert ended == (21, UtteranceClosed("silence", 160, 200))  # ten silent frames; 8 frames of speech


def test_the_pre_roll_is_in_front_of_the_first_voiced_frame() -> None:
    ((_, began),) = feed(endpointer(), "....sss")
    assert began == UtteranceOpened(QUIET * 3 + SPEECH * 3)


def test_the_pre_roll_does_not_reach_behind_forget() -> None:
    ep = endpointer(pre_roll_ms=300)
    feed(ep, "..s.s....")
    ep.forget()
    ((_, began),) = feed(ep, ".sss")
    assert began == UtteranceOpened(QUIET + SPEECH * 3)


def test_two_voiced_frames_are_a_click() -> None:
    assert feed(endpointer(), "ss....ss...") == []


def test_speech_that_was_there_before_anybody_listened_counts_at_once() -> None:
    ep = endpointer()
    ep.listen(False)
    assert feed(ep, "..ssssssss") == []
    ep.listen(True)
    ((at, _),) = feed(ep, "sss")
    assert at == 0


def test_a_noise_is_too_short_and_the_ear_stays_open() -> None:
    ep = endpointer(minimum_speech_ms=100)
    facts = feed(ep, "sss...........ssssss..........")
    assert [type(f) for _, f in facts] == [UtteranceOpened, UtteranceClosed, UtteranceOpened, UtteranceClosed]
    assert facts[1] == (12, UtteranceClosed("too_short", 60, 200))
    assert facts[3][1] == UtteranceClosed("silence", 120, 200)


def test_after_an_utterance_the_ear_is_closed() -> None:
    ep = endpointer()
    feed(ep, "ssssss" + "." * 10)
    assert not ep.listening
    assert feed(ep, "sssssssss") == []


def test_noise_that_never_falls_silent_ends_at_the_longest() -> None:
    facts = feed(endpointer(longest_ms=400), "s" * 40)
    assert facts[1] == (19, UtteranceClosed("longest", 400, 0))


def test_a_pause_shorter_than_the_threshold_does_not_end_the_turn() -> None:
    assert len(feed(endpointer(), "sssss" + "." * 9 + "sss" + "." * 9)) == 1


def test_a_click_after_the_last_word_does_not_prolong_the_turn() -> None:
    _, ended = feed(endpointer(), "sssss" + "." * 5 + "ss" + "." * 5)
    assert ended == (14, UtteranceClosed("silence", 100, 200))


def test_a_click_as_the_silence_is_over_may_be_a_word_until_the_next_frame_tells() -> None:
    _, ended = feed(endpointer(), "sssss" + "." * 9 + "ss" + ".")
    assert ended == (16, UtteranceClosed("silence", 100, 240))


def test_a_word_with_a_short_gap_in_it_is_no_click() -> None:
    _, ended = feed(endpointer(), "sssss" + "." * 5 + "s.ss" + "." * 10)
    assert ended == (23, UtteranceClosed("silence", 280, 200))


def test_missing_audio_is_silence() -> None:
    _, ended = feed(endpointer(), "sssss..--------")
    assert ended == (14, UtteranceClosed("silence", 100, 200))


def test_a_hole_around_a_digit_is_forgiven_and_the_silence_before_it_is_not() -> None:
    ep = endpointer()
    feed(ep, "sssss..-------")
    ep.forgive_missing()
    assert feed(ep, ".......") == []
    assert feed(ep, ".") == [(0, UtteranceClosed("silence", 100, 200))]


def test_only_the_last_hole_is_forgiven() -> None:
    ep = endpointer()
    feed(ep, "sssss-----.")
    ep.forgive_missing()
    assert feed(ep, "...") == []
    assert feed(ep, ".")[0][1] == UtteranceClosed("silence", 100, 200)


def test_closing_the_ear_gives_the_utterance_up() -> None:
    ep = endpointer()
    feed(ep, "sssss")
    ep.listen(False)
    assert not ep.in_utterance
    ep.listen(True)
    assert feed(ep, "." * 30) == []


# --- guards


def test_a_guard_is_asked_at_an_onset_and_holds_it_up_for_three_more_voiced_frames() -> None:
    asked: list[bytes] = []

    def not_yet(heard: bytes) -> bool:
        asked.append(heard)
        return len(asked) < 3

    ((at, began),) = feed(endpointer(guards=[not_yet]), "....sssssssssss")
    assert at == 12  # the ninth voiced frame
    assert [heard[-960:] for heard in asked] == [SPEECH * 3] * 3
    assert began == UtteranceOpened(SPEECH * 6)  # the pre-roll is whole


def test_in_an_utterance_no_guard_is_asked() -> None:
    asked: list[bytes] = []
    ep = endpointer(guards=[lambda heard: bool(asked.append(heard))])
    feed(ep, "ssssssss....sss")
    assert len(asked) == 1


# --- a detector that does not adapt is asked only about what counts


def test_a_dear_detector_sleeps_while_nobody_listens() -> None:
    vad = FirstByte(adapts=False)
    ep = endpointer(vad)
    ep.listen(False)
    feed(ep, "ssss" * 10)
    assert vad.asked == 0
    ep.listen(True)
    assert (vad.asked, vad.resets) == (
        6,
        2,
    )  # the pre-roll and the frames of an onset; the first reset was at the start
    feed(ep, "..")
    assert vad.asked == 8


def test_what_it_slept_through_counts_as_with_any_other() -> None:
    for before in ("..ssss", "ss....", ".sss..", "....ss", "sss-.s", "ssssss", "s-ss-s"):
        told = []
        for adapts in (True, False):
            ep = endpointer(FirstByte(adapts=adapts), silence_ms=100)
            ep.listen(False)
            feed(ep, before)
            ep.listen(True)
            told.append(feed(ep, "sss......"))
        assert told[0] == told[1], before


def test_it_does_not_hear_what_was_before_forget() -> None:
    vad = FirstByte(adapts=False)
    ep = endpointer(vad)
    ep.listen(False)
    feed(ep, "ssss")
    ep.forget()
    feed(ep, "s")
    ep.listen(True)
    assert vad.asked == 1


def test_it_sleeps_again_after_an_utterance_and_not_after_a_noise() -> None:
    vad = FirstByte(adapts=False)
    ep = endpointer(vad)
    feed(ep, "sss" + "." * 10)
    assert ep.listening
    feed(ep, "ssssss" + "." * 10)
    asked = vad.asked
    assert asked == 29
    feed(ep, "sss")
    assert vad.asked == asked


def test_to_listen_twice_is_to_listen_once() -> None:
    vad = FirstByte(adapts=False)
    ep = endpointer(vad)
    feed(ep, "ss")
    ep.listen(True)
    assert vad.resets == 1
    assert len(feed(ep, "s")) == 1


def test_another_detector_takes_over_when_the_next_turn_begins() -> None:
    first, second = FirstByte(), FirstByte(adapts=False)
    ep = endpointer(first)
    ep.use(second)
    feed(ep, "sssss")
    assert (first.asked, second.asked) == (5, 0)
    feed(ep, "." * 10)
    feed(ep, "ss")
    ep.listen(True)
    assert second.resets == 1
    before = first.asked
    assert len(feed(ep, "s")) == 1  # the two before it count
    assert first.asked == before


@pytest.mark.long("audio in frames of one size is heard")
@given(sizes=st.lists(st.integers(1, 700).map(lambda n: 2 * n), min_size=1, max_size=40), seed=st.integers(0, 99))
def test_however_the_audio_is_cut_the_same_is_heard(sizes: list[int], seed: int) -> None:
    dice = random.Random(seed)
    audio = b"".join(dice.choice([SPEECH * 4, QUIET * 3, QUIET * 12]) for _ in range(30))

    def heard(pieces: list[bytes]) -> tuple[list[EndpointingFact], bytes]:
        ep = endpointer(minimum_speech_ms=0)
        facts: list[EndpointingFact] = []
        pcm = b""
        for piece in pieces:
            was = ep.in_utterance
            told = ep.audio(piece) or []
            pcm += piece if was else b""
            for fact in told:
                if isinstance(fact, UtteranceOpened):
                    pcm += fact.pcm
                else:
                    facts.append(fact)
            if any(isinstance(fact, UtteranceClosed) for fact in told):
                break
        return facts, pcm

    pieces, at = [], 0
    while at < len(audio):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(audio[at : at + size])
        at += size
    whole_facts, whole = heard([audio[n : n + 320] for n in range(0, len(audio), 320)])
    cut_facts, cut = heard(pieces)
    assert cut_facts == whole_facts
    assert cut.startswith(whole)  # a large piece may hold some silence more


def test_webrtc_hears_no_speech_in_silence_once_it_has_adapted() -> None:
    vad = WebRtcVad(2)
    verdicts = [vad.is_speech(QUIET) for _ in range(50)]
    assert not any(verdicts[10:])


def test_a_short_silence_is_reported_and_speech_after_it() -> None:
    ep = endpointer(short_silence_ms=80)
    facts = feed(ep, "ssssss....ssss..ss....-.-.s.......")
    assert [(at, fact) for at, fact in facts if not isinstance(fact, UtteranceOpened)] == [
        (9, SpeechPaused(too_short=False)),
        (12, SpeechWentOn()),
        (21, SpeechPaused(too_short=False)),
        (27, UtteranceClosed("silence", 360, 200)),
    ]


def test_what_is_silent_after_a_click_is_too_short_at_the_short_silence() -> None:
    facts = feed(endpointer(short_silence_ms=60), "sss...")
    assert facts[1:] == [(5, SpeechPaused(too_short=True))]


def test_missing_audio_may_end_it_without_a_short_silence_first() -> None:
    ep = endpointer(short_silence_ms=60)
    feed(ep, "ssssss")
    assert ep.missing(100) == [SpeechPaused(too_short=False)]
    ep.forgive_missing()
    assert ep.audio(QUIET) is None
    assert ep.audio(SPEECH) is None
    assert feed(ep, "ss")[0] == (1, SpeechWentOn())
    assert ep.missing(400) == [UtteranceClosed("silence", 200, 400)]


def test_over_speech_two_voiced_frames_are_an_onset() -> None:
    ep = endpointer()
    ep.over_speech = True
    ((at, _),) = feed(ep, ".s..s")
    assert at == 4
    ep.drop()
    ep.over_speech = False
    assert feed(ep, "ss") == []


def test_an_utterance_that_is_dropped_is_over_and_listening_goes_on() -> None:
    ep = endpointer()
    feed(ep, "ssss")
    ep.drop()
    assert not ep.in_utterance
    assert feed(ep, "........") == []
    assert len(feed(ep, "ssss...........")) == 2  # and this one ends by itself
    ep.drop()
    assert ep.listening


def test_a_sound_stirs_before_it_is_known_to_go_on() -> None:
    ep = endpointer(short_silence_ms=60)
    for _ in range(6):
        ep.audio(SPEECH)
    for _ in range(6):
        ep.audio(QUIET)
    assert ep.pauses
    assert not ep.stirs
    assert ep.audio(SPEECH) is None
    assert ep.pauses
    assert ep.stirs
    ep.audio(QUIET)
    assert not ep.stirs
