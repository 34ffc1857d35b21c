"""Makes a second run where the first was inconclusive on a busy machine, and keeps the first with its files."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from audiosocket_sim.parties.target import DialledTarget, parse_target
from audiosocket_sim.running import runner
from audiosocket_sim.running.artefacts import SECOND_RUN
from audiosocket_sim.running.one_call import OnEntry
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.result import Result
from audiosocket_sim.scenario import Scenario

__all__ = ["decided", "run_twice_if_inconclusive", "second_run"]

_CALLED_ONCE = "not called a second time, since a server at an address may take one call only: --again calls it"


def run_twice_if_inconclusive(
    scenario: Scenario,
    options: Options,
    on_entry: OnEntry | None = None,
    *,
    announce: Callable[[], None] | None = None,
) -> Result:
    """Run the scenario, and once more if the machine was too busy for a verdict. Returns the result that counts.

    The second run writes its files to a folder of its own, inside that of the first. A target that is only dialled is
    called again only with `options.again`. `announce` is called before the second run. Raises what `run` raises.
    """
    first = runner.run(scenario, options, on_entry)
    if not first.worth_repeating:
        return first
    if not options.again and _is_dialled(scenario, options):
        return replace(first, faults=(*first.faults, _CALLED_ONCE))
    if announce is not None:
        announce()
    return decided(first, second_run(first, options, on_entry))


def second_run(first: Result, options: Options, on_entry: OnEntry | None = None) -> Result:
    """Run the scenario of `first` again; the files go to a folder inside that of the first run, if it has one."""
    folder = options.artefacts
    if first.artefacts is not None and (files := first.artefacts.by_name()):
        folder = next(iter(files.values())).parent  # another one than in the options, if another run had locked that
    return runner.run(first.scenario, replace(options, artefacts=_inside(folder)), on_entry)


def decided(first: Result, second: Result) -> Result:
    """Return the one of two runs of a scenario that counts, with the other one attached.

    The first counts if it has a verdict, or if neither has one. A second run that was interrupted interrupts the whole.
    """
    if second.has_verdict and not first.has_verdict:
        return replace(second, first_run=first)
    interrupted = first.interrupted or second.interrupted
    return replace(first, second_run=second, interrupted=interrupted)


def _inside(folder: Path | None) -> Path | None:
    return None if folder is None else folder / SECOND_RUN


def _is_dialled(scenario: Scenario, options: Options) -> bool:
    choice = options.target_for(scenario)
    return isinstance(parse_target(choice.text, options.control_url, choice.folder), DialledTarget)
