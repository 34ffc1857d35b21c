"""Diverts a built-in function of Python to another function, under every name that it has anywhere, and back.

A name bound earlier (`from time import monotonic`, a class attribute, a default argument, a closure) refers to the same
function object as `time.monotonic`, so the object is what is changed: the C function that it calls, and the value that
this is called with. No name is looked for, and none is replaced. The C functions put there are CPython's own
`PyObject_Call…`, called with the other function in the place of the module. The layout is that of CPython 3.11 to 3.13,
and is checked before anything is changed.
"""

import ctypes
from collections.abc import Callable
from types import BuiltinFunctionType
from typing import Any

__all__ = ["Diversion"]

_NO_ARGUMENTS, _ONE_ARGUMENT, _KEYWORDS = 0x04, 0x08, 0x82
_OF_A_CLASS = 0x10


class _Method(ctypes.Structure):
    """PyMethodDef: the C function of a built-in function, and how it is called."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_void_p),
    )


class _Builtin(ctypes.Structure):
    """PyCFunctionObject, up to the value that its C function is called with first."""

    _fields_ = (
        ("head", ctypes.c_byte * object.__basicsize__),
        ("method", ctypes.c_void_p),
        ("owner", ctypes.c_void_p),
    )


def _address(name: str) -> int:
    found = ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p).value
    assert found is not None
    return found


_CALL = {
    _NO_ARGUMENTS: _address("PyObject_CallNoArgs"),
    _ONE_ARGUMENT: _address("PyObject_CallOneArg"),
    _KEYWORDS: _address("PyObject_Vectorcall"),
}
"""For each kind of C function one of CPython's own that has its signature, and calls its first argument."""

_new_builtin = ctypes.pythonapi.PyCFunction_NewEx
_new_builtin.argtypes = (ctypes.c_void_p, ctypes.py_object, ctypes.py_object)
_new_builtin.restype = ctypes.py_object


class Diversion:
    """One built-in function, diverted to `instead` from `begin` to `end`. Raises RuntimeError on an unknown layout.

    `instead` takes the same arguments. `original` calls the built-in function itself at any time.
    """

    def __init__(self, builtin: Any, instead: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
        assert isinstance(builtin, BuiltinFunctionType)
        self._builtin = builtin  # keeps it, and so its address
        self._view = _Builtin.from_address(id(builtin))
        if self._view.owner != id(builtin.__self__):
            raise RuntimeError("this Python keeps its built-in functions in a way that is not known here")
        before = _Method.from_address(self._view.method)
        if before.name != builtin.__name__.encode():
            raise RuntimeError("this Python keeps its built-in functions in a way that is not known here")
        self.original: Callable[..., Any] = _new_builtin(self._view.method, builtin.__self__, builtin.__module__)
        self._instead = instead(self.original)
        self._before = (self._view.method, self._view.owner)
        self._is_begun = False
        self._method = _Method(before.name, _CALL[before.flags & ~_OF_A_CLASS], before.flags, before.doc)

    def begin(self) -> None:
        """Let the built-in function call the other one, if it does not yet.

        In this order another thread may call it between the two lines: its own C function does not use its owner.
        """
        self._is_begun = True
        self._view.owner = id(self._instead)
        self._view.method = ctypes.addressof(self._method)

    def end(self) -> None:
        """Let the built-in function call its own C function again."""
        if self._is_begun:
            self._view.method, self._view.owner = self._before
            self._is_begun = False
