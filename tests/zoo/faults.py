"""The faults of the zoo's bots, each a few lines over `Call`. `self.size`: how large the fault is, in its own unit."""

import asyncio
import struct
from dataclasses import replace

import numpy as np

from audiosocket_core.messages import Kind, encode
from audiosocket_core.slin import alaw_encode, gain, resample, ulaw_encode
from zoo.small_bot import FRAME_BYTES, FRAME_SECONDS, Call

# --- the sound: what is sent for a sentence


def samples(pcm: bytes) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def slin(wave: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> bytes:
    return np.clip(np.rint(wave), -32768, 32767).astype("<i2").tobytes()


class BytesSwapped(Call):
    """From the place `size` (0 to 1) of each sentence on."""

    def sound(self, pcm: bytes) -> bytes:
        at = round(len(pcm) / 2 * self.size) * 2
        return pcm[:at] + np.frombuffer(pcm[at:], "<i2").byteswap().tobytes()


class ByteLost(Call):
    """A byte is lost at the place `size`: what follows is made of the halves of two samples."""

    def sound(self, pcm: bytes) -> bytes:
        at = round(len(pcm) / 2 * self.size) * 2
        return pcm[:at] + pcm[at + 1 :] + b"\0"


class CodecAsLinear(Call):
    """µ-law with size 0, A-law with 1."""

    def sound(self, pcm: bytes) -> bytes:
        return alaw_encode(pcm) if self.size else ulaw_encode(pcm)


class UnsignedSamples(Call):
    """Samples from 0 to 65535, of which the middle is silence."""

    def sound(self, pcm: bytes) -> bytes:
        return (np.frombuffer(pcm, "<i2").astype(np.int32) + 32768).astype("<u2").tobytes()


class TooManySamples(Call):
    """Samples of `size` kHz, sent as samples of 8."""

    def sound(self, pcm: bytes) -> bytes:
        return resample(pcm, 8000, round(self.size * 1000))


class TooFewSamples(Call):
    """Samples of `size` kHz, sent as samples of 8."""

    sound = TooManySamples.sound


class PlayedBackwards(Call):
    """The samples from the last to the first; with a size, from the second sentence on."""

    def sound(self, pcm: bytes) -> bytes:
        if pcm == self.sentence("greeting") and self.size:
            return pcm
        return np.frombuffer(pcm, "<i2")[::-1].tobytes()


class TwoChannels(Call):
    """Both channels of a stereo sound as one, with size 0 the same sound in both, with 1 nothing in the other."""

    def sound(self, pcm: bytes) -> bytes:
        wave = np.repeat(samples(pcm), 2)
        if self.size:
            wave[1::2] = 0
        return slin(wave)


class WideSamples(Call):
    """Each sentence from the second on as samples of 32 bits; with a size, all."""

    def sound(self, pcm: bytes) -> bytes:
        if pcm == self.sentence("greeting") and not self.size:
            return pcm
        return (samples(pcm).astype(np.int64) << 16).astype("<i4").tobytes()


class Overflows(Call):
    """A gain that makes the peak `size` times the highest sample, and knows of no highest sample."""

    def sound(self, pcm: bytes) -> bytes:
        wave = samples(pcm)
        factor = self.size * 32767 / np.abs(wave).max()
        louder: bytes = np.rint(wave * factor).astype(np.int64).astype("<i2").tobytes()
        return louder


class ConstantOffset(Call):
    def sound(self, pcm: bytes) -> bytes:
        return slin(samples(pcm) + self.size)


class OtherSilence(Call):
    """Bytes of `size` between the sentences, which are silence in another format."""

    def idle(self) -> bytes | None:
        return bytes([round(self.size)]) * FRAME_BYTES


class Clipped(Call):
    """A gain of `size` dB."""

    def sound(self, pcm: bytes) -> bytes:
        return slin(samples(pcm) * 10 ** (self.size / 20))


class TooQuiet(Call):
    def sound(self, pcm: bytes) -> bytes:
        return gain(pcm, -self.size)


class FileHeader(Call):
    """The file with its header, and with what some programs write behind the samples."""

    def sound(self, pcm: bytes) -> bytes:
        form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16)
        header = struct.pack("<4sI4s", b"RIFF", 36 + len(pcm), b"WAVE") + form + struct.pack("<4sI", b"data", len(pcm))
        chunk = round(self.size * 16000) or len(pcm)
        return b"".join(header + pcm[at : at + chunk] for at in range(0, len(pcm), chunk))


class ClicksAtSeams(Call):
    """Each piece of `size` s is converted alone: its last sample is wrong."""

    def sound(self, pcm: bytes) -> bytes:
        wave, piece = samples(pcm), round(self.size * 8000)
        wave[piece - 2 :: piece] += 9000
        wave[piece - 1 :: piece] -= 9000
        return slin(wave)


class FadedChunks(Call):
    """Each piece of `size` s has a fade of a third of it at either end, so that it does not click."""

    def sound(self, pcm: bytes) -> bytes:
        piece = round(self.size * 8000)
        wave = samples(pcm)[: len(pcm) // 2 // piece * piece].reshape(-1, piece)
        ramp = np.minimum(1.0, np.arange(piece) * 3 / piece)
        return slin((wave * ramp * ramp[::-1]).ravel())


class SilentFrames(Call):
    """Each `size`-th frame of sound is zeros: what was not there in time is made up for by silence."""

    def sound(self, pcm: bytes) -> bytes:
        every = round(self.size)
        frames = [pcm[at : at + FRAME_BYTES] for at in range(0, len(pcm), FRAME_BYTES)]
        return b"".join(bytes(len(frame)) if n % every == every - 1 else frame for n, frame in enumerate(frames))


class PiecesLost(Call):
    """Each `size`-th piece of 100 ms is not sent; what follows comes at once."""

    times = 0

    def sound(self, pcm: bytes) -> bytes:
        every = round(self.size)
        pieces = [pcm[at : at + 1600] for at in range(0, len(pcm), 1600)]
        return b"".join(piece * self.times if n % every == every - 1 else piece for n, piece in enumerate(pieces))


class PiecesTwice(PiecesLost):
    """Each `size`-th piece of 100 ms is sent twice."""

    times = 2


class WhiteNoise(Call):
    """Noise of `size` dBFS as long as the sentence."""

    def sound(self, pcm: bytes) -> bytes:
        noise = np.random.default_rng(1).normal(0, 32768 * 10 ** (self.size / 20), len(pcm) // 2)
        return slin(noise)


class ErrorAsSound(Call):
    """What the voice service answered is played, whatever it is: text of `size` bytes."""

    def sound(self, pcm: bytes) -> bytes:
        text = b'{"error": {"type": "quota_exceeded", "message": "All of your characters are used.", "status": 401}}'
        return (text * 40)[: round(self.size)]


class TwoVoicesInTurn(Call):
    """Two sentences at once: a frame of one, a frame of the other."""

    def sound(self, pcm: bytes) -> bytes:
        other = self.sentence("goodbye" if pcm == self.sentence("greeting") else "greeting").ljust(len(pcm), b"\0")
        places = range(0, len(pcm), FRAME_BYTES)
        return b"".join(pcm[at : at + FRAME_BYTES] + other[at : at + FRAME_BYTES] for at in places)


class MixedAnswers(Call):
    """Two parts of it speak at once: its goodbye is mixed into each sentence, from `size` s on."""

    def sound(self, pcm: bytes) -> bytes:
        wave = samples(pcm)
        other = samples(self.sentence("goodbye"))[: max(0, len(wave) - round(self.size * 8000))]
        wave[round(self.size * 8000) :][: len(other)] += other
        return pcm if pcm == self.sentence("goodbye") else slin(wave)


# --- the wire: how it is sent


class WrongLabel(Call):
    """Samples of 8 kHz in the kind of 16 kHz."""

    kind = int(Kind.SLIN16)


class Blocked(Call):
    """A call that blocks the loop for `size` s, 800 ms after each sentence has begun."""

    frames_of_speech = 0

    async def pause(self, due: float) -> float:
        self.frames_of_speech = self.frames_of_speech + 1 if self.queue else 0
        if self.frames_of_speech == 40:
            await asyncio.sleep(self.size)
            return self.now
        return await super().pause(due)


class Stutters(Call):
    """A hole of `size` s, four times in each second of speech."""

    frames_of_speech = 0

    async def pause(self, due: float) -> float:
        self.frames_of_speech = self.frames_of_speech + 1 if self.queue else 0
        if self.frames_of_speech % 12 == 11:
            due += self.size
        return await super().pause(due)


class AsFastAsMade(Call):
    """Speech at `size` times its pace."""

    async def pause(self, due: float) -> float:
        speaks = bool(self.queue)
        self.frame_seconds = FRAME_SECONDS / self.size if speaks else FRAME_SECONDS
        return await super().pause(due)


class WrongClock(Call):
    """A frame each `size` s."""

    async def pause(self, due: float) -> float:
        self.frame_seconds = self.size
        return await super().pause(due)


class SleepsEachFrame(Call):
    """Waits a frame's time after each frame, and the work comes on top of it: `size` s."""

    async def pause(self, due: float) -> float:
        await asyncio.sleep(FRAME_SECONDS + self.size)
        return self.now


class LongMessages(Call):
    """As much of a sentence as makes `size` s in one message; nothing more until that has been played."""

    async def say(self, name: str) -> None:
        pcm = self.sound(self.sentence(name))
        piece = round(self.size * 8000) * 2
        for at in range(0, len(pcm), piece):
            self.put(self.kind, pcm[at : at + piece])
            await asyncio.sleep(len(pcm[at : at + piece]) / 16000)

    def idle(self) -> bytes | None:
        return None


class LengthWraps(Call):
    """A message of `size` bytes, more than its length can say."""

    async def say(self, name: str) -> None:
        pcm = (self.sentence(name) * 5)[: round(self.size)]
        self.writer.write(bytes([self.kind]) + (len(pcm) & 0xFFFF).to_bytes(2, "big") + pcm)
        await asyncio.sleep(len(pcm) / 16000)


class GoesOnAfterTheEnd(Call):
    """`size` more messages behind 00 00 00."""

    def hang_up(self) -> None:
        super().hang_up()
        for _ in range(round(self.size)):
            self.put(self.kind, bytes(FRAME_BYTES))


class LeavesItOpen(Call):
    """The connection is closed `size` s after the call's end."""

    async def close(self) -> None:
        await asyncio.sleep(self.size)


class HeaderApart(Call):
    """A header, and its payload `size` s later."""

    async def send(self) -> None:
        due = self.now
        while not self.over:
            frame = self.next_frame() or bytes(FRAME_BYTES)
            message = encode(self.kind, frame)
            self.writer.write(message[:3])
            await asyncio.sleep(self.size)
            self.writer.write(message[3:])
            due = await self.pause(due)


class WrongLength(Call):
    """A length of `size` bytes more than the payload has; with size 0, in little-endian order."""

    def put(self, kind: int, payload: bytes) -> None:
        length = len(payload) + round(self.size) if payload else 0
        self.writer.write(bytes([kind]) + length.to_bytes(2, "big" if self.size else "little") + payload)


class WrongKind(Call):
    """Sound in messages of the kind `size`."""

    def put(self, kind: int, payload: bytes) -> None:
        self.writer.write(bytes([round(self.size) if payload else kind]) + len(payload).to_bytes(2, "big") + payload)


class QuietBetween(Call):
    """Sends nothing while it has nothing to say."""

    def idle(self) -> bytes | None:
        return None


class HangsUpTooSoon(Call):
    """The end of making a goodbye is taken for the end of playing it: `size` s of it are sent in time."""

    async def say(self, name: str) -> None:
        if name != "goodbye":
            return await super().say(name)
        self.queue += self.sound(self.sentence(name))
        return await asyncio.sleep(self.size)


class HangsUpBehindABurst(Call):
    """The goodbye in one go, and the end right behind it."""

    async def say(self, name: str) -> None:
        if name != "goodbye":
            return await super().say(name)
        pcm = self.sentence(name)
        for at in range(0, len(pcm), FRAME_BYTES):
            self.put(self.kind, pcm[at : at + FRAME_BYTES])
        return await asyncio.sleep(self.size)


class DiesInMidCall(Call):
    """The connection breaks off `size` s into the answer."""

    async def answer(self) -> None:
        asyncio.get_running_loop().call_later(self.size, self.writer.close)
        await super().answer()


# --- the talk: what it does, and when


class StaysOn(Call):
    """Says goodbye, and does not hang up."""

    def hang_up(self) -> None:
        pass


class DiesOfAKey(Call):
    def received(self, kind: int, payload: bytes) -> None:
        if kind == Kind.DTMF:
            raise ConnectionError("unknown kind")
        super().received(kind, payload)


class DeafAfter(Call):
    """Hears nothing after `size` turns."""

    def caller_ended(self, spoken_ms: int) -> None:
        if self.turn < self.size:
            super().caller_ended(spoken_ms)


class ShortAnswersIgnored(Call):
    """Takes less than `size` s for no word."""

    def caller_ended(self, spoken_ms: int) -> None:
        if spoken_ms >= self.size * 1000:
            super().caller_ended(spoken_ms)


class HardOfHearing(Call):
    """Hears from `size` dBFS on."""

    def hear(self, pcm: bytes) -> None:
        self.caller_is_from_dbfs = self.size
        super().hear(pcm)


class AnswersTwice(Call):
    """Two parts of it notice the end of a turn, the second `size` s later."""

    def caller_ended(self, spoken_ms: int) -> None:
        super().caller_ended(spoken_ms)
        asyncio.get_running_loop().call_later(self.size, self.utterances.put_nowait, spoken_ms)


class AnswersIntoThePause(Call):
    """The caller's turn ends with the first `size` s of silence, and his voice stops nothing."""

    def hear(self, pcm: bytes) -> None:
        self.turn_ends_ms = round(self.size * 1000)
        super().hear(pcm)

    def caller_began(self) -> None:
        pass


class OldAnswerComesBack(Call):
    """An interruption empties the queue, but the voice service goes on: a piece of `size` s after the other."""

    async def say(self, name: str) -> None:
        pcm = self.sentence(name)
        piece = round(self.size * 8000) * 2
        for at in range(0, len(pcm), piece):
            self.queue += pcm[at : at + piece]
            await asyncio.sleep(self.size * 0.98)


class DoesNotStop(Call):
    """Says its sentence to the end, whoever speaks meanwhile."""

    def stop_speaking(self) -> None:
        pass


class UuidAsText(Call):
    """Takes 36 characters for the UUID, or refuses what is not that long."""

    async def begin(self) -> None:
        header = await self.reader.readexactly(3)
        if int.from_bytes(header[1:], "big") != 36:
            raise ConnectionError("no UUID")


class HoldLoopWithAHole(Call):
    """The hold loop is opened again at each round: `size` s of nothing."""

    def hold_sound(self) -> bytes:
        return super().hold_sound() + bytes(round(self.size * 8000) * 2)


class MusicUnderTheAnswer(Call):
    """Nobody stops the hold loop: it goes on under the answer, `size` dB quieter."""

    async def wait_on_hold(self) -> None:
        self.hold(True)
        await asyncio.sleep(6)
        self.hold(False)
        voice = samples(self.sentence("confirmed"))
        music = samples(gain(self.hold_sound(), -self.size))
        music[: len(voice)] += voice
        self.queue += slin(music)


class WaitsForTheCaller(Call):
    """The second half of what it has to say comes only when the caller says something."""

    async def greet(self) -> None:
        pass


class AsksTooSoon(Call):
    """The time of its own speech counts as silence of the caller's."""

    def nobody_spoke_for(self) -> float:
        return 60.0

    async def caller_is_done(self) -> bool:
        self.setup = replace(self.setup, asks_again=self.size)
        return await super().caller_is_done()


class NoiseIsSpeech(Call):
    """What is louder than `size` dBFS is the caller's voice: a noise mutes the bot."""

    def hear(self, pcm: bytes) -> None:
        self.caller_is_from_dbfs = self.size
        super().hear(pcm)
        if self.caller_speaks:
            self.stop_speaking()


class AnswersItsEcho(Call):
    """Its own voice, coming back from the line, is a sentence of the caller's."""

    def hear(self, pcm: bytes) -> None:
        self.caller_is_from_dbfs = self.size
        super().hear(pcm)

    def caller_began(self) -> None:
        pass
