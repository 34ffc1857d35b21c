"""Servers under load: started, pinned to core 0, called by the load generator on core 1, and read off.

What is measured of a server is its own processor time and what the generator sees on the wire. The generator tells how
late it was itself: a figure below that says nothing of the server.
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import silence
from benchmarks.machine import BUILD, PROJECT, compiled, pin, put_first

__all__ = [
    "BARE",
    "OURS",
    "SILERO",
    "STREAMING",
    "Measured",
    "ServerKind",
    "Under",
    "backend",
    "measure",
    "processor_seconds",
    "started",
]

FRAMES_A_SECOND = 50
SERVER_CORE, GENERATOR_CORE = 0, 1
_SAYS = ("pt-br/quero_falar_com_o_apartamento_202", "pt-br/boa_tarde_vim_visitar_a_dona")
_PAUSE_MS = 6_000  # after each sentence: the server falls silent upon it, asks, answers, and listens again
_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class ServerKind:
    """A server to put under load: how it is started, so that the first line it prints ends with, or holds, its port."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What `load_generator` prints (milliseconds), and the server's processor time."""

    calls: int
    received_fps: float
    sent_fps: float
    refused: int
    closed: int
    drift_ms_per_minute: float
    late_p50: float
    late_p99: float
    late_max: float
    gap_p99: float
    own_p50: float
    own_p99: float
    own_max: float
    own_cpu: float
    server_cpu: float
    """Cores: processor seconds a second."""

    @property
    def us_a_tick(self) -> float:
        """Processor time for one frame in and one frame out of one call, in microseconds."""
        return 1e6 * self.server_cpu / (self.calls * FRAMES_A_SECOND)

    @property
    def undisturbed(self) -> bool:
        """The machine had time for this run: both sides moved all frames, the generator in time."""
        return min(self.received_fps, self.sent_fps) >= 49.5 and self.own_p99 <= 5 and not self.refused + self.closed


def _ours(loop: str, settings: str, name: str) -> ServerKind:
    words = f"-m audiosocket_server --port 0 --control-port 0 --loop {loop} --log-level warning"
    return ServerKind(f"{name}, {loop}", (sys.executable, *words.split(), "--config", str(BUILD / settings)))


_LOOPS = ("asyncio", "uvloop")
BARE = {loop: ServerKind(f"bare server, {loop}", (sys.executable, "-m", "benchmarks.bare", loop)) for loop in _LOOPS}
"""The same transport, clock and detector, and nothing else: silence goes out."""
OURS = {loop: _ours(loop, "server.json", "server") for loop in _LOOPS}
"""Whole calls: each says a sentence, waits, is answered, all ten seconds."""
STREAMING = {loop: _ours(loop, "streaming.json", "streaming") for loop in _LOOPS}
"""Calls without turns: each caller speaks on and on, every frame goes to detector, endpointing and recogniser."""

SILERO = {ms: _ours("uvloop", f"silero_{ms}.json", f"silero, {ms} ms gathered") for ms in (0, 10)}
"""Whole calls with silero: each frame is judged by itself, or with those of other calls."""


@dataclass(frozen=True, slots=True)
class Under:
    """A server that runs, pinned to its core."""

    kind: ServerKind
    port: int
    pid: int


@contextlib.contextmanager
def backend() -> Iterator[None]:
    """The AI backend of the servers that are started inside, on the generator's core."""
    with _child([sys.executable, "-m", "benchmarks.backend"], GENERATOR_CORE) as (_, line):
        BUILD.mkdir(exist_ok=True)
        settings: dict[str, dict[str, Any]] = {
            "ai": {"api_url": f"http://127.0.0.1:{line}/messages"},
            "speech": {"engine": "benchmarks.engine:load"},
            "endpointing": {"engine": "webrtc"},  # what is installed beside must not decide what is measured
            "limits": {"calls": 5000},
        }
        (BUILD / "server.json").write_text(json.dumps(settings), encoding="utf-8")
        (BUILD / "streaming.json").write_text(json.dumps(_without_turns(settings)), encoding="utf-8")
        for ms in SILERO:
            silero = settings | {"endpointing": {"engine": "silero", "silero_batch_ms": ms}}
            (BUILD / f"silero_{ms}.json").write_text(json.dumps(silero), encoding="utf-8")
        yield


def _without_turns(settings: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """No greeting, and an utterance that no pause of the callers and no limit ends."""
    endless = {"longest_utterance_seconds": 3600}
    return settings | {
        "greeting": {"message": ""},
        "system": {"silence_threshold_seconds": 10 * _PAUSE_MS / 1000},
        "endpointing": settings["endpointing"] | endless,
    }


@contextlib.contextmanager
def started(kind: ServerKind) -> Iterator[Under]:
    """The server, ready for calls; ended afterwards."""
    with _child(kind.command, SERVER_CORE) as (process, line):
        address = line.partition(",")[0]  # "AudioSocket on 127.0.0.1:8080, control …", or the port alone
        yield Under(kind, int(address.rpartition(":")[2]), process.pid)


def measure(server: Under, calls: int, seconds: float, warm_up: float, *, woken: bool = False) -> Measured:
    """Load it with so many calls. The warm-up is long enough for the calls to be in the midst of their turns.

    `woken`: the callers' process wakes for each frame, and so tells lateness exactly; else it looks every 0.5 ms.
    """
    reads = "at_once" if woken else "in_slots"
    command = [str(compiled("load_generator")), str(server.port), str(calls), str(seconds), str(warm_up)]
    with _child([*command, str(_speech()), reads], GENERATOR_CORE) as (process, _):
        before = processor_seconds(server.pid)
        assert process.stdout is not None
        line = process.stdout.readline()
        used = processor_seconds(server.pid) - before
    told = json.loads(line) | {"server_cpu": used / seconds}
    return Measured(**{field.name: told[field.name] for field in fields(Measured)})


@contextlib.contextmanager
def _child(command: Sequence[str], core: int) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process on a core of its own, and the first line that it printed."""

    def place() -> None:
        pin(core)
        put_first()

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT, preexec_fn=place) as it:
        try:
            assert it.stdout is not None
            line = it.stdout.readline().strip()
            if not line:
                raise RuntimeError(f"{' '.join(map(str, command))} ended before it was ready")
            yield it, line
        finally:
            it.terminate()


def processor_seconds(pid: int) -> float:
    """User and system time of a process, with all its threads, to a hundredth of a second."""
    words = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / _TICKS_A_SECOND


def _speech() -> Path:
    """What each caller says, over and over, each from a place of its own: sentences with pauses, SLIN at 8 kHz."""
    path = BUILD / "speech.raw"
    if not path.exists():
        book = PhraseBook.load(PROJECT / "recordings")
        phrases = [book.by_name(name) for name in _SAYS]
        path.write_bytes(b"".join(phrase.pcm + silence(_PAUSE_MS) for phrase in phrases if phrase is not None))
    return path
