"""Judges, of a server that sends the caller's sound back, whether it does so to the bit, whatever the messages. Pure.

A server may do more with the sound than to send it back: amplify it, or pass it through a codec. So a stretch of plain
messages in the same call is the measure: where that comes back to the bit, so must the rest of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from audiosocket_core.messages import Kind
from audiosocket_sim.conformance.case import SeenCase, Statement
from audiosocket_sim.conformance.judging import ended_by_server
from audiosocket_sim.conformance.line_noise import how_much_is_in, sent_back
from audiosocket_sim.conformance.seen_call import SeenCall, messages_in

__all__ = ["EchoStretch", "comes_back", "is_exact"]


@dataclass(frozen=True, slots=True)
class EchoStretch:
    """A caller's sound that has to come back. `what` it was sent in, such as "50 messages in one write"."""

    what: str
    sound: bytes
    enough: int = 0
    """As many bytes of its beginning, or of its end, are enough; 0: all. A server may keep only so much sound."""
    covered: bool = False
    """A sound of the server's own may lie over it or take its place: if it does not come back, nothing is said."""


def is_exact(seen: SeenCase, call: SeenCall, plain: bytes) -> bool:
    """Whether the server sends sound back, and did so to the bit with the plain messages of this call."""
    return bool(seen.features.echoes) and plain in sent_back(call)


def comes_back(seen: SeenCase, call: SeenCall, plain: bytes, *stretches: EchoStretch) -> Iterator[Statement]:
    """Each stretch comes back to the bit, in the order in which they were sent. Nothing is said of a server that does
    not send sound back, or changes it; of one that ended the call before; but it must if check.yaml says so."""
    if not seen.features.echoes or ended_by_server(call) is not None:
        return
    name = call.script.name
    back = sent_back(call)
    promised = "echo" in seen.features.roles
    if plain not in back:
        if promised:
            _, came = how_much_is_in(back, plain)
            says = f"sends plain messages back unchanged, as its role is, but {_how_far(came, len(plain))}"
            yield Statement(False, says, call=name)
        return
    place = 0
    for stretch in stretches:
        found, came = how_much_is_in(back, stretch.sound, place)
        whole = came == len(stretch.sound)
        if not whole and stretch.enough and not promised:
            found, came, whole = _enough(back, stretch, place, (found, came))
        if whole:
            yield Statement(True, f"sends {stretch.what} back, to the bit", call=name)
            place = found + came
        elif not stretch.covered:
            says = f"sends {stretch.what} back, to the bit, but {_how_far(came, len(stretch.sound))}"
            yield Statement(False, says, call=name, at=_sent_at(call, stretch.sound, came))


def _enough(back: bytes, stretch: EchoStretch, since: int, best: tuple[int, int]) -> tuple[int, int, bool]:
    """Whether enough of the beginning or of the end is there, and where."""
    if best[1] >= stretch.enough:
        return *best, True
    end = stretch.sound[-stretch.enough :]
    place, came = how_much_is_in(back, end, since)
    return (place, came, True) if came == len(end) else (*best, False)


def _how_far(came: int, of: int) -> str:
    if came == 0:
        return f"nothing of its {of:,} bytes came back as it was sent"
    return f"only the first {came:,} of {of:,} bytes came back as they were sent"


def _sent_at(call: SeenCall, sound: bytes, came: int) -> float | None:
    """When the message was sent whose sound did not come back."""
    whole, times = b"", []
    for message in messages_in(call.sent):
        if message.kind == Kind.SLIN8:
            whole += message.payload[: len(message.payload) // 2 * 2]
            times.append((len(whole), message.began))
    place, _ = how_much_is_in(whole, sound)
    return None if place < 0 else next((at for end, at in times if end > place + came), None)
