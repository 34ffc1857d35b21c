"""The line: G.711 both ways, seeded noise, gain; and none of it depends on how the sound is cut."""

import math
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.asterisk.codecs import CodecMissing
from audiosocket_sim.phone.line import LineModel, noise, tone
from audiosocket_sim.phone.surroundings import RoundSound, SpeakingRoom

ROOT = Path(__file__).resolve().parents[3]
SPEECH = tone(500, 300, -20)


def level_dbfs(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, dtype="<i2").astype(float)
    return 20 * math.log10(max(float(np.sqrt(np.mean(samples**2))), 1e-3) / 32768)


def sent(line: LineModel, pcm: bytes, cuts: list[int]) -> bytes:
    out = []
    while pcm:
        size = 2 * (cuts.pop(0) if cuts else 160)
        out.append(line.send(pcm[:size]))
        pcm = pcm[size:]
    return b"".join(out)


@pytest.mark.parametrize("codec", ["ulaw", "alaw"])
def test_a_codec_changes_the_sound_once_and_by_little(codec: str) -> None:
    once = LineModel(codec).receive(SPEECH)  # type: ignore[arg-type]
    assert once != SPEECH
    assert LineModel(codec).receive(once) == once  # type: ignore[arg-type]
    error = np.frombuffer(once, "<i2").astype(float) - np.frombuffer(SPEECH, "<i2")
    assert level_dbfs(SPEECH) - level_dbfs(np.rint(error).astype("<i2").tobytes()) > 30


def test_no_codec_and_other_rates_pass_the_sound_as_it_is() -> None:
    assert LineModel("none").send(SPEECH) == SPEECH
    assert LineModel("ulaw", rate_hz=16000).receive(SPEECH) == SPEECH


def test_digital_silence_stays_silent_in_ulaw_and_is_eights_in_alaw() -> None:
    assert LineModel("ulaw").send(bytes(320)) == bytes(320)
    assert set(np.frombuffer(LineModel("alaw").send(bytes(320)), "<i2").tolist()) == {8}


@pytest.mark.parametrize("dbfs", [-55.0, -30.0])
def test_noise_has_its_level_and_its_seed(dbfs: float) -> None:
    quiet = bytes(2 * 40_000)
    heard = LineModel("none", noise_dbfs=dbfs, seed=7).send(quiet)
    assert level_dbfs(heard) == pytest.approx(dbfs, abs=0.15)
    assert heard == LineModel("none", noise_dbfs=dbfs, seed=7).send(quiet)
    assert heard != LineModel("none", noise_dbfs=dbfs, seed=8).send(quiet)


@given(st.lists(st.integers(1, 20_000), max_size=6))
def test_noise_does_not_depend_on_the_cuts(cuts: list[int]) -> None:
    pcm = bytes(2 * 25_000)
    whole = LineModel(noise_dbfs=-40, gain_db=-3).send(pcm)
    assert sent(LineModel(noise_dbfs=-40, gain_db=-3), pcm, list(cuts)) == whole


def test_noise_lies_under_the_codec_and_not_on_what_the_caller_hears() -> None:
    line = LineModel("ulaw", noise_dbfs=-40)
    noisy = line.send(SPEECH)
    assert LineModel("ulaw").receive(noisy) == noisy  # the codec came last
    assert line.receive(SPEECH) == LineModel("ulaw").receive(SPEECH)


def test_frames_without_noise_do_not_use_it_up() -> None:
    line, other = LineModel("none", noise_dbfs=-40), LineModel("none", noise_dbfs=-40)
    first = line.send(bytes(320))
    assert line.send(bytes(320), with_noise=False) == bytes(320)
    assert first + line.send(bytes(320)) == other.send(bytes(640))


def test_gain_is_of_the_sound_not_of_the_noise_and_saturates() -> None:
    assert level_dbfs(LineModel("none", gain_db=-6).send(SPEECH)) == pytest.approx(-26, abs=0.05)
    assert level_dbfs(LineModel("none", gain_db=-6, noise_dbfs=-40).send(bytes(80_000))) == pytest.approx(-40, abs=0.2)
    loud = np.frombuffer(LineModel("none", gain_db=40).send(SPEECH), "<i2")
    assert (loud.min(), loud.max()) == (-32768, 32767)


@pytest.mark.parametrize("color", ["white", "pink"])
def test_noise_step(color: str) -> None:
    pcm = noise(1000, -25, color, seed=3)  # type: ignore[arg-type]
    assert len(pcm) == 16_000
    assert level_dbfs(pcm) == pytest.approx(-25, abs=0.05)
    assert pcm == noise(1000, -25, color, seed=3)  # type: ignore[arg-type]
    spectrum = np.abs(np.fft.rfft(np.frombuffer(pcm, "<i2"))) ** 2
    low, high = float(spectrum[100:200].sum()), float(spectrum[3000:3100].sum())
    assert (low / high > 5) == (color == "pink")


def test_tone_step() -> None:
    pcm = tone(1000, 425, -20)
    assert level_dbfs(pcm) == pytest.approx(-20, abs=0.05)
    assert int(np.argmax(np.abs(np.fft.rfft(np.frombuffer(pcm, "<i2"))))) == 425
    assert len(tone(100, 425, -20, rate_hz=16000)) == 3200


def test_what_cannot_be_made_is_refused() -> None:
    with pytest.raises(ValueError, match="codec"):
        LineModel("opus")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="0 dBFS"):
        LineModel(noise_dbfs=3)
    with pytest.raises(ValueError, match="between 0 and 4000"):
        tone(100, 4000, -20)
    with pytest.raises(ValueError, match="white or pink"):
        noise(100, -20, "brown")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="0 ms"):
        noise(-1, -20)
    assert noise(0, -20) == b""


# --- what is around the caller


def around() -> LineModel:
    behind = [RoundSound(SPEECH, -40, 8000), RoundSound(noise(300, -20), -35, 8000, after=800, pause=1600)]
    return LineModel("alaw", -60, -3, room=SpeakingRoom(200, -6, 8000, 3), behind=behind)


@pytest.mark.long("quicker tests of this file are run")
@example([1, 5, 800, 3])
@given(st.lists(st.integers(1, 9000), max_size=5))
@settings(max_examples=10, deadline=None)
def test_what_is_around_the_caller_does_not_depend_on_the_cuts(cuts: list[int]) -> None:
    pcm = SPEECH + bytes(16_000)
    assert sent(around(), pcm, cuts) == around().send(pcm)


def test_a_sound_behind_the_caller_has_its_level_and_goes_round() -> None:
    line = LineModel("none", behind=[RoundSound(SPEECH, -40, 8000, after=800, pause=400)])
    heard = line.quiet(2 * 16_000)
    assert heard[:1600] == bytes(1600)
    assert level_dbfs(heard[1600:5600]) == pytest.approx(-40, abs=0.1)
    round_bytes = len(SPEECH) + 800
    assert heard[1600 : 1600 + round_bytes] == heard[1600 + round_bytes : 1600 + 2 * round_bytes]
    assert line.send(bytes(320), with_noise=False) == bytes(320)


def test_a_talker_who_is_silent_for_years_takes_no_memory() -> None:
    once = RoundSound(SPEECH, -40, 8000, pause=10**40)
    samples = len(SPEECH) // 2
    assert np.abs(once.take(samples)).max() > 0
    assert not once.take(8000).any()
    assert not RoundSound(SPEECH, -40, 8000, after=10**40).take(8000).any()


def test_a_sound_that_is_none_cannot_be_behind_anybody() -> None:
    with pytest.raises(ValueError, match="nothing can be heard in it"):
        RoundSound(bytes(320), -40, 8000)
    with pytest.raises(ValueError, match="nothing can be heard in it"):
        RoundSound(b"", -40, 8000)


def test_a_room_adds_its_energy_behind_the_sound_and_dies_away() -> None:
    click = np.zeros(8000)
    click[0] = 10_000.0
    heard = SpeakingRoom(400, -6, 8000, 1).through(click)
    assert heard[0] == pytest.approx(10_000.0)
    assert 10 * math.log10(float(np.sum(heard[1:] ** 2)) / 10_000.0**2) == pytest.approx(-6, abs=0.01)
    assert np.abs(heard[3200:]).max() < 1e-6
    early, late = (float(np.sum(heard[at : at + 800] ** 2)) for at in (1, 2400))
    assert 10 * math.log10(early / late) == pytest.approx(45, abs=3)
    assert len(SpeakingRoom(1, -6, 8000, 1).through(np.zeros(0))) == 0
    assert np.all(SpeakingRoom(1, -6, 1000, 1).through(np.ones(3)) == np.ones(3))  # a room of one sample


def test_gsm_without_the_extra_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(CodecMissing, match=r"line: codec: gsm needs the extra \[codecs\]"):
        LineModel("gsm")
    assert LineModel("gsm", rate_hz=16_000).send(SPEECH) == SPEECH


@pytest.mark.extra
def test_gsm_goes_through_a_codec_with_a_memory_frame_by_frame() -> None:
    pytest.importorskip("soundfile")
    speech = PhraseBook.load(ROOT / "recordings").phrases[0].pcm[: 320 * 100]
    heard = sent(LineModel("gsm"), speech, [160, 480, 320])
    assert heard == LineModel("gsm").send(speech)
    assert LineModel("gsm").receive(speech) == speech
    one, other = (np.frombuffer(pcm, "<i2").astype(float) for pcm in (speech, heard))
    assert len(one) == len(other)
    assert 0.8 < float(np.corrcoef(one, other)[0, 1]) < 0.999


def began(sound: bytes, *, after: int = 0, pause: int = 0, seconds: int = 4) -> list[int]:
    """In which frames of 20 ms something began behind the caller; the first one, where it goes on to rise."""
    line = LineModel("none", behind=[RoundSound(sound, -30.0, 8000, after=after, pause=pause)])
    for frame in range(seconds * 50):
        line.send(bytes(320), at=frame / 50)
    rose = [line.began_between(frame / 50, frame / 50) for frame in range(seconds * 50)]
    return [frame for frame in range(seconds * 50) if rose[frame] and not (frame and rose[frame - 1])]


def test_of_steady_noise_only_its_beginning_begins() -> None:
    for steady in (tone(1000, 440, -20), noise(1000, -30), noise(1000, -30, "pink")):
        assert began(steady) == [0]
        assert began(steady, after=4000) == [25]


def test_a_short_sound_that_goes_round_is_steady_too() -> None:
    for ms in (100, 110, 250):
        assert began(tone(ms, 440, -20)) == [0]


def test_each_round_begins_after_a_pause() -> None:
    assert began(tone(500, 440, -20), pause=4000) == [0, 50, 100, 150]


def test_what_becomes_louder_begins() -> None:
    assert began(tone(1000, 440, -30) + tone(1000, 440, -20), seconds=2) == [0, 50]
    assert began(tone(1000, 440, -30) + tone(1000, 440, -28), seconds=2) == [0]


def test_nothing_begins_while_the_line_is_silent() -> None:
    line = LineModel("none", behind=[RoundSound(tone(1000, 440, -20), -30.0, 8000)])
    line.send(bytes(320), with_noise=False, at=1.0)
    assert not line.began_between(0.0, 2.0)
    line.send(bytes(320), at=1.02)
    assert line.began_between(1.02, 2.0)
    assert not line.began_between(0.0, 1.01)
