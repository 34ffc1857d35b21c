"""A server that takes a stated number of calls at once: no plan asks for more."""

from helpers.check_results import a_case

from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.planning import AT_ONCE, plan
from audiosocket_sim.conformance.script import Announce, Pause, Script

CALL = Script((Announce(), Pause(1.0)))
ONE = a_case("HS-01", scripts=(CALL,))
TWO = a_case("HS-02", scripts=(CALL, CALL))
IN_TURN = a_case("HS-03", scripts=tuple(Script(CALL.actions, starts=2.0 * n) for n in range(9)))
FIVE = a_case("HS-04", scripts=(CALL,) * 5)


def at_once(limit: int | None, *cases: object) -> tuple[int, list[str]]:
    made = plan(cases, Features(most_calls=limit), heavy=False, virtual=False)  # type: ignore[arg-type]
    return made.at_once, [one.why for one in made.not_run]


def test_without_a_limit() -> None:
    assert at_once(None, ONE, FIVE) == (AT_ONCE, [])


def test_cases_beside_one_another_stay_within_it() -> None:
    assert at_once(4, ONE, IN_TURN) == (4, [])
    assert at_once(4, ONE, TWO) == (2, [])
    assert at_once(1000, ONE) == (AT_ONCE, [])


def test_a_case_that_makes_more_is_not_run() -> None:
    assert at_once(4, ONE, FIVE) == (4, ["makes 5 calls at once, and the server takes 4, as check.yaml says"])
