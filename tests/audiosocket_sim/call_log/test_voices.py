"""The two voices of a log, and what was measured of them. Arithmetic, no call."""

import pytest
from helpers.logs import entries

from audiosocket_sim.call_log.events import (
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    HoldStarted,
    HoldStopped,
    LogEvent,
    Noted,
    VoicesOverlapped,
)
from audiosocket_sim.call_log.voices import bot_voice, call_turns, caller_voice, measures, over_ms, overlaps, wait_ms
from audiosocket_sim.turn_taking import CallTurns, SentencePart, VoiceSegment

SAID = CallerSpoke("Sim, pode.", "pt-br/sim", 2000, ((200, 700), (1000, 1800)))
END = CallEnded("caller", "fin", "ends", "the caller hung up")


def test_what_the_caller_says_is_known_to_the_word() -> None:
    assert caller_voice(entries((1000, SAID))) == [
        VoiceSegment(1200, 1700, "speech", 1),
        VoiceSegment(2000, 2800, "speech", 1),
    ]
    assert caller_voice(entries((1000, CallerSpoke(None, "sim", 900)))) == [VoiceSegment(1000, 1900, "speech", 1)]


@pytest.mark.parametrize(
    ("cut", "is_cut"),
    [
        (CallerSpoke("Não.", "pt-br/nao", 50), True),
        (CallerAction("noise", "white", 500), True),
        (CallerAction("mute"), False),
        (END, True),
    ],
)
def test_he_is_cut_off_by_his_next_sound_and_by_the_end(cut: LogEvent, is_cut: bool) -> None:
    found = caller_voice(entries((1000, SAID), (1500, cut), (9000, END)))
    assert max(s.end_ms for s in found if s.turn == 1) == (1500 if is_cut else 2800)


def test_keys_are_his_too() -> None:
    log = entries((1000, CallerAction("dtmf", "4", 100)), (1200, CallerAction("dtmf", "5")))
    assert caller_voice(log) == [VoiceSegment(1000, 1100, "keys", 1), VoiceSegment(1200, 1200, "keys", 2)]


def test_the_bots_voice_and_its_hold_audio() -> None:
    log = entries(
        (1000, BotSpoke("Pode subir.", 970, 970, "prompt", gap_ms=30)),
        (2500, BotSpoke(None, 2000, parts_ms=((0, 500), (900, 2000)))),
        (5000, HoldStarted()),
        (7000, HoldStopped(2000, True)),
        (8000, HoldStarted()),
        (9000, END),
    )
    assert bot_voice(log) == [
        VoiceSegment(1000, 2000, "speech", 1, True, SentencePart("Pode subir.", 0, 970)),
        VoiceSegment(2500, 3000, "speech", 2),
        VoiceSegment(3400, 4500, "speech", 2),
        VoiceSegment(5000, 7000, "hold", 3),
        VoiceSegment(8000, 9000, "hold", 5),
    ]
    assert bot_voice(entries((7000, HoldStopped(2000, True)))) == []


def test_the_call_is_over_at_its_end_or_at_the_last_event() -> None:
    assert over_ms([]) == 0
    assert over_ms(entries((1000, Noted("a")))) == 1000
    assert over_ms(entries((1000, END), (2000, Noted("a")))) == 1000


def test_the_wait_belongs_to_the_first_speech_after_the_last_word() -> None:
    log = entries((1000, SAID))
    assert wait_ms(log, 4000, BotSpoke(None, 500)) == 1200
    assert wait_ms(log, 2300, BotSpoke(None, 900)) == -500
    assert wait_ms(log, 500, BotSpoke(None, 900)) is None
    assert wait_ms(entries((1000, SAID), (4000, BotSpoke(None, 500))), 5000, BotSpoke(None, 500)) is None


def test_who_interrupted_whom() -> None:
    def found(*bot: tuple[int, BotSpoke]) -> list[tuple[int, VoicesOverlapped]]:
        return overlaps(entries((1000, SAID), *bot, (9000, END)))

    assert found((500, BotSpoke("Pode subir.", 850, 970))) == [(1200, VoicesOverlapped("caller", 150, 150, False))]
    assert found((500, BotSpoke("Pode subir.", 750, 970))) == [(1200, VoicesOverlapped("caller", 50, 50, False))]
    assert found((500, BotSpoke("Pode subir.", 750, 750))) == []
    assert found((500, BotSpoke(None, 1500))) == [(1200, VoicesOverlapped("caller", 500, 800))]
    assert found((2000, BotSpoke(None, 3000))) == [(2000, VoicesOverlapped("bot", 800, early_ms=800))]
    assert found((2760, BotSpoke(None, 3000))) == []
    assert found((1200, BotSpoke(None, 400))) == [(1200, VoicesOverlapped("bot", 400))]
    both = found((500, BotSpoke(None, 900)), (2400, BotSpoke(None, 900)))
    assert [overlap.began for _, overlap in both] == ["caller", "bot"]


def test_measures_say_their_counts_windows_and_version() -> None:
    log = entries(
        (500, BotSpoke("Pode subir.", 850, 970)),
        (1000, SAID),
        (4000, BotSpoke(None, 500, wait_measured=False)),
        (9000, END),
    )
    assert measures(log) == {
        "version": 4,
        "responses": {
            "window_ms": 10_000,
            "turns": 1,
            "waits": [{"from_ms": 2800, "wait_ms": 1200, "measured": False}],
            "rate": None,
        },
        "premature_starts": [],
        "yields": {
            "window_ms": 2000,
            "onsets": 1,
            "stops": [{"onset_ms": 1200, "after_ms": 150, "natural": False, "outcome": "yielded"}],
            "rate": None,
        },
        "selectivity": {"window_ms": 2000, "sounds": []},
        "false_stops": [],
        "talk_over": {"least_ms": 100, "count": 1, "total_ms": 150, "longest_ms": 150},
        "dead_air": {"count": 2, "total_ms": 1700, "longest_ms": 1200},
    }


def test_never_is_null_and_not_0() -> None:
    found = measures([])
    assert found["talk_over"] == {"least_ms": 100, "count": 0, "total_ms": None, "longest_ms": None}
    early = measures(entries((1000, SAID), (2000, BotSpoke(None, 3000)), (9000, END)))
    assert early["premature_starts"] == [{"at_ms": 2000, "early_ms": 800}]


COUGH = CallerSpoke(None, "sounds/cough", 500, ((100, 400),), "vocal_tic")


def test_what_a_sound_is_comes_from_its_label() -> None:
    noise, mute = CallerAction("noise", "white", 900, "non_directed"), CallerAction("silence", "", 500)
    log = entries((1000, COUGH), (3000, noise), (3500, mute), (5000, CallerAction("tone", "soft", 300)))
    assert caller_voice(log) == [
        VoiceSegment(1100, 1400, "vocal_tic", 1),
        VoiceSegment(3000, 3500, "non_directed", 2),
    ]


def test_only_the_last_part_of_a_stretch_is_the_end_of_its_sentence() -> None:
    known = BotSpoke("Alô.", 3000, 3000, "prompt", parts_ms=((0, 1000), (1500, 3000)))
    assert [part.whole for part in bot_voice(entries((0, known)))] == [False, True]
    rest = BotSpoke("Alô.", 1800, 3000, "prompt", skipped_ms=1200)
    (part,) = bot_voice(entries((0, rest)))
    assert (part.whole, part.said) == (True, SentencePart("Alô.", 1200, 3000))


def test_one_call_in_numbers() -> None:
    log = entries(
        (0, BotSpoke("Alô.", 5000, 9000, "prompt")),
        (4500, COUGH),
        (6500, BotSpoke("Alô.", 4000, 9000, "prompt", skipped_ms=5000)),
        (12_000, SAID),
        (13_000, BotSpoke(None, 500)),
        (30_000, END),
    )
    found = call_turns(log)
    assert (found.calls, found.caller_turns, found.sounds, found.gone_on) == (1, 1, (0, 1, 0), (0, 0, 0))
    assert (found.false_stops, found.false_stops_dead, found.resumed_ms) == (1, 0, (1500,))
    assert (found.turns_interrupted, found.interruptions, found.turns_asked) == (1, 1, 1)
    assert measures(log)["false_stops"] == [
        {"at_ms": 5000, "kind": "vocal_tic", "resumed_after_ms": 1500, "resumed": "there"}
    ]
    assert measures(log)["selectivity"] == {
        "window_ms": 2000,
        "sounds": [{"onset_ms": 4600, "kind": "vocal_tic", "outcome": "stopped", "pause_ms": None, "natural": False}],
    }
    assert call_turns([]) == CallTurns(calls=1)


def test_an_interruption_that_is_never_yielded_to_counts_and_a_short_end_of_the_call_does_not() -> None:
    on_and_on = entries((500, BotSpoke(None, 8000)), (1000, SAID), (8500, END))
    found = call_turns(on_and_on)
    assert (found.onsets, found.yielded_in_window, found.unyielded, found.yields_ms) == (1, 0, 1, ())
    soon_over = entries((500, BotSpoke(None, 2000)), (1000, SAID), (2500, END))
    assert call_turns(soon_over).onsets == 0
    its_end = entries((500, BotSpoke("Alô.", 5000, 5000, "prompt")), (1000, SAID), (8500, END))
    assert (call_turns(its_end).onsets, call_turns(its_end).yields_ms) == (1, (4300,))
