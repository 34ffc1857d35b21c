"""A call is on disk while it goes on: what a journal holds is the tape again, wherever it breaks off."""

import asyncio
import errno
import os
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from audiosocket_core.messages import Kind, encode
from audiosocket_core.slin import silence
from audiosocket_sim.live.capture import CaptureOptions, journal_file
from audiosocket_sim.live.capture.call_writer import InProcessWriter, NotWritten, RecoveredCall, recover
from audiosocket_sim.live.capture.journal import Journal, read_journal
from audiosocket_sim.live.capture.journal_file import JournalFile, left_behind
from audiosocket_sim.live.capture.kept_journal import KeptJournal
from audiosocket_sim.live.capture.tape import AskedAt, PushedAt, ReportedEvent, Tape
from audiosocket_sim.live.captured_call import Answer
from audiosocket_sim.scenario.cassette import RawAnswer, RawExchange
from audiosocket_sim.scenario.loading import load
from audiosocket_sim.virtual_time import run

FRAME = encode(Kind.SLIN8, silence(20))
RAW = RawExchange("POST", "/turn", b'{"turn": 1}')


def tape_of_a_call(seconds: float = 1.0) -> Tape:
    tape = Tape(0.0, 3600.0, uuid=UUID(int=7).hex, backend_captured=True)
    tape.take(tape.caller, 0.0, encode(Kind.UUID, UUID(int=7).bytes))
    for n in range(1, round(seconds * 50)):
        tape.take(tape.caller, n / 50, FRAME)
        tape.take(tape.bot, n / 50, FRAME)
    return tape


def facts(tape: Tape) -> dict[str, Any]:
    keys = ("uuid", "caller", "bot", "asked", "pushed", "reported", "ended_at", "who", "how", "is_full")
    return {key: getattr(tape, key) for key in keys}


def again(lines: list[str]) -> Tape:
    found = read_journal(lines)
    assert found is not None
    assert found[1]["name"] == "call"
    return found[0]


def test_a_journal_holds_all_of_the_tape_and_each_thing_once() -> None:
    tape = tape_of_a_call()
    journal = Journal(tape, {"name": "call"})
    lines = journal.lines()
    asked = AskedAt(1.0, "Sim.", "x")
    tape.asked += [asked, AskedAt(1.2, "", "", raw=RAW, is_known=False)]
    tape.pushed.append(PushedAt(2.0, {"content": {"mensagem": "Oi \ud83d."}}, 202))
    tape.reported += [ReportedEvent(0.5, "Sim."), ReportedEvent(0.6, None, "STANDBY", "IA_TURN")]
    lines += journal.lines()
    asked.answered_at, asked.answer = 1.4, Answer(0, 200, {"content": {}})
    tape.asked[1].answered_at, tape.asked[1].answer = 1.5, Answer(0, 200)
    lines += journal.lines()
    tape.asked[1].raw = RawExchange("POST", "/turn", b'{"turn": 1}', RawAnswer(300, 200, "text/plain", ((300, b"ok"),)))
    tape.take(tape.bot, 3.0, FRAME)
    tape.end(3.1, "caller", "fin")
    lines += journal.lines()
    assert journal.lines() == []
    assert sum('"audiosocket_capture"' in line for line in lines) == 1
    assert facts(again(lines)) == facts(tape)
    cut_off = again([*lines[:-1], lines[-1][:10]])
    assert (cut_off.ended_at, cut_off.how) == (None, "interrupted")
    assert {**facts(cut_off), "ended_at": 3.1, "who": "caller", "how": "fin"} == facts(tape)


@pytest.mark.parametrize("lines", [[], ["{"], ["[]"], ['{"uuid": null}'], ['{"audiosocket_capture": 9}']])
def test_what_has_no_first_line_is_no_journal(lines: list[str]) -> None:
    assert read_journal(lines) is None


@pytest.mark.parametrize(
    "record", ['{"caller": 5}', '{"caller": [[0, "?"]], "bot": []}', '{"asked": 1}', '{"pushed": []}', '{"end": []}']
)
def test_what_a_disk_has_damaged_ends_the_reading(record: str) -> None:
    tape = tape_of_a_call()
    lines = Journal(tape, {"name": "call"}).lines()
    assert facts(again([*lines, record, '{"end": [3, "caller", "fin"], "is_full": true}'])) == facts(tape)


def test_json_that_is_nested_too_deeply_costs_only_itself() -> None:
    nested: dict[str, Any] = {}
    for _ in range(100_000):
        nested = {"a": nested}
    tape = tape_of_a_call()
    tape.asked.append(AskedAt(1.0, "Sim.", "1", 2.0, Answer(0, 200, nested)))
    found = again(Journal(tape, {"name": "call"}).lines())
    assert (found.caller, found.asked) == (tape.caller, [])


def options(out: Path, **more: Any) -> CaptureOptions:
    return CaptureOptions(("127.0.0.1", 8090), ("192.0.2.1", 8080), out, **more)


def test_what_a_killed_capture_left_becomes_a_scenario_that_is_marked(tmp_path: Path) -> None:
    journal = JournalFile(tape_of_a_call(), options(tmp_path, name="door", server={"system": {"barge_in": True}}))
    journal.append()
    assert journal.path.stat().st_mode & 0o777 == 0o600
    assert list(recover(options(tmp_path), InProcessWriter())) == []  # its capture lives
    journal.close(remove=False)
    with journal.path.open("a") as file:
        file.write('{"caller": [[0.9')
    (found,) = recover(options(tmp_path), InProcessWriter())
    assert found.line.startswith(f"{tmp_path}/door.yaml: A captured call of 1.0 s")
    assert found.line.endswith("It was left behind by an earlier capture.")
    text = (tmp_path / "door.yaml").read_text(encoding="utf-8")
    assert text.splitlines()[1] == "# cut off: the call went on after this"
    assert load(tmp_path / "door.yaml").server == {"system": {"barge_in": True}}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["door", "door.yaml"]


def test_a_journal_without_a_call_is_removed(tmp_path: Path) -> None:
    (tmp_path / "call.0.part").write_text('{"audio', encoding="ascii")
    assert list(left_behind(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_costs_no_line_and_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tape, write, room = tape_of_a_call(), os.write, [40]

    def full(file: int, data: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        n_bytes = min(room[0], len(data))
        room[0] -= n_bytes
        return write(file, data[:n_bytes])

    monkeypatch.setattr(journal_file.os, "write", full)
    troubles: list[OSError] = []

    async def scene() -> None:
        kept = KeptJournal(JournalFile(tape, options(tmp_path)), troubles.append)
        await asyncio.sleep(2.5)
        room[0] = 10_000_000
        tape.end(2.0, "caller", "fin")
        await kept.stop()
        assert kept.left is not None
        kept.close(remove=False)

    run(scene)
    assert [error.errno for error in troubles] == [errno.ENOSPC] * 3
    ((_, found, _),) = left_behind(tmp_path)
    assert facts(found) == facts(tape)


def test_a_call_that_still_cannot_be_written_stays_where_it_is(tmp_path: Path) -> None:
    class Refusing(InProcessWriter):
        may = True

        def write(self, tape: Tape, options: CaptureOptions) -> Any:
            raise NotWritten("No space left on device", may_be_tried_again=self.may)

    journal = JournalFile(tape_of_a_call(), options(tmp_path))
    journal.append()
    journal.close(remove=False)
    writer = Refusing()
    (found,) = recover(options(tmp_path), writer)
    why = "No space left on device"
    assert found == RecoveredCall(f"{journal.path}: what is left of a call cannot be written: {why}", None)
    assert journal.path.exists()
    writer.may = False
    assert len(list(recover(options(tmp_path), writer))) == 1
    assert not journal.path.exists()
