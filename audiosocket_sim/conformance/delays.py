"""When this machine was late, over all calls of a run, in loop time."""

from audiosocket_sim.conformance.seen_call import Delays

__all__ = ["DelayRecord"]

_COUNTS_FROM_SECONDS = 0.001
_MOST_KEPT = 100_000


class DelayRecord:
    """Collects delays: of our own thread, and of the server's program where it wanted to run and could not."""

    def __init__(self) -> None:
        self._late: list[tuple[float, float]] = []

    def note(self, at: float, seconds: float) -> None:
        """Note that something was done at a loop time, so many seconds after it was due."""
        if seconds >= _COUNTS_FROM_SECONDS and len(self._late) < _MOST_KEPT:
            self._late.append((at, seconds))

    def since(self, began: float) -> Delays:
        """Return the delays of a case that began at this loop time, in its own time."""
        return Delays(tuple((at - began, seconds) for at, seconds in self._late if at >= began))
