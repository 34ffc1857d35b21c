"""Chooses the target of a scenario by one rule for `run`, the pytest plug-in, its fixture and Python code.

The first of these that names a target decides: the command line; pytest's ini key `audiosocket_target`; the key
`target` in the table `[tool.audiosocket-sim]` of the nearest pyproject.toml that has this table, upwards from the
working folder. A scenario that ships with this project falls back on the reference server that ships with it. A user's
own scenario has no fallback: a test must not pass without a call to the user's bot.
"""

import re
import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path

from audiosocket_core.phrase_book.shipped import SHIPPED
from audiosocket_sim.parties.target import TargetUsageError

__all__ = ["SHIPPED_TARGET", "THREE_KINDS", "NoTargetError", "TargetChoice", "choose_target", "configured_target"]

SHIPPED_TARGET = "audiosocket_server:serve"
THREE_KINDS = "module:callable, 'command: PROGRAM … {port}' or tcp://HOST:PORT"
_TABLE = "audiosocket-sim"
_KEYS = ("target",)
_NAME = r"[\w-]*(?:(?<![a-z])key|apikey|token|secret|passw(?:or)?d)[\w-]*"
_SECRET = re.compile(rf"(?i)((?<!\S)--?{_NAME}(?:\s+|=)|{_NAME}=)(\"[^\"]*\"|'[^']*'|\S+)")


class NoTargetError(TargetUsageError):
    """No target is named. The message lists the three kinds of targets and the places where one can be named."""


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """A chosen target. `text`: as `parse_target` takes it; `origin`: the option or file that named it, for people.

    `folder`: the folder of that file, where its module or command is looked for too; None if no file named the target.
    """

    text: str
    origin: str
    folder: Path | None = None

    @property
    def visible(self) -> str:
        """The text for people and logs, in one line. Secrets, such as the value after `--api-key`, are masked."""
        return _SECRET.sub(r"\1***", " ".join(self.text.split()))

    def __str__(self) -> str:
        """Return text and origin: `audiosocket_server:serve (--target)`."""
        return f"{self.visible} ({self.origin})"


def choose_target(
    scenario_folder: Path | None,
    *,
    command_line: str | None = None,
    option: str = "--target",
    ini: str | None = None,
    folder: Path | None = None,
    places: str = "",
) -> TargetChoice:
    """Return the target for a scenario in `scenario_folder` (None: a scenario without a file).

    `option`: the name of the command line's option. `places`: the places that an error names beside pyproject.toml, by
    default the option. `folder`: where the search for pyproject.toml starts, by default the working folder. Raises
    NoTargetError, or TargetUsageError for a pyproject.toml that cannot be used.
    """
    found = configured_target(command_line=command_line, option=option, ini=ini, folder=folder)
    if found is not None:
        return found
    if scenario_folder is not None and scenario_folder.resolve() == (SHIPPED / "scenarios").resolve():
        return TargetChoice(SHIPPED_TARGET, "the shipped server, as the scenario is a shipped one")
    places = f"{places or option}, or `target = …` below [tool.{_TABLE}] in pyproject.toml"
    raise NoTargetError(f"no target: say what the scenario calls ({THREE_KINDS}) with {places} (docs/targets.md)")


def configured_target(
    *, command_line: str | None = None, option: str = "--target", ini: str | None = None, folder: Path | None = None
) -> TargetChoice | None:
    """Return the target that is named for all scenarios; None if there is none. Raises TargetUsageError."""
    if command_line is not None:
        return TargetChoice(command_line, option)
    if ini:
        return TargetChoice(ini, "pytest's ini key audiosocket_target", folder)
    return _of_pyproject(folder or Path.cwd())


def _of_pyproject(folder: Path) -> TargetChoice | None:
    for place in (folder, *folder.resolve().parents):
        file = place / "pyproject.toml"
        table = _table(file) if file.is_file() else None
        if table is not None:
            unknown = next((key for key in table if key not in _KEYS), None)
            if unknown is not None:
                near = get_close_matches(unknown, _KEYS, n=1)
                hint = f"; did you mean {near[0]!r}?" if near else f"; there is {', '.join(map(repr, _KEYS))}"
                raise TargetUsageError(f"{file}: [tool.{_TABLE}]: unknown key {unknown!r}{hint}")
            return _chosen(table, file)
    return None


def _chosen(table: dict[str, object], file: Path) -> TargetChoice | None:
    text = table.get("target")
    if text is None:
        return None
    if not isinstance(text, str) or not text.strip():
        raise TargetUsageError(f"{file}: [tool.{_TABLE}]: target: expected {THREE_KINDS}, not {text!r}")
    return TargetChoice(text, f"{_near(file)}, [tool.{_TABLE}]", file.parent)


def _near(file: Path) -> Path:
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def _table(file: Path) -> dict[str, object] | None:
    try:
        tools = _tools(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise TargetUsageError(f"{file} cannot be read for [tool.{_TABLE}]: {why}") from None
    table = tools.get(_TABLE) if isinstance(tools, dict) else None
    return table if isinstance(table, dict) else None


@lru_cache(maxsize=8)
def _tools(text: str) -> object:
    """Parse a pyproject.toml once for all scenarios. Raises ValueError."""
    return tomllib.loads(text).get("tool", {})
