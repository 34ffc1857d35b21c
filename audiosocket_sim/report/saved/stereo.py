"""The stereo recording of a call: the caller on the left, what he heard on the right, as SLIN of 8 kHz."""

from dataclasses import dataclass
from pathlib import Path

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.files import read_regular_file
from audiosocket_core.slin import alaw_decode, resample, ulaw_decode
from audiosocket_core.wav import WavError, is_wav, read_wav

__all__ = ["RATE_HZ", "NoStereoSound", "StereoSound", "read_stereo"]

RATE_HZ = 8000
_LARGEST_BYTES = 500_000_000


class NoStereoSound(AudioSocketError):
    """A file is no stereo WAV. The message is one line: the file, and what was expected."""


@dataclass(frozen=True, slots=True)
class StereoSound:
    """Both sides of a call, of the same length: SLIN at 8 kHz."""

    caller: bytes
    heard: bytes

    @property
    def duration_ms(self) -> int:
        """The length in ms."""
        return len(self.caller) // 2 * 1000 // RATE_HZ


def read_stereo(path: Path) -> StereoSound:
    """Return the sound of a stereo WAV of any rate. Blocks. Raises NoStereoSound."""
    try:
        data = read_regular_file(path, _LARGEST_BYTES)
        if not is_wav(data):
            raise NoStereoSound(f"{path}: not a WAV: expected a stereo one, the caller on the left")
        sound = read_wav(data)
    except OSError as error:
        raise NoStereoSound(f"{path}: {error.strerror or error}") from None
    except WavError as error:
        raise NoStereoSound(f"{path}: {error}") from None
    if sound.channels != 2:
        raise NoStereoSound(
            f"{path}: {sound.channels} channel{'s' if sound.channels > 1 else ''}: expected two, the caller on the "
            "left and what he heard on the right"
        )
    pcm = sound.data if sound.law is None else {"ulaw": ulaw_decode, "alaw": alaw_decode}[sound.law](sound.data)
    import numpy as np

    samples = np.frombuffer(pcm, "<i2", count=len(pcm) // 4 * 2).reshape(-1, 2)
    caller, heard = (resample(samples[:, side].tobytes(), sound.rate_hz, RATE_HZ) for side in (0, 1))
    return StereoSound(caller, heard)
