"""The view of a running call: lines in the order of time, none before it is settled, none of another call."""

import io
from dataclasses import dataclass, field

import pytest

from audiosocket_sim.call_log.events import BotSpoke, CallLog, Source, StateTold
from audiosocket_sim.call_log.live_view import LiveView


@dataclass
class FakeEar:
    open_speech_at: float | None = None
    speaking_since: float | None = None
    hold_since: float | None = None


@dataclass
class FakeStage:
    ear: FakeEar = field(default_factory=FakeEar)
    state: str | None = None
    now_ms: int = 0

    def ms(self, loop_time: float) -> int:
        return round(loop_time * 1000)


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


def shown(out: io.StringIO) -> list[str]:
    return [" ".join(line.split()) for line in out.getvalue().splitlines()]


async def test_a_line_waits_for_speech_that_began_before_it(out: io.StringIO) -> None:
    log, stage = CallLog(), FakeStage(now_ms=3000)
    with LiveView(out) as view:
        stage.ear.open_speech_at = 1.0
        view.show(log.add(500, Source.STATE, StateTold("STANDBY", "IA_TURN")), stage)  # type: ignore[arg-type]
        view.show(log.add(2000, Source.STATE, StateTold("IA_TURN", "USER_TURN")), stage)  # type: ignore[arg-type]
        assert shown(out) == ["0.500 state STANDBY → IA_TURN"]
        stage.ear.open_speech_at = None
        view.show(log.add(1000, Source.BOT, BotSpoke("Oi.", 900, 900)), stage)  # type: ignore[arg-type]
        assert shown(out)[1:] == ["1.000 bot “Oi.” 0.90 s", "2.000 state IA_TURN → USER_TURN"]


async def test_what_is_left_of_a_call_comes_before_the_next(out: io.StringIO) -> None:
    with LiveView(out) as view:
        view.heading("first")
        view.show(CallLog().add(9000, Source.STATE, StateTold("A", "B")), FakeStage(now_ms=9000))  # type: ignore[arg-type]
        view.heading("once more")
        view.show(CallLog().add(100, Source.STATE, StateTold("A", "B")), FakeStage(now_ms=200))  # type: ignore[arg-type]
    assert shown(out) == ["first", "9.000 state A → B", "once more", "0.100 state A → B"]


class Terminal(io.TextIOWrapper):
    """A terminal's stream that remembers what was written."""

    def __init__(self, encoding: str) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, errors="backslashreplace")

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("encoding", "term", "draws"), [("utf-8", "xterm", True), ("ascii", "xterm", False), ("utf-8", "dumb", False)]
)
async def test_a_terminal_that_cannot_show_the_drawing_gets_plain_lines(
    encoding: str, term: str, draws: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each character that it does not know would become an escape of six, and the lines would run over one another."""
    monkeypatch.setenv("TERM", term)
    out = Terminal(encoding)
    with LiveView(out) as view:
        assert view.draws is draws
        view.heading("call")
        view.note("keys")
    out.flush()
    written = out.buffer.getvalue().decode()  # type: ignore[attr-defined]
    assert ("\x1b[?25l" in written) is draws
    assert "keys" in written
