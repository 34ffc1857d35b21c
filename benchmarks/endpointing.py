"""Endpointing over labelled sound: turns cut exactly once, false turns, delays and cost, for each detector and setting.

docs/speech.md shows what it found; `python -m benchmarks.endpointing_svg` draws the sweep.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.cutting import DETECTORS, Cost, Outcome, detector, judge, turns, verdicts
from benchmarks.echoes import LINES, callers_over_it, false_turns
from benchmarks.labelled import (
    CONDITIONS,
    LEAD_MS,
    PROMPTS,
    Utterance,
    composites,
    in_condition,
    no_speech,
    prompts,
    recordings,
)
from benchmarks.machine import Unavailable, pin
from benchmarks.report import Row

__all__ = ["ABOUT", "PAUSES_MS", "SILENCES_MS", "Heard", "hear", "outcomes", "run"]

ABOUT = "where turns begin and end: labelled speech in noise, other sounds, the bot's own echo"

SILENCES_MS = (500, 700, 1000, 2000)
PAUSES_MS = (300, 500, 700, 900, 1100, 1300, 1500)
TAIL_MS = 2800  # the longest silence, and time to be late
BEST = "silero 0.5"
GUARDED = ("webrtc 2", BEST)


@dataclass(frozen=True, slots=True)
class Heard:
    """One utterance in one condition, and what the detector says of each frame."""

    utterance: Utterance
    pcm: bytes
    told: Sequence[bool]


def hear(name: str, utterances: Sequence[Utterance], condition: str, cost: Cost) -> list[Heard]:
    """Ask the detector about all of them, each on a line of its own."""
    heard = []
    for seed, utterance in enumerate(utterances):
        pcm = in_condition(utterance.sound, condition, TAIL_MS, seed)
        heard.append(Heard(utterance, pcm, verdicts(detector(name), pcm, cost)))
    return heard


def outcomes(heard: Sequence[Heard], silence_ms: int) -> list[Outcome]:
    """Cut them with this threshold."""
    return [
        judge(
            turns(h.told, h.pcm, silence_ms), LEAD_MS + h.utterance.start_ms, LEAD_MS + h.utterance.end_ms, silence_ms
        )
        for h in heard
    ]


def run(quick: bool = False) -> list[Row]:
    pin(0)
    human = prompts(12 if quick else 3)
    speech = [*recordings(), *human]
    pausing = composites(speech, PAUSES_MS)
    names = list(_there(("webrtc 2", BEST) if quick else DETECTORS))
    cost = {name: Cost() for name in names}
    rows = [_about(speech, human)]
    for name in names:
        for condition in CONDITIONS:
            heard = hear(name, speech, condition, cost[name])
            rows += _turns(name, condition, heard)
        rows.append(_false(name))
    for name in names:
        heard = hear(name, pausing, "G.711, line noise", Cost())
        rows += [_early(name, silence_ms, outcomes(heard, silence_ms)) for silence_ms in SILENCES_MS]
    for name in names:
        rows.append(Row(f"{name}, a frame", cost[name].us_a_frame, "µs", "", "< 100", cost[name].us_a_frame < 100))
    for name in GUARDED:
        if name in names:
            rows += _echoes(name, 20 if quick else 60, 8 if quick else 30)
    return rows


def _there(names: Mapping[str, object] | Sequence[str]) -> Iterator[str]:
    """Those whose extra is installed."""
    for name in names:
        try:
            detector(name)
        except Unavailable as error:
            print(error)
        else:
            yield name


def _about(speech: Sequence[Utterance], human: Sequence[Utterance]) -> Row:
    seconds = sum(u.end_ms - u.start_ms for u in speech) / 1000
    note = f"{len(human)} of them human ({PROMPTS})"
    if not human:
        note = "synthetic voices only: asterisk-core-sounds-en-wav is not installed"
    return Row("utterances", len(speech), "", f"{seconds:.0f} s; {note}")


def _turns(name: str, condition: str, heard: Sequence[Heard]) -> Iterator[Row]:
    """At 700 ms of silence, the shortest that is meant to be used."""
    made = outcomes(heard, 700)
    once = [o for o in made if o.once]
    delays = (
        f"begins after {mean(o.start_ms for o in once):.0f} ms, ends after {mean(o.end_ms for o in once):.0f}"
        if once
        else ""
    )
    wrong = [
        f"{count} {what}"
        for count, what in (
            (sum(o.early for o in made), "cut in two or cut off"),
            (sum(o.false_turns for o in made), "false turns"),
            (sum(o.false_starts for o in made), "false starts"),
        )
        if count
    ]
    is_goal = name == BEST
    yield Row(
        f"{name}, {condition}: cut once",
        100 * len(once) / len(made),
        "%",
        "; ".join(filter(None, [f"{len(once)} of {len(made)}", delays, *wrong])),
        "100, no false turn" if is_goal else "",
        (len(once) == len(made) and not any(o.false_turns for o in made)) if is_goal else None,
    )


def _false(name: str) -> Row:
    """Sounds that are no speech."""
    opened = {}
    started = []
    sounds = no_speech()
    for sound, pcm in sounds.items():
        cut = turns(verdicts(detector(name), pcm, Cost()), pcm, 700)
        if any(not t.noise for t in cut):
            opened[sound] = sum(not t.noise for t in cut)
        elif cut:
            started.append(sound)
    note = ", ".join(f"{sound} ({count})" if count > 1 else sound for sound, count in opened.items())
    if started:
        note += f"{'; ' if note else ''}a start that is dropped again: {', '.join(started)}"
    is_goal = name == BEST
    return Row(
        f"{name}: of {len(sounds)} other sounds open a turn",
        len(opened),
        "",
        note,
        "0" if is_goal else "",
        not opened if is_goal else None,
    )


def _early(name: str, silence_ms: int, made: Sequence[Outcome]) -> Row:
    ends = [o.end_ms for o in made if o.once]
    note = f"{sum(o.early for o in made)} of {len(made)}"
    if ends:
        note += f"; a turn ends {mean(ends):.0f} ms after the last word"
    return Row(
        f"{name}, {silence_ms} ms, a pause of 0.3 to 1.5 s: cut off", 100 * mean(o.early for o in made), "%", note
    )


def _echoes(name: str, seconds: int, callers: int) -> Iterator[Row]:
    for line in LINES:
        plain = false_turns(name, line, seconds, guarded=False)
        guarded = false_turns(name, line, seconds, guarded=True)
        yield Row(
            f"{name}, echo {line.name}: false turns",
            60 * guarded.false_turns / seconds,
            "a minute",
            f"{60 * plain.false_turns / seconds:.0f} without the guard, which takes {guarded.guard.us_a_frame:.0f} µs",
        )
        over = callers_over_it(name, line, callers)
        soft = callers_over_it(name, line, callers, -10)
        later = f"{mean(over.later_ms):+.0f} ms later, {max(over.later_ms):+.0f} at most" if over.later_ms else ""
        yield Row(
            f"{name}, echo {line.name}: callers over it heard",
            100 * (1 - over.missed / over.callers),
            "%",
            f"{later}; 10 dB softer: {100 * (1 - soft.missed / soft.callers):.0f} %",
        )
