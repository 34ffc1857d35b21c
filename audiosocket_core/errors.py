"""The errors of the wire: one base, and whose fault it is."""

__all__ = ["AudioSocketError", "LocalProtocolError", "RemoteProtocolError"]


class AudioSocketError(Exception):
    """Base of every error that `audiosocket` raises on purpose."""


class LocalProtocolError(AudioSocketError):
    """Our bug: this side tried to send what its role may not send, or in the wrong order."""


class RemoteProtocolError(AudioSocketError):
    """Their fault: the other side broke the protocol. The message says what came and what was expected."""
