"""Calls of a real Asterisk, recorded (tests/asterisk/captures): the simulated one and our decoder behave as they show.

The simulated call has the recorded caller, server and version. Order, kinds and sizes must be the recorded ones; the
times too, give or take what the recording machine was late by: half of all messages within 3 ms, none off by 60 ms.
"""

import asyncio
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from helpers.fidelity_bench import Call, Session, call, speaking

from audiosocket_core.connection import Connection, Role, State
from audiosocket_core.messages import Kind, encode
from audiosocket_sim.asterisk import CallLeg

FOLDER = Path(__file__).parents[1] / "asterisk_real" / "captures"
FIRST_AUDIO_MS = 500
KEYS = "0123456789*#ABCD"
TYPICAL_MS, WORST_MS = 3, 60


@dataclass(frozen=True)
class Row:
    """One line of a recorder's log."""

    t_ms: float
    direction: str
    kind: int
    payload: bytes
    length: int
    event: str


@dataclass(frozen=True)
class Capture:
    """One recorded call."""

    case: str
    attach: str
    far: str
    server_steps: list[str]
    dialplan: str
    asterisk_log: list[str]

    @property
    def version(self) -> str:
        return "20.6" if self.case.startswith("20.6") else "22.10"

    @property
    def rows(self) -> list[Row]:
        lines = (FOLDER / f"{self.case}.jsonl").read_text(encoding="utf-8").splitlines()
        return [_row(json.loads(line)) for line in lines]

    @property
    def received(self) -> list[Row]:
        """What Asterisk sent, up to the server's own close."""
        closed = [row.t_ms for row in self.rows if row.event == "close"]
        until = closed[0] if closed else float("inf")
        return [row for row in self.rows if row.direction == "rx" and row.kind >= 0 and row.t_ms < until]

    @property
    def end(self) -> Row | None:
        ends = [row for row in self.rows if row.event in ("FIN", "recv_error")]
        return ends[-1] if ends else None

    def step_at(self, name: str) -> float:
        """When the server did it, in seconds."""
        return next(row.t_ms for row in self.rows if row.event.startswith(name)) / 1000

    def __str__(self) -> str:
        return self.case


def _row(fields: dict[str, Any]) -> Row:
    kind = int(fields["kind"], 16) if "kind" in fields else -1
    length = fields.get("len", 0)
    payload = bytes.fromhex(fields["hex"]) if "hex" in fields else bytes(length)
    event = fields.get("step", fields.get("event", ""))
    return Row(fields["t_ms"], fields.get("dir", ""), kind, payload, length, event)


def captures() -> list[Capture]:
    lines = (FOLDER / "index.jsonl").read_text(encoding="utf-8").splitlines()
    return [Capture(**json.loads(line)) for line in lines]


ALL = captures()


# --- the same call, simulated


class Caller:
    """The recorded caller: which of his packets carry sound, by their number."""

    def __init__(self, capture: Capture, packet_time_ms: int) -> None:
        audio = [row for row in capture.received if row.kind >= 0x10]
        first = round(audio[0].t_ms / packet_time_ms) if audio else 0
        limits = {"speech": 150, "speechdtmf": 150, "tone60": 3000, "silent5": 0, "record": 0}
        self.first = max(1, first)
        self.count = limits.get(capture.far, 1_000_000)
        self.again = 421 if capture.far == "speechdtmf" else None  # he plays another second after the last key
        self.packet = 0

    def source(self, n_samples: int) -> bytes | None:
        self.packet += 1
        since = self.packet - self.first
        plays = 0 <= since < self.count or (self.again is not None and 0 <= self.packet - self.again < 50)
        return speaking(n_samples) if plays else None


def script(capture: Capture) -> Any:
    """The recorded server: what it sent, at the moment when it did."""

    def run(session: Session) -> None:
        if "hangup" in capture.server_steps:
            session.write_at(capture.step_at("hangup"), b"\0\0\0")
        for step in capture.server_steps:
            name, _, rest = step.partition(":")
            at = capture.step_at(name) if name in ("frame", "raw", "frag", "close") else 0.0
            match name:
                case "frame":
                    kind, _, payload = rest.partition(":")
                    session.write_at(at, encode(int(kind, 16), bytes.fromhex(payload)))
                case "raw":
                    session.write_at(at, bytes.fromhex(rest))
                case "close":
                    session.at(at, session.transport.close)
                case "frag":
                    _in_pieces(session, at, *map(int, rest.split(":")[1:]))

    return run


def _in_pieces(session: Session, at: float, size: int, piece: int, gap_ms: int) -> None:
    """25 frames, each cut into pieces that far apart."""
    for _ in range(25):
        frame = encode(Kind.SLIN8, bytes(size))
        for start in range(0, len(frame), piece):
            session.write_at(at, frame[start : start + piece])
            at += gap_ms / 1000


def press_keys(capture: Capture) -> Any:
    async def press(peer: CallLeg) -> None:
        await asyncio.sleep(3.6)
        for key in KEYS:
            await peer.press(key, 100)
            await asyncio.sleep(0.2)

    return press if capture.far == "speechdtmf" else None


def simulate(capture: Capture) -> Call:
    packet_time_ms = 30 if "ptime30" in capture.case else 20
    options: dict[str, Any] = {}
    if capture.case.endswith("rtp-chan"):
        options["coding"] = "ulaw"
    if capture.attach == "chan:slin16":
        options |= {"rate_hz": 16000, "resampled": True}
    far_hangs_up_at = capture.end.t_ms / 1000 if capture.end is not None and not capture.server_steps else 60.0
    return call(
        script(capture),
        capture.version,
        capture.attach.partition(":")[0],
        source=Caller(capture, packet_time_ms).source,
        answered=capture.far != "unanswered",
        packet_time_ms=packet_time_ms,
        meanwhile=press_keys(capture),
        hang_up_at=60.0 if capture.far == "silent5" else far_hangs_up_at,
        **options,
    )


def shape(messages: Iterator[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Runs of equal messages: kind, length, how many."""
    runs: list[tuple[int, int, int]] = []
    for kind, length in messages:
        if runs and runs[-1][:2] == (kind, length):
            runs[-1] = (kind, length, runs[-1][2] + 1)
        else:
            runs.append((kind, length, 1))
    return runs


@pytest.mark.every(3)
@pytest.mark.parametrize("capture", ALL, ids=str)
def test_the_simulated_asterisk_sends_what_the_real_one_sent(capture: Capture) -> None:
    """Order, kinds and sizes; where the server ended the call, one frame may have been under way."""
    done = simulate(capture)
    real = shape((row.kind, row.length) for row in capture.received)
    ours = shape((kind, len(payload)) for _, kind, payload in done.session.messages)
    if capture.server_steps and real and len(ours) == len(real) and abs(ours[-1][2] - real[-1][2]) == 1:
        ours[-1] = real[-1]
    assert ours == real


@pytest.mark.every(3)
@pytest.mark.parametrize("capture", [c for c in ALL if len(c.received) > 1], ids=str)
def test_on_the_same_grid_of_time(capture: Capture) -> None:
    done = simulate(capture)
    rows = capture.received[1:]
    off = [row.t_ms - at * 1000 for row, (at, _, _) in zip(rows, done.session.messages[1:], strict=False)]
    middle = median(off)  # how long after the accept the recorded call's clock began
    assert abs(middle) < 30  # a packet time of the phone's
    assert median(abs(each - middle) for each in off) < TYPICAL_MS
    assert max(abs(each - middle) for each in off) < WORST_MS
    steady = off[:150]  # after his keys a caller plays on, on a grid of his own
    quarter = len(steady) // 4
    assert abs(median(steady[-quarter:]) - median(steady[:quarter])) < TYPICAL_MS  # no drift


@pytest.mark.every(3)
@pytest.mark.parametrize("capture", [c for c in ALL if c.end is not None], ids=str)
def test_it_ends_as_the_real_one_did(capture: Capture) -> None:
    """FIN or reset for the server, when, and what becomes of the dialplan."""
    done, end = simulate(capture), capture.end
    assert end is not None
    assert done.session.end == ("reset" if end.event == "recv_error" else "fin")
    assert done.session.ended_at * 1000 == pytest.approx(end.t_ms, abs=TYPICAL_MS + 12)
    assert done.end.dialplan == capture.dialplan


@pytest.mark.parametrize(
    ("version", "who", "dialplan"), [("20.6.0", "caller", "ends"), ("22.10.1", "server", "continues")]
)
def test_a_close_without_00_00_00(version: str, who: str, dialplan: str) -> None:
    """The old one did not notice: no end in the recording, and the call goes on until the caller has enough."""
    capture = next(c for c in ALL if c.case == f"{version}/app-srv-close")
    assert capture.end is None
    assert (simulate(capture).end.who, capture.dialplan) == (who, dialplan)


def test_asterisks_own_words_are_the_simulators() -> None:
    """The reason that the simulator gives quotes the line that Asterisk logged."""
    quoted = {
        "22.10.1/app-silent5": "Reached timeout after 2000 ms of no activity",
        "22.10.1/app-frag-6": "Poll timed out while waiting for data",
        "22.10.1/app-kind-ff": "other than hang",
        "22.10.1/app-zero-audio": "Invalid message length",
        "22.10.1/misc-ooo": "Channel is not answered",
    }
    for case, words in quoted.items():
        capture = next(c for c in ALL if c.case == case)
        assert any(words in line for line in capture.asterisk_log) or case.endswith("zero-audio"), case
        assert words in simulate(capture).end.reason


# --- the package's own decoder


def stream_of(capture: Capture) -> bytes:
    """The bytes that Asterisk sent: as recorded, or made of the log (with silence for audio)."""
    recorded = FOLDER / f"{capture.case}.rx.bin"
    if recorded.exists():
        return recorded.read_bytes()
    return b"".join(encode(row.kind, row.payload) for row in capture.received)


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "split", ["seeded", *(pytest.param(s, marks=pytest.mark.long("it comes in pieces")) for s in ("whole", "bytes"))]
)
@pytest.mark.parametrize("capture", [c for c in ALL if c.received], ids=str)
def test_our_decoder_reads_what_asterisk_sent(capture: Capture, split: str) -> None:
    connection, stream, at = Connection(Role.SERVER), stream_of(capture), 0
    random_sizes = random.Random(7)
    heard = []
    while at < len(stream):
        size = {"whole": len(stream), "bytes": 1, "seeded": random_sizes.randint(1, 900)}[split]
        heard += connection.receive(stream[at : at + size])
        at += size
    expected = [(row.kind, row.length) for row in capture.received]
    assert [(message.kind, len(message.payload)) for message in heard][: len(expected)] == expected
    assert len(heard) - len(expected) in (0, 1)  # a frame that came after the server's close
    assert heard[0].payload == capture.received[0].payload
    connection.receive_eof()
    assert connection.state is State.ENDED


def test_a_connection_without_a_byte_is_no_error() -> None:
    """22.10.1/misc-ooo: the channel was not answered."""
    connection = Connection(Role.SERVER)
    connection.receive_eof()
    assert connection.state is State.ENDED


def test_every_file_belongs_to_a_case() -> None:
    cases = {capture.case for capture in ALL}
    files = {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.*") if path.parent != FOLDER}
    assert {name.partition(".jsonl")[0].partition(".rx")[0].partition(".tx")[0] for name in files} == cases
    assert sum(path.stat().st_size for path in FOLDER.rglob("*.*")) < 300_000
