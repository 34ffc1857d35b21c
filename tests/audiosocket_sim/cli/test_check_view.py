"""What `check` shows on a terminal while it runs, and where there is none."""

import io

import pytest

from audiosocket_sim.cli.check_view import CheckView
from audiosocket_sim.conformance.results.lines import NO_WRAP, TextPart


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_progress_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "90")
    out = Terminal()
    with CheckView(out) as view:
        assert view.width == 90
        view.begin(2)
        view.note("HS-01", failed=False)
        view.note("HS-02", failed=True)
        view.show((TextPart("✗ HS-02", "bold red"), TextPart("  [the UUID]")))
    shown = out.getvalue()
    assert "2 of 2 cases, 1 failed" in shown
    assert "HS-02" in shown
    assert "[the UUID]" in shown  # nothing in a text is markup


def test_a_file_gets_whole_lines_without_colours() -> None:
    out = io.StringIO()
    with CheckView(out) as view:
        assert view.width == NO_WRAP
        view.begin(1)
        view.note("HS-01", failed=False)
        view.show((TextPart("a" * 300, "bold red"),))
    assert out.getvalue() == "a" * 300 + "\n"
