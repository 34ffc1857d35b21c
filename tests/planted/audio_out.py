"""Faults in what a server sends: its pace, its pieces, its sizes, and its silence while it has nothing to say."""

import asyncio
import os
import socket

import numpy as np

from audiosocket_core.messages import Kind
from planted.good_server import Call, voice
from planted.table import Planted

__all__ = ["PLANTED"]

_FRAME = 320


class SendsAtOnce(Call):
    """Sends each sound as fast as it can, and then nothing until it has played."""

    def tick(self) -> None:
        frames = 0
        while self.queue:
            frame = self.next_frame()
            assert frame is not None
            self.put(*frame)
            frames += 1
        if not frames:
            super().tick()


class SlowClock(Call):
    """Waits 20.4 ms after each message, whatever the clock says."""

    async def send(self) -> None:
        while not self.over:
            self.tick()
            await asyncio.sleep(self.ways.packet * 1.02)


class HeaderFirst(Call):
    """Writes the header, and the payload behind it."""

    def write(self, data: bytes) -> None:
        self.writer.write(data[:3])
        self.writer.write(data[3:])


class WaitsInside(Call):
    """Writes half of each fiftieth message 8 ms after the other half."""

    count = 0

    def write(self, data: bytes) -> None:
        self.count += 1
        if self.count % 50:
            self.writer.write(data)
        else:
            self.writer.write(data[:200])
            asyncio.get_running_loop().call_later(0.008, self.writer.write, data[200:])


class EmptyInIdleTime(Call):
    """Sends audio messages without audio while it has nothing to say."""

    def idle(self) -> tuple[int, bytes]:
        return int(Kind.SLIN8), b""


class EmptyAtTheEnd(Call):
    """Ends each sound with an empty message."""

    def next_frame(self) -> tuple[int, bytes] | None:
        had = bool(self.queue)
        frame = super().next_frame()
        if had and not self.queue:
            self.put(int(Kind.SLIN8), b"")
        return frame


class SilentWhenIdle(Call):
    """Sends nothing while it has nothing to say."""

    def idle(self) -> None:
        return None


class SilentAfterSpeaking(Call):
    """Sends no silence any more once the caller has been answered."""

    answered = False

    def answer(self) -> None:
        super().answer()
        self.answered = True

    def idle(self) -> tuple[int, bytes] | None:
        return None if self.answered else super().idle()


class WaitsForAudio(Call):
    """Sends nothing before the caller does, or a second has passed."""

    async def send(self) -> None:
        await asyncio.sleep(1.0)
        await super().send()


class CatchesUp(Call):
    """Sends all that it missed while it stood still."""

    async def send(self) -> None:
        due = self.now
        while not self.over:
            self.tick()
            due += self.ways.packet
            await asyncio.sleep(max(0.0, due - self.now))


class BurstsLater(Call):
    """Keeps what it makes while the peer does not read, here from the 2nd to the 6th second, and sends it twice."""

    async def send(self) -> None:
        asyncio.get_running_loop().call_later(6.6, self.burst)
        await super().send()

    def burst(self) -> None:
        for _ in range(400):
            self.put(int(Kind.SLIN8), bytes(_FRAME))


class OddTail(Call):
    """Sends the last piece of a sound with half a sample."""

    def next_frame(self) -> tuple[int, bytes] | None:
        had = bool(self.queue)
        frame = super().next_frame()
        return (frame[0], frame[1][:-1]) if had and not self.queue and frame is not None else frame


class SpeaksOn(Call):
    """Does not stop when the caller speaks."""

    def caller_began(self) -> None:
        pass


class Nagle(Call):
    """Behaves like a kernel with Nagle's algorithm: what comes while nothing was acknowledged waits, 40 ms at most."""

    waiting = b""
    acknowledged = True

    def received(self, kind: int, payload: bytes) -> None:
        self.acknowledge()
        super().received(kind, payload)

    def write(self, data: bytes) -> None:
        if not self.acknowledged:
            self.waiting += data
            return
        self.acknowledged = False
        self.writer.write(data)
        self._timer = asyncio.get_running_loop().call_later(0.04, self.acknowledge)

    def acknowledge(self) -> None:
        if self.acknowledged:
            return
        self._timer.cancel()
        self.acknowledged = True
        waiting, self.waiting = self.waiting, b""
        if waiting and not self.writer.is_closing():
            self.write(waiting)


class KernelNagle(Call):
    """Has Nagle's algorithm on."""

    async def begin(self) -> None:
        self.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
        await super().begin()


class Urgent(Call):
    """Sends one urgent byte."""

    def greet(self) -> None:
        with socket.socket(fileno=os.dup(self.writer.get_extra_info("socket").fileno())) as raw:
            raw.send(b"!", socket.MSG_OOB)
        super().greet()


class AnswersWide(Call):
    """Speaks at 16 kHz, whatever the peer does."""

    def answer(self) -> None:
        self.say(Kind.SLIN16, voice(0.8, 16_000))

    def greet(self) -> None:
        self.say(Kind.SLIN16, voice(1.0, 16_000))


class OneBigMessage(Call):
    """Sends a whole sentence in a message."""

    def answer(self) -> None:
        self.put(int(Kind.SLIN8), voice(1.5))


class Stutters(Call):
    """Leaves out 60 ms after every fifth message of its speech."""

    count = 0

    async def send(self) -> None:
        while not self.over:
            if self.queue:
                self.count += 1
            self.tick()
            await asyncio.sleep(self.ways.packet + (0.06 if self.queue and self.count % 5 == 0 else 0.0))


class HighByteFirst(Call):
    """Writes its samples as it writes a header's length."""

    def say(self, kind: int, sound: bytes) -> None:
        super().say(kind, np.frombuffer(sound, dtype="<i2").byteswap().tobytes())


PLANTED = (
    Planted("AO-01", SendsAtOnce, r"but was \d+ ms ahead"),
    Planted("AO-02", SlowClock, "behind by 2"),
    Planted("AO-03", WaitsInside, r"but one waited 8\.0 ms inside", consequences=("AO-04",)),
    Planted(
        "AO-04",
        HeaderFirst,
        "its header alone: 10 01 40",
        consequences=("AV-01", "AV-02", "AV-06", "AV-10", "AV-18"),
    ),
    Planted("AO-05", EmptyAtTheEnd, "but sent 10 00 00"),
    Planted("AO-06", SilentWhenIdle, r"nothing more came for 4", consequences=("AO-14", "AV-10", "AV-11")),
    Planted("AO-07", WaitsForAudio, "but sent none"),
    Planted("AO-08", CatchesUp, r"but was \d+ ms ahead then"),
    Planted("AO-09", BurstsLater, "does not burst", consequences=("AO-01",)),
    Planted("AO-10", OddTail, "2 of .* have an odd length"),
    Planted("AO-11", SpeaksOn, "but spoke on for", kind="barge_in"),
    Planted("AO-12", Nagle, "came in twos or more"),
    Planted("AO-14", SilentAfterSpeaking, "sends a message at least every 2 s"),
    Planted("AO-14", EmptyInIdleTime, "fills it with audio, but sent 10 00 00", consequences=("AO-05",)),
    Planted(
        "AO-15",
        AnswersWide,
        "but sent kind 0x12",
        consequences=("AV-02", "AV-03", "AV-07", "AV-10", "AV-16"),
    ),
    Planted("AO-16", OneBigMessage, "but sent 12,000", consequences=("AO-01", "AO-09")),
    Planted("AO-17", Stutters, "amid loud sound", consequences=("AO-02",)),
    Planted("AO-18", HighByteFirst, "it is noise, and a smooth sound"),
)
