"""A search from its beginning to its end: the server is started and probed, streams are tried, findings are kept."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from audiosocket_sim.conformance.fuzzing.findings import FuzzFinding, FuzzResult
from audiosocket_sim.conformance.fuzzing.own_cases import save
from audiosocket_sim.conformance.fuzzing.search import Limits, Search
from audiosocket_sim.conformance.fuzzing.trial_server import TrialServer
from audiosocket_sim.conformance.suite import Suite, run_suite

__all__ = ["run_fuzz"]

_AT_ONCE_VIRTUAL = 16
_NO_TIME = float("inf")


def run_fuzz(
    suite: Suite,
    seconds: float,
    seed: int,
    on_finding: Callable[[FuzzFinding], None],
    *,
    clock: Callable[[], float],
    on_round: Callable[[int], None] = lambda streams: None,
    folder: Path | None = None,
    limits: Limits | None = None,
) -> FuzzResult:
    """Search for so many seconds of `clock`, the machine's own also where the calls are in virtual time.

    The server is probed first, which does not count. `on_round` is called with the number of streams that were tried so
    far. `folder`: where findings are saved; None: nowhere. Raises TargetError if the server cannot be started.
    """
    features = run_suite(replace(suite, cases=(), known={})).features
    chosen = limits or (Limits(at_once=_AT_ONCE_VIRTUAL, shrink_seconds=_NO_TIME) if suite.is_virtual else Limits())

    def keep(finding: FuzzFinding) -> FuzzFinding:
        kept = finding if folder is None else replace(finding, file=save(finding, folder, suite.target_text))
        on_finding(kept)
        return kept

    with TrialServer(suite, features) as server:
        return Search(server, seed, clock, keep, on_round, chosen).run(seconds)
