"""Pauses of this program (Ctrl-Z, a machine asleep), and when the bot's sound came in them. Pure; times in seconds.

What the bot sends while the program stands still waits in the kernel and is read in one go afterwards. It is given the
times at which it would have come: it ends with the pause, piece after piece. Sound beyond the pause's length was sent
ahead by the bot, and stays so.
"""

from collections.abc import Iterator

__all__ = ["LateMessage", "OwnPauses"]

PAUSE = 0.4
"""From this time without a tick on, the program stood still; ticks come every 20 ms."""
READS_ON = 0.1
"""For how long after a pause what is read may be from within it."""

LateMessage = tuple[float, int, bytes]
"""When it came (s), its rate in Hz, its SLIN."""


class OwnPauses:
    """Watches the ticks of one call, which begins with the first of them."""

    def __init__(self) -> None:
        self._ticked: float | None = None
        self._began = 0.0
        self.ended = 0.0
        """When the newest pause ended; 0.0 if there was none."""
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
            return iter((message,))
        self._waiting.append(message)
        return self.ready(message[0])

    def ready(self, now: float) -> Iterator[LateMessage]:
        """Return the messages that were read after a pause, with their times, once all of them are there."""
        if self._waiting is None or now - self.ended < READS_ON:
            return iter(())
        waiting, self._waiting = self._waiting, None
        return _with_times(waiting, self._began, self.ended)

    def known_until(self, now: float) -> float:
        """Return until when all that the bot sent was returned: `now`, or the beginning of a pause."""
        return now if self._waiting is None else self._began


def _with_times(waiting: list[LateMessage], began: float, ended: float) -> Iterator[LateMessage]:
    """Give those that were read at once times of their own, one after the other; none before the pause began."""
    at_once = [message for message in waiting if message[0] - ended < READS_ON / 2]
    at = at_once[-1][0] + _seconds(at_once[-1]) - sum(map(_seconds, at_once)) if at_once else ended
    for message in at_once:
        yield (max(began, at), *message[1:])
        at += _seconds(message)
    yield from waiting[len(at_once) :]


def _seconds(message: LateMessage) -> float:
    return len(message[2]) / 2 / message[1]
