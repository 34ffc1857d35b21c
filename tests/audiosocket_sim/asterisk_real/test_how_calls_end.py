"""The endings that `check` judges, on every real Asterisk that is here: what the caller suffers is what the cases say.

All calls are made at the same time, on the real clock; nothing here asserts how fast anything was.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from helpers.fidelity_bench import FRAME, Session
from helpers.real_situations import Situation, WireCall, real_calls

from audiosocket_sim.asterisk.profiles import Attach
from audiosocket_sim.asterisk_real import Installation, installations
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.net.tcp_reset import reset

pytestmark = [pytest.mark.asterisk, pytest.mark.real_time, pytest.mark.timeout(300)]

GOODBYE = b"\0\0\0"
APP = "AudioSocket({uuid},{server})"
CHAN = "Dial(AudioSocket/{server}/{uuid}/c(slin),,g)"
WHY = {case.id: case.why for case in CASES}


@dataclass(frozen=True)
class Ending:
    """How the server ends the call, and what becomes of the caller. `case`, `says`: the case, and words of its `why`.

    `end`: how the server sees the end, where that is certain.
    """

    script: Callable[[Session], None]
    case: str
    says: str
    continues: bool
    end: str | None = None


def sends(*data: bytes, then: str = "") -> Callable[[Session], None]:
    """Half a second of audio, these bytes, and then what is named: `fin`, `reset`, or nothing."""

    def script(session: Session) -> None:
        session.talk(0.5)
        for piece in data:
            session.write_at(0.6, piece)
        if then == "fin":
            session.at(0.7, session.transport.write_eof)
        elif then == "reset":
            session.reset_at(0.7)

    return script


def goodbye_and_reset(session: Session) -> None:
    """Both at the same moment, as of a server that closes with the caller's sound unread."""
    session.talk(0.5)

    def end() -> None:
        session.transport.write(GOODBYE)
        reset(session.transport)

    session.at(0.6, end)


ENDINGS: Mapping[str, Ending] = {
    "goodbye_and_fin": Ending(sends(GOODBYE, then="fin"), "TD-11", "after 00 00 00 the dialplan can still help", True),
    "goodbye_alone": Ending(sends(GOODBYE), "TD-12", "after 00 00 00 the dialplan can take", True, "fin"),
    "fin_alone": Ending(sends(then="fin"), "TD-04", "to 20.13, 21.8 and 22.3 does not notice a FIN", True),
    "reset": Ending(sends(then="reset"), "TD-05", "Asterisk then hangs up on the caller", False),
    "reset_when_stopped": Ending(sends(then="reset"), "TD-12", "a reset hangs up on the caller", False),
    "error": Ending(sends(b"\xff\x00\x01\x04"), "TD-11", "on 0xff and on a reset Asterisk hangs up", False, "reset"),
    "audio_after_goodbye": Ending(sends(GOODBYE + FRAME), "TD-08", "its close becomes a reset", True, "reset"),
    "goodbye_with_a_payload": Ending(sends(b"\x00\x00\x01\x10"), "TD-08", "leaves unread what follows", True, "reset"),
    "goodbye_and_reset": Ending(goodbye_and_reset, "TD-06", "", True),
    "two_seconds_ahead": Ending(sends(FRAME * 100, GOODBYE), "TD-09", "plays nothing after 00 00 00", True, "fin"),
    "half_a_message_and_fin": Ending(sends(FRAME[:100], then="fin"), "TD-04", "", False),
}
CALLER_HANGS_UP = "the_caller_hangs_up"


def situations(attach: Attach) -> dict[str, Situation]:
    bot = CHAN if attach == "chan" else APP
    found = {
        f"{attach}_{name}": Situation(ending.script, hang_up_at=8.0, attach=attach, bot=bot)
        for name, ending in ENDINGS.items()
    }
    return found | {f"{attach}_{CALLER_HANGS_UP}": Situation(hang_up_at=1.0, attach=attach, bot=bot)}


async def played() -> dict[str, dict[str, WireCall]]:
    versions = {one.version: one for one in installations()}
    todo = situations("app") | situations("chan")
    calls = await asyncio.gather(*(real_calls(one, todo) for one in versions.values()))
    return dict(zip(versions, calls, strict=True))


def test_each_end_does_to_the_caller_what_its_case_says(installation: Installation) -> None:
    """After an error the application hangs up on the caller; of the channel driver, only its own channel ends, and
    `Dial` with the option g goes on (docs/protocol.md 4.3)."""
    wrong: list[str] = []
    for version, calls in asyncio.run(played()).items():
        for name, ending in ENDINGS.items():
            assert ending.says in WHY[ending.case]
            app, chan = calls[f"app_{name}"], calls[f"chan_{name}"]
            expected = "continues" if ending.continues else "ends"
            if app.outcome[2] != expected:
                wrong.append(f"{version} {name}: {app.outcome}, {app.reason}")
            if not any("@continues" in line for line in chan.lines):
                wrong.append(f"{version} {name}, chan: {chan.outcome}, {chan.reason}")
            for call in (app, chan):
                if ending.end not in (None, call.end):
                    wrong.append(f"{version} {name}: the server saw {call.end}")
        for attach in ("app", "chan"):
            call = calls[f"{attach}_{CALLER_HANGS_UP}"]
            assert {kind for kind, _ in call.shape} == {0x01, 0x10}, "neither 00 00 00 nor 0xff comes (TD-01)"
            assert (call.end, call.outcome[0]) == ("fin", "caller")
    assert wrong == []
