"""Finds out what a server can do, from calls in which nothing is odd: scripts, and what follows from them. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise

from audiosocket_core.messages import AUDIO_KINDS, Kind, encode
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.heard import is_echo, is_sound
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    Pause,
    Script,
    Send,
    SendSound,
    WaitForQuiet,
)
from audiosocket_sim.conformance.seen_call import SeenCall
from audiosocket_sim.conformance.sounds import WORDS_SECONDS

__all__ = [
    "A_CALL",
    "A_SHORT_CALL",
    "LATER_CALLS",
    "TWO_CALLS",
    "after_first",
    "after_later",
    "serves_both",
    "surely_in_turn",
]

_GREETING_SECONDS = 3.2
_ANSWER_SECONDS = 5.5
_QUIET, _QUIET_AT_MOST = 0.7, 12.0
_ALWAYS_SECONDS = 1.0
"""One that sends all the time leaves no longer gap."""
_SHORTEST_LIFE = 0.2
"""A call that ends earlier was refused, or failed: that says nothing of how long calls last."""
_SOUND_AFTER_WORDS = 0.1
_LOOKS_SECONDS = 9.0
"""How long a call is left open to see whether the server ends it: about as long as the longest scripts of the cases."""

A_CALL = Script(
    (
        Announce(),
        SendSound(_GREETING_SECONDS, "silence", until_sound=True),
        WaitForQuiet(_QUIET, _QUIET_AT_MOST),
        SendSound(WORDS_SECONDS, "words"),
        SendSound(_ANSWER_SECONDS, "silence", until_sound=True),
        Close(),
    ),
    name="a call",
)
"""A whole call."""

A_SHORT_CALL = Script((Announce(), SendSound(0.4, "silence"), Close()), name="a short call at once", starts=0.3)
"""It comes while the first call lasts, and tells nearly always, and soon, whether two calls at once are served."""

TWO_CALLS = (
    Script((Announce(), SendSound(WORDS_SECONDS + _ANSWER_SECONDS + 1.0, "silence"), Close()), name="a call"),
    Script(
        (
            Announce(),
            SendSound(0.3, "silence"),
            SendSound(WORDS_SECONDS, "words"),
            SendSound(_ANSWER_SECONDS, "silence", until_sound=True),
            Close(),
        ),
        name="another call at once",
        starts=0.3,
    ),
)
"""For a server of which the short call has not told: the second caller speaks."""

LATER_CALLS = (
    Script(
        (
            Announce(),
            SendSound(_GREETING_SECONDS, "silence", until_sound=True),
            WaitForQuiet(_QUIET, _QUIET_AT_MOST),
            SendSound(0.5, "silence"),
            Send(encode(Kind.DTMF, b"5")),
            SendSound(2.0, "silence", until_sound=True),
            Close(),
        ),
        name="a key",
    ),
    Script(
        (
            Announce(),
            SendSound(0.5, "silence", kind=0x12),
            SendSound(WORDS_SECONDS, "words", kind=0x12),
            SendSound(2.0, "silence", kind=0x12, until_sound=True),
        ),
        name="16 kHz",
    ),
    Script((Announce(), Pause(_LOOKS_SECONDS)), name="a caller who sends nothing"),
    Script((Announce(), SendSound(_LOOKS_SECONDS, "silence", until_end=True)), name="a caller who says nothing"),
)
"""Calls that follow where they can: with a key, at 16 kHz, of a caller who sends nothing, of one who only listens."""


def after_first(first: SeenCall, others: Sequence[SeenCall], two_calls: bool, stated: Features) -> Features:
    """Return the features that show in the first calls; what is stated stays as it is stated.

    `others`: the calls at once, which tell how long calls last. `two_calls`: whether two at once are served.
    """
    words = next(done for done in first.done if isinstance(done.action, SendSound) and done.action.sound == "words")
    said = words.ended - words.began > WORDS_SECONDS / 2
    was_quiet = next((done.met for done in first.actions(WaitForQuiet)), None)
    sound_before = [m for m in first.audio if is_sound(m.payload) and (m.ended or 0.0) <= words.began]
    since_words = [m for m in first.audio if (m.ended or 0.0) >= words.began]
    sent = b"".join(chunk.data[3:] for chunk in first.sent if words.began <= chunk.at <= words.ended)
    echoes = is_echo(sent, b"".join(m.payload for m in since_words if m.kind == Kind.SLIN8))
    answer = next(
        (m for m in since_words if is_sound(m.payload) and (m.ended or 0.0) > words.ended + _SOUND_AFTER_WORDS), None
    )
    found = Features(
        two_calls=two_calls,
        speaks_first=bool(sound_before),
        echoes=echoes if said else None,
        answers=answer is not None and not echoes if said and was_quiet else None,
        hangs_up=_shortest((first, *others)) is not None,
        lives=_shortest((first, *others)),
        answer_seconds=_ANSWER_SECONDS if answer is None else min(15.0, (answer.ended or 0.0) - words.ended + 3.0),
    )
    return _with_stated(found, stated)


def after_later(calls: tuple[SeenCall, ...], known: Features) -> Features:
    """Return the features after the later calls too."""
    by_name = {call.script.name: call for call in calls}
    key, wide, silent = by_name["a key"], by_name["16 kHz"], by_name["a caller who sends nothing"]
    pressed = next((done for done in key.done if isinstance(done.action, Send)), None)
    was_quiet = next((done.met for done in key.actions(WaitForQuiet)), None)
    tried = pressed is not None and was_quiet and (key.end.by != "server" or key.end.at > pressed.began)
    heard = pressed is not None and any(is_sound(m.payload) and (m.ended or 0.0) > pressed.began for m in key.audio)
    gives_up = _life_of(silent)  # on a caller who sends nothing: no measure of other calls, and a failure of HS-12
    ends = [life for life in (known.lives, _life_of(by_name["a caller who says nothing"])) if life is not None]
    found = replace(
        known,
        takes_keys=heard if tried else None,
        wideband=any(m.kind in AUDIO_KINDS and m.kind != Kind.SLIN8 for m in wide.audio),
        sends_always=_sends_always(silent),
        hangs_up=bool(ends) or gives_up is not None,
        lives=min(ends, default=None),
    )
    return _with_stated(found, known)


def surely_in_turn(first: SeenCall, second: SeenCall) -> bool:
    """Whether the short call shows by itself that the server serves one call at a time: it began to send at once in the
    first call, and never in the second one, which it neither served nor ended while the first lasted."""
    if not first.messages or first.announced_at is None or second.announced_at is None or second.messages:
        return False
    began, waited = first.messages[0].began - first.announced_at, second.end.at - second.announced_at
    first_ended = first.hangup_at or first.end.at
    left_alone = second.end.by == "peer" and second.end.server_closed_at is None
    return left_alone and 2 * began < waited and second.end.at < first_ended


def serves_both(first: SeenCall, second: SeenCall) -> bool:
    """Whether the second call was served while the first lasted.

    A connection alone says nothing: the kernel takes it, and keeps it for a server that comes to it later. A message
    does, or a server that says nothing but closes its own end after ours.
    """
    if second.connected_at is None or (second.end.by == "server" and not second.audio):
        return False
    first_ended = first.hangup_at or first.end.at
    if any((message.ended or 0.0) < first_ended for message in second.messages):
        return True
    closed = second.end.server_closed_at
    return not second.messages and closed is not None and closed < first_ended


def _sends_always(silent: SeenCall) -> bool:
    """Whether it sends to a caller who sends nothing, and goes on."""
    times = [m.ended for m in silent.messages if m.is_audio and m.ended is not None]
    span = [silent.announced_at or 0.0, *times, silent.hangup_at or silent.end.at]
    return len(times) > 1 and max(b - a for a, b in pairwise(span)) < _ALWAYS_SECONDS


def _life_of(call: SeenCall) -> float | None:
    """Return after what time a server ended a call in order; None if it did not."""
    ended = call.hangup_at
    if ended is None and call.end.by == "server" and call.end.how == "fin":
        ended = call.end.at
    if ended is None or call.announced_at is None or ended - call.announced_at < _SHORTEST_LIFE:
        return None
    return ended - call.announced_at


def _shortest(calls: Iterable[SeenCall]) -> float | None:
    return min((life for call in calls if (life := _life_of(call)) is not None), default=None)


def _with_stated(found: Features, stated: Features) -> Features:
    kept = {name: getattr(stated, name) for name in stated.stated}
    return replace(found, roles=stated.roles, stated=stated.stated, **kept)
