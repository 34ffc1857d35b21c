"""Failures of one cause are shown once."""

from helpers.check_results import a_case, a_result

from audiosocket_sim.conformance.case import Statement
from audiosocket_sim.conformance.results.alike import alike


def test_the_same_was_seen_but_for_the_time() -> None:
    closed = [Statement(False, f"keeps the call after {n}, but closed it 0.0{n} s later") for n in range(3)]
    first, second, third = (a_result(a_case(f"HS-0{n}"), [closed[n]]) for n in range(3))
    should = a_result(a_case("HS-03", "should"), [closed[0]])
    other = a_result(a_case("HS-04"), [Statement(False, "answers, but nothing came")])
    both = a_result(a_case("HS-05"), closed)
    silent = [a_result(a_case(name), [Statement(False, "answers")]) for name in ("HS-06", "HS-07")]
    assert alike([first, other, second, should, both, third, *silent]) == [
        (first, (second, third)),
        (other, ()),
        (should, ()),
        (both, ()),
        (silent[0], ()),
        (silent[1], ()),
    ]
