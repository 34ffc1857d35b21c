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
from audiosocket_sim.call_log.voices import bot_voice, caller_voice, measures, over_ms, overlaps, wait_ms
from audiosocket_sim.turn_taking import VoiceSegment

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
        VoiceSegment(1000, 2000, "speech", 1, True),
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
        "version": 1,
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
            "stops": [{"onset_ms": 1200, "after_ms": 150, "natural": False}],
            "rate": None,
        },
        "talk_over": {"least_ms": 100, "count": 1, "total_ms": 150, "longest_ms": 150},
        "dead_air": {"count": 2, "total_ms": 1700, "longest_ms": 1200},
    }


def test_never_is_null_and_not_0() -> None:
    found = measures([])
    assert found["talk_over"] == {"least_ms": 100, "count": 0, "total_ms": None, "longest_ms": None}
    early = measures(entries((1000, SAID), (2000, BotSpoke(None, 3000)), (9000, END)))
    assert early["premature_starts"] == [{"at_ms": 2000, "early_ms": 800}]
