"""A selector for virtual time: polls real descriptors without waiting, and inspects in-memory sockets directly.

It reports which sockets are ready now, in the order in which they became ready. Time is the business of its owner,
`VirtualLoop`, which asks it once in each turn.
"""

import asyncio
import os
import select
import selectors
from collections import ChainMap, deque
from collections.abc import Mapping
from typing import Any

from audiosocket_sim.virtual_time.memory_socket import Endpoints

__all__ = ["Events", "VirtualSelector"]

Events = list[tuple[selectors.SelectorKey, int]]

# An error or a hang-up wakes both the reader and the writer.
_ALL_BUT_IN = ~getattr(select, "EPOLLIN", 0)
_ALL_BUT_OUT = ~getattr(select, "EPOLLOUT", 0)


class VirtualSelector(selectors.BaseSelector):
    """Watches kernel descriptors and the in-memory sockets of `endpoints` through one interface."""

    def __init__(self, endpoints: Endpoints) -> None:
        self.real_count = 0
        """The number of registered kernel descriptors; the loop's own self-pipe is one."""
        self._endpoints = endpoints
        self._real = selectors.DefaultSelector()
        self._real_keys = self._real.get_map()
        self._real_data: dict[int, Any] = {}
        self._epoll = _epoll_of(self._real)
        self._memory_keys: dict[int, selectors.SelectorKey] = {}
        self._all_keys = ChainMap(self._memory_keys, self._real_keys)  # type: ignore[arg-type]

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch a socket, in-memory or real, as selectors do. Raises KeyError if it is watched already."""
        fd = _fd(fileobj)
        endpoint = self._endpoints.by_fd.get(fd)
        if endpoint is None:
            key = self._real.register(fileobj, events, data)
            self._real_data[fd] = data
            self.real_count += 1
            return key
        if fd in self._memory_keys:
            raise KeyError(f"{fileobj!r} (FD {fd}) is already registered")
        key = self._memory_keys[fd] = selectors.SelectorKey(fileobj, fd, events, data)
        endpoint.interest = events
        self._endpoints.active[endpoint] = None
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Stop watching a socket. Raises KeyError if it is not watched."""
        key = self._memory_keys.pop(_fd(fileobj), None)
        if key is None:
            key = self._real.unregister(fileobj)
            del self._real_data[key.fd]
            self.real_count -= 1
        elif (endpoint := self._endpoints.by_fd.get(key.fd)) is not None:
            endpoint.interest = 0
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch a socket for other events."""
        if _fd(fileobj) not in self._memory_keys:
            key = self._real.modify(fileobj, events, data)
            self._real_data[key.fd] = data
            return key
        self.unregister(fileobj)
        return self.register(fileobj, events, data)

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        """Return the key of a watched socket. Raises KeyError if it is not watched."""
        key = self._memory_keys.get(_fd(fileobj))
        return self._real.get_key(fileobj) if key is None else key

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """Return the keys of both kinds of sockets."""
        return self._all_keys

    def select(self, timeout: float | None = None) -> Events:
        """Wait in real time, at most `timeout` seconds, for real descriptors.

        These are the self-pipe, by which other threads wake the loop, child processes, and kernel sockets.
        """
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

    def collect_real(self, ready: deque[asyncio.Handle]) -> bool:
        """Append the callbacks of the real descriptors that are ready now.

        Returns False if this system has no epoll: the caller must use `select(0)`. This does the same faster, since it
        is called twice at each instant of a call.
        """
        if self._epoll is None:
            return False
        for fd, mask in self._epoll.poll(0):
            reader, writer = self._real_data[fd]
            if mask & _ALL_BUT_OUT and reader is not None:
                ready.append(reader)
            if mask & _ALL_BUT_IN and writer is not None:
                ready.append(writer)
        return True

    def close(self) -> None:
        """Stop watching all sockets."""
        if self._epoll is not None:
            self._epoll.close()
        self._real.close()
        self._real_data.clear()
        self._memory_keys.clear()


def _epoll_of(selector: selectors.BaseSelector) -> "select.epoll | None":
    """Return the epoll object of a selector, for direct use; None if it has none."""
    if not hasattr(selectors, "EpollSelector") or not isinstance(selector, selectors.EpollSelector):
        return None
    return select.epoll.fromfd(os.dup(selector.fileno()))


def _fd(fileobj: Any) -> int:
    return fileobj if isinstance(fileobj, int) else int(fileobj.fileno())
