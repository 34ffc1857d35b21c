"""Which defects fail a call, by the scenario's `quality:`. Arithmetic, no call."""

import pytest
from helpers.logs import entries

from audiosocket_sim.call_log.events import (
    BotSpoke,
    CallerAction,
    CallerSpoke,
    CallLog,
    DefectFound,
    LogEvent,
    Source,
    StateTold,
)
from audiosocket_sim.call_log.transcript import line_of
from audiosocket_sim.checks import Broken, describe, violation
from audiosocket_sim.checks.quality import caller_made_a_sound, defects_of, is_defect, quality_faults, unheard_defect
from audiosocket_sim.checks.verdicts import Watched
from audiosocket_sim.scenario import Never, Quality


def quality(**keys: object) -> Quality:
    return Quality.model_validate(keys)


KINDS = {
    "holes": 240,
    "ahead": 900,
    "level": -50.0,
    "damage": None,
    "pace": -2.5,
    "wire_silence": 3000,
    "unheard": 2460,
    "premature": 800,
    "left_open": None,
    "after_end": 65000,
    "hold_seam": None,
}


@pytest.mark.parametrize(("kind", "amount"), KINDS.items())
def test_a_defect_of_each_kind_fails_by_default_but_wire_silence(kind: str, amount: float | None) -> None:
    log = entries((900, DefectFound(kind, "what was found", amount)))
    faults = quality_faults(log, quality())
    assert [(fault.kind, fault.at_ms, fault.happened) for fault in faults] == (
        [] if kind == "wire_silence" else [(kind, 900, ("0.900 what was found",))]
    )


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_can_be_allowed(kind: str) -> None:
    key = {"level": "level_dbfs", "pace": "pace_percent"}.get(kind, kind)
    log = entries((900, DefectFound(kind, "what was found", KINDS[kind])))
    assert quality_faults(log, quality(**{key: "allowed"})) == ()


def test_wire_silence_fails_where_it_is_asked_for() -> None:
    (fault,) = quality_faults(entries((5, DefectFound("wire_silence", "…", 3000))), quality(wire_silence="2s"))
    assert fault.expected == "something to be sent at least every 2000 ms"


@pytest.mark.parametrize(
    ("keys", "kind", "amount", "fails"),
    [
        ({}, "holes", 200, False),
        ({}, "holes", 201, True),
        ({"holes": "60ms"}, "holes", 100, True),
        ({"ahead": "1s"}, "ahead", 900, False),
        ({}, "level", -45.0, False),
        ({}, "level", -5.9, True),
        ({"level_dbfs": [-60, -3]}, "level", -50.0, False),
        ({"pace_percent": 3.0}, "pace", -2.5, False),
    ],
)
def test_the_limit_decides(keys: dict[str, object], kind: str, amount: float, fails: bool) -> None:
    assert is_defect(DefectFound(kind, "…", amount), quality(**keys)) is fails


def test_what_is_expected_of_a_kind_without_an_amount() -> None:
    (fault,) = quality_faults(entries((5, DefectFound("damage", "…"))), quality())
    assert fault.expected == "undamaged sound"


def test_one_failure_a_kind_with_a_line_for_each_and_the_first_kind_first() -> None:
    log = entries(
        *((1000 * i, DefectFound("holes", f"hole {i}", 300)) for i in range(2, 8)),
        (1500, DefectFound("damage", "noise")),
    )
    damage, holes = quality_faults(log, quality())
    assert (damage.kind, holes.kind) == ("damage", "holes")
    assert holes.happened == (
        "2.000 hole 2",
        "3.000 hole 3",
        "4.000 hole 4",
        "5.000 hole 5",
        "and 2 more: see the transcript",
    )
    assert holes.expected == "holes of 200 ms at the most in one stretch of speech"


@pytest.mark.parametrize(
    ("late", "kind", "blamed"),
    [
        ([], "holes", True),
        ([(900, 950)], "holes", False),  # the hole, from 1.0 to 3.0, followed our own lateness
        ([(2900, 4000)], "holes", False),
        ([(0, 0)], "holes", False),
        ([(3100, 4000)], "holes", True),
        ([(900, 950)], "damage", True),
    ],
)
def test_what_our_own_lateness_can_have_made_is_passed_over(
    late: list[tuple[int, int]], kind: str, blamed: bool
) -> None:
    log = entries((1000, DefectFound(kind, "…", 400, 2000)))
    assert bool(quality_faults(log, quality(), late)) is blamed


def test_the_holes_and_the_level_of_a_speech() -> None:
    spoken = BotSpoke("Pode subir.", 1800, gap_ms=300, ahead_ms=400, hole_ms=240, level_dbfs=-50.04)
    assert [(found.kind, found.amount, found.what) for found in defects_of(spoken, quality())] == [
        ("holes", 240, "holes of 240 ms in 2.10 s of speech: nothing had come in time to be played"),
        ("level", -50.04, "speech at −50.0 dBFS: too quiet"),
    ]
    loud = BotSpoke(None, 1860, level_dbfs=-2.0)
    assert [found.what for found in defects_of(loud, quality())] == ["speech at −2.0 dBFS: too loud"]
    assert defects_of(BotSpoke("Pode subir.", 1860), quality()) == ()
    assert defects_of(BotSpoke(None, 249, level_dbfs=-50.0), quality()) == ()  # the end of a word, say
    assert len(defects_of(BotSpoke(None, 250, level_dbfs=-50.0), quality())) == 1


def test_what_is_no_message_comes_before_what_was_read_in_it() -> None:
    log = entries((500, DefectFound("unheard", "a long message", 2000)), (500, DefectFound("after_end", "no messages")))
    assert [fault.kind for fault in quality_faults(log, quality())] == ["after_end", "unheard"]


@pytest.mark.parametrize(
    ("never", "broken", "described"),
    [
        ({"holes": "60ms"}, "1.000 holes of 100 ms in 1.10 s of speech: nothing had come in time to be played",
         "holes of more than 60 ms in one stretch of speech"),
        ({"holes": "150ms"}, None, "holes of more than 150 ms in one stretch of speech"),
        ({"ahead": "100ms"}, "1.000 speech sent up to 150 ms ahead of what was playing",
         "sound sent more than 100 ms ahead of what is playing"),
        ({"ahead": "1s"}, None, "sound sent more than 1.00 s ahead of what is playing"),
        ({"level_dbfs": [-30, -20]}, "1.000 speech at −40.0 dBFS: too quiet", "speech below −30 or over −20 dBFS"),
        ({"level_dbfs": [-45, -20]}, None, "speech below −45 or over −20 dBFS"),
        ({"damage": "any"}, "2.000 its bytes are swapped", "damaged sound"),
        ({"premature": "any"}, None, "the bot begins to speak in the midst of the caller's sentence"),
    ],
)  # fmt: skip
def test_a_never_of_a_defect(never: dict[str, object], broken: str | None, described: str) -> None:
    log = entries(
        (1000, BotSpoke("Pode subir.", 1000, gap_ms=100, ahead_ms=150, hole_ms=100, level_dbfs=-40.0)),
        (1500, StateTold("USER_TURN", "WAITING")),
        (2000, DefectFound("damage", "its bytes are swapped")),
        (9000, BotSpoke("Pode subir.", 1000, gap_ms=1000, ahead_ms=5000, hole_ms=1000, level_dbfs=-90.0)),
    )
    step = Never.model_validate(never)
    found = violation(step, log, Watched(500, 5000))
    assert (found.happened if isinstance(found, Broken) else None) == broken
    assert describe(step) == described


def test_a_defect_in_the_transcript_and_in_json() -> None:
    entry = CallLog().add(889, Source.DEFECT, DefectFound("damage", "“Pode subir.” with its bytes swapped", None, 970))
    assert line_of(entry) == "    0.889  defect   “Pode subir.” with its bytes swapped"
    assert entry.to_json() == {
        "at_ms": 889,
        "source": "defect",
        "type": "DefectFound",
        "kind": "damage",
        "what": "“Pode subir.” with its bytes swapped",
        "amount": None,
        "duration_ms": 970,
        "fault": "",
        "places_ms": (),
        "more_places": 0,
    }


CUT = BotSpoke("Até logo.", 400, 1780, "prompt")


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("events", "who", "unheard_ms", "since_ms", "amount"),
    [
        ([(2000, CUT)], "server", 0, None, 1380),
        ([(2000, CUT)], "caller", 0, None, None),
        ([(2000, CUT)], "asterisk", 0, None, None),
        ([(1000, CUT)], "server", 0, None, None),  # it had stopped long before
        ([(1900, CallerSpoke("Espera.", None, 900)), (2000, CUT)], "server", 0, None, None),  # he interrupted
        ([(1000, CallerSpoke("Espera.", None, 900)), (2000, CUT)], "server", 0, None, 1380),
        ([(1899, CUT)], "server", 0, None, None),  # over 0.1 s before the end
        ([(1900, CUT)], "server", 0, None, 1380),
        ([(2400, CallerAction("dtmf", "#", 100)), (2000, CUT)], "server", 0, None, None),  # a key at the very end
        ([(2401, CallerAction("dtmf", "#", 100)), (2000, CUT)], "server", 0, None, 1380),
        ([(2000, BotSpoke(None, 400))], "server", 0, None, None),
        ([(2000, BotSpoke(None, 400, None, skipped_ms=-9))], "server", 0, None, None),  # of what length, nobody knows
        ([(2000, BotSpoke("Até logo.", 400, 1780, "prompt", skipped_ms=1380))], "server", 0, None, None),  # to its end
        ([(2000, BotSpoke("Até logo.", 400, 1780, "prompt", skipped_ms=1000))], "server", 0, None, 380),
        ([], "server", 0, None, None),
        ([], "server", 40, 2300, None),
        ([], "server", 2460, 2300, 2460),
        ([(2350, CallerSpoke("Espera.", None, 900))], "server", 2460, 2300, None),
        ([(2250, CallerAction("dtmf", "#", 100))], "server", 80, 2300, None),  # a key interrupts too
        ([(2100, CallerAction("dtmf", "#", 100))], "server", 80, 2300, 80),
        ([(2350, CallerAction("mute", ""))], "server", 80, 2300, 80),
        ([(2000, CUT), (2100, CallerAction("dtmf", "#", 100))], "server", 0, None, None),
    ],
)
def test_speech_that_the_servers_own_end_cut_off(
    events: list[tuple[int, LogEvent]], who: str, unheard_ms: int, since_ms: int | None, amount: int | None
) -> None:
    found = unheard_defect(entries(*events), who, 2400, unheard_ms, since_ms)
    assert (None if found is None else found.amount) == amount
    if found is not None and not unheard_ms:
        at = f"“Até logo.” was heard for 0.{CUT.heard_ms // 10} s of 1.78 s"
        assert found.what == f"{at}: the server ended the call while it was speaking"


def test_what_another_defect_explains_is_not_reported() -> None:
    damage = (1000, DefectFound("damage", "its bytes are swapped", None, 900))
    slow = (0, DefectFound("pace", "3 % too slow", 3.0, 9000))
    fast = (0, DefectFound("pace", "50 % too fast", -50.0, 9000))
    level = (950, DefectFound("level", "too loud", -5.0, 1000))
    holes = (2000, DefectFound("holes", "a hole", 300, 900))
    ahead = (2000, DefectFound("ahead", "ahead", 900, 900))

    def kinds(*events: tuple[int, LogEvent]) -> list[str]:
        return [fault.kind for fault in quality_faults(entries(*events), quality())]

    assert kinds(damage, level) == ["damage"]
    assert kinds(level, (3000, damage[1])) == ["level", "damage"]
    assert kinds((2000, level[1]), damage) == ["damage"]  # within 0.1 s of it, on either side
    assert kinds((2001, level[1]), damage) == ["damage", "level"]
    assert kinds(damage, (0, DefectFound("level", "too loud", -5.0, 900))) == ["damage"]
    assert kinds(damage, (0, DefectFound("level", "too loud", -5.0, 899))) == ["level", "damage"]
    strict = quality_faults(entries((0, DefectFound("pace", "slow", 0.8, 9000)), holes), quality(pace_percent=0.5))
    assert [fault.kind for fault in strict] == ["pace"]
    assert kinds(slow, holes, ahead) == ["pace", "ahead"]
    assert kinds(fast, holes, ahead) == ["pace", "holes"]


@pytest.mark.parametrize(
    ("event", "is_sound"),
    [
        (CallerSpoke("Sim.", "pt-br/sim", 500), True),
        (CallerSpoke(None, "sounds/cough_low", 500, kind="vocal_tic"), True),
        (CallerAction("noise", "white", 500), True),
        (CallerAction("tone", "400 Hz", 500), True),
        (CallerAction("dtmf", "4"), True),
        (CallerAction("silence", "", 500), False),
        (CallerAction("mute"), False),
    ],
)
def test_for_which_sounds_of_the_caller_a_bot_may_stop(event: LogEvent, is_sound: bool) -> None:
    log = entries((2000, event))
    assert caller_made_a_sound(log, 1500, 2100) is is_sound
    assert not caller_made_a_sound(log, 1000, 1999)
    assert not caller_made_a_sound(log, 2501, 3000)
    assert caller_made_a_sound(log, 2500, 3000) is (is_sound and event != CallerAction("dtmf", "4"))


def test_a_key_of_no_length_sounds_at_its_instant() -> None:
    log = entries((2000, CallerAction("dtmf", "4")))
    assert caller_made_a_sound(log, 2000, 3000)
    assert not caller_made_a_sound(log, 2001, 3000)
