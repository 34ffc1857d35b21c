"""Whole calls in virtual time with nothing wrong in them: is the bot accused of anything?

The bot is the reference server; its voice is drawn anew for each call (the project's, and all that Debian's packages
of prompts have put under /usr/share/asterisk/sounds), with its level and the codec that it went through; so are the
caller's line and phone, Asterisk's version, and what happens: hold audio, an interruption, who ends the call and when.
The seed of a call is its number. A caller is as loud all the time: the server takes a softer voice that interrupts for
somebody else in the room (`endpointing.other_voice_db`), and goes on, unless it sounds like him. How many interruptions
that costs is seen with `BENCHMARKS_CLEAN_AS_LOUD_DB=100`: then he speaks any sentence, in another voice too.
"""

import io
import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ruamel.yaml import YAML

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.phone.surroundings import active_dbfs
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.result import Outcome, Result
from audiosocket_sim.running.runner import run as run_scenario
from audiosocket_sim.scenario import ASTERISK_VERSIONS
from audiosocket_sim.scenario.loading import load_text
from benchmarks.clean_voice import SOUNDS
from benchmarks.damage import CODECS, Voice, at_level, read_voices
from benchmarks.machine import PROJECT, Elapsed, pin
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "calls without a fault, in many voices, that the judge finds a fault in"
FROM, COUNT = "BENCHMARKS_CLEAN_FROM", "BENCHMARKS_CLEAN_COUNT"
PAUSE_SECONDS = 0.7
SHOWN = 12  # accused calls, one by one
AS_LOUD = "BENCHMARKS_CLEAN_AS_LOUD_DB"
LOUDEST_DBFS, SOFTEST_DBFS = -10, -35


def run(quick: bool) -> list[Row]:
    pin(0)
    first, count = int(os.environ.get(FROM, "0")), int(os.environ.get(COUNT, "50" if quick else "1000"))
    spoken_by = read_voices(40)
    recordings = PhraseBook.load(PROJECT / "recordings").phrases
    says = {phrase.name: level for phrase in recordings if (level := active_dbfs(phrase.pcm, 8000)) is not None}
    elapsed, seconds = Elapsed(), 0.0
    accused: list[tuple[int, str, Result]] = []
    heard: Counter[str] = Counter()
    for seed in range(first, first + count):
        voice, result = make_call(seed, spoken_by, says)
        heard[voice.partition(",")[0]] += 1
        seconds += result.duration_ms / 1000
        if result.outcome is not Outcome.PASSED:
            accused.append((seed, voice, result))
    rows = [
        Row("voices", len(heard), "", ", ".join(f"{voice} {calls}" for voice, calls in sorted(heard.items()))),
        Row("good calls accused", len(accused), "", f"of {count}, from seed {first} on", "0", not accused),
        Row("times real time", seconds / elapsed.cpu, "", f"{seconds:,.0f} s of call in {elapsed.cpu:.0f} s of CPU"),
    ]
    return rows + [
        Row(f"  seed {seed}", int(result.outcome), "", f"{voice}: {_why(result)}")
        for seed, voice, result in accused[:SHOWN]
    ]


def make_call(seed: int, spoken_by: Sequence[Voice], says: Mapping[str, float]) -> tuple[str, Result]:
    """Make the call of a seed. `says`: what callers say, and how loud it is, in dBFS. Returns the bot's voice and the
    result."""
    draw = random.Random(seed)
    voice = draw.choice(spoken_by)
    codec = draw.choice(sorted(CODECS))
    level = draw.uniform(SOFTEST_DBFS, LOUDEST_DBFS)
    SOUNDS.clear()
    sounds = draw.sample(range(len(voice.sentences)), 4)
    SOUNDS.update({str(n): CODECS[codec](at_level(voice.sentences[of], level)) for n, of in enumerate(sounds)})
    scenario = load_text(_as_yaml(_call(draw, says)), name=f"clean_{seed}")
    return f"{voice.name}, {codec}, {level:.0f} dBFS", run_scenario(scenario, Options(trust=True))


def _call(draw: random.Random, says: Mapping[str, float]) -> Mapping[str, Any]:
    interrupts = draw.random() < 0.3
    waits = not interrupts and draw.random() < 0.3
    server_ends = draw.random() < 0.5
    line: dict[str, Any] = {"codec": draw.choice(["ulaw", "alaw", "gsm", "none"]), "seed": draw.randrange(1000)}
    if draw.random() < 0.7:
        line["noise_dbfs"] = draw.randint(-75, -52)
    if not interrupts and draw.random() < 0.2:  # an echo would interrupt, too
        line["echo"] = {"delay": f"{draw.randint(40, 200)}ms", "gain_db": draw.randint(-40, -20)}
    asterisk: dict[str, Any] = {"version": draw.choice(ASTERISK_VERSIONS)}
    if draw.random() < 0.3:
        asterisk["jitter"] = {"up_to": f"{draw.randint(20, 120)}ms", "seed": draw.randrange(1000)}
    if draw.random() < 0.3:
        asterisk["packet_time"] = draw.choice(
            ["40ms", "60ms"] if line["codec"] == "gsm" else ["10ms", "30ms", "40ms", "60ms"]
        )
    answer: dict[str, Any] = {"says": "1", "after": f"{draw.randint(50, 2500)}ms", "set_call_status": "USER_TURN"}
    if waits:
        answer["set_call_status"] = "WAITING"
        after = len(SOUNDS["1"]) // 16_000 + draw.randint(6, 14)  # hold audio begins 3 s after the answer
        answer["then_pushes"] = [{"after": f"{after}s", "says": "2", "set_call_status": "USER_TURN"}]
    farewell = {"says": "3", "after": f"{draw.randint(50, 1500)}ms", "set_call_status": "STANDBY"}
    return {
        "summary": "A call with nothing wrong in it.",
        "asterisk": asterisk,
        "line": line,
        "server": {
            "speech": {"engine": "benchmarks.clean_voice:load"},
            "greeting": {"message": "0"},
            "system": {"silence_threshold_seconds": PAUSE_SECONDS, "barge_in": interrupts},
        },
        "ai": [answer, farewell] if server_ends or interrupts else [answer],
        "steps": list(_steps(draw, says, interrupts=interrupts, waits=waits, server_ends=server_ends)),
    }


def _steps(
    draw: random.Random, says: Mapping[str, float], *, interrupts: bool, waits: bool, server_ends: bool
) -> Iterator[Mapping[str, Any]]:
    yield {"expect": {"bot_speaks": "60ms", "within": "5s"}}
    first = draw.choice(list(says))
    as_loud_db = float(os.environ.get(AS_LOUD, "2"))
    as_loud = [name for name, level in says.items() if abs(level - says[first]) <= as_loud_db]
    yield {"say": first}
    yield {"expect": {"bot_speaks": "60ms", "within": "8s"}}
    if waits:
        yield {"expect": {"hold_audio": "playing", "within": "15s"}}
        yield {"expect": {"bot_speaks": "60ms", "within": "20s"}}
    if interrupts:
        yield {"say": draw.choice(as_loud), "after": "0ms"}
    elif server_ends:
        yield {"say": draw.choice(as_loud)}
    if interrupts or server_ends:
        yield {"expect": {"bot_speaks": "60ms", "within": "8s"}}
    if server_ends:
        yield {"expect": {"hangs_up": {"who": "server", "last_word": "heard"}, "within": "15s"}}
    else:
        if draw.random() < 0.5:
            yield {"expect": {"bot_silent": "500ms", "within": "15s"}}
        yield {"hang_up": draw.choice(["close", "reset"])}


def _as_yaml(call: Mapping[str, Any]) -> str:
    written = io.StringIO()
    YAML(typ="safe").dump(dict(call), written)
    return written.getvalue()


def _why(result: Result) -> str:
    return "; ".join(result.problems)[:300]
