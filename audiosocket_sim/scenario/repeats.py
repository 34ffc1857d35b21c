"""The runs of one scenario that is called several times: each has seeds and a name of its own. Pure."""

from audiosocket_sim.scenario.model import Scenario

__all__ = ["marked", "run_of", "seeds_of", "seeds_text"]


def run_of(scenario: Scenario, number: int) -> Scenario:
    """Return the scenario for the run `number`, from 1: the first has the seeds of the file, each next one 1 more."""
    more = number - 1
    if more == 0:
        return scenario
    asterisk, jitter = scenario.asterisk, scenario.asterisk.jitter
    if jitter is not None:
        asterisk = asterisk.model_copy(update={"jitter": jitter.model_copy(update={"seed": jitter.seed + more})})
    line = scenario.line.model_copy(update={"seed": scenario.line.seed + more})
    network = scenario.network.model_copy(update={"seed": scenario.network.seed + more})
    calls = tuple(run_of(call, number) for call in scenario.made_calls)
    return scenario.model_copy(update={"asterisk": asterisk, "line": line, "network": network, "made_calls": calls})


def seeds_of(scenario: Scenario) -> dict[str, int]:
    """Return the seeds that can change this call, by their keys, as `--set` takes them: `line.seed`, …

    Of several calls, those that differ from the first one's have the caller's name before them.
    """
    seeds = _seeds_of(scenario)
    for call in scenario.made_calls:
        own = {key: seed for key, seed in _seeds_of(call).items() if seeds.get(key) != seed}
        seeds |= {f"{call.caller.name}: {key}": seed for key, seed in own.items()}
    return seeds


def _seeds_of(scenario: Scenario) -> dict[str, int]:
    seeds = {"line.seed": scenario.line.seed}
    if scenario.asterisk.jitter is not None:
        seeds["asterisk.jitter.seed"] = scenario.asterisk.jitter.seed
    if scenario.network.split == "seeded":
        seeds["network.seed"] = scenario.network.seed
    return seeds


def seeds_text(scenario: Scenario) -> str:
    """Return the seeds in one line: `line.seed=3, network.seed=3`."""
    return ", ".join(f"{key}={seed}" for key, seed in seeds_of(scenario).items())


def marked(name: str, mark: str) -> str:
    """Return the name of a call with a mark in its brackets: `short[run=2]`, `noisy[noise_dbfs=-40,run=2]`."""
    return f"{name.removesuffix(']')},{mark}]" if name.endswith("]") else f"{name}[{mark}]"
