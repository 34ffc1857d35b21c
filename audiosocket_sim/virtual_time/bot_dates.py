"""The dates of a bot that follows a virtual loop: `datetime.now` and `utcnow`.

(`datetime.today` and `date.today` ask `time.time`, and follow with it.) The two are class methods of a class that
cannot be changed, and each mention of `datetime.now` makes a new function object. So the entry in the dictionary of the
class is replaced, and functions that were bound earlier are looked for where a program keeps names: in modules,
classes, default arguments and closures. Each module is searched once.
"""

import ctypes
import gc
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, tzinfo
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any
from weakref import WeakValueDictionary

from audiosocket_sim.virtual_time.diversion import Diversion

__all__ = ["BotDates"]

TimeOfBot = Callable[[int], float | None]
"""Called with the number of frames between it and the caller; returns the bot's time in s, None if it is no bot."""

_NAMES = ("now", "utcnow")
_methods: dict[str, Any] = gc.get_referents(datetime.__dict__)[0]
_class_changed = ctypes.pythonapi.PyType_Modified
_class_changed.argtypes = (ctypes.py_object,)
_class_changed.restype = None


class BotDates:
    """`datetime.now` and `datetime.utcnow`, diverted from `begin` to `end`. `time_of_bot`: see `TimeOfBot`."""

    def __init__(self, time_of_bot: TimeOfBot) -> None:
        self._originals = {name: _methods[name] for name in _NAMES}
        self._replacements = {
            "now": classmethod(_now(time_of_bot, self._originals["now"])),
            "utcnow": classmethod(_utcnow(time_of_bot, self._originals["utcnow"])),
        }
        self._time_of_bot = time_of_bot
        self._bound = _BoundEarlier(self._divert)

    def begin(self) -> None:
        """Let all of them follow the bot's time. Called again, it looks for more of them."""
        for diversion in self._bound.find():
            diversion.begin()
        if _methods["now"] is not self._replacements["now"]:
            self._put(self._replacements)

    def end(self) -> None:
        """Put back what was there."""
        self._put(self._originals)
        for diversion in self._bound.found:
            diversion.end()

    def _put(self, methods: dict[str, Any]) -> None:
        _methods.update(methods)
        _class_changed(datetime)

    def _divert(self, builtin: Any) -> Diversion:
        """Return the diversion of a function that was bound earlier, such as `now` after `now = datetime.now`."""
        kind, owner = (_now if builtin.__name__ == "now" else _utcnow), builtin.__self__

        def instead(original: Callable[..., Any]) -> Callable[..., Any]:
            method = kind(self._time_of_bot, None, original)
            return lambda *args, **options: method(owner, *args, **options)

        return Diversion(builtin, instead)


def _now(time_of_bot: TimeOfBot, descriptor: Any, bound: Callable[..., Any] | None = None) -> Callable[..., Any]:
    depth = 1 if bound is None else 2

    def now(cls: type[datetime], tz: tzinfo | None = None) -> datetime:
        seconds = time_of_bot(depth)
        if seconds is None:
            found: datetime = descriptor.__get__(None, cls)(tz) if bound is None else bound(tz)
            return found
        return cls.fromtimestamp(seconds, tz)

    return now


def _utcnow(time_of_bot: TimeOfBot, descriptor: Any, bound: Callable[..., Any] | None = None) -> Callable[..., Any]:
    depth = 1 if bound is None else 2

    def utcnow(cls: type[datetime]) -> datetime:
        seconds = time_of_bot(depth)
        if seconds is None:
            found: datetime = descriptor.__get__(None, cls)() if bound is None else bound()
            return found
        return cls.fromtimestamp(seconds, UTC).replace(tzinfo=None)

    return utcnow


class _BoundEarlier:
    """The functions `datetime.now` and `utcnow` that modules hold under names of their own. `divert`: diverts one."""

    def __init__(self, divert: Callable[[Any], Diversion]) -> None:
        self.found: list[Diversion] = []
        self._divert = divert
        self._searched: WeakValueDictionary[str, ModuleType] = WeakValueDictionary()
        self._newest: tuple[int, str] | None = None
        self._known: set[int] = set()

    def find(self) -> list[Diversion]:
        """Search the modules that were loaded since the last search, and return all that was found until now."""
        newest = (len(sys.modules), next(reversed(sys.modules)))
        if newest == self._newest:
            return self.found
        self._newest = newest
        for name, module in list(sys.modules.items()):
            if self._searched.get(name) is module or not isinstance(module, ModuleType):
                continue
            self._searched[name] = module
            if name.partition(".")[0] not in sys.stdlib_module_names:
                for builtin in _functions_in(module):
                    if id(builtin) not in self._known:
                        self._known.add(id(builtin))
                        self.found.append(self._divert(builtin))
        return self.found


def _functions_in(module: ModuleType) -> Iterator[Any]:
    """Yield the bound `now` and `utcnow` that a module keeps: its own names, those of its classes and functions."""
    seen: set[int] = set()
    todo: list[Any] = list(vars(module).values())
    while todo:
        value = todo.pop()
        kind = type(value)
        if kind is BuiltinFunctionType:
            owner = value.__self__
            if value.__name__ in _NAMES and isinstance(owner, type) and issubclass(owner, datetime):
                yield value
        elif kind is FunctionType:
            if value.__module__ == module.__name__ and id(value) not in seen:
                seen.add(id(value))
                todo += value.__defaults__ or ()
                todo += (value.__kwdefaults__ or {}).values()
                todo += _contents(value.__closure__ or ())
        elif kind is staticmethod or kind is classmethod:
            todo.append(value.__func__)
        elif isinstance(value, type) and value.__module__ == module.__name__ and id(value) not in seen:
            seen.add(id(value))
            todo += vars(value).values()


def _contents(cells: tuple[Any, ...]) -> Iterator[Any]:
    for cell in cells:
        try:
            yield cell.cell_contents
        except ValueError:  # an empty cell
            continue
