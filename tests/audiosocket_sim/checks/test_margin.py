"""Could this machine's lateness turn a failure? Each kind of failure, with a margin below and over the lateness."""

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.logs import entries, expectation

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    ExpectationJudged,
    HoldStarted,
    HoldStopped,
    LogEvent,
    StateTold,
    StepFailed,
)
from audiosocket_sim.checks.lateness import LateBy, LatenessRecord, WasLate
from audiosocket_sim.checks.margin import could_turn, is_unread_for_our_holes, turns_that_ended_early
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load_text

WORDS = "Pode subir."
HUNG_UP = CallEnded("caller", "fin", "ends", "")
SERVER = CallEnded("server", "hangup_message", "continues", "")
LATE = LatenessRecord([WasLate(LateBy.THREAD, 3500, 50)])


def scenario(*steps: str) -> Scenario:
    return load_text(f"summary: A call.\nsteps: [{', '.join(steps)}]\n", "call", folder=Path(__file__).parent)


def turns(step: str, *events: tuple[int, LogEvent], late: LatenessRecord = LATE, at: int = 4020) -> bool:
    """Whether a step that failed between 2.000 and 4.000 could turn."""
    failed = StepFailed(1, "step", "it", ("something else",), 2000, 4000)
    return could_turn(failed, at, entries(*events, (at, failed)), scenario(step), late)


def said(heard_ms: int, whole_ms: int | None = 1000, text: str | None = WORDS, gap_ms: int = 0) -> BotSpoke:
    return BotSpoke(text, heard_ms, whole_ms, "prompt", gap_ms)


# --- expect: something came too late, or never


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("step", "event"),
    [
        (f"expect: {{bot_says: {WORDS}}}", said(1000)),
        ("expect: {bot_speaks: 900ms}", said(1000)),
        ("expect: {bot_speaks: 1030ms}", said(1000)),  # with 50 ms more it would have been long enough
        ("expect: {hold_audio: playing}", HoldStarted()),
        ("expect: {hold_audio: stopped}", HoldStopped(500, True)),
        ("expect: {state: WAITING, within: 2s}", StateTold("A", "WAITING")),
        ("expect: {backend_asked: casa}", BackendAsked(1, "", "Casa 4.")),
        ("expect: {hangs_up: server}", SERVER),
    ],
)
def test_what_came_a_little_too_late_could_have_been_in_time(step: str, event: LogEvent) -> None:
    step = f"{{{step}}}"
    assert turns(step, (4050, event), (6000, HUNG_UP))
    assert not turns(step, (4051, event), (6000, HUNG_UP))
    assert not turns(step, (4050, event), (6000, HUNG_UP), late=LatenessRecord())
    assert not turns(step, (6000, HUNG_UP))


@pytest.mark.parametrize(("answer_at", "could"), [(4050, True), (4051, False)])
def test_an_answer_that_came_a_little_too_late(answer_at: int, could: bool) -> None:
    """`responds` has a time of its own, from the caller's last word on."""
    step, spoke = "{expect: {responds: {within: 1s}}}", CallerSpoke("Oi", None, 1000)
    assert turns(step, (2000, spoke), (answer_at, said(1000)), (7000, HUNG_UP), at=5100) is could
    assert not turns(step, (2000, spoke), (answer_at, said(1000)), (7000, HUNG_UP), at=5100, late=LatenessRecord())


@pytest.mark.parametrize(("stops_at", "could"), [(3350, True), (3351, False)])
def test_a_bot_that_stopped_a_little_too_late(stops_at: int, could: bool) -> None:
    """`bot_stops` has a time of its own, from the caller's first sound on."""
    step, spoke = "{expect: {bot_stops: {within: 300ms}}}", CallerSpoke("Oi", None, 1000)
    bot = (2000, said(stops_at - 2000, 2500))
    assert turns(step, bot, (3000, spoke), (7000, HUNG_UP), at=5100) is could


def test_what_came_a_little_too_early_could_have_been_in_time() -> None:
    step = "{expect: {hold_audio: stopped}}"
    assert turns(step, (1950, HoldStopped(500, True)))
    assert not turns(step, (1949, HoldStopped(500, True)))


def test_the_window_reaches_back_to_the_caller_s_last_action() -> None:
    """His words went out late, so the answer came late."""
    before = LatenessRecord([WasLate(LateBy.PACKET, 1500, 30)])
    step = "{expect: {bot_speaks: 500ms}}"
    answer = (4020, said(1000))
    assert turns(step, (1200, CallerSpoke("Oi.", "oi", 300)), answer, late=before)
    assert turns(step, (1200, CallerAction("dtmf", "4")), answer, late=before)
    assert turns(step, answer, late=before)
    assert not turns(step, (1501, CallerAction("dtmf", "4")), answer, late=before)


def test_an_event_that_met_another_step_meets_no_other() -> None:
    """The request of step 1 is no second one, however late we were."""
    steps = scenario("{expect: {backend_asked: casa}}", "{expect: {backend_asked: casa}}")
    failed = StepFailed(2, "expect backend_asked", "it", ("nothing",), 2000, 4000)
    judged = ExpectationJudged(1, "expect backend_asked", 0, 5000, 2000)
    log = entries((2000, BackendAsked(1, "", "Casa 4.")), (2000, judged), (4020, failed))
    assert not could_turn(failed, 4020, log, steps, LATE)
    assert could_turn(failed, 4020, [entry for entry in log if entry.event is not judged], steps, LATE)


def test_speech_that_had_just_begun_was_not_heard_out() -> None:
    step = f"{{expect: {{bot_says: {WORDS}}}}}"
    begun = (4040, said(60, None, None))
    assert turns(step, begun, (4100, HUNG_UP))
    assert not turns(step, begun, (5000, HUNG_UP))
    assert not turns(step, begun, (4100, SERVER))


@pytest.mark.parametrize(
    ("stops_at", "could"),
    [(4050, True), (4051, False), (5200, False)],
)
def test_a_bot_that_fell_silent_too_late(stops_at: int, could: bool) -> None:
    """And 1.2 s too late is its own doing."""
    speech = BotSpoke(None, stops_at - 1000)
    step = "{expect: {bot_silent: 300ms, within: 2s}}"
    assert turns(step, (1000, speech), (stops_at + 400, HUNG_UP)) is could
    assert not turns(step, (1000, speech), (stops_at + 20, HUNG_UP))  # only the end of the call ended it
    assert not turns(step, (1000, speech), (stops_at + 400, HUNG_UP), late=LatenessRecord())
    assert not turns(step, (1000, speech), (stops_at + 249, BotSpoke(None, 900)), (9000, HUNG_UP))


# --- words with a hole, or without their end


@pytest.mark.parametrize(
    ("spoken", "could"),
    [
        (said(890), True),  # 1000 - 50 - 60
        (said(889), False),
        (said(870, gap_ms=20), False),  # the thread was late by 50 ms in all
        (said(400), False),  # a cut of 0.6 s comes of no lateness of 50 ms
        (said(990, text="Outra coisa."), False),
    ],
)
def test_words_without_their_end(spoken: BotSpoke, could: bool) -> None:
    assert turns(f"{{expect: {{bot_says: {WORDS}}}}}", (3000, spoken), (9000, SERVER)) is could


STALL = [WasLate(LateBy.THREAD, 500, 350)]


@pytest.mark.parametrize(
    ("late", "heard_ms", "ended_at", "could"),
    [
        (STALL, 700, 3700, True),  # the phone held what a stall at the beginning of the call had put off
        (STALL, 630, 3630, False),  # more than that is missing
        (STALL, 700, 3800, False),  # the bot had stopped before
        ([], 700, 3700, False),
        ([WasLate(LateBy.THREAD, at, 6) for at in range(20, 3000, 40)], 800, 3800, False),  # 74 times less than a frame
        ([WasLate(LateBy.BOT, 500, 200), WasLate(LateBy.BOT, 1500, 200)], 700, 3700, False),  # 200 ms are put off
    ],
)
def test_words_that_the_phone_still_held_when_the_call_ended(
    late: list[WasLate], heard_ms: int, ended_at: int, could: bool
) -> None:
    step = f"{{expect: {{bot_says: {WORDS}}}}}"
    assert turns(step, (3000, said(heard_ms)), (ended_at, SERVER), late=LatenessRecord(late)) is could


def test_what_was_put_off_before_a_pause_of_the_bot_has_been_played() -> None:
    step = f"{{expect: {{bot_says: {WORDS}}}}}"
    before, cut = (1000, said(900, None, "Outra coisa.")), (3000, said(700))
    assert not turns(step, before, cut, (3700, SERVER), late=LatenessRecord(STALL))
    assert turns(step, before, cut, (3700, SERVER), late=LatenessRecord([WasLate(LateBy.THREAD, 2900, 350)]))


@pytest.mark.parametrize(
    ("step", "spoken"),
    [
        (f"{{expect: {{bot_says: {WORDS}}}}}", said(100, None, None)),  # too short to be the words
        ("{expect: {bot_speaks: 900ms}}", said(700)),
    ],
)
def test_speech_that_the_phone_still_held_may_have_been_longer(step: str, spoken: BotSpoke) -> None:
    acted = (1500, CallerAction("dtmf", "4"))
    cut, ended = (3000, spoken), (3000 + spoken.heard_ms, SERVER)
    assert turns(step, acted, cut, ended, late=LatenessRecord(STALL))
    assert not turns(step, acted, cut, (ended[0] + 100, SERVER), late=LatenessRecord(STALL))
    assert not turns(step, acted, cut, ended, late=LatenessRecord([WasLate(LateBy.THREAD, 500, 100)]))


@pytest.mark.parametrize(("gap_ms", "could"), [(0, False), (60, True), (100, True), (101, False)])
def test_words_that_cannot_be_read_for_a_hole(gap_ms: int, could: bool) -> None:
    spoken = said(900, None, None, gap_ms)
    step = f"{{expect: {{bot_says: {WORDS}}}}}"
    assert turns(step, (3000, spoken), (9000, HUNG_UP)) is could
    assert not turns(step, (3700, spoken), (9000, HUNG_UP))  # we were not late then
    bot = LatenessRecord([WasLate(LateBy.BOT, 3500, 50)])
    assert turns(step, (3000, spoken), (9000, HUNG_UP), late=bot) is could


@pytest.mark.parametrize(("second_at", "could"), [(3550, True), (3551, False), (4900, False)])
def test_words_that_a_hole_has_cut_in_two(second_at: int, could: bool) -> None:
    pieces = ((3000, said(450, None, None)), (second_at, said(400, None, None)))
    assert turns(f"{{expect: {{bot_says: {WORDS}}}}}", *pieces, (9000, HUNG_UP)) is could
    step = "{expect: {bot_speaks: 900ms}}"
    assert turns(step, (3000, said(450)), (3500, said(400)), (9000, HUNG_UP))
    assert not turns(step, (3000, said(450)), (3510, said(380)), (9000, HUNG_UP))


@pytest.mark.parametrize(
    ("events", "ours"),
    [
        ([(3000, said(900, None, None, 100))], True),
        ([(3000, said(900, None, None, 101))], False),
        ([(3000, said(900, None, None))], False),
        ([(3000, said(450, None, None)), (3550, said(400, None, None))], True),
        ([(3000, said(450, None, None)), (3551, said(400, None, None))], False),
        ([(3000, said(900, gap_ms=100))], False),  # was read
    ],
)
def test_a_voice_that_only_a_hole_of_ours_makes_unreadable(events: list[tuple[int, LogEvent]], ours: bool) -> None:
    assert is_unread_for_our_holes(entries(*events), LATE) is ours


def test_sound_that_is_too_short_for_the_words() -> None:
    """A second of them is missing: however many holes there are in the rest, they were not spoken."""
    step = "{expect: {bot_says: Não foi possível me conectar ao apartamento.}}"
    late = LatenessRecord([WasLate(LateBy.THREAD, 3200, 100)])
    assert not turns(step, (3000, said(500, None, None, 100)), (9000, SERVER), late=late)
    assert not turns(step, (3000, said(150, None, None)), (3190, said(300, None, None)), (9000, SERVER), late=late)
    assert turns(step, (3000, said(1600, None, None, 100)), (9000, SERVER), late=late)


# --- never


@pytest.mark.parametrize(
    ("step", "events"),
    [
        ("{never: {hold_audio: stopped}}", lambda at: [(at, HoldStopped(500, True))]),
        ("{never: {hangs_up: server}}", lambda at: [(at, SERVER)]),
        ("{never: {backend_asked: casa}}", lambda at: [(at, BackendAsked(1, "", "Casa."))]),
    ],
)
def test_what_happened_at_the_edge_of_a_never(step: str, events: object) -> None:
    assert turns(step, *events(2049))  # type: ignore[operator]
    assert not turns(step, *events(2050))  # type: ignore[operator]
    assert not turns(step, *events(3950))  # type: ignore[operator]
    assert turns(step, *events(3951))  # type: ignore[operator]
    assert not turns(step, *events(3951), late=LatenessRecord())  # type: ignore[operator]


def test_a_state_that_the_bot_was_leaving() -> None:
    step = "{never: {state: WAITING}}"
    before = (1000, StateTold("A", "WAITING"))
    assert turns(step, before, (2049, StateTold("WAITING", "A")))
    assert not turns(step, before, (2051, StateTold("WAITING", "A")))
    assert not turns(step, (2049, StateTold("A", "WAITING")))  # and stays


@pytest.mark.parametrize(("heard_ms", "could"), [(249, True), (250, False)])
def test_speech_that_must_not_be(heard_ms: int, could: bool) -> None:
    assert turns("{never: {bot_speaks: 200ms}}", (3000, said(heard_ms, None, None))) is could


@pytest.mark.parametrize(("silent_ms", "could"), [(549, True), (550, False)])
def test_silence_that_must_not_be(silent_ms: int, could: bool) -> None:
    speech = ((1000, BotSpoke(None, 1500)), (2500 + silent_ms, BotSpoke(None, 3000)))
    assert turns("{never: {bot_silent: 500ms}}", *speech, (9000, HUNG_UP)) is could


def test_what_the_caller_s_end_brings_about_is_no_second_reason() -> None:
    events = ((3951, HoldStopped(500, True)), (3960, HoldStarted()), (3980, HoldStopped(20, True)), (3990, HUNG_UP))
    assert turns("{never: {hold_audio: stopped}}", *events)


# --- a hole of ours in the caller's words


HOLE = LatenessRecord([WasLate(LateBy.PACKET, 2500, 60)])
SENTENCE = (2000, CallerSpoke("Quero falar com o 202.", "x", 2600, ((100, 1500),)))  # and 1.1 s of silence


@pytest.mark.parametrize(
    ("reaction", "early"),
    [
        ((2440, BackendAsked(1, "", "Quero")), False),  # before the hole
        ((2441, BackendAsked(1, "", "Quero")), True),
        ((3100, BotSpoke("Sim?", 300)), True),
        ((3600, BotSpoke("Sim?", 300)), True),  # nobody waits only 0.1 s
        ((3601, BotSpoke("Sim?", 300)), False),
    ],
)
def test_a_turn_that_our_hole_may_have_ended(reaction: tuple[int, LogEvent], early: bool) -> None:
    log = entries(SENTENCE, reaction)
    assert turns_that_ended_early(log, HOLE) == ([reaction[0]] if early else [])
    assert turns_that_ended_early(log, LATE) == []
    assert turns("{never: {bot_speaks: 5s}}", SENTENCE, reaction, late=HOLE)  # by the edge of its window
    assert turns("{expect: {bot_says: Oi.}}", SENTENCE, reaction, late=HOLE) is early


def test_a_hole_of_an_earlier_turn_does_not_count() -> None:
    later = (3600, CallerSpoke("Sim.", "sim", 300))
    reaction = (2600, BackendAsked(1, "", "Quero"))
    failed = StepFailed(1, "step", "it", (), 3900, 4000)
    log = entries(SENTENCE, reaction, later, (4020, failed))
    assert not could_turn(failed, 4020, log, scenario("{expect: {backend_asked: casa}}"), HOLE)
    assert could_turn(replace(failed, opened_ms=3500), 4020, log, scenario("{expect: {backend_asked: casa}}"), HOLE)


def test_the_script_of_the_ai_did_not_fit_for_a_hole() -> None:
    failed = StepFailed(0, "ai", "the AI's script to fit", ("request 1 fits no reply",))
    log = entries(SENTENCE, (3000, BackendAsked(1, "", "Quero")), (3000, failed))
    assert could_turn(failed, 3000, log, scenario("{wait: 1s}"), HOLE)
    assert not could_turn(failed, 3000, log, scenario("{wait: 1s}"), LATE)


# --- other failures


@pytest.mark.parametrize("step", ["target", "max_duration"])
def test_no_lateness_ends_a_program(step: str) -> None:
    assert not could_turn(StepFailed(0, step, "it", ()), 4000, [], scenario("{wait: 1s}"), LATE)


@pytest.mark.parametrize(("ended_at", "could"), [(3950, True), (3949, False)])
def test_a_step_that_came_after_the_end(ended_at: int, could: bool) -> None:
    failed = StepFailed(1, "say", "the call to go on", ())
    log = entries((ended_at, SERVER), (4000, failed))
    assert could_turn(failed, 4000, log, scenario("{dtmf: '1'}"), LATE) is could


def test_a_hang_up_that_came_after_the_uuid() -> None:
    failed = StepFailed(1, "hang_up", "to hang up before the UUID", ())
    step = "{hang_up: close, after: 1ms}"
    assert could_turn(failed, 3500, entries((3500, failed)), scenario(step), LATE)


def test_the_keys_of_an_expectation_are_all_tried() -> None:
    """A new key needs its own case above."""
    tried = {"bot_says", "bot_speaks", "bot_silent", "hold_audio", "state", "backend_asked", "hangs_up"}
    assert set(type(expectation(hangs_up="server")).model_fields) == tried


# --- a bot that was kept from running


STOOD_STILL = LatenessRecord([WasLate(LateBy.BOT, 1800, 1000)])


@pytest.mark.parametrize("step", ["{expect: {bot_speaks: 1s}}", "{wait: 1s}", "{never: {bot_speaks: 1s}}"])
def test_after_a_standstill_nothing_is_sure(step: str) -> None:
    """Nor is anything while it lasts: the call is over before the bot goes on."""
    assert turns(step, (3000, said(1000)), late=STOOD_STILL)
    assert turns(step, (3000, said(1000)), late=LatenessRecord([WasLate(LateBy.BOT, 28_000, 25_000)]))
    assert not turns("{expect: {bot_speaks: 1s}}", late=LatenessRecord([WasLate(LateBy.BOT, 1800, 999)]))


@pytest.mark.parametrize("what", ["target", "max_duration", "ai"])
def test_after_a_standstill_its_own_limits_may_have_ended_the_program(what: str) -> None:
    failed = StepFailed(0, what, "it", ())
    log = entries((4000, failed))
    assert could_turn(failed, 4000, log, scenario("{wait: 1s}"), STOOD_STILL)
    assert not could_turn(failed, 700, log, scenario("{wait: 1s}"), STOOD_STILL)


QUIET = CallEnded("asterisk", "protocol", "ends", "nothing from either side for 2 s («…»)")


@pytest.mark.parametrize(("kept", "could"), [(11, True), (10, False)])
def test_a_call_that_asterisk_ended_since_the_bot_could_send_nothing(kept: int, could: bool) -> None:
    late = LatenessRecord(WasLate(LateBy.BOT, 1900 + 150 * i, 91) for i in range(kept))
    step = "{expect: {backend_asked: casa}}"
    assert turns(step, (3500, QUIET), late=late) is could
    assert not turns(step, (3500, QUIET), late=late, at=3400)
    assert not turns(step, (3500, replace(QUIET, reason="message of kind 0x42")), late=late)


def test_words_whose_sound_was_lost_behind_a_stall() -> None:
    step = f"{{expect: {{bot_says: {WORDS}}}}}"
    late = LatenessRecord([WasLate(LateBy.BOT, 2900, 900)])
    assert turns(step, (2920, said(340)), (6000, HUNG_UP), late=late)  # 600 ms were lost, and 60 ms may lack
    assert not turns(step, (2920, said(339)), (6000, HUNG_UP), late=late)
    assert turns(step, (2920, said(340, None, None)), (6000, HUNG_UP), late=late)


@pytest.mark.parametrize(("kept_ms", "could"), [(100, True), (99, False)])
def test_words_that_were_not_made_in_time(kept_ms: int, could: bool) -> None:
    """The thread that sends went on with silence, so there is no hole."""
    late = LatenessRecord([WasLate(LateBy.BOT, 2500, kept_ms)])
    log = entries((3000, said(900, None, None)))
    assert is_unread_for_our_holes(log, late) is could
    step = f"{{expect: {{bot_says: {WORDS}}}}}"
    assert turns(step, (3000, said(900, None, None)), (6000, HUNG_UP), late=late) is could


@pytest.mark.parametrize(("kept_ms", "turned"), [(200, [3600]), (199, [])])
def test_a_turn_that_ended_while_the_bot_stood_still(kept_ms: int, turned: list[int]) -> None:
    late = LatenessRecord([WasLate(LateBy.BOT, 3500, kept_ms)])
    log = entries((3000, CallerSpoke("Quero falar com o 202.", "x", 1500)), (3600, BackendAsked(1, "", "Quero")))
    assert turns_that_ended_early(log, late) == turned


# --- blocks and anchors


@pytest.mark.parametrize(("at", "could"), [(4050, True), (4051, False)])
def test_an_event_from_which_a_step_counts_came_a_little_too_late(at: int, could: bool) -> None:
    steps = scenario("{dtmf: '1', at: {after: backend_asked, within: 2s}}")
    failed = StepFailed(1, "at backend_asked", "it", ("nothing",), 2000, 4000)
    log = entries((4020, failed), (at, BackendAsked(1, "", "Casa 4.")))
    assert could_turn(failed, 4020, log, steps, LATE) is could


def test_a_step_in_a_block_is_judged_by_what_it_asks_for() -> None:
    steps = scenario("{repeat: {times: 2, steps: [{wait: 1s}, {expect: {backend_asked: casa}}]}}")
    path = ("repeat", "steps", 1)
    failed = StepFailed(1, "expect backend_asked", "it", ("nothing",), 2000, 4000, path, "round 2 of 2, step 2")
    assert could_turn(failed, 4020, entries((4020, failed), (4050, BackendAsked(1, "", "Casa"))), steps, LATE)
    assert not could_turn(failed, 4020, entries((4020, failed), (4051, BackendAsked(1, "", "Casa"))), steps, LATE)
    gone = replace(failed, path=("repeat", "steps", 7))
    assert not could_turn(gone, 4020, entries((4020, gone), (4050, BackendAsked(1, "", "Casa"))), steps, LATE)


@pytest.mark.parametrize(("at", "could"), [(4050, True), (4051, False)])
@pytest.mark.parametrize(
    ("step", "path"),
    [
        ("{if_heard: {hold_audio: playing, within: 2s}, else: {wait: 1s}}", ()),
        ("{optional: {expect: {hold_audio: playing, within: 2s}}}", ("optional", 0)),
        (
            "{any_of: [{expect: {backend_asked: casa, within: 9s}}, {expect: {hold_audio: playing, within: 2s}}]}",
            ("any_of", 1, 0),
        ),
    ],
)
def test_a_decision_that_could_have_been_another_makes_what_follows_uncertain(
    step: str, path: tuple[str | int, ...], at: int, could: bool
) -> None:
    """The other way might have been taken: what failed later, by whatever margin, may be this machine's doing."""
    steps = scenario(step, "{expect: {state: WAITING, within: 1s}}")
    decided = ExpectationJudged(1, "hold_audio", 2000, 4000, None, path, "")
    failed = StepFailed(2, "expect state", "it", ("nothing",), 6000, 7000)
    log = entries((4000, decided), (at, HoldStarted()), (7020, failed))
    assert could_turn(failed, 7020, log, steps, LATE) is could
    met = entries((4000, replace(decided, met_ms=3900)), (at, HoldStarted()), (7020, failed))
    assert not could_turn(failed, 7020, met, steps, LATE)
    other = entries((4000, replace(decided, number=2, path=())), (at, HoldStarted()), (7020, failed))
    assert not could_turn(failed, 7020, other, steps, LATE)


@pytest.mark.parametrize(("at", "could"), [(4050, True), (4051, False)])
def test_no_branch_that_could_begin(at: int, could: bool) -> None:
    steps = scenario("{any_of: [{expect: {backend_asked: casa}}, {expect: {hold_audio: playing, within: 2s}}]}")
    lost = ExpectationJudged(1, "expect hold_audio", 2000, 4000, None, ("any_of", 1, 0), "branch 2, step 1")
    failed = StepFailed(1, "any_of", "one of", ("nothing",), 2000, 4000)
    log = entries((4000, lost), (4020, failed), (at, HoldStarted()))
    assert could_turn(failed, 4020, log, steps, LATE) is could


@pytest.mark.parametrize(("began_ms", "could"), [(2001, False), (2300, True), (2299, False)])
def test_the_silence_before_a_speech_that_the_window_begins_in_is_none(began_ms: int, could: bool) -> None:
    """400 ms late, a speech that began at 2.300 leaves 300 ms of silence in a window from 2.400 on; less does not."""
    late = LatenessRecord([WasLate(LateBy.THREAD, 2900, 400)])
    failed = StepFailed(1, "step", "it", ("something else",), 2400, 3400)
    log = entries((began_ms, said(4000, 5000)), (3420, failed), (6000, HUNG_UP))
    assert could_turn(failed, 3420, log, scenario("{expect: {bot_silent: 300ms}}"), late) is could
