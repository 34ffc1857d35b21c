"""Finds the line of a test that wrote a step, for failure messages. Only inspects the stack."""

import sys
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

__all__ = ["CodePlace", "calling_place", "near"]

_OURS = str(Path(__file__).resolve().parent)


@dataclass(frozen=True, slots=True)
class CodePlace:
    """A line of Python code. `file` is relative if it lies below the working folder; `function` is the code's name."""

    file: str
    line: int
    function: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def calling_place(own_file: str | None = None) -> CodePlace:
    """Return the line that called into this package: the nearest in the file `own_file`, even through helpers in other
    files, or else the nearest of any file."""
    nearest: FrameType | None = None
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(_OURS):
            nearest = nearest or frame
            if own_file is None or name == own_file:
                return _place(frame)
        frame = frame.f_back
    assert nearest is not None  # some code called
    return _place(nearest)


def near(file: str) -> str:
    """Return the file's path, relative to the working folder if it is below it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _place(frame: FrameType) -> CodePlace:
    return CodePlace(near(frame.f_code.co_filename), frame.f_lineno, frame.f_code.co_name)
