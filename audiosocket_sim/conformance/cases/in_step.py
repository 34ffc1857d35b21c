"""Calls in which something odd comes between plain messages, and the judge of whether the server stays in step."""

from collections.abc import Iterator

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.case import Judge, SeenCase, Statement
from audiosocket_sim.conformance.exact_echo import EchoStretch, comes_back
from audiosocket_sim.conformance.judging import serves_still
from audiosocket_sim.conformance.line_noise import in_messages, line_noise
from audiosocket_sim.conformance.script import (
    Announce,
    PeerAction,
    Script,
    SendPaced,
    SignOfLife,
    WaitForQuiet,
)

__all__ = ["AFTER", "BEFORE", "PLAIN", "QUIET", "audio", "call_with", "stays_in_step"]

PLAIN = line_noise(3200, 1)
"""Of 200 ms: what comes before the odd messages, and shows whether the server sends sound back to the bit."""
_AFTER = line_noise(3200, 2)
QUIET = WaitForQuiet(0.5, 4.0)
"""Until a greeting is over."""
BEFORE = SendPaced(in_messages(PLAIN, [320] * 10))
AFTER = SendPaced(in_messages(_AFTER, [320] * 10))


def audio(sound: bytes, size: int = 320) -> tuple[bytes, ...]:
    """Return a sound in 0x10 messages of `size` bytes each."""
    return in_messages(sound, [size] * (len(sound) // size))


def call_with(*odd: PeerAction, before: PeerAction = BEFORE, announce: Announce | None = None) -> Script:
    """Return a call: the UUID, plain messages, the odd ones, plain messages again, and a sign of life."""
    return Script((announce or Announce(), QUIET, before, *odd, AFTER, SignOfLife()))


def stays_in_step(
    what: str,
    *stretches: EchoStretch,
    plain: bytes = PLAIN,
    heavy: tuple[EchoStretch, ...] | None = None,
    covered: bool = False,
) -> Judge:
    """Return the judge of such a call: it is kept and served, and all sound comes back. `what`: after what, in words.

    `heavy`: the stretches of the heavy form, where they are others. `covered`: the server may still be speaking itself
    when the plain messages at the end come.
    """

    def judge(seen: SeenCase) -> Iterator[Statement]:
        call = seen.call()
        yield from serves_still(seen, call, what)
        last = EchoStretch(f"the audio {what}", _AFTER, covered=covered)
        sent = stretches if heavy is None or not seen.heavy else heavy
        yield from comes_back(seen, call, plain, *sent, last)

    return judge


def empty(kind: int = Kind.SLIN8) -> bytes:
    """Return a message without a payload."""
    return encode(kind, b"")
