"""A selector for virtual time: real descriptors are polled without waiting, in-memory sockets are looked at directly.

It tells what is ready *now*, in the order in which it became ready, and decides nothing about time: that is its owner's
(`VirtualLoop`), who asks it once a turn.
"""

import asyncio
import selectors
from collections import ChainMap, deque
from collections.abc import Mapping
from typing import Any

from audiosocket_sim.virtual_time.memory_socket import Endpoints

__all__ = ["Events", "VirtualSelector"]

Events = list[tuple[selectors.SelectorKey, int]]


class VirtualSelector(selectors.BaseSelector):
    """Knows kernel descriptors and the sockets of `endpoints` by the same interface."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.real_count = 0
        """Kernel descriptors that are registered; the loop's own self-pipe is one."""
        self._endpoints = endpoints
        self._real = selectors.DefaultSelector()
        self._real_keys = self._real.get_map()
        self._memory_keys: dict[int, selectors.SelectorKey] = {}
        self._all_keys = ChainMap(self._memory_keys, self._real_keys)  # type: ignore[arg-type]

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        fd = _fd(fileobj)
        endpoint = self._endpoints.by_fd.get(fd)
        if endpoint is None:
            key = self._real.register(fileobj, events, data)
            self.real_count += 1
            return key
        if fd in self._memory_keys:
            raise KeyError(f"{fileobj!r} (FD {fd}) is already registered")
        key = self._memory_keys[fd] = selectors.SelectorKey(fileobj, fd, events, data)
        endpoint.interest = events
        self._endpoints.active[endpoint] = None
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = self._memory_keys.pop(_fd(fileobj), None)
        if key is None:
            key = self._real.unregister(fileobj)
            self.real_count -= 1
        elif (endpoint := self._endpoints.by_fd.get(key.fd)) is not None:
            endpoint.interest = 0
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        if _fd(fileobj) not in self._memory_keys:
            return self._real.modify(fileobj, events, data)
        self.unregister(fileobj)
        return self.register(fileobj, events, data)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        key = self._memory_keys.get(_fd(fileobj))
        return self._real.get_key(fileobj) if key is None else key

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._all_keys

    def select(self, timeout: float | None = None) -> Events:
        """Wait in real time for real descriptors: another thread's wake-up, a child process, a kernel socket."""
        return self._real.select(timeout)

    def collect(self, ready: deque[asyncio.Handle]) -> None:
        """Append the callbacks of the in-memory sockets that are ready now."""
        active = self._endpoints.active
        for endpoint in tuple(active):
            mask = endpoint.readiness() & endpoint.interest
            if not mask:
                del active[endpoint]
                continue
            reader, writer = self._memory_keys[endpoint.fd].data
            if mask & selectors.EVENT_READ:
                ready.append(reader)
            if mask & selectors.EVENT_WRITE:
                ready.append(writer)

    def close(self) -> None:
        self._real.close()
        self._memory_keys.clear()


def _fd(fileobj: Any) -> int:
    return fileobj if isinstance(fileobj, int) else int(fileobj.fileno())
