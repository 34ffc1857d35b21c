"""Follows a page of the docs word by word: writes the files that it shows, runs its commands, compares what they print.

On the page a block of code is

- a file, where the line before it is the file's path in bold: ``**`bot.py`**``;
- a change to that file, where it is a `diff` block: each `-` line is replaced by the `+` line that follows it;
- a session, where it is a `console` block: `$ command`, and below it all that is printed. A line `…` stands for any
  lines, and `…` within a line for any text.

Commands that make an environment (`VENV_COMMANDS`) are left out: the caller brings one, by its folder of programs. Only
the standard library is used, so that any interpreter can follow a page:

    python tests/helpers/page_follower.py docs/own-project.md --bin /path/of/a/venv/bin
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Block", "Follower", "NotAsThePageSays", "blocks_of", "sections_of"]

VENV_COMMANDS = re.compile(r"python3 -m venv |\. \.venv/|(python -m )?pip install ")
_BLOCK = re.compile(
    r"(?:^\*\*`(?P<file>[^`]+)`\*\*[^\n]*\n+)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_COMMAND_SECONDS = 100


class NotAsThePageSays(AssertionError):
    """A command printed something else than the page shows, or a change does not fit its file."""


@dataclass(frozen=True, slots=True)
class Block:
    """One block of code: its language, the file that the page names before it (or None), and its text."""

    kind: str
    file: str | None
    text: str


def sections_of(page: str) -> dict[str, str]:
    """The page's sections of the second level, by their headings."""
    parts = re.split(r"^## (.+)$", page, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def blocks_of(text: str) -> Iterator[Block]:
    """All blocks of code, in their order."""
    for found in _BLOCK.finditer(text):
        yield Block(found["kind"], found["file"], found["text"])


class Follower:
    """One reader of a page. `folder` is where he begins; `programs` are folders that are searched first."""

    def __init__(self, folder: Path, programs: Sequence[Path]) -> None:
        self.folder = folder
        path = os.pathsep.join([*map(str, programs), os.environ["PATH"]])
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST_", "COV_"))}
        self._environment = inherited | {"PATH": path, "NO_COLOR": "1", "COLUMNS": "100"}
        self._code = 0
        self.commands: list[str] = []
        """The commands that were run."""

    def follow(self, text: str) -> None:
        """Do all that the text says. Raises NotAsThePageSays."""
        for block in blocks_of(text):
            if block.kind == "console":
                self._session(block.text)
            elif block.file is not None and block.kind == "diff":
                self._change(self.folder / block.file, block.text)
            elif block.file is not None:
                path = self.folder / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, encoding="utf-8")

    def _change(self, path: Path, diff: str) -> None:
        text = path.read_text(encoding="utf-8")
        for old, new in re.findall(r"^-(.*\n)\+(.*\n)", diff, re.MULTILINE):
            if text.count(old) != 1:
                raise NotAsThePageSays(f"{path.name}: the line to change is there {text.count(old)} times: {old}")
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    def _session(self, text: str) -> None:
        for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            if command.startswith("cd "):
                self.folder = (self.folder / command.removeprefix("cd ")).resolve()
            elif not VENV_COMMANDS.match(command):
                self._run(command, shown)

    def _run(self, command: str, shown: str) -> None:
        self.commands.append(command)
        done = subprocess.run(
            ["sh", "-c", f"(exit {self._code}); {command}"],
            cwd=self.folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_COMMAND_SECONDS,
        )
        self._code = done.returncode
        printed = "".join(f"{line.rstrip()}\n" for line in done.stdout.strip().splitlines())
        if not re.fullmatch(_pattern(shown), printed):
            raise NotAsThePageSays(
                f"$ {command}\n--- the page shows\n{shown}\n--- printed (exit code {self._code})\n{printed}"
            )


def _pattern(shown: str) -> str:
    """What is shown as a regular expression for whole lines. A line `…` stands for any lines, also for none."""
    lines = shown.strip().splitlines()
    return "".join(
        r"(?:[^\n]*\n)*" if line == "…" else re.escape(line.rstrip()).replace("…", r"[^\n]*") + r"\n" for line in lines
    )


def main() -> None:
    """Follow each section in a folder of its own; exit code 1, and what differs, where the page is not right."""
    parser = argparse.ArgumentParser(description="follow a page of the docs word by word")
    parser.add_argument("page", type=Path, help="such as docs/own-project.md")
    parser.add_argument(
        "--bin", type=Path, action="append", default=[], help="a folder of programs that is searched first"
    )
    given = parser.parse_args()
    for heading, text in sections_of(given.page.read_text(encoding="utf-8")).items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                Follower(Path(folder), given.bin).follow(text)
            except NotAsThePageSays as error:
                sys.exit(f"{given.page}, {heading}:\n{error}")


if __name__ == "__main__":
    main()
