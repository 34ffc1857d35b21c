"""What the peer does in one connection: a list of actions, as data, so that it can be shown, repeated and shrunk.

The peer is a script and no Asterisk: it also does what no Asterisk would, where a network or an old release could.
Times are in seconds, bytes are exactly those that go over the wire.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Announce",
    "Close",
    "FinishSending",
    "Pause",
    "PeerAction",
    "ReadAgain",
    "Reset",
    "Script",
    "Send",
    "SendPaced",
    "SendSound",
    "SignOfLife",
    "Starve",
    "StopReading",
    "StopServer",
    "WaitForEnd",
    "WaitForQuiet",
    "WaitForSound",
    "seconds_of",
]


@dataclass(frozen=True, slots=True)
class Announce:
    """Send the UUID message in one write, as Asterisk does; or in pieces, `gap` apart, if `gap` is not 0.

    `pieces`: how long they are, the rest is the last one; by default one byte each.
    `uuid`: its 16 bytes; by default those of the call, which each run draws anew, or those of the role that it needs.
    `then`: bytes that follow in the same write.
    """

    uuid: bytes | None = None
    gap: float = 0.0
    then: bytes = b""
    pieces: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Send:
    """Write `data` at once; or, with `pieces`, in pieces of these lengths (the rest is the last one), `gap` apart."""

    data: bytes
    pieces: tuple[int, ...] = ()
    gap: float = 0.0


@dataclass(frozen=True, slots=True)
class SendPaced:
    """Write each of `messages` by itself, one every `every` seconds, on an absolute grid."""

    messages: tuple[bytes, ...]
    every: float = 0.02


@dataclass(frozen=True, slots=True)
class SendSound:
    """Send a caller's sound for `seconds`, in packets of `packet` seconds: words of a voice, digital silence, a tone.

    `words` goes on from its beginning if it is shorter. The rate is that of the kind, 8 kHz by default. `until_sound`:
    it is over half a second after the server's sound has come. `jitter`: single packets are up to so many seconds late,
    and those behind them come at once; the mean stays. `until_end`: no
    longer than until the server has sent 00 00 00 or closed.
    """

    seconds: float
    sound: Literal["words", "silence", "tone"] = "words"
    packet: float = 0.02
    kind: int = 0x10
    until_sound: bool = False
    jitter: float = 0.0
    until_end: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Send nothing for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WaitForSound:
    """Wait until the server sends sound that is no silence, at most so long, and go on in either case.

    `silence`: send silence meanwhile, as a phone that is not on mute; a server may need it to know that a turn is over.
    """

    at_most: float
    silence: bool = False


@dataclass(frozen=True, slots=True)
class WaitForQuiet:
    """Wait until the server has sent nothing but silence for `quiet` seconds, at most `at_most` in all."""

    quiet: float
    at_most: float


@dataclass(frozen=True, slots=True)
class WaitForEnd:
    """Wait until the server ends the connection (00 00 00, a FIN or a reset), at most so long."""

    at_most: float


@dataclass(frozen=True, slots=True)
class StopReading:
    """Leave in the kernel what the server sends, from now on."""


@dataclass(frozen=True, slots=True)
class ReadAgain:
    """Read again."""


@dataclass(frozen=True, slots=True)
class FinishSending:
    """Close the sending side only (a FIN), and go on reading."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close as Asterisk does at the end of a call: a FIN; what the server sends after it is answered with a reset."""


@dataclass(frozen=True, slots=True)
class Reset:
    """End the connection with a reset, as Asterisk does where it has left unread what the server sent."""


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """Try whether the server still serves this call, by the best means that it has (`features.Features`).

    Of one that echoes: sound is sent, and has to come back. Of one that answers: words are said, and sound has to
    follow within `at_most`. Of one that sends all the time: a message has to come within a second. Of any other: the
    connection is left alone for half a second, and has to stay.

    `sparing`: no sound is sent, and nothing said, to a server that sends all the time.
    """

    at_most: float = 6.0
    sparing: bool = False


@dataclass(frozen=True, slots=True)
class StopServer:
    """Stop the server as whoever runs it does: SIGTERM to its program, or the `close()` of a target in this process.

    The script goes on at once. Only the last case of a run may do it.
    """


@dataclass(frozen=True, slots=True)
class Starve:
    """Let nothing run for so long, the server included. Only virtual time can: on the real clock it does nothing."""

    seconds: float


PeerAction = (
    Announce
    | Send
    | SendPaced
    | SendSound
    | Pause
    | WaitForSound
    | WaitForQuiet
    | WaitForEnd
    | StopReading
    | ReadAgain
    | FinishSending
    | Close
    | Reset
    | SignOfLife
    | Starve
    | StopServer
)


@dataclass(frozen=True, slots=True)
class Script:
    """One connection: it begins `starts` seconds after the case does, and carries out its actions in turn.

    `name`: how the words of a failure call it, where a case has several. `host`: another address than the target's,
    such as `::1`. `narrow`: the two kernels take 100 kB for a peer that does not read, not two megabytes. Where the
    last action is none that ends the connection, the peer closes.
    """

    actions: tuple[PeerAction, ...]
    name: str = "the call"
    starts: float = 0.0
    host: str = ""
    narrow: bool = False


def seconds_of(action: PeerAction) -> float:
    """Return how long an action takes at most, in seconds."""
    match action:
        case Announce():
            return action.gap * (len(action.pieces) or 18)
        case Send(data=_, pieces=pieces, gap=gap):
            return gap * len(pieces)
        case SendPaced(messages=messages, every=every):
            return every * len(messages)
        case SendSound() | Pause() | Starve():
            return action.seconds
        case WaitForSound() | WaitForEnd() | WaitForQuiet():
            return action.at_most
        case SignOfLife():
            return 2.0 + action.at_most
        case _:
            return 0.0
