"""A finding as a file that people read and change, and `check` replays. Pure: text in, text out.

id: MY-01
title: the server is gone
harm: gone
stream:
- announce:                # UUID, 16 bytes
- send: "03 00 00"         # key, 0 bytes
- pause: 0.02
- close:
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from audiosocket_sim.conformance.fuzzing.findings import FuzzFinding
from audiosocket_sim.conformance.fuzzing.harms import Harm
from audiosocket_sim.conformance.fuzzing.hex_text import bytes_from, hex_text
from audiosocket_sim.conformance.fuzzing.in_words import comments
from audiosocket_sim.conformance.fuzzing.odd_stream import Actions
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    FinishSending,
    Pause,
    PeerAction,
    ReadAgain,
    Reset,
    Send,
    SignOfLife,
    StopReading,
    WaitForEnd,
    seconds_of,
)
from audiosocket_sim.scenario.loading import yaml_tree

__all__ = ["StreamFile", "StreamFileError", "read_stream_file", "step_lines", "written"]

_ID = re.compile(r"MY-\d{2,4}")
_KEYS = ("id", "title", "harm", "stream")
_BARE: dict[str, PeerAction] = {
    "stop_reading": StopReading(),
    "read_again": ReadAgain(),
    "finish_sending": FinishSending(),
    "close": Close(),
    "reset": Reset(),
}
_WORDS = {action: word for word, action in _BARE.items()}
_STEPS = ("announce", "send", "pause", "wait_for_end", "sign_of_life", *_BARE)
_LONGEST_SECONDS = 120.0
_WIDTH = 60
"""Up to which a step's text leaves room for a comment beside it."""


class StreamFileError(Exception):
    """A file is no stream. The text says where and why, in one line."""


@dataclass(frozen=True, slots=True)
class StreamFile:
    """What such a file says. `id` "": it has none."""

    title: str
    harm: Harm
    actions: Actions
    id: str = ""


def written(finding: FuzzFinding, id_: str, command: str = "") -> str:
    """Return the file's text for a finding. `command`: what replays it."""
    was, now = finding.n_bytes
    head = [
        f"# {finding.harm.title}: stream {finding.stream.seed} of `check --fuzz`",
        f"# A good server {finding.says}.",
        f"# Made smaller from {was} bytes in {len(finding.stream.actions)} steps to {now} in {len(finding.smallest)}, "
        f"in {finding.tries} tries{' (not to the end)' if finding.cut_short else ''}.",
    ]
    if command:
        head.append(f"# Try it again: {command}")
    head += [f"id: {id_}", f"title: {finding.harm.title}", f"harm: {finding.harm.value}", "stream:"]
    return "\n".join([*head, *step_lines(finding.smallest)]) + "\n"


def step_lines(actions: Actions) -> Iterator[str]:
    """Iterate over the lines of a stream's steps, with a comment each."""
    for action, comment in zip(actions, comments(actions), strict=True):
        step = f"- {_step(action)}"
        if len(step) > _WIDTH:
            yield f"# {comment}:"
            yield step
        else:
            yield f"{step:{_WIDTH if len(step) > 30 else 30}}  # {comment}"


def _step(action: PeerAction) -> str:
    match action:
        case Announce(gap=gap):
            return f"announce: {{gap: {gap:g}}}" if gap else "announce:"
        case Send(data=data, pieces=pieces, gap=gap):
            if not pieces:
                return f'send: "{hex_text(data)}"'
            return f'send: {{data: "{hex_text(data)}", pieces: [{", ".join(map(str, pieces))}], gap: {gap:g}}}'
        case Pause(seconds=seconds):
            return f"pause: {seconds:g}"
        case WaitForEnd(at_most=at_most):
            return f"wait_for_end: {at_most:g}"
        case SignOfLife(at_most=at_most):
            return f"sign_of_life: {at_most:g}"
        case _:
            return f"{_WORDS[action]}:"


def read_stream_file(text: str, name: str) -> StreamFile:
    """Return what a file says. `name`: how errors call it. Raises StreamFileError."""
    try:
        tree = yaml_tree.read(text)
    except yaml_tree.MalformedYaml as error:
        raise StreamFileError(f"{name}:{error.place.line}: {error.message}") from None
    for place, message in tree.problems:
        raise StreamFileError(f"{name}:{place.line}: {message}")
    data = tree.data
    if not isinstance(data, dict):
        raise StreamFileError(f"{name}: expected the keys {', '.join(_KEYS)}")
    try:
        return _read(data)
    except _Wrong as wrong:
        line = tree.place(wrong.path).line
        raise StreamFileError(f"{name}:{line}: {wrong}") from None


class _Wrong(Exception):
    """A value is wrong. `path`: where it stands."""

    def __init__(self, path: tuple[str | int, ...], text: str) -> None:
        super().__init__(text)
        self.path = path


def _read(data: dict[str, Any]) -> StreamFile:
    for key in data:
        if key not in _KEYS:
            raise _Wrong((key,), f"there is no key {key!r}; there are {', '.join(_KEYS)}")
    id_ = data.get("id") or ""
    if id_ and not (isinstance(id_, str) and _ID.fullmatch(id_)):
        raise _Wrong(("id",), f"{id_!r} is no id of an own case: expected MY-01, MY-02 and so on")
    words = {one.value: one for one in Harm}
    harm = words.get(data.get("harm", Harm.GONE.value))
    if harm is None:
        raise _Wrong(("harm",), f"there is no such harm; there are: {', '.join(words)}")
    steps = data.get("stream")
    if not isinstance(steps, list) or not steps:
        raise _Wrong(("stream",), f"stream: expected a list of steps ({', '.join(_STEPS)})")
    actions = tuple(_action(step, ("stream", place)) for place, step in enumerate(steps))
    if sum(map(seconds_of, actions)) > _LONGEST_SECONDS:
        raise _Wrong(("stream",), f"the steps take longer than {_LONGEST_SECONDS:g} s")
    return StreamFile(str(data.get("title") or harm.title), harm, actions, id_)


def _action(step: Any, path: tuple[str | int, ...]) -> PeerAction:
    if isinstance(step, str):
        step = {step: None}
    if not isinstance(step, dict) or len(step) != 1:
        raise _Wrong(path, f"expected one step: {', '.join(_STEPS)}")
    ((word, value),) = step.items()
    if word in _BARE:
        return _BARE[word]
    match word:
        case "announce":
            gap = value.get("gap", 0.0) if isinstance(value, dict) else 0.0
            return Announce(gap=_number(gap, path))
        case "send":
            return _sent(value, path)
        case "pause":
            return Pause(_number(value, path))
        case "wait_for_end":
            return WaitForEnd(_number(value, path))
        case "sign_of_life":
            return SignOfLife(8.0 if value is None else _number(value, path))
    raise _Wrong(path, f"there is no step {word!r}; there are {', '.join(_STEPS)}")


def _sent(value: Any, path: tuple[str | int, ...]) -> Send:
    parts = value if isinstance(value, dict) else {"data": value}
    unknown = set(parts) - {"data", "pieces", "gap"}
    if unknown:
        raise _Wrong(path, f"send has no {unknown.pop()!r}; it has data, pieces and gap")
    pieces = parts.get("pieces") or []
    if not (isinstance(pieces, list) and all(type(one) is int and one > 0 for one in pieces)):
        raise _Wrong(path, "pieces: expected a list of lengths in bytes")
    data = parts.get("data")
    try:
        # `send: 10` is a number to YAML, and two hex digits to people
        sent = bytes_from(str(data) if isinstance(data, str | int) else "")
    except ValueError as error:
        raise _Wrong(path, str(error)) from None
    if not sent:
        raise _Wrong(path, "send: expected bytes, such as 10 01 40 00*320")
    return Send(sent, tuple(pieces), _number(parts.get("gap", 0.0), path))


def _number(value: Any, path: tuple[str | int, ...]) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LONGEST_SECONDS:
        raise _Wrong(path, f"{value!r} is no number of seconds from 0 to {_LONGEST_SECONDS:g}")
    return float(value)
