"""Servers that send the caller's sound back and do something at a key, each in its own way: no case blames any."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from planted.good_server import Call, beep
from planted.keeper import run, wrong
from planted.keys import SendsKeysBack
from planted.ways import KINDS

from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.heard import samples_of

WAYS = replace(KINDS["echo"], takes_keys=True)
KEYS = [case for case in CASES if case.id.startswith("DT-")]


class BeepsOverTheEcho(Call):
    """Adds the beep to what it sends back."""

    beep = b""

    def key(self, payload: bytes) -> None:
        self.beep = beep(payload[0]) if len(payload) == 1 else b""

    def next_frame(self) -> tuple[int, bytes] | None:
        frame = super().next_frame()
        if frame is None or not self.beep:
            return frame
        part, self.beep = self.beep[: len(frame[1])].ljust(len(frame[1]), b"\0"), self.beep[len(frame[1]) :]
        both = samples_of(frame[1]).astype(np.int32) + samples_of(part)
        return frame[0], np.clip(both, -32768, 32767).astype("<i2").tobytes()


class BeepsInstead(Call):
    """Drops what it was about to send back."""

    def key(self, payload: bytes) -> None:
        self.queue.clear()
        super().key(payload)


class HashHangsUp(Call):
    """Ends the call at a hash."""

    ends = b"#"

    def key(self, payload: bytes) -> None:
        super().key(payload)
        if payload in self.ends:
            asyncio.get_running_loop().call_later(0.15, self.says_goodbye)

    def says_goodbye(self) -> None:
        if not self.over:
            self.hang_up()
            self.writer.write_eof()


class AnyKeyHangsUp(HashHangsUp):
    """Plays a sound at the first key, and ends the call."""

    ends = bytes(range(256))


@pytest.mark.every(5)
@pytest.mark.parametrize("manner", [Call, BeepsOverTheEcho, BeepsInstead, HashHangsUp, AnyKeyHangsUp])
def test_each_is_good(manner: type[Call]) -> None:
    result = run(KEYS, WAYS, manner)
    assert result.features.takes_keys
    assert wrong(result) == {}


@pytest.mark.long("a fault of the case DT-07 is found")
def test_what_it_may_not_do_is_seen_all_the_same() -> None:
    class BeepsAndSendsThemBack(BeepsInstead):
        def key(self, payload: bytes) -> None:
            super().key(payload)
            SendsKeysBack.key(self, payload)

    assert "sends no key back, but sent 03 00 01 | 35" in wrong(run(KEYS, WAYS, BeepsAndSendsThemBack))["DT-07"]
