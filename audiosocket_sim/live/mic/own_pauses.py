"""Pauses of this program (Ctrl-Z, a machine asleep), and when the bot's sound came in them. Pure; times in seconds.

What the bot sends while the program stands still waits in the kernel and is read in one go afterwards. It is given the
times at which it would have come. A bot that was sending when the pause began is taken to have gone on; otherwise what
it sent ends where the reading does. Sound beyond the pause's length was sent ahead by the bot, and stays so.
"""

from collections.abc import Iterator

__all__ = ["LateMessage", "OwnPauses"]

PAUSE = 0.4
"""From this time without a tick on, the program stood still; ticks come every 20 ms."""
READS_ON = 0.4
"""For how long after a pause what is read may be from within it: a busy program reads no faster."""
_GOES_ON = 0.1

LateMessage = tuple[float, int, bytes]
"""When it came (s), its rate in Hz, its SLIN."""


class OwnPauses:
    """Watches the ticks of one call, which begins with the first of them."""

    def __init__(self) -> None:
        self._ticked: float | None = None
        self._began = 0.0
        self.ended = 0.0
        """When the newest pause ended; 0.0 if there was none."""
        self._due = -1.0  # when the next message is due, if the bot goes on sending
        self._waiting: list[LateMessage] | None = None

    def tick(self, now: float) -> float | None:
        """Take the time, at least every 20 ms. Returns the length of the pause that has just ended, or None."""
        before, self._ticked = self._ticked, now
        if before is None or now - before < PAUSE:
            return None
        self._began, self.ended = before, now
        self._waiting = self._waiting or []
        return now - before

    def take(self, message: LateMessage) -> Iterator[LateMessage]:
        """Take a message of the bot, and return those whose times are known now, in their order."""
        if self._waiting is None:
            self._due = message[0] + _seconds(message)
            return iter((message,))
        self._waiting.append(message)
        return self.ready(message[0])

    def ready(self, now: float) -> Iterator[LateMessage]:
        """Return the messages that were read after a pause, with their times, once all of them are there."""
        if self._waiting is None or now - self.ended < READS_ON:
            return iter(())
        waiting, self._waiting = self._waiting, None
        if self._began - self._due < _GOES_ON:
            return _going_on(waiting, self._due)
        return _ending(waiting, self._began)

    def known_until(self, now: float) -> float:
        """Return until when all that the bot sent was returned: `now`, or the beginning of a pause."""
        return now if self._waiting is None else self._began


def _going_on(waiting: list[LateMessage], due: float) -> Iterator[LateMessage]:
    """Give each message the time at which it was due after the one before, if it came later than that."""
    for message in waiting:
        at = min(message[0], due)
        yield (at, *message[1:])
        due = at + _seconds(message)


def _ending(waiting: list[LateMessage], began: float) -> Iterator[LateMessage]:
    """Give the messages times one after the other up to that of the last; none before the pause began."""
    at = waiting[-1][0] + _seconds(waiting[-1]) - sum(map(_seconds, waiting)) if waiting else began
    for message in waiting:
        yield (max(began, at), *message[1:])
        at += _seconds(message)


def _seconds(message: LateMessage) -> float:
    return len(message[2]) / 2 / message[1]
