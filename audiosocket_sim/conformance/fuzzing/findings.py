"""What a search has found, and what it comes to. Data only."""

from dataclasses import dataclass
from pathlib import Path

from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.fuzzing.harms import Harm
from audiosocket_sim.conformance.fuzzing.odd_stream import Actions, OddStream, bytes_of
from audiosocket_sim.conformance.verdicts import EXIT_FAILED, EXIT_FINE, EXIT_INCONCLUSIVE

__all__ = ["FuzzFinding", "FuzzResult"]


@dataclass(frozen=True, slots=True)
class FuzzFinding:
    """A stream that does harm. `says`: what a good server does, and what this one did. `smallest`: what is left of it.

    `repeats`: how often it did it again; 0 where the server cannot be started anew from here. `cut_short`: the limit of
    tries was reached before it was as small as can be. `file`: where it was saved.
    """

    harm: Harm
    stream: OddStream
    smallest: Actions
    says: str
    repeats: int = 2
    tries: int = 0
    cut_short: bool = False
    file: Path | None = None

    @property
    def n_bytes(self) -> tuple[int, int]:
        """How many bytes the stream sends, as it was drawn and as it is now."""
        return sum(len(bytes_of(one)) for one in self.stream.actions), sum(len(bytes_of(one)) for one in self.smallest)


@dataclass(frozen=True, slots=True)
class FuzzResult:
    """A whole search. `more`: how many streams did what a finding says already. `seconds`: of the machine's clock.

    `not_repeated`: harms that were seen once and not again: in words. `not_judged`: those that this server shows in
    plain calls too, so that no stream can be blamed for them. `at_once`: how many streams were
    tried beside one another.
    """

    seed: int
    findings: tuple[FuzzFinding, ...]
    not_repeated: tuple[str, ...]
    not_judged: tuple[Harm, ...]
    more: int
    n_streams: int
    n_calls: int
    at_once: int
    seconds: float
    features: Features

    @property
    def exit_code(self) -> int:
        """1 if there is a finding; else 4 if something was seen that did not come again; else 0."""
        if self.findings:
            return EXIT_FAILED
        return EXIT_INCONCLUSIVE if self.not_repeated else EXIT_FINE
