"""How Asterisk treats audio that comes faster than it can be played. Pure arithmetic.

The application serves the socket before the caller, so a flood holds up the caller's audio (FID-21): a model with a
measured figure. What the phone loses of a flood (FID-20) is `hearing.phone_buffer`.
"""

__all__ = ["SocketFirst"]

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
