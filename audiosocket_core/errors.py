"""The errors of the wire: one base class, and one class for each side that may be at fault."""

__all__ = ["AudioSocketError", "LocalProtocolError", "RemoteProtocolError"]


class AudioSocketError(Exception):
    """Base class of every error that `audiosocket_core` raises on purpose."""


class LocalProtocolError(AudioSocketError):
    """A bug on this side: it tried to send a message that its role may not send, or not in this state."""


class RemoteProtocolError(AudioSocketError):
    """The other side broke the protocol. The message says what arrived and what was expected."""
