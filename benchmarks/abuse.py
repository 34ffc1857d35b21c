"""A good call beside attacks on the same server: what it loses, how long it waits; how long a turn of the loop is.

The server is on core 0, the good call and the attacker on core 1. The good call sends a frame each 20 ms, and ought to
receive one each 20 ms. The longest turn is processor time of the loop's thread, which no load of the machine changes.

Attacks on the doors are in `attacks`; those by the backend, which need settings of their own, in `backend_attacks`.
"""

import contextlib
import json
import select
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.cli.console import stopwatch
from benchmarks.attacks import ATTACKS
from benchmarks.backend_attacks import BY_BACKEND
from benchmarks.load import GENERATOR_CORE, SERVER_CORE
from benchmarks.machine import PROJECT, pin, put_first
from benchmarks.report import Row

__all__ = ["ABOUT", "Under", "run"]

ABOUT = "a good call beside attacks: frames, longest gap; the longest turn of the loop's thread, in processor time"
LOOPS = ("asyncio", "uvloop")
GAP_MS = 40.0
TURN_MS = 5.0
_FRAME = 323
_SETTINGS = {
    "greeting": {"message": ""},
    "speech": {"engine": "benchmarks.engine:load"},
    "endpointing": {"engine": "webrtc"},
    "limits": {"no_utterance_seconds": 600},
}


@dataclass(frozen=True, slots=True)
class Under:
    """A server that is attacked."""

    port: int
    control_port: int
    process: subprocess.Popen[str]

    def longest_turn_ms(self) -> float:
        """The longest turn of its loop since this was last asked, in ms of processor time."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


@dataclass(frozen=True, slots=True)
class Heard:
    """What the good call received: frames, of how many that were due, and the longest time without one."""

    frames: int
    due: int
    gap_ms: float


def run(quick: bool = False) -> list[Row]:
    seconds = 2.0 if quick else 5.0
    pin(GENERATOR_CORE)
    put_first(with_children=False)  # the good call; not the attackers
    rows = []
    for loop in LOOPS:
        with _server(loop, _SETTINGS) as under:
            rows.append(_row(f"{loop}: none", under, _good_call(under, seconds), None))
            for name in ATTACKS:
                with _attacker(name, under, seconds * 0.6):
                    heard = _good_call(under, seconds)
                rows.append(_row(f"{loop}: {name}", under, heard, None))
        for name, attack in BY_BACKEND.items():
            with attack.settings() as settings, _server(loop, {**_SETTINGS, **settings}) as under:
                under.longest_turn_ms()
                attack.attack(under, seconds)
                turn = under.longest_turn_ms()
                rows.append(Row(f"{loop}: {name}", turn, "ms", "longest turn", f"<= {TURN_MS:g}", turn <= TURN_MS))
    return rows


def _row(name: str, under: Under, heard: Heard, sent: int | None) -> Row:
    note = f"{heard.frames} of {heard.due} frames; longest turn {under.longest_turn_ms():.1f} ms"
    met = heard.gap_ms <= GAP_MS and heard.frames >= heard.due
    return Row(name, heard.gap_ms, "ms", note, f"<= {GAP_MS:g}, all frames", met)


@contextlib.contextmanager
def _server(loop: str, settings: Mapping[str, Any]) -> Iterator[Under]:
    command = [sys.executable, "-m", "benchmarks.abused_server", loop, json.dumps(settings)]

    def place() -> None:
        pin(SERVER_CORE)
        put_first()

    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=PROJECT,
        preexec_fn=place,
    ) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            if len(words) != 2:
                raise RuntimeError("the server ended before it was ready")
            yield Under(int(words[0]), int(words[1]), process)
        finally:
            process.kill()


@contextlib.contextmanager
def _attacker(name: str, under: Under, seconds: float) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.attacks", name, str(under.port), str(under.control_port), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=PROJECT) as process:
        try:
            yield
        finally:
            process.kill()


def _good_call(under: Under, seconds: float) -> Heard:
    """Make a call of so many seconds. It looks at its socket all the time, and sends on its own clock."""
    under.longest_turn_ms()
    frame = encode(Kind.SLIN8, bytes(320))
    with socket.create_connection(("127.0.0.1", under.port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(encode(Kind.UUID, uuid4().bytes))
        received, gap, began, last, sent = 0, 0.0, 0.0, 0.0, 0
        clock = stopwatch()
        started = clock()
        while not began or last - began < seconds:
            now = clock()
            if now - started >= sent * 0.02:
                sock.sendall(frame)
                sent += 1
            ready, _, _ = select.select([sock], [], [], max(0.0, started + sent * 0.02 - now))
            if not ready:
                if now - started > seconds + 30:
                    break
                continue
            data = sock.recv(65_536)
            now = clock()
            if not data:
                break
            received += len(data)
            if not began:
                began = last = now
                received = len(data)
            gap = max(gap, now - last)
            last = now
    return Heard(received // _FRAME, round((last - began) / 0.02), 1000 * gap)
