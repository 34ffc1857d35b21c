"""Redact a captured call: keep its course of events, and no word, digit or sound of it.

What is kept: when each side spoke and for how long, how many keys were pressed and when, statuses, faults, and how the
call ended. The redacted call is built anew from these facts and nothing is copied from the bytes of the live call, so
that no field can be overlooked.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from audiosocket_core.phrase_book.book import normalise
from audiosocket_core.slin import resample
from audiosocket_sim.live.captured_call.analysis import Analysis, KnownSounds, analyse, load_known_sounds
from audiosocket_sim.live.captured_call.model import (
    Answer,
    BotPacket,
    CapturedCall,
    CapturedPush,
    CapturedRecognition,
    CapturedUtterance,
    Exchange,
    Packet,
    ReportedState,
)
from audiosocket_sim.live.captured_call.tones import tone_pattern
from audiosocket_sim.live.captured_call.track import RATE_HZ
from audiosocket_sim.scenario.paths import PROJECT

__all__ = ["redact"]

_UUID = UUID("00000000-0000-4000-8000-000000000000")
_CONVERSATION = "conversation 1"
_TIMESTAMP = "2025-01-01T12:00:00"
_STATUSES = frozenset({"USER_TURN", "WAITING", "IA_TURN", "STANDBY"})
_OTHER_STATUS = "OTHER"
_BOT_PATTERNS = 1_000_000
"""The number of the bot's first tone pattern, so high that the caller's patterns never reach it."""
_BYTES_PER_MS = 2 * RATE_HZ // 1000
_FRAME_MS = 20
_HANG_OVER_MS = 100
"""How long a voice activity detector keeps marking speech after its end. The pattern is made shorter by this much,
since its own end will be extended in the same way."""
_SHORTEST_MS = 200


class _Labels:
    """Replaces each text by «utterance n»; the same text always gets the same number."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, text: str) -> str:
        key = normalise(text)
        return "" if not key else self._known.setdefault(key, f"utterance {len(self._known) + 1}")


def redact(call: CapturedCall, ear: KnownSounds | None = None) -> CapturedCall:
    """Return the call redacted.

    `ear` holds the prompts and the hold loop of the bot; None for the project's own. Blocks: run it in an executor.
    Raises PhraseBookError, AudioFileError.
    """
    ear = load_known_sounds(PROJECT) if ear is None else ear
    seen = analyse(call, ear)
    labels = _Labels()
    utterances = tuple(replace(u, text=None if u.text is None else labels.of(u.text)) for u in seen.utterances)
    return CapturedCall(
        uuid=_UUID,
        ending=call.ending,
        version=call.version,
        attach=call.attach,
        rate_hz=call.rate_hz,
        packet_time_ms=call.packet_time_ms,
        caller=_caller(call, seen, utterances),
        bot=_bot(call, seen, load_known_sounds(PROJECT).hold_pcm),
        keys=tuple(replace(key, digit="0") for key in call.keys),
        mutes=call.mutes,
        recognised=tuple(CapturedRecognition(r.at_ms, labels.of(r.text)) for r in call.recognised),
        states=tuple(ReportedState(s.at_ms, _status(s.before), _status(s.after)) for s in call.states),
        exchanges=tuple(_exchange(exchange, labels) for exchange in call.exchanges if exchange.raw is None),
        n_unredacted=sum(exchange.raw is not None for exchange in call.exchanges),
        pushes=tuple(CapturedPush(p.at_ms, _body(p.body, labels), p.http_status) for p in call.pushes),
        backend_captured=call.backend_captured,
        utterances=utterances,
        redacted=True,
    )


# --- sound


def _caller(call: CapturedCall, seen: Analysis, utterances: tuple[CapturedUtterance, ...]) -> tuple[Packet, ...]:
    """Return packets at the phone's packet time, with the same gaps: silence, and a tone pattern for each utterance."""
    length_ms = seen.track.end_ms
    sound = bytearray(length_ms * _BYTES_PER_MS)
    for number, u in enumerate(utterances, 1):
        _place(
            sound,
            u.speech_start_ms,
            tone_pattern(number, max(_SHORTEST_MS, u.speech_end_ms - u.speech_start_ms - _HANG_OVER_MS)),
        )
    first_ms = call.caller[0].at_ms if call.caller else 0
    packets: list[Packet] = []
    for at in range(first_ms, length_ms, call.packet_time_ms):
        if any(gap.start_ms <= at < gap.end_ms for gap in seen.track.gaps):
            continue
        piece = bytes(sound[at * _BYTES_PER_MS : (at + call.packet_time_ms) * _BYTES_PER_MS])
        packets.append(Packet(at, resample(piece, RATE_HZ, call.rate_hz)))
    return tuple(packets)


def _bot(call: CapturedCall, seen: Analysis, hold_pcm: bytes) -> tuple[BotPacket, ...]:
    """Return 20 ms frames from the bot's first sound to the end: silence, tone patterns, and the hold music."""
    end_ms = call.ending.at_ms
    sound = bytearray((end_ms + _FRAME_MS) * _BYTES_PER_MS)
    for hold in seen.bot.holds:
        n_bytes = (hold.end_ms - hold.start_ms) * _BYTES_PER_MS
        _place(sound, hold.start_ms, (hold_pcm * (n_bytes // max(1, len(hold_pcm)) + 1))[:n_bytes])
    for number, s in enumerate(seen.bot.sentences, _BOT_PATTERNS):
        _place(sound, s.start_ms, tone_pattern(number, s.length_ms))
    first_ms = call.bot[0].at_ms if call.bot else end_ms
    return tuple(
        BotPacket(at, RATE_HZ, bytes(sound[at * _BYTES_PER_MS : (at + _FRAME_MS) * _BYTES_PER_MS]))
        for at in range(first_ms, end_ms, _FRAME_MS)
    )


def _place(sound: bytearray, at_ms: int, pcm: bytes) -> None:
    """Overwrite `sound` with `pcm` from `at_ms` on; the length of `sound` stays the same."""
    start = max(0, at_ms) * _BYTES_PER_MS
    piece = pcm[: max(0, len(sound) - start)]
    sound[start : start + len(piece)] = piece


# --- words


def _exchange(exchange: Exchange, labels: _Labels) -> Exchange:
    answer = exchange.answer
    if answer is not None:
        body = None if answer.body is None else _body(answer.body, labels)
        answer = Answer(answer.at_ms, answer.http_status, body, answer.fault)
    return Exchange(exchange.at_ms, labels.of(exchange.text), _CONVERSATION, answer)


def _body(body: Mapping[str, Any], labels: _Labels) -> dict[str, Any]:
    """Return an answer with the same effect on a bot: its message and its status, each where it was, and no more."""
    written: dict[str, Any] = {"timestamp": _TIMESTAMP}
    content = body.get("content")
    if isinstance(content, Mapping):
        kept: dict[str, Any] = {}
        if "mensagem" in content:
            message = content["mensagem"]
            kept["mensagem"] = labels.of(message) if isinstance(message, str) else None
        if "set_call_status" in content:
            kept["set_call_status"] = _status(content["set_call_status"])
        written["content"] = {**kept, "dados": {}, "valid_for_action": False}
    if "set_call_status" in body:
        written["set_call_status"] = _status(body["set_call_status"])
    return written


def _status(status: object) -> str:
    return status if isinstance(status, str) and status in _STATUSES else _OTHER_STATUS
