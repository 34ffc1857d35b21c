"""The runs of one scenario: other seeds, the same call."""

from audiosocket_sim.scenario.call_uuid import call_uuid
from audiosocket_sim.scenario.loading import load_text
from audiosocket_sim.scenario.repeats import marked, run_of, seeds_of, seeds_text

PLAIN = "summary: A call.\nruns: 3\nsteps: [{wait: 1s}]\n"
SEEDED = PLAIN + "line: {seed: 5}\nnetwork: {split: seeded}\nasterisk: {jitter: {up_to: 90ms, seed: 3}}\n"


def test_the_first_run_is_the_scenario_as_it_is_written() -> None:
    scenario = load_text(SEEDED)
    assert run_of(scenario, 1) is scenario
    assert scenario.runs == 3


def test_each_next_run_has_other_seeds_and_nothing_else() -> None:
    scenario = load_text(SEEDED)
    third = run_of(scenario, 3)
    assert seeds_of(third) == {"line.seed": 7, "asterisk.jitter.seed": 5, "network.seed": 3}
    assert (third.name, third.steps, call_uuid(third)) == (scenario.name, scenario.steps, call_uuid(scenario))


def test_seeds_that_change_nothing_are_not_named() -> None:
    assert seeds_text(run_of(load_text(PLAIN), 2)) == "line.seed=2"


def test_a_name_with_a_mark() -> None:
    assert (marked("a", "run=2"), marked("a[b=1]", "run=2")) == ("a[run=2]", "a[b=1,run=2]")
