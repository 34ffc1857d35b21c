"""What the fake was asked and what came of it: bounded, readable from any thread. What callers say stands in it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

__all__ = ["Request", "RequestLog", "masked"]

_MOST = 1000

OPEN = "open"


@dataclass(frozen=True, slots=True)
class Request:
    """A turn of recognition, an utterance, or an upgrade that came to nothing. `outcome` is in plain words."""

    number: int
    kind: Literal["recognition", "synthesis"]
    key: str
    """As stars, unless it is the name of a plan."""
    language: str = ""
    voice: str = ""
    text: str = ""
    """What was recognised, or was to be spoken."""
    mode: str = ""
    """Of recognition: `once` or `continuous`; of synthesis: the format that was asked for."""
    continued: bool = False
    """The client took up what a lost connection had cut off, and sent again what was not yet recognised."""
    audio_ms: int = 0
    """How much audio came, or was sent."""
    outcome: str = OPEN

    @property
    def is_open(self) -> bool:
        return self.outcome == OPEN


class RequestLog:
    """The last requests, oldest first."""

    def __init__(self, on_end: Callable[[Request], None] | None = None) -> None:
        self._requests: dict[int, Request] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._on_end = on_end

    def begin(self, kind: Literal["recognition", "synthesis"], key: str, **known: Any) -> int:
        """A request came; its number."""
        with self._lock:
            self._count += 1
            self._requests[self._count] = Request(self._count, kind, key, **known)
            if len(self._requests) > _MOST:
                del self._requests[next(iter(self._requests))]
            return self._count

    def change(self, number: int, **known: Any) -> None:
        """More is known of it. With an `outcome` it has ended; of several the first counts."""
        with self._lock:
            before = self._requests.get(number)
            if before is None or not before.is_open:
                return
            now = self._requests[number] = replace(before, **known)
        if self._on_end is not None and not now.is_open:
            self._on_end(now)

    def all(self) -> tuple[Request, ...]:
        with self._lock:
            return tuple(self._requests.values())


def masked(key: str) -> str:
    """A key as it may be shown."""
    if not key:
        return "none"
    return f"••••{key[-4:]}" if len(key) >= 16 else "••••"
