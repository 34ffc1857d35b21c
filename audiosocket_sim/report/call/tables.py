"""The tables below the lanes: transcript, latency of each turn by stage, turn-taking, wire, environment. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audiosocket_sim.call_log.events import (
    BotSpoke,
    CallEnded,
    CallerSpoke,
    Entry,
    MessageCount,
    StageTook,
    StepFailed,
    WireSummary,
)
from audiosocket_sim.call_log.transcript import is_shown, line_of, visible, words_of
from audiosocket_sim.call_log.voices import bot_voice, caller_voice, over_ms
from audiosocket_sim.report.call.speech_notes import HowHeard, heard_whole, note_of
from audiosocket_sim.report.saved.saved_call import SavedCall
from audiosocket_sim.turn_taking import responses

__all__ = ["STAGES", "LatencyRow", "TranscriptRow", "environment_rows", "latency_rows", "transcript_rows", "wire_rows"]

STAGES = ("endpoint", "recognition", "backend", "first_audio")
"""The stages of an answer, in their order, as a target reports them."""
_KINDS = {0x00: "hang-up", 0x01: "UUID", 0x03: "key (DTMF)", 0x10: "audio, 8 kHz", 0xFF: "error"}


@dataclass(frozen=True, slots=True)
class TranscriptRow:
    """One event: when, who (`caller`, `bot`, …), what, a note, and how it is shown (`caller`, `bot`, `bad`, …)."""

    at_ms: int
    who: str
    what: str
    note: str
    tone: str


@dataclass(frozen=True, slots=True)
class LatencyRow:
    """How one turn of the caller was answered: from the end of its last word, how long each stage took, and the wait as
    it was heard; None: not known, or not answered. `unmeasured`: work of the bot took no virtual time."""

    from_ms: int
    words: str
    stages_ms: Mapping[str, int]
    wait_ms: int | None
    outcome: str
    unmeasured: bool


def transcript_rows(entries: Sequence[Entry]) -> list[TranscriptRow]:
    """Return a row for each event that the transcript shows."""
    rows, heard = [], heard_whole(entries)
    for entry in entries:
        if is_shown(entry):
            who, what, note = words_of(entry.event)
            note = note_of(entry, note, heard)
            rows.append(TranscriptRow(entry.at_ms, who, visible(what), visible(note), _tone(entry, who, heard)))
    return rows


def _tone(entry: Entry, who: str, heard: Mapping[int, HowHeard]) -> str:
    is_cut = heard.get(entry.number, "whole") in ("cut_off", "pieces")
    if isinstance(entry.event, StepFailed) or who == "defect" or is_cut:
        return "bad"
    return {"caller": "caller", "bot": "bot", "hold": "wait", "backend": "note", "heard": "note"}.get(who, "rest")


_ANSWERS = {
    "answered": "",
    "spoke_again": "the caller spoke again first",
    "no_response": "never answered",
    "call_over": "the call was over first",
}


def latency_rows(entries: Sequence[Entry]) -> list[LatencyRow]:
    """Return a row for each turn of the caller that asks for an answer."""
    caller, bot, end = caller_voice(entries), bot_voice(entries), over_ms(entries)
    unmeasured = {one.at_ms for one in entries if isinstance(one.event, BotSpoke) and not one.event.wait_measured}
    spoken = [
        (one.at_ms, one.event.text or one.event.recording or "")
        for one in entries
        if isinstance(one.event, CallerSpoke)
    ]
    rows = []
    answers = responses(caller, bot, end)
    for index, answer in enumerate(answers):
        until = answers[index + 1].from_ms if index + 1 < len(answers) else end + 1
        stages = {
            one.event.stage: one.event.duration_ms
            for one in entries
            if isinstance(one.event, StageTook) and answer.from_ms <= one.at_ms < until
        }
        said = [words for at_ms, words in spoken if at_ms <= answer.from_ms]
        first_ms = answer.from_ms + (answer.wait_ms or 0)
        is_unmeasured = answer.wait_ms is not None and first_ms in unmeasured
        words = visible(said[-1]) if said else ""
        rows.append(LatencyRow(answer.from_ms, words, stages, answer.wait_ms, _ANSWERS[answer.outcome], is_unmeasured))
    return rows


def wire_rows(entries: Sequence[Entry]) -> list[tuple[str, str]]:
    """Return what went over the wire as pairs of words; empty if it is not known."""
    found: list[tuple[str, str]] = []
    for entry in entries:
        match entry.event:
            case WireSummary() as wire:
                found += [(f"from the bot: {_kind(one)}", _count(one)) for one in wire.from_server]
                found += [(f"to the bot: {_kind(one)}", _count(one)) for one in wire.to_server]
                loudest = "digital silence only" if wire.loudest_dbfs is None else f"{wire.loudest_dbfs:g} dBFS"
                found.append(("loudest sample that reached the phone", loudest.replace("-", "−")))
            case CallEnded():
                found.append(("the end", line_of(entry).split("end", 1)[-1].strip()))
    return found


def _kind(count: MessageCount) -> str:
    name = _KINDS.get(count.kind, f"audio, {_rate(count.kind)} kHz" if 0x11 <= count.kind <= 0x18 else "another kind")
    return f"{name} (0x{count.kind:02x})" if 0 <= count.kind <= 0xFF else "another kind"


def _rate(kind: int) -> str:
    return {0x11: "12", 0x12: "16", 0x13: "24", 0x14: "32", 0x15: "44.1", 0x16: "48", 0x17: "96", 0x18: "192"}[kind]


def _count(count: MessageCount) -> str:
    sizes = f"{count.shortest_bytes}"
    if count.longest_bytes != count.shortest_bytes:
        sizes += f" to {count.longest_bytes}"
    return f"{count.messages:,} message{'s' if count.messages != 1 else ''} of {sizes} bytes"


_NAMES = {
    "target": "bot (target)",
    "target_origin": "who named it",
    "clock": "clock",
    "peer": "who called",
    "asterisk": "Asterisk",
    "ear": "the caller's phone",
    "seed": "seed of the network",
    "simulator": "simulator",
    "python": "Python",
    "system": "machine",
}


def environment_rows(call: SavedCall) -> list[tuple[str, str]]:
    """Return the environment of a call as pairs of words."""
    found = [(name, visible(_plain(call.environment[key]))) for key, name in _NAMES.items() if key in call.environment]
    packages = call.environment.get("packages")
    if isinstance(packages, dict):
        found += [(visible(str(name)), visible(_plain(version))) for name, version in list(packages.items())[:50]]
    found += [(key, str(value)) for key, value in call.seeds.items()]
    found += [(f"hash of the {key}", value[:16]) for key, value in call.hashes.items()]
    if call.own_lateness_ms:
        found.append(("this machine's own packets", f"up to {call.own_lateness_ms:.0f} ms late"))
    return found


def _plain(value: Any) -> str:
    return "none" if value is None else str(value)[:500]
