"""Reads one YAML file as one model, and reports everything that is wrong with it, with line and column.

Independent of scenarios: the fault plans of the fake Azure service are read in the same way.
"""

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from audiosocket_core.files import read_regular_file
from audiosocket_sim.scenario.loading import yaml_tree
from audiosocket_sim.scenario.loading.explain import explain

__all__ = ["FileError", "Problem", "as_model", "problem", "read_model", "read_text"]

_LARGEST_FILE_BYTES = 1_000_000
_MOST_SHOWN = 100
_LONGEST_MESSAGE = 400

_M = TypeVar("_M", bound=BaseModel)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong with a file. Line and column count from 1; line 0: it is about the file as a whole."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {_short(self.message)}"


def _short(message: str) -> str:
    """Return the message, shortened so that it is readable even if it quotes a value of a megabyte."""
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[: _LONGEST_MESSAGE - 1]}…"


class FileError(Exception):
    """A file is not valid. `str` gives one line for each of the first 100 problems.

    `problems`: all problems, sorted by place. `file`, `line`, `column` and `message` are those of the first one.
    """

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = tuple(sorted(set(problems)))

    def __str__(self) -> str:
        lines = [str(problem) for problem in self.problems[:_MOST_SHOWN]]
        if len(self.problems) > _MOST_SHOWN:
            lines.append(f"{self.file}: more problems than these: only the first {_MOST_SHOWN} are listed")
        return "\n".join(lines)

    @property
    def file(self) -> str:
        """The file of the first problem."""
        return self.problems[0].file

    @property
    def line(self) -> int:
        """The line of the first problem, from 1."""
        return self.problems[0].line

    @property
    def column(self) -> int:
        """The column of the first problem, from 1."""
        return self.problems[0].column

    @property
    def message(self) -> str:
        """The text of the first problem, without its place."""
        return self.problems[0].message


def read_text(path: Path, error_type: type[FileError], kind: str, file: str | None = None) -> str:
    """Return the text of a regular UTF-8 file of at most 1 MB.

    Raises `error_type`, which calls the file a `kind` (`scenario`) and names it `file`, by default its path.
    """
    file = file or str(path)
    try:
        return read_regular_file(path, _LARGEST_FILE_BYTES).decode("utf-8-sig")
    except OSError as error:
        why = f"{error.strerror}: this is no {kind}" if error.errno in (errno.EFBIG, errno.EINVAL) else error.strerror
        raise error_type(Problem(file, 0, 0, why or str(error))) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise error_type(Problem(file, line, 1, "not UTF-8; save the file as UTF-8")) from None


def read_model(
    model: type[_M], text: str, file: str, empty: str
) -> tuple[_M | None, yaml_tree.Tree, tuple[Problem, ...]]:
    """Read a YAML text as `model`. Returns the model or None, the tree with the places of its parts, and all problems.

    `file`: the file's name in problems. `empty`: the message for an empty file.
    """
    try:
        tree = yaml_tree.read(text)
    except yaml_tree.MalformedYaml as error:
        return None, yaml_tree.Tree(), (problem(file, error.place, error.message),)
    made, found = as_model(model, tree, file, empty)
    return made, tree, found


def as_model(model: type[_M], tree: yaml_tree.Tree, file: str, empty: str) -> tuple[_M | None, tuple[Problem, ...]]:
    """Read a tree as `model`. Returns the model or None, and all problems. The arguments are those of `read_model`."""
    found = list(tree.problems)
    made: _M | None = None
    if tree.data is None:
        found.append((yaml_tree.Place(), empty))
    else:
        try:
            made = model.model_validate(tree.data, by_alias=True, by_name=False)
        except ValidationError as error:
            explained = explain(error, tree.written, model)
            found += [(tree.place(path, of_key=of_key), message) for path, of_key, message in explained]
    return made, tuple(problem(file, place, message) for place, message in found)


def problem(file: str, place: yaml_tree.Place, message: str) -> Problem:
    """Return a problem at a place; `file` names the file that was read first."""
    return Problem(place.file or file, place.line, place.column, message)
