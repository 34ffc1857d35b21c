"""From which event a step counts: the last since the step before began, or what goes on now; otherwise none yet."""

import pytest
from helpers.logs import entries

from audiosocket_sim.call_log.events import BotSpoke, CallerSpoke, HoldStarted, HoldStopped, LogEvent, StateTold
from audiosocket_sim.checks.anchor import anchor_ms, describe_anchor, ends_with_the_call, known_ms, without_anchor
from audiosocket_sim.checks.verdicts import Moment
from audiosocket_sim.scenario import Anchor

SPOKE = BotSpoke("Oi.", 500, 500, "prompt")


def anchor(after: object) -> Anchor:
    return Anchor.model_validate({"after": after})


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("after", "events", "since_ms", "now", "found"),
    [
        ("bot_starts", [(1000, SPOKE), (3000, SPOKE)], 500, {}, 3000),
        ("bot_starts", [(1000, SPOKE), (3000, SPOKE)], 3001, {}, None),
        ("bot_starts", [(1000, SPOKE)], 3000, {"open_speech_at_ms": 2900, "speaking_since_ms": 2900}, 2900),
        ("bot_starts", [], 0, {"open_speech_at_ms": 3900}, None),  # it may still be hold audio
        ("bot_starts", [], 0, {"open_speech_at_ms": 3000, "silent_since_ms": 3900}, 3000),  # a pause in a sentence
        ("bot_stops", [(1000, SPOKE)], 1500, {}, 1500),
        ("bot_stops", [(1000, SPOKE)], 1501, {}, None),
        ("bot_stops", [(1000, SPOKE)], 0, {"open_speech_at_ms": 3000}, None),
        ("hold_starts", [(1000, HoldStarted()), (2000, HoldStopped(1000, True))], 500, {}, 1000),
        ("hold_starts", [], 5000, {"hold_since_ms": 700}, 700),
        ("hold_stops", [(1000, HoldStarted()), (2000, HoldStopped(1000, True))], 500, {}, 2000),
        ("hold_stops", [(2000, HoldStopped(1000, True))], 500, {"hold_since_ms": 3000}, None),
        ("caller_starts", [(3500, CallerSpoke("Oi.", None, 1000, ((200, 800),)))], 3600, {}, 3700),
        ("caller_starts", [(1000, CallerSpoke("Oi.", None, 1000, ((200, 800),)))], 1300, {}, None),
        ("caller_stops", [(3500, CallerSpoke("Oi.", None, 1000, ((200, 800),)))], 3500, {}, 4300),
        ({"state": "WAITING"}, [(1000, StateTold("A", "WAITING"))], 3000, {}, 1000),
        ({"state": "WAITING"}, [(1000, StateTold("A", "WAITING")), (2000, StateTold("WAITING", "B"))], 500, {}, 1000),
        ({"state": "WAITING"}, [(1000, StateTold("A", "WAITING")), (2000, StateTold("WAITING", "B"))], 1500, {}, None),
    ],
)
def test_the_event_that_counts(
    after: object, events: list[tuple[int, LogEvent]], since_ms: int, now: dict[str, int], found: int | None
) -> None:
    assert anchor_ms(anchor(after), entries(*events), Moment(4000, 2000, 6000, **now), since_ms) == found


def test_an_anchor_in_words_and_how_long_it_is_waited_for() -> None:
    assert describe_anchor(anchor({"state": "WAITING"})) == "state WAITING"
    assert describe_anchor(anchor("hold_stops")) == "hold audio stops"
    moment = Moment(0, 0, 1000)
    assert [known_ms(anchor(after), moment) for after in ("bot_stops", "backend_asked")] == [1700, 1020]
    assert [ends_with_the_call(anchor(a)) for a in ("bot_stops", "backend_asked", {"state": "WAITING"})] == [
        *(True, False, False)
    ]


def test_speech_that_goes_on_is_what_happened_instead_of_its_end() -> None:
    moment = Moment(7000, 2000, 6000, open_speech_at_ms=1000)
    assert without_anchor(anchor("bot_stops"), [], moment) == ("the bot spoke from 1.000 on, and still at 7.000",)
    late = without_anchor(anchor("bot_stops"), entries((6000, SPOKE)), Moment(7000, 2000, 6000))
    assert late == ("the bot did not stop speaking in that time; the last time was at 6.500, 500 ms after",)
