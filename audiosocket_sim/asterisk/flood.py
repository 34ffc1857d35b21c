"""How Asterisk and the phone treat audio that comes faster than it can be played. Pure arithmetic.

`SocketFirst`: the application serves the socket before the caller, so a flood holds up the caller's audio (FID-21).
`PhoneBuffer`: nothing between the socket and the phone keeps audio back, and a phone keeps little (FID-20). Both are
models: the first with a measured figure, the second with a usual one.
"""

__all__ = ["PHONE_BUFFER_MS", "PhoneBuffer", "SocketFirst"]

PHONE_BUFFER_MS = 300
"""The audio that a phone's jitter buffer holds beyond what it is playing. Phones differ: this size is usual."""
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


class PhoneBuffer:
    """A phone that plays in real time, buffers `PHONE_BUFFER_MS` and drops audio that does not fit."""

    def __init__(self) -> None:
        self._full_until = 0.0
        self._sent_until = 0.0
        self.lost_ms = 0.0
        """The audio dropped so far, in ms."""
        self.most_ahead_ms = 0.0
        """By how many ms at most a message came early, counted from the end of the audio sent before it."""

    def take(self, at: float, ms: float) -> None:
        """Take `ms` of audio that came at the loop time `at`, in seconds."""
        if self._sent_until <= at and self._full_until <= at:  # in time, to a phone that has played all: mostly
            self._sent_until = self._full_until = at + ms / 1000
            return
        self._sent_until = max(self._sent_until, at)
        self.most_ahead_ms = max(self.most_ahead_ms, (self._sent_until - at) * 1000)
        self._sent_until += ms / 1000
        waiting_ms = max(0.0, (self._full_until - at) * 1000)
        lost = min(ms, max(0.0, waiting_ms - PHONE_BUFFER_MS))
        self.lost_ms += lost if lost > 1e-6 else 0.0
        self._full_until = at + (waiting_ms + ms - lost) / 1000
