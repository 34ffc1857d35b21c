"""The log of requests and their outcomes: bounded, readable from any thread. It holds callers' words."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

__all__ = ["Request", "RequestLog", "masked"]

_MOST = 1000

OPEN = "open"


@dataclass(frozen=True, slots=True)
class Request:
    """A turn of recognition, an utterance, or an upgrade that failed. `outcome` is in plain words."""

    number: int
    kind: Literal["recognition", "synthesis"]
    key: str
    """Masked, unless it is the name of a plan."""
    language: str = ""
    voice: str = ""
    text: str = ""
    """The text that was recognised, or was to be spoken."""
    mode: str = ""
    """For recognition `once` or `continuous`; for synthesis the name of the output format."""
    continued: bool = False
    """The client resumed a turn that a lost connection had cut off, and sent the unrecognised audio again."""
    audio_ms: int = 0
    """How much audio was received (recognition) or sent (synthesis)."""
    outcome: str = OPEN

    @property
    def is_open(self) -> bool:
        """True while the request is in progress."""
        return self.outcome == OPEN


class RequestLog:
    """The last 1,000 requests, oldest first. `on_end` is called with each request when it has ended."""

    def __init__(self, on_end: Callable[[Request], None] | None = None) -> None:
        self._requests: dict[int, Request] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._on_end = on_end

    def begin(self, kind: Literal["recognition", "synthesis"], key: str, **known: Any) -> int:
        """Log a new request with the fields known so far, and return its number."""
        with self._lock:
            self._count += 1
            self._requests[self._count] = Request(self._count, kind, key, **known)
            if len(self._requests) > _MOST:
                del self._requests[next(iter(self._requests))]
            return self._count

    def change(self, number: int, **known: Any) -> None:
        """Update fields of a request. An `outcome` ends it; later changes are ignored."""
        with self._lock:
            before = self._requests.get(number)
            if before is None or not before.is_open:
                return
            now = self._requests[number] = replace(before, **known)
        if self._on_end is not None and not now.is_open:
            self._on_end(now)

    def all(self) -> tuple[Request, ...]:
        """Return all requests, oldest first."""
        with self._lock:
            return tuple(self._requests.values())


def masked(key: str) -> str:
    """Return a key as it may be shown: with its last four characters at most."""
    if not key:
        return "none"
    return f"••••{key[-4:]}" if len(key) >= 16 else "••••"
