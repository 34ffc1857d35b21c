"""Audio that comes faster than it can be heard: what Asterisk and the phone make of it. Pure arithmetic.

`SocketFirst`: the application serves the socket before the caller, so a flood holds up the caller's audio (FID-21).
`PhoneBuffer`: nothing between the socket and the phone keeps audio back, and a phone keeps little (FID-20). Both are
models: the first with a measured figure, the second with a usual one.
"""

__all__ = ["PHONE_BUFFER_MS", "PhoneBuffer", "SocketFirst"]

PHONE_BUFFER_MS = 300
"""How much a phone's jitter buffer keeps beyond what it is playing. Phones differ: this is a usual one."""
_PACKET_SECONDS = 0.02


class SocketFirst:
    """How long Asterisk's thread is still busy with what the server sent."""

    def __init__(self, seconds_per_message: float) -> None:
        self._seconds_per_message = seconds_per_message
        self.busy_until = 0.0
        """When the thread gets to the caller's packets."""

    def took(self, messages: int, now: float) -> None:
        """That many messages were read at `now`."""
        begins = self.busy_until if self.busy_until > now else now
        self.busy_until = begins + messages * self._seconds_per_message

    def starves_the_caller(self, now: float) -> bool:
        """Within a packet's time nobody sees it."""
        return self.busy_until - now > _PACKET_SECONDS


class PhoneBuffer:
    """A phone that plays in real time, keeps `PHONE_BUFFER_MS` and throws away what does not fit."""

    def __init__(self) -> None:
        self._full_until = 0.0
        self._sent_until = 0.0
        self.lost_ms = 0.0
        """Audio thrown away so far."""
        self.most_ahead_ms = 0.0
        """The most that a message came before its time, counted from the end of what had been sent before it."""

    def take(self, at: float, ms: float) -> None:
        """`ms` of audio came at `at` (loop time)."""
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
