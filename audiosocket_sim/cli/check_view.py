"""What `check` prints: lines in colour on a terminal, and below them, while the cases run, how far it is."""

import shutil
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from audiosocket_sim.conformance.results.lines import NO_WRAP, TextLine

__all__ = ["CheckView"]

_WIDEST = 140
_BAR = 24


class _Console(Console):
    """A console that falls silent when its reader goes away (`… | head`)."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class CheckView:
    """Prints to a stream: `with CheckView(stream) as view`. On a terminal it shows the progress in the last line."""

    def __init__(self, stream: TextIO) -> None:
        self._console = _Console(file=stream, highlight=False, soft_wrap=True, emoji=False, markup=False)
        self._live: Live | None = None
        self._of = self._done = self._failed = 0
        self._now = "finding out what it can do"

    @property
    def width(self) -> int:
        """How many characters a line may have: without end where this is no terminal."""
        if not self._console.is_terminal:
            return NO_WRAP
        return min(_WIDEST, shutil.get_terminal_size().columns)

    def __enter__(self) -> Self:
        console = self._console
        if console.is_terminal and not console.is_dumb_terminal and console.encoding.startswith("utf"):
            self._live = Live(get_renderable=self._progress, console=console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def show(self, *lines: TextLine) -> None:
        """Print lines."""
        for line in lines:
            self._console.print(Text.assemble(*[(part.text, part.style) for part in line]))

    def begin(self, cases: int) -> None:
        """Say that so many cases begin now."""
        self._of = cases

    def note(self, case: str, *, failed: bool) -> None:
        """Note that a case has come out."""
        self._done += 1
        self._failed += failed
        self._now = case

    def say(self, text: str) -> None:
        """Say what is done now, where there is no number of cases."""
        self._now = text

    def _progress(self) -> Text:
        if not self._of:
            return Text(f"  … {self._now}", style="dim")
        full = round(_BAR * self._done / self._of)
        failed = f", {self._failed} failed" if self._failed else ""
        text = Text("  ")
        text.append("━" * full, style="green" if not self._failed else "red")
        text.append("━" * (_BAR - full), style="dim")
        text.append(f"  {self._done} of {self._of} cases{failed}", style="bold")
        text.append(f"  {self._now}", style="dim")
        return text
