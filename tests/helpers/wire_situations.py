"""The situations that `test_situations` plays by a real and by the simulated Asterisk, by name."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import numpy as np

from audiosocket_core.messages import RATE_HZ
from audiosocket_sim.asterisk import CallLeg
from audiosocket_sim.asterisk_real import RealAsterisk
from helpers.fidelity_bench import FRAME, ID, Session
from helpers.real_situations import Situation, paced

__all__ = ["ALL_SAMPLES", "BURST_FRAMES", "KEYS", "SITUATIONS", "TONE_FRAMES"]

KEYS = "12#"
BURST_FRAMES = 3250
"""65 s."""
ALL_SAMPLES = np.arange(-32768, 32768).astype("<i2").tobytes() + bytes(2 * 64)
"""Each 16-bit sample once, in whole frames of 160."""
TONE_FRAMES = 10
_TONE_HZ = 440


def _frames(pcm: bytes, size: int = 320) -> list[bytes]:
    return [pcm[at : at + size] for at in range(0, len(pcm), size)]


def _streams(seconds: float) -> Callable[[Session], None]:
    return lambda session: session.talk(seconds)


def _closes_after(data: bytes) -> Callable[[Session], None]:
    def script(session: Session) -> None:
        session.write_at(0.5, data)
        session.at(0.6, session.transport.close)

    return script


def _is_deaf(session: Session) -> None:
    """Does not read for 10 s, and then reads on."""
    session.at(0.5, session.transport.pause_reading)
    session.at(10.5, session.transport.resume_reading)


def _kinds_in_turn(session: Session) -> None:
    """The same tone as each kind of audio, ten frames of it, and then 00 00 00."""
    at = 0.2
    for kind, rate_hz in RATE_HZ.items():
        samples = np.arange(TONE_FRAMES * rate_hz // 50)
        tone = (8000 * np.sin(2 * np.pi * _TONE_HZ * samples / rate_hz)).astype("<i2").tobytes()
        for frame in _frames(tone, 2 * rate_hz // 50):
            session.write_at(at, bytes([kind]) + len(frame).to_bytes(2, "big") + frame)
            at += 0.02
    session.write_at(at, b"\0\0\0")


async def _redirects(asterisk: RealAsterisk, name: str, channel: str) -> None:
    await asyncio.sleep(2.0)
    asterisk.send(f"channel redirect {channel} {name},elsewhere,1")


async def _sends_keys(asterisk: RealAsterisk, name: str, channel: str) -> None:
    await asyncio.sleep(0.5)
    asterisk.send(f"dialplan set global KEYS {KEYS}")
    asterisk.send(f"channel originate Local/keys@{name}-keyed/n application NoOp")


def _presses(keys: Sequence[str]) -> Callable[[CallLeg], Coroutine[Any, Any, None]]:
    async def press(leg: CallLeg) -> None:
        await asyncio.sleep(0.5)
        for key in keys:
            await leg.press(key)

    return press


_CHAN = "Dial(AudioSocket/{{server}}/{{uuid}}/c({0}),,g{1})"
_SECOND_UUID = b"\x01\x00\x10" + ID.bytes


def _chan(coding: str = "slin", options: str = "", **others: Any) -> Situation:
    return Situation(attach="chan", bot=_CHAN.format(coding, options), **others)


SITUATIONS: dict[str, Situation] = {
    "frames_of_60_ms": Situation(_streams(1), hang_up_at=2.0, packet_time_ms=60),
    "a_phone_that_talks_already": Situation(first="Wait(0.5)", hang_up_at=1.0),
    "closes_after_1_header_byte": Situation(_closes_after(b"\x10"), hang_up_at=8.0),
    "closes_after_2_header_bytes": Situation(_closes_after(b"\x10\x01"), hang_up_at=8.0),
    "chan_closes_after_1_header_byte": _chan(script=_closes_after(b"\x10"), hang_up_at=8.0),
    "chan_closes_after_2_header_bytes": _chan(script=_closes_after(b"\x10\x01"), hang_up_at=8.0),
    "keys_while_the_server_streams": Situation(
        _streams(6), hang_up_at=8.0, keyed=True, meanwhile=_sends_keys, simulated={"meanwhile": _presses(KEYS)}
    ),
    "server_stops_reading_for_10_s": Situation(_is_deaf, hang_up_at=11.5),
    "chan_server_stops_reading_for_10_s": _chan(script=_is_deaf, hang_up_at=11.5),
    "hangs_up_behind_a_burst_of_65_s": Situation(
        lambda session: session.write_at(0.5, FRAME * BURST_FRAMES + b"\0\0\0"), hang_up_at=15.0
    ),
    "redirected_in_mid_call": Situation(
        _streams(0.5), hang_up_at=8.0, meanwhile=_redirects, simulated={"hang_up_at": 2.0}
    ),
    "dial_with_a_limit_of_3_s": _chan(
        options="L(3000)", script=_streams(1), hang_up_at=8.0, simulated={"absolute_timeout_ms": 3000}
    ),
    "mixmonitor": Situation(_streams(1), hang_up_at=2.0, first="MixMonitor({folder}/mixmonitor.sln)"),
    "a_second_uuid": Situation(lambda session: session.write_at(0.5, _SECOND_UUID), hang_up_at=5.0),
    "chan_a_second_uuid": _chan(script=lambda session: session.write_at(0.5, _SECOND_UUID), hang_up_at=5.0),
    "c_slin16_with_kinds_in_turn": _chan("slin16", script=_kinds_in_turn, simulated={"rate_hz": 16000}),
    "timeout_absolute": Situation(
        _streams(1), hang_up_at=8.0, first="Set(TIMEOUT(absolute)=2.5)", simulated={"absolute_timeout_ms": 2500}
    ),
    "chan_timeout_absolute": _chan(
        script=_streams(1),
        hang_up_at=8.0,
        first="Set(TIMEOUT(absolute)=2.5)",
        simulated={"absolute_timeout_ms": 2500},
    ),
    "every_sample_to_the_phone": Situation(paced(_frames(ALL_SAMPLES)), hang_up_at=20.0),
}
"""A server's stream is over well before the call: a message that is on its way then would make a reset of the end."""
