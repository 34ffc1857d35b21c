"""A selector for virtual time: real descriptors are polled without waiting, in-memory sockets are looked at directly.

It collects what is ready *now*, in the order in which it became ready. When there is nothing, and asyncio would wait,
it asks its owner (`VirtualLoop`) instead, who may move the clock. It decides nothing about time itself.
"""

import selectors
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any

from audiosocket_sim.memory_socket import Endpoints

__all__ = ["Events", "VirtualSelector"]

Events = list[tuple[selectors.SelectorKey, int]]

_ONLY_THE_SELF_PIPE = 1
_QUIET_POLL_EVERY = 256
_SPIN_CHECK_EVERY = 1_000


class VirtualSelector(selectors.BaseSelector):
    """on_idle(for_ever) is asked when nothing is ready and asyncio would wait: it returns events, or moves the clock.

    on_spin() is called at every 1,000th of `cycles_at_this_instant`, which the owner resets. Both may raise.
    """

    def __init__(self, endpoints: Endpoints, on_idle: Callable[[bool], Events], on_spin: Callable[[], None]) -> None:
        self.cycles_at_this_instant = 0
        self._cycles = 0
        self._endpoints = endpoints
        self._on_idle = on_idle
        self._on_spin = on_spin
        self._real = selectors.DefaultSelector()
        self._real_keys = self._real.get_map()
        self._memory_keys: dict[int, selectors.SelectorKey] = {}
        self._all_keys = ChainMap(self._memory_keys, self._real_keys)  # type: ignore[arg-type]

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        fd = _fd(fileobj)
        endpoint = self._endpoints.by_fd.get(fd)
        if endpoint is None:
            return self._real.register(fileobj, events, data)
        if fd in self._memory_keys:
            raise KeyError(f"{fileobj!r} (FD {fd}) is already registered")
        key = self._memory_keys[fd] = selectors.SelectorKey(fileobj, fd, events, data)
        self._endpoints.active[endpoint] = None
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        key = self._memory_keys.pop(_fd(fileobj), None)
        return self._real.unregister(fileobj) if key is None else key

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
        """What is ready at this instant. Only `on_idle` may wait; `timeout` says whether asyncio would."""
        self.cycles_at_this_instant = cycles = self.cycles_at_this_instant + 1
        self._cycles += 1
        ready = self._memory_events() if self._endpoints.active else []
        if len(self._real_keys) > _ONLY_THE_SELF_PIPE or not self._cycles % _QUIET_POLL_EVERY:
            ready += self._real.select(0)  # the self-pipe alone is of interest only for signals: ask it now and then
        if not ready and timeout != 0:
            return self._on_idle(timeout is None)
        if not cycles % _SPIN_CHECK_EVERY:
            self._on_spin()
        return ready

    def wait(self, seconds: float) -> Events:
        """Wait in real time for real descriptors: another thread's wake-up, a child process, a kernel socket."""
        return self._real.select(seconds)

    def close(self) -> None:
        self._real.close()
        self._memory_keys.clear()

    def _memory_events(self) -> Events:
        events: Events = []
        active = self._endpoints.active
        for endpoint in tuple(active):
            key = self._memory_keys.get(endpoint.fd)
            ready = endpoint.readiness() & key.events if key else 0
            if key and ready:
                events.append((key, ready))
            else:
                del active[endpoint]
        return events


def _fd(fileobj: Any) -> int:
    return fileobj if isinstance(fileobj, int) else int(fileobj.fileno())
