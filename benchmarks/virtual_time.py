"""How fast virtual time runs: one call of 60 s, both directions, VAD on each frame, ten questions to the AI backend.

Everything is in the path that a scenario has (the simulated Asterisk, the phone line's codec, the whole server, the AI
backend behind uvicorn and real HTTP) but the ear, which judges what the caller hears, and the scenario's steps. Timed
is all of it: loop, server and backend are made, the call is made, and everything is closed. In a process that has done
it before: modules, phrase books and prompts are there.
"""

import asyncio
import gc
import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from audiosocket_server.endpointing import WebRtcVad
from audiosocket_server.listener import serve

from audiosocket_core.phrase_book.book import Phrase, PhraseBook
from audiosocket_sim.asterisk import CallLeg
from audiosocket_sim.asterisk.profiles import profile
from audiosocket_sim.mock_ai.backend import MockAi
from audiosocket_sim.phone.caller import Caller, Sound
from audiosocket_sim.phone.line import LineModel
from audiosocket_sim.scenario import Reply
from audiosocket_sim.virtual_time import new_loop
from benchmarks.machine import PROJECT, Elapsed, pin
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "a call of 60 s on the virtual clock, in times real time"

CALL_SECONDS = 60.0
TURNS = 10
FIRST_TURN_SECONDS = 5.8
TURN_SECONDS = 5.4
THINKS = "350ms"
REPEATS = 15

NULL, EMBEDDED = "benchmarks.engine:load", "embedded"
_TARGETS = {("kernel", NULL): 600, ("memory", NULL): 900}
_SAYS = "pt-br/apartamento_202"
_ANSWER = "Qual é o seu nome?"


@dataclass(frozen=True, slots=True)
class _Counted:
    """What went over the wire: proof that it was the call that is meant."""

    sent: int
    received: int
    questions: int


def run(quick: bool = False) -> list[Row]:
    """Each set-up on one core, `REPEATS` times, interleaved; medians."""
    pin(0)
    says = PhraseBook.load(PROJECT / "recordings").by_name(_SAYS)
    assert says is not None
    kinds = [(network, engine) for engine in (NULL, EMBEDDED) for network in ("memory", "kernel")]
    detector: list[float] = []
    wall: dict[tuple[str, str], list[float]] = {kind: [] for kind in kinds}
    cpu: dict[tuple[str, str], list[float]] = {kind: [] for kind in kinds}
    for repeat in range((3 if quick else REPEATS) + 1):
        detector.append(_detector_alone(says))
        for kind in kinds:
            gc.collect()
            elapsed = Elapsed()
            with asyncio.Runner(loop_factory=_loop(kind[0])) as runner:
                counted = runner.run(_call(says, kind[1]))
            if repeat:  # the first one warms up
                wall[kind].append(elapsed.wall)
                cpu[kind].append(elapsed.cpu)
            assert counted == _Counted(2999, 3000, TURNS), counted
    rows = [_row(kind, statistics.median(wall[kind]), statistics.median(cpu[kind])) for kind in kinds]
    note = "of the same frames, in the same minutes: how fast the machine is just now"
    return [*rows, Row("the detector alone", 1000 * statistics.median(detector), "ms", note)]


def _detector_alone(says: Phrase) -> float:
    """Processor seconds for as many frames of speech as the call has, without anything around them."""
    is_speech = WebRtcVad(2).is_speech
    frames = [says.pcm[at : at + 320] for at in range(0, len(says.pcm) - 320, 320)]
    elapsed = Elapsed()
    for number in range(round(CALL_SECONDS * 50)):
        is_speech(frames[number % len(frames)])
    return elapsed.cpu


def _row(kind: tuple[str, str], wall: float, cpu: float) -> Row:
    network, engine = kind
    words = {"memory": "in memory", "kernel": "kernel loopback", NULL: "no recogniser", EMBEDDED: "embedded matcher"}
    target = _TARGETS.get(kind)
    speed = CALL_SECONDS / cpu
    note = f"{1000 * cpu:.0f} ms of CPU; {CALL_SECONDS / wall:.0f} times by the wall clock"
    goal, met = ("", None) if target is None else (f">= {target}", speed >= target)
    return Row(f"{words[network]}, {words[engine]}", speed, "times", note, goal, met)


def _loop(network: str) -> Callable[[], asyncio.AbstractEventLoop]:
    return lambda: new_loop(memory_network=network == "memory")


async def _call(says: Phrase, engine: str) -> _Counted:
    loop = asyncio.get_running_loop()
    events: list[object] = []
    reply = {"after": THINKS, "says": _ANSWER, "set_call_status": "USER_TURN", "times": TURNS}
    ai = MockAi([Reply.model_validate(reply)], events.append, _no_push)
    url = await ai.start()
    settings = {
        "speech": {"engine": engine},
        "system": {"silence_threshold_seconds": 0.8},
        "ai": {"api_url": url},
    }
    server = await serve(settings=settings)
    caller = Caller(LineModel("ulaw"), 8000, loop.time)
    received = 0

    def on_bot_audio(at: float, rate_hz: int, payload: bytes) -> None:
        nonlocal received
        received += 1

    leg = CallLeg(profile("22.10", "app"), UUID(int=1), source=caller.source, on_bot_audio=on_bot_audio)
    await leg.connect(server.host, server.port)
    assert leg.t0 is not None
    for turn in range(TURNS):
        at = leg.t0 + FIRST_TURN_SECONDS + turn * TURN_SECONDS
        loop.call_at(at, caller.play, Sound(says.pcm, _nothing, _nothing))
    loop.call_at(leg.t0 + CALL_SECONDS - 0.001, leg.hang_up)
    await leg.wait_ended()
    await server.close()
    await ai.aclose()
    assert not ai.failures, ai.failures
    return _Counted(len(caller.sent), received, sum(type(event).__name__ == "BackendAsked" for event in events))


async def _no_push(conversation_id: str, body: dict[str, Any]) -> int:
    raise AssertionError("no reply pushes")


def _nothing(at: float) -> None:
    """When the sound begins and ends is not of interest here."""
