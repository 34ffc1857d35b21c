"""Signed-linear audio: sizes, sums, levels, codecs and files."""

import math
import os
import struct
import subprocess
import sys
import wave
from array import array
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiosocket_core import slin

ROOT = Path(__file__).resolve().parents[2]
PCM = st.lists(st.integers(-32_768, 32_767), max_size=400).map(lambda samples: pcm(*samples))


def pcm(*samples: int) -> bytes:
    return array("h", samples).tobytes()


def sine(hz: float, amplitude: float, seconds: float = 1.0, rate_hz: int = 8_000) -> bytes:
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.sin(2 * np.pi * hz * at)).astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("rate_hz", "size"),
    [(8_000, 320), (12_000, 480), (16_000, 640), (44_100, 1_764), (48_000, 1_920), (192_000, 7_680)],
)
def test_frame_sizes_of_20_ms(rate_hz: int, size: int) -> None:
    assert slin.frame_bytes(rate_hz, 20) == size
    assert slin.duration_ms(bytes(size), rate_hz) == 20.0


def test_silence_is_whole_samples_of_zero() -> None:
    assert slin.silence(20) == bytes(320)
    assert slin.silence(0.1, 44_100) == bytes(8)  # 4.41 samples


def test_the_last_frame_is_filled_up_with_silence() -> None:
    assert list(slin.frames(b"abcdefg", 4)) == [b"abcd", b"efg\0"]
    assert list(slin.frames(b"", 4)) == []
    with pytest.raises(ValueError, match="at least one byte"):
        list(slin.frames(b"a", 0))


def test_levels() -> None:
    assert slin.level_dbfs(b"") == slin.level_dbfs(slin.silence(20)) == -120.0
    assert slin.level_dbfs(pcm(-32_768, -32_768)) == 0.0
    assert slin.level_dbfs(sine(1_000, 32_767)) == pytest.approx(-3.01, abs=0.01)
    assert slin.level_dbfs(pcm(1, 0, 0, 0) * 2_000) == pytest.approx(20 * math.log10(0.5 / 32_768))
    assert slin.level_dbfs(pcm(-32_768) + b"\x01") == 0.0  # half a sample is none


def test_gain_saturates_and_does_not_wrap() -> None:
    assert slin.gain(pcm(100, -100), 20) == pcm(1_000, -1_000)
    assert slin.gain(pcm(20_000, -20_000), 6.0206) == pcm(32_767, -32_768)
    assert slin.gain(pcm(1_000), -20) == pcm(100)


def test_a_mix_is_as_long_as_the_longer_one_and_saturates() -> None:
    assert slin.mix(pcm(1, 2, 3), pcm(10)) == slin.mix(pcm(10), pcm(1, 2, 3)) == pcm(11, 2, 3)
    assert slin.mix(pcm(30_000, -30_000), pcm(30_000, -30_000)) == pcm(32_767, -32_768)
    assert slin.mix(b"", b"") == b""


@given(PCM)
def test_mixing_with_silence_and_no_gain_change_nothing(sound: bytes) -> None:
    assert slin.mix(sound, bytes(len(sound))) == sound
    assert slin.gain(sound, 0) == sound


def test_resampling_keeps_length_level_and_bytes() -> None:
    tone = sine(440, 10_000, rate_hz=44_100)
    at_8k = slin.resample(tone, 44_100, 8_000)
    assert slin.duration_ms(at_8k, 8_000) == pytest.approx(1_000, abs=1)
    assert slin.level_dbfs(at_8k) == pytest.approx(slin.level_dbfs(tone), abs=0.2)
    assert slin.resample(tone, 44_100, 8_000) == at_8k  # the same every time: snapshots rest on it
    assert slin.resample(tone, 8_000, 8_000) is tone
    assert slin.resample(b"", 44_100, 8_000) == b""


@pytest.mark.parametrize(
    ("encode", "decode", "zero"),
    [(slin.ulaw_encode, slin.ulaw_decode, b"\xff"), (slin.alaw_encode, slin.alaw_decode, b"\xd5")],
)
def test_g711_round_trip(encode, decode, zero) -> None:  # type: ignore[no-untyped-def]
    assert encode(pcm(0)) == zero
    coded = bytes(range(256))
    assert decode(encode(decode(coded))) == decode(coded)
    tone = sine(440, 16_000)
    assert len(encode(tone)) == len(tone) // 2
    error = slin.mix(decode(encode(tone)), slin.gain(tone, 0))
    assert slin.level_dbfs(error) > -10  # the sum of both, so about 6 dB over either: in phase
    assert encode(pcm(5) + b"\x01") == encode(pcm(5))


def test_interleave_fills_up_the_shorter_side() -> None:
    assert slin.interleave(pcm(1, 2), pcm(9)) == pcm(1, 9, 2, 0)
    assert slin.interleave(b"", b"") == b""


def test_wav_goes_out_and_comes_back(tmp_path: Path) -> None:
    slin.write_wav(tmp_path / "a.wav", pcm(1, -2, 3))
    assert slin.read_audio(tmp_path / "a.wav") == pcm(1, -2, 3)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8_000)


def test_stereo_is_mixed_down(tmp_path: Path) -> None:
    slin.write_wav(tmp_path / "a.wav", slin.interleave(pcm(100, 32_767), pcm(300, 32_767)), channels=2)
    assert slin.read_audio(tmp_path / "a.wav") == pcm(200, 32_767)


def test_a_wav_of_another_rate_is_resampled_once(tmp_path: Path) -> None:
    tone = sine(440, 10_000, rate_hz=16_000)
    slin.write_wav(tmp_path / "a.wav", tone, rate_hz=16_000)
    assert slin.read_audio(tmp_path / "a.wav") == slin.resample(tone, 16_000, 8_000)
    assert slin.read_audio(tmp_path / "a.wav", 16_000) == tone


@pytest.mark.parametrize("suffix", [".slin", ".sln", ".raw", ".SLIN"])
def test_headerless_files_are_8_khz(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    path.write_bytes(pcm(1, 2, 3) + b"\x01")
    assert slin.read_audio(path) == pcm(1, 2, 3)
    assert slin.read_audio(str(path), 16_000) == slin.resample(pcm(1, 2, 3), 8_000, 16_000)


def test_a_wav_of_another_depth_is_read_without_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8_000)
        file.writeframes(bytes([128, 255, 0]))
    assert slin.read_audio(tmp_path / "a.wav") == pcm(0, 127 * 256, -32_768)


@pytest.mark.long("quicker tests of this file are run")
def test_pydub_does_not_warn_that_there_is_no_ffmpeg(tmp_path: Path) -> None:
    """pydub warns when it is imported, whether or not the file needs ffmpeg: a new process tells."""
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 1, 8_000, 0, "NONE", ""))
        file.writeframes(bytes([128, 255, 0]))
    code = "import sys; from pathlib import Path; from audiosocket_core import slin; slin.read_audio(Path(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-W", "default::RuntimeWarning", "-c", code, str(tmp_path / "a.wav")],
        env={"PATH": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_without_ffmpeg_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a.mp3").write_bytes(b"ID3")
    with pytest.raises(slin.AudioFileError, match=r"a\.mp3: ffmpeg is needed"):
        slin.read_audio(tmp_path / "a.mp3")


def test_a_wav_that_is_none_is_an_error_with_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a.wav").write_bytes(b"RIFF....WAVE, or so it says")
    with pytest.raises(slin.AudioFileError, match=r"a\.wav"):
        slin.read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("name", ["none.wav", "none.slin", "none.mp3"])
def test_a_missing_file_is_an_oserror(tmp_path: Path, name: str) -> None:
    with pytest.raises(FileNotFoundError, match=name):
        slin.read_audio(tmp_path / name)


@pytest.mark.parametrize("name", ["a.wav", "a.slin", "a.raw", "a.mp3"])
def test_a_file_of_no_bytes_is_an_error(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    with pytest.raises(slin.AudioFileError, match=rf"{name}: empty: there is no sound in it$"):
        slin.read_audio(tmp_path / name)


@pytest.mark.parametrize(("name", "content"), [("a.slin", b"\x01"), ("a.wav", b"RIFF\x24\0\0\0WAVE")])
def test_a_file_of_no_sample_is_an_error(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(slin.AudioFileError, match=rf"{name}: (empty|cut off)"):
        slin.read_audio(tmp_path / name)


def test_a_wav_that_lies_is_an_error_with_its_name_and_why(tmp_path: Path) -> None:
    slin.write_wav(tmp_path / "a.wav", pcm(*range(500)))
    (tmp_path / "a.wav").write_bytes((tmp_path / "a.wav").read_bytes()[:100])
    with pytest.raises(slin.AudioFileError, match=r"a\.wav: cut off: 56 bytes of sound, and its header says 1000$"):
        slin.read_audio(tmp_path / "a.wav")


@pytest.mark.parametrize("law", ["ulaw", "alaw"])
def test_a_wav_of_g711_needs_no_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, law: str) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    coded = getattr(slin, f"{law}_encode")(pcm(0, 1_000, -20_000))
    kind = struct.pack("<HHIIHH", {"ulaw": 7, "alaw": 6}[law], 1, 8_000, 8_000, 1, 8)
    (tmp_path / "a.wav").write_bytes(b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + kind + b"data\x03\0\0\0" + coded)
    assert slin.read_audio(tmp_path / "a.wav") == getattr(slin, f"{law}_decode")(coded)


def test_what_is_no_regular_file_is_an_error_at_once(tmp_path: Path) -> None:
    """A pipe that nobody writes to would keep its reader waiting for ever, and /dev/zero never ends."""
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "folder.wav").mkdir()
    (tmp_path / "zero.raw").symlink_to("/dev/zero")
    for name in ("pipe.wav", "folder.wav", "zero.raw"):
        with pytest.raises(slin.AudioFileError, match=rf"{name}: .+: no sound can be read from it"):
            slin.read_audio(tmp_path / name)


def test_a_file_of_more_than_a_gigabyte_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "a.raw").open("wb") as file:
        file.truncate(1_000_000_001)
    with pytest.raises(slin.AudioFileError, match=r"a\.raw: larger than 1000 MB"):
        slin.read_audio(tmp_path / "a.raw")


@pytest.mark.parametrize(
    ("samples", "silent"), [((), True), ((0, 0), True), ((32, -32), True), ((0, 33), False), ((-32_768,), False)]
)
def test_silence_is_what_no_telephone_line_carries(samples: tuple[int, ...], silent: bool) -> None:
    assert slin.is_silent(pcm(*samples)) is silent


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        "ID3\x04\0\0\0\0\0\x02xy#EXTM3U\n/etc/passwd\n",
        "ffconcat version 1.0\nfile /etc/passwd\n",
        "v=0\n",
        "RIFF",
        "no audio",
    ],
)
@pytest.mark.parametrize("name", ["a.mp3", "a.wav", "a.m3u8"])
def test_a_text_is_never_given_to_ffmpeg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """It would open the files and the addresses that a playlist names."""
    for tool in ("ffmpeg", "ffprobe"):
        (tmp_path / tool).write_text(f"#!/bin/sh\ntouch {tmp_path}/called\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (tmp_path / name).write_text(text)
    with pytest.raises(slin.AudioFileError, match=rf"{name}: no sound file: it begins as none of WAV"):
        slin.read_audio(tmp_path / name)
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize(
    "data",
    [
        b"ID3\4",
        b"ID3\4\0\x10\0\0\1\0" + bytes(138) + b"\0\0\xff\xfb",
        b"\xff\xfb\x90",
        b"OggS\0",
        b"fLaC\0",
        b"\0\0\0\x20ftypM4A ",
        b"\x1aE\xdf\xa3",
        b"FORM\0\0\0\0AIFF",
    ],
)
def test_a_compressed_sound_is_ffmpegs_to_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "a.bin").write_bytes(data)
    with pytest.raises(slin.AudioFileError, match=r"a\.bin: ffmpeg is needed to read this file"):
        slin.read_audio(tmp_path / "a.bin")
