"""What a search says."""

from pathlib import Path

from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.fuzzing.findings import FuzzFinding, FuzzResult
from audiosocket_sim.conformance.fuzzing.harms import Harm
from audiosocket_sim.conformance.fuzzing.odd_stream import Actions, OddStream
from audiosocket_sim.conformance.fuzzing.result_text import finding_lines, search_lines
from audiosocket_sim.conformance.results.lines import NO_WRAP, plain
from audiosocket_sim.conformance.script import Announce, Pause, Send

SMALL: Actions = (Announce(), Send(b"\x03\x00\x00"))
FINDING = FuzzFinding(
    Harm.GONE,
    OddStream("7/23", (*SMALL, Pause(0.5))),
    SMALL,
    "takes a new call, but got: refused",
    tries=12,
    file=Path("checks/my-01-gone.yaml"),
)


def lines(finding: FuzzFinding) -> list[str]:
    return [plain(line) for line in finding_lines(finding, "audiosocket-sim check --replay f", NO_WRAP)]


def test_a_finding() -> None:
    assert lines(FINDING) == [
        "✗ the server is gone  (stream 7/23)",
        "  required     a good server takes a new call",
        "  seen         got: refused",
        "  stream       - announce:                     # UUID, 16 bytes",
        '               - send: "03 00 00"              # key, 0 bytes',
        "  smaller      from 22 bytes in 3 steps to 22 in 2, in 12 tries",
        "  saved        checks/my-01-gone.yaml",
        "  try again    audiosocket-sim check --replay f",
    ]


def test_a_finding_that_could_not_be_tried_again() -> None:
    many: Actions = tuple([Pause(0.1)] * 20)
    text = "\n".join(lines(FuzzFinding(Harm.GONE, OddStream("1/1", many), many, "goes on listening", repeats=0)))
    assert "seen         not so" in text
    assert "… and 8 more steps" in text
    assert "smaller      not tried" in text
    assert "repeated     no: the server runs elsewhere" in text
    assert "saved" not in text


def result(*findings: FuzzFinding, once: tuple[str, ...] = (), more: int = 0) -> FuzzResult:
    return FuzzResult(7, findings, once, (Harm.STAYS_OPEN,) if more else (), more, 1_234, 1_500, 16, 60.2, Features())


def test_the_last_line() -> None:
    assert [plain(line) for line in search_lines(result(), NO_WRAP, virtual=True)] == [
        "no finding: 1,234 streams in 60 s, 16 at once, 1,500 calls, in virtual time; seed 7"
    ]
    found = [plain(line) for line in search_lines(result(FINDING, once=("x",), more=3), NO_WRAP, virtual=False)]
    assert found == [
        "  3 more streams did the same as a finding above",
        "  once only    x",
        "  not judged   the connection stays open after its end: so it is in plain calls too",
        "1 finding: 1,234 streams in 60 s, 16 at once, 1,500 calls; seed 7",
    ]
    assert plain(list(search_lines(result(FINDING, FINDING), NO_WRAP, virtual=False))[-1]).startswith("2 findings: ")


def test_exit_codes() -> None:
    assert (result().exit_code, result(FINDING).exit_code, result(once=("x",)).exit_code) == (0, 1, 4)
