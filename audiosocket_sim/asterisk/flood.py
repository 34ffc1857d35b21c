"""How Asterisk treats audio that comes faster than it can be played. Pure arithmetic.

The application serves the socket before the caller, so a flood holds up the caller's audio (FID-21): a model with a
measured figure. What the phone loses of a flood (FID-20) is `hearing.phone_buffer`.

A flood without end also costs the simulator: it would read, and hear, for ever at one instant of virtual time, and keep
other calls from the real processor. So it reads only so fast, beyond what a network takes anyway without a reader.
"""

__all__ = ["ReadingPace", "SocketFirst"]

_PACKET_SECONDS = 0.02


class SocketFirst:
    """Computes how long Asterisk's thread is still busy with the server's messages."""

    def __init__(self, seconds_per_message: float) -> None:
        self._seconds_per_message = seconds_per_message
        self.busy_until = 0.0
        """The loop time, in seconds, at which the thread serves the caller's packets again."""

    def took(self, messages: int, now: float) -> None:
        """Note that so many messages were read at the loop time `now`."""
        begins = self.busy_until if self.busy_until > now else now
        self.busy_until = begins + messages * self._seconds_per_message

    def starves_the_caller(self, now: float) -> bool:
        """True if the backlog exceeds one packet time, so that the caller's audio is audibly delayed."""
        return self.busy_until - now > _PACKET_SECONDS


AT_ONCE = 12_500
"""How many messages of 20 ms are read without a pause: a little more than the buffers of loopback hold."""
AT_ONCE_VIRTUAL = 101_000
"""The same where time stands still meanwhile: Asterisk needs 2.7 s for so many."""
MESSAGES_A_SECOND = 6_250
_MESSAGE_BYTES = 323
_LEAST_PAUSE_SECONDS = 0.02


class ReadingPace:
    """Computes when reading has to wait: beyond `at_once` messages a flood is read at 125 times the pace of speech."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._left = float(at_once)
        self._at = 0.0

    def pause(self, messages: int, n_bytes: int, now: float) -> float:
        """Note that so much was read at the loop time `now`. Return for how long nothing may be read, in seconds.

        Long messages count as several.
        """
        refilled = self._left + (now - self._at) * MESSAGES_A_SECOND
        self._at = now
        self._left = min(refilled, self._at_once) - max(messages, n_bytes / _MESSAGE_BYTES)
        return 0.0 if self._left > 0 else _LEAST_PAUSE_SECONDS - self._left / MESSAGES_A_SECOND
