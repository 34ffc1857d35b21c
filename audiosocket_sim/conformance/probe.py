"""Finds out what a server can do, from calls in which nothing is odd: scripts, and what follows from them. Pure."""

from dataclasses import replace
from itertools import pairwise

from audiosocket_core.messages import AUDIO_KINDS, Kind, encode
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.heard import is_sound, likeness
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    Pause,
    Script,
    Send,
    SendPaced,
    SendSound,
    WaitForQuiet,
    WaitForSound,
)
from audiosocket_sim.conformance.seen_call import SeenCall
from audiosocket_sim.conformance.sounds import WORDS_SECONDS

__all__ = ["FIRST_CALLS", "LATER_CALLS", "after_first", "after_later"]

_GREETING_SECONDS = 4.0
_ANSWER_SECONDS = 6.0
_QUIET = SendPaced(tuple([encode(Kind.SLIN8, bytes(320))] * 25))

FIRST_CALLS = (
    Script(
        (
            Announce(),
            SendSound(1.0, "silence"),
            WaitForSound(_GREETING_SECONDS - 1.0),
            WaitForQuiet(1.0, 12.0),
            SendSound(WORDS_SECONDS, "words"),
            SendSound(_ANSWER_SECONDS, "silence"),
            Close(),
        ),
        name="a call",
    ),
    Script((Announce(), SendSound(_GREETING_SECONDS, "silence"), Close()), name="another call at once", starts=0.3),
)
"""A whole call, and a second one while it lasts."""

LATER_CALLS = (
    Script(
        (
            Announce(),
            SendSound(0.5, "silence"),
            WaitForQuiet(1.0, 12.0),
            SendSound(1.0, "silence"),
            Send(encode(Kind.DTMF, b"5")),
            SendSound(2.5, "silence"),
            Close(),
        ),
        name="a key",
    ),
    Script(
        (
            Announce(),
            SendSound(0.6, "silence", kind=0x12),
            SendSound(2.0, "words", kind=0x12),
            SendSound(2.5, "silence", kind=0x12),
        ),
        name="16 kHz",
    ),
    Script((Announce(), Pause(4.0)), name="a caller who sends nothing"),
)
"""Calls that follow where they can: with a key, at 16 kHz, of a caller who sends nothing."""


def after_first(calls: tuple[SeenCall, ...], stated: Features) -> Features:
    """Return the features that show in the first calls; what is stated stays as it is stated."""
    first, second = calls
    words = next(done for done in first.done if isinstance(done.action, SendSound) and done.action.sound == "words")
    sound_before = [m for m in first.audio if is_sound(m.payload) and (m.ended or 0.0) <= words.began]
    since_words = [m for m in first.audio if (m.ended or 0.0) >= words.began]
    sent = b"".join(chunk.data[3:] for chunk in first.sent if words.began <= chunk.at <= words.ended)
    echoes = likeness(sent[3200:12800], b"".join(m.payload for m in since_words if m.kind == Kind.SLIN8)) > 0.8
    answer = next((m for m in since_words if is_sound(m.payload) and (m.ended or 0.0) > words.ended + 0.1), None)
    times = [m.ended or 0.0 for m in first.messages if m.is_audio]
    until = first.hangup_at or first.end.at
    span = [first.announced_at or 0.0, *times, until]
    gap = max((b - a for a, b in pairwise(span)), default=0.0)
    ended = first.hangup_at or (first.end.at if first.end.by == "server" else None)
    served = bool(second.audio) or (not first.audio and second.end.by == "peer")
    found = Features(
        two_calls=served and second.connected_at is not None,
        speaks_first=bool(sound_before),
        sends_always=bool(times) and gap < 1.0,
        echoes=echoes,
        answers=answer is not None and not echoes,
        hangs_up=ended is not None,
        lives=None if ended is None else ended - (first.announced_at or 0.0),
        answer_seconds=_ANSWER_SECONDS if answer is None else min(15.0, (answer.ended or 0.0) - words.ended + 3.0),
    )
    return _with_stated(found, stated)


def after_later(calls: tuple[SeenCall, ...], known: Features) -> Features:
    """Return the features after the later calls too."""
    by_name = {call.script.name: call for call in calls}
    key, wide = by_name["a key"], by_name["16 kHz"]
    pressed = next((done for done in key.done if isinstance(done.action, Send)), None)
    takes_keys = pressed is not None and any(
        is_sound(m.payload) and (m.ended or 0.0) > pressed.began for m in key.audio
    )
    wideband = any(m.kind in AUDIO_KINDS and m.kind != Kind.SLIN8 for m in wide.audio)
    lives = [
        end - (call.announced_at or 0.0)
        for call in calls
        if (end := call.hangup_at or (call.end.at if call.end.by == "server" else None)) is not None
    ]
    ends = [*lives, *([] if known.lives is None else [known.lives])]
    found = replace(known, takes_keys=takes_keys, wideband=wideband, lives=min(ends, default=None))
    return _with_stated(found, known)


def _with_stated(found: Features, stated: Features) -> Features:
    kept = {name: getattr(stated, name) for name in stated.stated}
    return replace(found, roles=stated.roles, stated=stated.stated, **kept)
