"""The text of a call's journal: its tape as lines of JSON, written while the call goes on. Pure.

A journal that breaks off anywhere is still good up to its last whole line. `Journal.lines` returns what is new on a
tape since the last time; `read_journal` makes a tape of all lines again. Bytes stand there as base64.
"""

import base64
import contextlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from typing import Any

from audiosocket_sim.live.capture.tape import AskedAt, PushedAt, ReportedEvent, Tape
from audiosocket_sim.live.captured_call import Answer
from audiosocket_sim.scenario.cassette import RawExchange, cassette_entry, raw_exchange

__all__ = ["Journal", "read_journal"]

_FORMAT = 1


class Journal:
    """What of one tape has been written so far. about: the facts about the capture that stand in the first line."""

    def __init__(self, tape: Tape, about: Mapping[str, Any]) -> None:
        self._tape = tape
        self._about: Mapping[str, Any] | None = about
        self._n_caller = self._n_bot = self._n_asked = self._n_pushed = self._n_reported = 0
        self._unanswered: dict[int, AskedAt] = {}
        self._has_end = False

    def lines(self) -> list[str]:
        """Return the lines for all that is new. The tape may grow meanwhile: that comes the next time.

        JSON of the backend that is nested too deeply is left out.
        """
        written: list[str] = []
        for record in self._records():
            with contextlib.suppress(RecursionError):
                written.append(json.dumps(record))
        return written

    def _records(self) -> Iterator[dict[str, Any]]:
        tape = self._tape
        ended_at = tape.ended_at  # before the sound: what follows the end is not on the tape
        if self._about is not None:
            start = {"connected_at": tape.connected_at, "uuid": tape.uuid, "backend_captured": tape.backend_captured}
            yield {"audiosocket_capture": _FORMAT, **start, **self._about}
            self._about = None
        caller, bot = tape.caller[self._n_caller :], tape.bot[self._n_bot :]
        self._n_caller, self._n_bot = self._n_caller + len(caller), self._n_bot + len(bot)
        if caller or bot:
            yield {"caller": _sound(caller), "bot": _sound(bot)}
        first, fresh = self._n_asked, tape.asked[self._n_asked :]
        self._n_asked += len(fresh)
        unanswered, self._unanswered = self._unanswered, {}
        for index, asked in {**unanswered, **dict(enumerate(fresh, first))}.items():
            is_answered = _is_answered(asked)
            if index >= first or is_answered:
                yield {"asked": index, "entry": _asked(asked)}
            if not is_answered:
                self._unanswered[index] = asked
        for push in tape.pushed[self._n_pushed :]:
            self._n_pushed += 1
            yield {"pushed": _fields(push)}
        for event in tape.reported[self._n_reported :]:
            self._n_reported += 1
            yield {"reported": _fields(event)}
        if ended_at is not None and not self._has_end:
            self._has_end = True
            yield {"end": [ended_at, tape.who, tape.how], "is_full": tape.is_full}


def read_journal(lines: Iterable[str]) -> tuple[Tape, dict[str, Any]] | None:
    """Return the tape of a journal and the facts about its capture; None if it has no first line.

    Reading stops at the first line that is broken off, or damaged. A tape without an end is cut off there.
    """
    read = iter(lines)
    about = _record(next(read, ""))
    if about is None or about.get("audiosocket_capture") != _FORMAT:
        return None
    tape = Tape(float(about["connected_at"]), float("inf"), uuid=about["uuid"])
    tape.backend_captured = bool(about["backend_captured"])
    asked: dict[int, AskedAt] = {}
    for line in read:
        record = _record(line)
        if record is None or not _applied(record, tape, asked):
            break
    tape.asked = [asked[index] for index in sorted(asked)]
    return tape, about


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _applied(record: Mapping[str, Any], tape: Tape, asked: dict[int, AskedAt]) -> bool:
    """Put a record on the tape. Returns whether it has the form of one: a disk may have damaged it."""
    try:
        _apply(record, tape, asked)
    except (ValueError, TypeError, KeyError, AttributeError):
        return False
    return True


def _apply(record: Mapping[str, Any], tape: Tape, asked: dict[int, AskedAt]) -> None:
    if "caller" in record:
        tape.caller += [(at, base64.b64decode(data, validate=True)) for at, data in record["caller"]]
        tape.bot += [(at, base64.b64decode(data, validate=True)) for at, data in record["bot"]]
    elif "asked" in record:
        asked[record["asked"]] = _asked_again(record["entry"])
    elif "pushed" in record:
        tape.pushed.append(PushedAt(**record["pushed"]))
    elif "reported" in record:
        tape.reported.append(ReportedEvent(**record["reported"]))
    elif "end" in record:
        tape.end(*record["end"])
        tape.is_full = bool(record["is_full"])


def _fields(record: Answer | PushedAt | ReportedEvent) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _sound(side: list[tuple[float, bytes]]) -> list[tuple[float, str]]:
    return [(at, base64.b64encode(data).decode("ascii")) for at, data in side]


def _is_answered(asked: AskedAt) -> bool:
    return asked.answer is not None and (asked.raw is None or asked.raw.answer is not None)


def _asked(asked: AskedAt) -> dict[str, Any]:
    return {
        "at": asked.at,
        "content": asked.content,
        "conversation_id": asked.conversation_id,
        "answered_at": asked.answered_at,
        "answer": None if asked.answer is None else _fields(asked.answer),
        "raw": None if asked.raw is None else cassette_entry(asked.raw),
        "is_known": asked.is_known,
    }


def _asked_again(entry: Mapping[str, Any]) -> AskedAt:
    answer, raw = entry["answer"], entry["raw"]
    kept: RawExchange | None = None if raw is None else raw_exchange(raw)
    return AskedAt(**{**entry, "answer": None if answer is None else Answer(**answer), "raw": kept})
