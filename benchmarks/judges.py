"""An outside judge: another project's scorer over our recordings, held against what we measured of the same calls.

`hotato check call.wav` (PyPI: hotato, MIT) reads a stereo file by its energy alone: caller left, bot right, as ours.
It is no part of this project: install it in a virtual environment of its own, and name its program in
BENCHMARKS_HOTATO, or put it on the path. What it says is paired with what `call_turns` rests on: the caller's side is
known to the sample, and the bot's sentences are known, so that for each case it can be said who is right.
"""

import json
import os
import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audiosocket_sim.call_log.events import Entry
from audiosocket_sim.call_log.voices import bot_voice, caller_voice, over_ms
from audiosocket_sim.running.runner import Options
from audiosocket_sim.running.runner import run as run_scenario
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load, load_text
from audiosocket_sim.turn_taking import (
    SOUND_LABELS,
    VoiceSegment,
    false_stops,
    premature_starts,
    responses,
    turns_of,
    yields,
)
from benchmarks.machine import PROJECT, Unavailable
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "another project's scorer over our recordings: where it and we disagree, and who is right"
CALLS, QUICK_CALLS = 50, 8
_PROGRAM = "BENCHMARKS_HOTATO"
_LONG_WAIT_MS = 2000
"""It reports waits from here on."""
_NEAR_MS = 500
_SAME_WAIT_MS = 300
_MOST_PLACES = 4
_SOUNDS = (
    *("aham_dora", "sei_alex", "isso_alto", "cough_low", "cough_high", "breath_middle", "laugh_middle"),
    *("dog_large", "dog_small", "door_knock", "television_news", "talker_b"),
)
_OVER_A_SOUND = """
summary: A sound that is no turn, over the bot's answer.
server: {{system: {{barge_in: true, silence_threshold_seconds: 1.0}}}}
ai: [{{says: "O apartamento não atendeu, deseja deixar um recado?", set_call_status: USER_TURN, times: 3}}]
steps:
  - expect: {{bot_says: "Condomínio Apoena, em que posso ajudar?", within: 4s}}
  - say: pt-br/boa_tarde_vim_visitar_a_dona
  - expect: {{bot_speaks: {{at_least: 800ms}}, within: 6s}}
  - say: sounds/{sound}
    after: 0ms
  - wait: 8s
"""


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a judge says of a call: what, when (ms), and how long it lasted (ms), if that is measured."""

    what: str
    at_ms: int
    ms: int | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that one or both said. `why`: what the sounds themselves say of it."""

    who: str
    what: str
    why: str
    place: str


def run(quick: bool = False) -> list[Row]:
    program = os.environ.get(_PROGRAM) or shutil.which("hotato")
    if program is None:
        raise Unavailable(
            f"hotato is not here: pip install hotato in an environment of its own, and name it in {_PROGRAM}"
        )
    cases: list[Case] = []
    judged = refused = 0
    with tempfile.TemporaryDirectory() as folder:
        for scenario in _scenarios():
            if judged == (QUICK_CALLS if quick else CALLS):
                break
            result = run_scenario(scenario, Options(target="audiosocket_server:serve", artefacts=Path(folder) / "call"))
            files = result.artefacts
            theirs = None if files is None or files.recording is None else _theirs(program, files.recording)
            if theirs is None:
                refused += 1
                continue
            judged += 1
            cases += _cases(scenario.name, result.entries, theirs)
    return [*_rows(cases), Row("calls judged", judged, "calls", f"{refused} others it refused: a side without speech")]


def _scenarios() -> Iterator[Scenario]:
    folder = PROJECT / "scenarios"
    for sound in _SOUNDS:
        yield load_text(_OVER_A_SOUND.format(sound=sound), f"over_{sound}", folder=folder)
    for path in sorted(folder.glob("*.yaml")):
        yield load(path)


def _theirs(program: str, recording: Path) -> list[Said] | None:
    """What the outside judge says of a recording; None if it refuses it."""
    done = subprocess.run(
        [program, "check", str(recording), "--format", "json"],
        capture_output=True,
        text=True,
        cwd=recording.parent,
        check=False,
    )
    found = json.loads(done.stdout or done.stderr)
    if found.get("error_code") is not None:
        return None
    said = []
    for incident in found["incidents"]:
        measured = incident["measurements"]
        seconds = measured.get("gap_sec", measured.get("overlap_sec", measured.get("trailing_silence_sec")))
        at_ms, ms = round(incident["t_sec"] * 1000), None if seconds is None else round(seconds * 1000)
        said.append(Said(incident["scan_kind"], at_ms, ms))
    return said


_KINDS = {
    "long_response_gap": "a wait of 2 s and more",
    "overlap_while_agent_talking": "the caller over the bot",
    "agent_start_during_caller": "the bot over the caller",
    "agent_stop_no_caller": "a stop that no caller caused",
    "echo_correlated_activity": "an echo",
}


def _ours(entries: Sequence[Entry]) -> list[Said]:
    caller, bot, until_ms = caller_voice(entries), bot_voice(entries), over_ms(entries)
    waits = responses(caller, bot, until_ms)
    said = [
        Said("long_response_gap", one.from_ms, one.wait_ms)
        for one in waits
        if one.outcome == "no_response" or (one.wait_ms or 0) >= _LONG_WAIT_MS
    ]
    said += [Said("overlap_while_agent_talking", one.onset_ms) for one in yields(caller, bot, until_ms)]
    said += [Said("agent_start_during_caller", one.start_ms) for one in premature_starts(caller, bot)]
    return said + [Said("agent_stop_no_caller", one.at_ms) for one in false_stops(caller, bot, until_ms)]


def _cases(name: str, entries: Sequence[Entry], theirs: Sequence[Said]) -> Iterator[Case]:
    ours = _ours(entries)
    for one in theirs:
        place = f"{name} {one.at_ms / 1000:.1f}"
        match = next((own for own in ours if own.what == one.what and abs(own.at_ms - one.at_ms) <= _NEAR_MS), None)
        if match is None:
            yield Case("only it", _KINDS[one.what], _why(one, entries), place)
            continue
        ours.remove(match)
        differ = one.what == "long_response_gap" and abs((match.ms or 0) - (one.ms or 0)) > _SAME_WAIT_MS
        ms = "never" if match.ms is None else f"{match.ms / 1000:.2f} s"
        why = f"another length: {(one.ms or 0) / 1000:.2f} s, by us {ms}" if differ else ""
        yield Case("both", _KINDS[one.what], why, place)
    for own in ours:
        yield Case("only we", _KINDS[own.what], _why(own, entries), f"{name} {own.at_ms / 1000:.1f}")


def _why(said: Said, entries: Sequence[Entry]) -> str:
    """What was there at that time, by the caller's own samples and the bot's known sentences."""
    caller, bot, until_ms = caller_voice(entries), bot_voice(entries), over_ms(entries)
    sound = _beside(said.at_ms, [part for part in caller if part.label in SOUND_LABELS])
    if sound is not None:
        return f"beside a sound that is no turn ({sound.label})"
    keys = _beside(said.at_ms, [part for part in caller if part.label == "keys"])
    if keys is not None:
        return "beside a key"
    ended = [part for part in bot if abs(part.end_ms - said.at_ms) <= _NEAR_MS]
    if ended and said.at_ms + _NEAR_MS >= until_ms:
        return "the call ended"
    if ended and said.what == "agent_stop_no_caller":
        last = ended[-1]
        if last.label == "hold":
            return "hold audio was over"
        if last.whole is None:
            return "the voice cannot be read"
        return "the sentence was over" if last.whole else "a pause in the sentence, or its stop"
    if said.what == "long_response_gap" and any(abs(part.end_ms - said.at_ms) <= _NEAR_MS for part in caller):
        return _why_no_wait(said, caller, bot)
    turn = _beside(said.at_ms, [part for part in caller if part.label == "speech"])
    return "in the caller's turn" if turn is not None else "neither's speech begins or ends there"


def _why_no_wait(said: Said, caller: Sequence[VoiceSegment], bot: Sequence[VoiceSegment]) -> str:
    after = [turn for turn in turns_of(caller) if turn.start_ms > said.at_ms - _NEAR_MS]
    held = [part for part in bot if part.label == "hold" and part.start_ms > said.at_ms]
    answer = next((part.start_ms for part in bot if part.label == "speech" and part.start_ms > said.at_ms), None)
    if held and (answer is None or held[0].start_ms < answer):
        return "hold audio came first"
    if after and (answer is None or after[0].start_ms < answer):
        return "the caller went on after a pause"
    return "a wait at the 2 s bar"


def _beside(at_ms: int, parts: Sequence[VoiceSegment]) -> VoiceSegment | None:
    return next((part for part in parts if part.start_ms - _NEAR_MS <= at_ms <= part.end_ms + _NEAR_MS), None)


def _rows(cases: Sequence[Case]) -> list[Row]:
    grouped: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for case in cases:
        reason = case.why if not case.why.startswith("another length") else "another length"
        grouped[case.who, case.what, reason].append(
            case.place if reason != "another length" else f"{case.place} ({case.why.removeprefix('another length: ')})"
        )
    rows = []
    for (who, what, why), places in sorted(grouped.items(), key=lambda item: (item[0][0], -len(item[1]))):
        more = "" if len(places) <= _MOST_PLACES else f" and {len(places) - _MOST_PLACES} more"
        name = f"{who}: {what}" + (f", {why}" if why else "")
        rows.append(
            Row(name, len(places), "cases", "; ".join(places[:_MOST_PLACES]) + more if why or who != "both" else "")
        )
    return rows
