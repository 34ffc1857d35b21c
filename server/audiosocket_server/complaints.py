"""Complaints about connections in the log: some a minute of each kind, the rest only counted. A flood fills no disk."""

import logging
from dataclasses import dataclass

__all__ = ["Complaints"]

WHOLE_A_MINUTE = 5
_MINUTE_SECONDS = 60.0


@dataclass(slots=True)
class _Kind:
    since: float
    said: int = 0
    counted: int = 0


class Complaints:
    """The complaints of one server. Pure but for the log; `now` is in seconds of the loop's clock."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._kinds: dict[str, _Kind] = {}

    def about(self, kind: str, line: str, now: float, level: int = logging.WARNING) -> None:
        """Log `line`, or count it if there were more of its `kind` (a constant) than `WHOLE_A_MINUTE`."""
        state = self._kinds.get(kind)
        if state is None or now - state.since >= _MINUTE_SECONDS:
            if state is not None and state.counted:
                self._log.log(level, "%s: %d more within a minute were not logged", kind, state.counted)
            state = self._kinds[kind] = _Kind(now)
        state.said += 1
        if state.said <= WHOLE_A_MINUTE:
            self._log.log(level, "%s", line)
        else:
            state.counted += 1
