"""A user's own cases: the streams of a folder, each a case that is judged as after the search that found it."""

import re
from collections.abc import Iterator
from pathlib import Path

from audiosocket_core.files import read_regular_file, write_shared_file
from audiosocket_sim.conformance.case import Case, Judge, SeenCase, Statement
from audiosocket_sim.conformance.fuzzing.findings import FuzzFinding
from audiosocket_sim.conformance.fuzzing.harms import Harm, SeenRound, growth, observations
from audiosocket_sim.conformance.fuzzing.odd_stream import OddStream, seconds_without_sign
from audiosocket_sim.conformance.fuzzing.rounds import AFTERWARDS, good_call, new_call, script_of
from audiosocket_sim.conformance.fuzzing.stream_file import StreamFile, StreamFileError, read_stream_file, written
from audiosocket_sim.conformance.script import Script

__all__ = ["case_of", "case_of_file", "own_cases", "save"]

_TIMES = 5
"""How often a stream is repeated whose harm is that something is left behind each time."""
_SETTLE_SECONDS = 1.0
_MOST_BYTES = 2_000_000
_NUMBER = re.compile(r"MY-(\d+)")


def own_cases(folder: Path) -> tuple[Case, ...]:
    """Return the cases of a folder's `*.yaml` files, in the order of their ids; none if there is no such folder.

    A file without an id gets the next free one. Raises StreamFileError.
    """
    if not folder.is_dir():
        return ()
    files = [(path, _read(path)) for path in sorted(folder.glob("*.yaml"))]
    taken: dict[str, Path] = {}
    for path, file in files:
        if file.id in taken:
            raise StreamFileError(f"{path}: the id {file.id} is that of {taken[file.id].name} too")
        if file.id:
            taken[file.id] = path
    cases = []
    for path, file in files:
        id_ = file.id or _next_id(taken)
        taken.setdefault(id_, path)
        cases.append(case_of(file, id_, path.name))
    return tuple(sorted(cases, key=lambda case: _number(case.id)))


def case_of_file(path: Path) -> Case:
    """Return the case of one file. Raises StreamFileError."""
    file = _read(path)
    return case_of(file, file.id or "MY-01", path.name)


def save(finding: FuzzFinding, folder: Path, target: str) -> Path:
    """Write a finding into the folder, as the next case of it, and return the file. Raises OSError, StreamFileError."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = {case.id: folder for case in own_cases(folder)}
    id_ = _next_id(taken)
    path = folder / f"{id_.lower()}-{finding.harm.value.replace(' ', '-')}.yaml"
    command = f"audiosocket-sim check --target '{target}' --replay {path}"
    write_shared_file(path, written(finding, id_, command).encode())
    return path


def case_of(file: StreamFile, id_: str, name: str) -> Case:
    """Return the case of what a file says: the odd call, and beside or after it what its harm shows in."""
    return Case(
        id=id_,
        title=file.title,
        level="must",
        peer=f"does what {name} says",
        good=_GOOD[file.harm],
        why="found by `check --fuzz`: anyone who reaches the port can send this, and so can a network that breaks",
        section="4.3",
        judge=_judge(file.harm),
        scripts=tuple(_scripts(file)),
        alone=True,
        may_end_the_server=True,
        two_at_once=file.harm.is_of_another_call,
    )


_GOOD = {
    Harm.GONE: "goes on running, and takes the next call",
    Harm.NO_NEW_CALL: "serves the next call",
    Harm.OTHER_ENDED: "keeps the calls of others",
    Harm.OTHER_STALLED: "goes on sending to others",
    Harm.OTHER_UNANSWERED: "goes on answering others",
    Harm.GROWS: "keeps nothing of a call that is over",
    Harm.DROPPED: "keeps a call whose stream is well-formed, however it is cut",
    Harm.UNANSWERED: "answers in a call whose stream is well-formed, however it is cut",
    Harm.STAYS_OPEN: "closes its end when the peer has closed",
}


def _scripts(file: StreamFile) -> Iterator[Script]:
    stream = OddStream("", file.actions)
    lasts = seconds_without_sign(file.actions)
    if file.harm.is_of_one_call:
        yield script_of(stream, "the odd call")
        return
    times = _TIMES if file.harm is Harm.GROWS else 1
    for number in range(times):
        script = script_of(stream, f"the odd call {number + 1}" if times > 1 else "the odd call")
        yield Script(script.actions, script.name, starts=0.3 + number * (lasts + _SETTLE_SECONDS))
    over = 0.3 + times * (lasts + _SETTLE_SECONDS)
    if file.harm.is_of_another_call:
        yield good_call(over, sign=file.harm is Harm.OTHER_UNANSWERED)
    else:
        yield Script(new_call().actions, AFTERWARDS, starts=over)


def _judge(harm: Harm) -> Judge:
    def judge(seen: SeenCase) -> Iterator[Statement]:
        yield from (one.statement for one in observations(SeenRound(seen)) if one.harm is not Harm.GROWS)
        if harm is Harm.GROWS and seen.before is not None and seen.after is not None:
            more = growth(seen.before, seen.after, _TIMES)
            says = "keeps nothing of a call that is over" + (
                f", but keeps {more} after {_TIMES} of them" if more else ""
            )
            yield Statement(not more, says)

    return judge


def _read(path: Path) -> StreamFile:
    try:
        text = read_regular_file(path, _MOST_BYTES).decode()
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise StreamFileError(f"{path}: cannot be read: {why}") from None
    return read_stream_file(text, str(path))


def _number(id_: str) -> int:
    found = _NUMBER.fullmatch(id_)
    return int(found[1]) if found else 0


def _next_id(taken: dict[str, Path]) -> str:
    return f"MY-{max(map(_number, taken), default=0) + 1:02d}"
