"""A model of the phone line, and the caller's sounds other than speech: noise and tones.

`LineModel` stands between the caller's mouth and Asterisk, and between Asterisk and the caller's ear. Everything is
pure and seeded: equal input samples give equal output samples, however they are cut into frames. Clocks, sockets and
scenarios are unknown here. SLIN is signed 16-bit little-endian mono; levels are RMS, 0 dBFS being an RMS of 32768, so
that the loudest sine is -3 dBFS.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audiosocket_core import slin
from audiosocket_sim.asterisk.codecs import gsm_and_back, through_asterisks_ulaw
from audiosocket_sim.phone.line_echo import LineEcho
from audiosocket_sim.phone.surroundings import RoundSound, SpeakingRoom

__all__ = ["Codec", "LineModel", "noise", "tone"]

Codec = Literal["ulaw", "alaw", "gsm", "none"]
Color = Literal["white", "pink"]

_FULL_SCALE = 32768.0
_NOISE_BLOCK = 8000  # samples; noise is drawn in blocks of this size, so that it does not depend on the frame size


class LineModel:
    """The line of one call.

    `codec`: the codec of the phone's leg, through which both directions pass once. It is G.711, hence applied at 8 kHz
    only: at any other `rate_hz` the line leaves the samples unchanged. `echo` (None: no echo): the echo of the bot's
    sound in the caller's. `noise_dbfs` (None: no noise): white noise under all that the caller sends, added before the
    codec. `gain_db`: applied to the caller's sound, not to the noise. A-law has no zero: digital silence comes out as
    samples of 8 (-72 dBFS), as on a real line. `gsm` is for the caller's sound alone, in frames of whole 20 ms; the
    bot's is left as it is. `room`: the room that the caller speaks in. `behind`: what is heard behind him, always.

    Raises ValueError for an unknown codec or a noise level over 0 dBFS, and CodecMissing for GSM without `[codecs]`.
    """

    def __init__(
        self,
        codec: Codec = "ulaw",
        noise_dbfs: float | None = None,
        gain_db: float = 0.0,
        seed: int = 1,
        rate_hz: int = 8000,
        echo: LineEcho | None = None,
        room: SpeakingRoom | None = None,
        behind: Sequence[RoundSound] = (),
    ) -> None:
        if codec not in ("ulaw", "alaw", "gsm", "none"):
            raise ValueError(f"codec must be ulaw, alaw, gsm or none, not {codec!r}")
        backward = _CODECS[codec if rate_hz == 8000 and codec != "gsm" else "none"]
        self._codec = gsm_and_back() if codec == "gsm" and rate_hz == 8000 else backward
        self._asterisks_codec = _asterisks_ulaw if backward is _ulaw else backward
        self._factor = 10 ** (gain_db / 20)
        self._echo = echo
        self._noise = None if noise_dbfs is None else _WhiteNoise(noise_dbfs, seed)
        self._room = room
        self._behind = tuple(behind)
        self._is_alive = self._noise is not None or echo is not None or room is not None or bool(self._behind)
        self._is_alive = self._is_alive or codec == "gsm"  # which never repeats a frame
        self._quiet = b""
        self._began: list[float] = []

    def quiet(self, n_bytes: int, at: float = 0.0) -> bytes:
        """Return what the line sends while the caller is silent: noise, echo and what is behind him, or silence as the
        codec renders it."""
        if self._is_alive:
            return self.send(bytes(n_bytes), at=at)
        if len(self._quiet) != n_bytes:
            self._quiet = self.send(bytes(n_bytes))
        return self._quiet

    def send(self, frame: bytes, with_noise: bool = True, at: float = 0.0) -> bytes:
        """Send a frame from the caller to Asterisk: gain, room, echo, noise, codec. The length stays the same.

        `at`: the time at which the frame ends, in seconds. `with_noise`: False for digital silence, which has neither
        echo nor room, and nothing behind it; all of them then continue later where they stopped.
        """
        noise = self._noise if with_noise else None
        echo = self._echo.take(at, len(frame) // 2) if with_noise and self._echo is not None else None
        around = with_noise and (self._room is not None or bool(self._behind))
        if noise is None and echo is None and self._factor == 1.0 and not around:
            return self._codec(frame)
        sound = np.frombuffer(frame, dtype="<i2") * np.float64(self._factor)
        if with_noise and self._room is not None:
            sound = self._room.through(sound)
        for behind in self._behind if with_noise else ():
            sound += behind.take(len(sound))
            if behind.rose and self._began[-1:] != [at]:
                self._began.append(at)
        if echo is not None:
            sound += echo
        if noise is not None:
            sound += noise.take(len(sound))
        return self._codec(_to_slin(sound))

    def began_between(self, start: float, end: float) -> bool:
        """Return whether something began to sound behind the caller (a word, a bark; of steady noise only its own
        beginning) in what was sent from `start` to `end`, in seconds as `send` was told them."""
        return bisect_left(self._began, start) < bisect_right(self._began, end)

    def receive(self, frame: bytes, at: float = 0.0, *, plays: bool = True) -> bytes:
        """Asterisk to the caller's ear: the codec only, encoded by Asterisk. Same length out as in. `at`: seconds.

        `plays`: the phone plays it as it comes; else `played` must be called when it plays it, for the echo.
        """
        heard = self._asterisks_codec(frame)
        if plays:
            self.played(at, heard)
        return heard

    def played(self, at: float, pcm: bytes) -> None:
        """The phone began at `at` (s) to play this SLIN of 8 kHz, which comes back as echo."""
        if self._echo is not None:
            self._echo.heard(at, pcm)


def noise(ms: float, dbfs: float, color: Color = "white", seed: int = 1, rate_hz: int = 8000) -> bytes:
    """Return `ms` of noise as SLIN, at an RMS of `dbfs`. Pink noise falls by 3 dB per octave.

    Raises ValueError for an unknown color, a negative length, or a level over 0 dBFS.
    """
    count = _samples(ms, rate_hz)
    rms = _rms(dbfs)
    if count == 0:
        return b""
    sound = np.random.Generator(np.random.PCG64(seed)).standard_normal(count)
    if color == "pink":
        spectrum = np.fft.rfft(sound)
        spectrum[0] = 0.0
        spectrum[1:] /= np.sqrt(np.arange(1, len(spectrum)))
        sound = np.fft.irfft(spectrum, count)
    elif color != "white":
        raise ValueError(f"color must be white or pink, not {color!r}")
    level = float(np.sqrt(np.mean(sound * sound)))
    return _to_slin(sound * (rms / level if level else 0.0))


def tone(ms: float, hz: float, dbfs: float, rate_hz: int = 8000) -> bytes:
    """Return `ms` of a sine as SLIN, at an RMS of `dbfs`; above -3 dBFS it is clipped.

    Raises ValueError for a frequency of half the rate or more, a negative length, or a level over 0 dBFS.
    """
    if not 0 < hz < rate_hz / 2:
        raise ValueError(f"a tone at {rate_hz} Hz lies between 0 and {rate_hz / 2:g} Hz, not at {hz:g}")
    phase = np.arange(_samples(ms, rate_hz)) * (2 * np.pi * hz / rate_hz)
    return _to_slin(np.sin(phase) * (_rms(dbfs) * np.sqrt(2.0)))


class _WhiteNoise:
    """An endless, seeded stream of noise samples."""

    def __init__(self, dbfs: float, seed: int) -> None:
        self._rms = _rms(dbfs)
        self._generator = np.random.Generator(np.random.PCG64(seed))
        self._ready: NDArray[np.float64] = np.empty(0)

    def take(self, count: int) -> NDArray[np.float64]:
        while len(self._ready) < count:
            block = self._generator.standard_normal(_NOISE_BLOCK) * self._rms
            self._ready = np.concatenate((self._ready, block))
        taken, self._ready = self._ready[:count], self._ready[count:]
        return taken


def _samples(ms: float, rate_hz: int) -> int:
    if ms < 0:
        raise ValueError(f"a sound lasts 0 ms or more, not {ms:g}")
    return round(ms * rate_hz / 1000)


def _rms(dbfs: float) -> float:
    if dbfs > 0:
        raise ValueError(f"a level is 0 dBFS or less, not {dbfs:g}")
    return float(_FULL_SCALE * 10 ** (dbfs / 20))


def _to_slin(sound: NDArray[np.float64]) -> bytes:
    return np.clip(np.rint(sound), -32768, 32767).astype("<i2").tobytes()


def _ulaw(frame: bytes) -> bytes:
    return slin.ulaw_decode(slin.ulaw_encode(frame))


def _asterisks_ulaw(frame: bytes) -> bytes:
    return frame if frame == bytes(len(frame)) else through_asterisks_ulaw(frame)  # of silence is most of a call


def _alaw(frame: bytes) -> bytes:
    return slin.alaw_decode(slin.alaw_encode(frame))


_CODECS: dict[str, Callable[[bytes], bytes]] = {"ulaw": _ulaw, "alaw": _alaw, "none": bytes}
