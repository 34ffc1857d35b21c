"""Sounds that are no WAV go through ffmpeg. Here it is a stand-in with one format of its own: `fLaC`, then the samples.

tests/test_beyond_python.py has the real one, where it is installed.
"""

import struct
import sys
from pathlib import Path

import pytest

from audiosocket_core.slin import AudioFileError, read_audio, resample
from audiosocket_sim.phone.line import tone

FFPROBE = """
import sys
print("  Stream #0:0: Audio: tone, 24000 Hz, mono, s16", file=sys.stderr)
print('{"streams": [{"index": 0, "codec_type": "audio", "codec_name": "tone", "sample_fmt": "s16", "channels": 1, '
      '"sample_rate": "24000"}], "format": {"format_name": "tone"}}')
"""
FFMPEG = """
import io, sys, wave
data = open(sys.argv[sys.argv.index("-i") + 1], "rb").read()
if data[:4] not in (b"fLaC", b"RIFF"):
    sys.exit("Invalid data found when processing input")
made = io.BytesIO()
with wave.open(made, "wb") as file:
    file.setparams((1, 2, 24000, 0, "NONE", ""))
    file.writeframes(data[44:] if data[:4] == b"RIFF" else data[4:])
sys.stdout.buffer.write(made.getvalue())
"""


@pytest.fixture(autouse=True)
def ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("ffmpeg", FFMPEG), ("ffprobe", FFPROBE)):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!{sys.executable}\n{text}", encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))


def wav_of_codec(tag: int, data: bytes) -> bytes:
    """A WAV in a coding that only ffmpeg knows: 0x31 is GSM."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, 1, 24_000, 48_000, 2, 16)
    body = b"WAVE" + form + struct.pack("<4sI", b"data", len(data)) + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


@pytest.mark.long("quicker tests of this file are run")
def test_what_ffmpeg_makes_of_a_file_is_read_at_the_rate_that_is_asked_for(tmp_path: Path) -> None:
    sound = tone(300, 440, -12)  # taken for 24 kHz, it is 100 ms long
    (tmp_path / "a.flac").write_bytes(b"fLaC" + sound)
    (tmp_path / "a.wav").write_bytes(wav_of_codec(0x31, sound))
    assert read_audio(tmp_path / "a.wav", 24_000) == sound
    assert read_audio(tmp_path / "a.flac") == resample(sound, 24_000, 8000)
    assert read_audio(tmp_path / "a.flac", 24_000) == sound


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pydub leaves the file open then
def test_a_file_that_ffmpeg_does_not_know_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "a.ogg").write_bytes(b"OggS" + bytes(range(256)))
    with pytest.raises(AudioFileError, match=r"a\.ogg: "):
        read_audio(tmp_path / "a.ogg")
