"""Shows a call while it runs: its transcript line by line; on a terminal also a status line below.

The status line shows the time, the state, who speaks, and hold audio. A line of the transcript is printed once no
earlier event can arrive any more: speech is reported at its end, and listed at its start.
"""

import asyncio
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from audiosocket_sim.call_log.events import Entry
from audiosocket_sim.call_log.in_progress import CallInProgress
from audiosocket_sim.call_log.transcript import is_shown, line_of, words_of

__all__ = ["LiveView"]

_SETTLED_SECONDS = 0.3
"""The longest delay with which the ear reports an event: the end of hold audio (audiosocket_sim.hearing)."""
_STYLES = {
    "caller": "cyan",
    "bot": "green",
    "heard": "dim cyan",
    "state": "dim",
    "hold": "magenta",
    "backend": "yellow",
    "end": "bold",
    "FAILED": "bold red",
    "note": "red",
}


class _Console(Console):
    """A console that falls silent when its reader goes away (`… | head`), so that the call and its verdict go on."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class LiveView:
    """Prints a running call: `with LiveView() as view: run(…, on_entry=view.show)`.

    `file`: where to print; standard output by default. `status`: makes what is shown below the transcript, instead of
    the status line.
    """

    def __init__(self, file: TextIO | None = None, status: Callable[[], RenderableType] | None = None) -> None:
        self._render = status or self._status
        self._console = _Console(file=file or sys.stdout, highlight=False, soft_wrap=True)
        self._waiting: list[Entry] = []
        self._watched: CallInProgress | None = None
        self._live: Live | None = None

    @property
    def draws(self) -> bool:
        """True on a terminal that can redraw lines and show the characters drawn; otherwise only lines are printed."""
        console = self._console
        return console.is_terminal and not console.is_dumb_terminal and console.encoding.startswith("utf")

    def __enter__(self) -> Self:
        if self.draws:
            self._live = Live(get_renderable=self._render, console=self._console, refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
        self._print_until(None)

    def heading(self, text: str) -> None:
        """Print the heading of a new call, after the lines of the previous call that are still waiting."""
        self._print_until(None)
        self._watched = None
        self._console.print(Text(text, style="bold"))

    def note(self, text: str) -> None:
        """Print a line that belongs to no call log."""
        self._console.print(Text(text, style="dim"))

    def show(self, entry: Entry, watched: CallInProgress) -> None:
        """Take a new entry of the call `watched`, and print all lines that no earlier event can precede any more."""
        self._watched = watched
        if is_shown(entry):
            self._waiting.append(entry)
        self._flush()
        asyncio.get_running_loop().call_later(_SETTLED_SECONDS, self._flush)

    def _flush(self) -> None:
        if self._watched is not None:
            settled_ms = self._watched.now_ms - round(_SETTLED_SECONDS * 1000) + 1
            opened = self._watched.ear.open_speech_at
            self._print_until(settled_ms if opened is None else min(settled_ms, self._watched.ms(opened)))

    def _print_until(self, settled_ms: int | None) -> None:
        self._waiting.sort(key=lambda entry: entry.order)
        while self._waiting and (settled_ms is None or self._waiting[0].at_ms < settled_ms):
            entry = self._waiting.pop(0)
            self._console.print(Text(line_of(entry), style=_STYLES.get(words_of(entry.event)[0], "")))

    def _status(self) -> Text:
        watched = self._watched
        if watched is None:
            return Text("connecting …", style="dim")
        parts = [f"{watched.now_ms / 1000:7.1f} s", watched.state or "no state reported"]
        if watched.ear.speaking_since is not None:
            parts.append("the bot speaks")
        if watched.ear.hold_since is not None:
            parts.append("hold audio")
        return Text("  ·  ".join(parts), style="reverse")
