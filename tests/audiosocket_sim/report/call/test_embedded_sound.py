"""The sound in a page is at its time in the call, both sides apart, in few bytes; its outline is where the sound is."""

import io

import numpy as np
import pytest

from audiosocket_core.slin import interleave, ulaw_decode
from audiosocket_core.wav import read_wav
from audiosocket_sim.report.call.embedded_sound import embedded_sound
from audiosocket_sim.report.call.envelope import envelope, fewer
from audiosocket_sim.report.saved.stereo import StereoSound

RATE_HZ = 8000
ONSETS = {"caller": (0.5, 3.0), "heard": (1.25, 4.75)}


def tone(onsets: tuple[float, ...], seconds: float = 6.0) -> bytes:
    """Silence with tones of 0.3 s at these instants."""
    wave = np.zeros(round(seconds * RATE_HZ))
    burst = 9000 * np.sin(2 * np.pi * 500 * np.arange(round(0.3 * RATE_HZ)) / RATE_HZ)
    for at in onsets:
        wave[round(at * RATE_HZ) :][: len(burst)] = burst
    return wave.astype("<i2").tobytes()


SOUND = StereoSound(tone(ONSETS["caller"]), tone(ONSETS["heard"]))


def onsets(wave: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> list[float]:
    loud = np.flatnonzero(np.abs(wave) > 0.1)
    first = loud[np.flatnonzero(np.diff(loud, prepend=-RATE_HZ) > RATE_HZ // 2)]
    return [float(at) / RATE_HZ for at in first]


def test_mu_law_is_played_as_it_came_over_the_line() -> None:
    made = embedded_sound(SOUND, compress=False)
    assert (made.media_type, made.suffix) == ("audio/wav", "wav")
    assert len(made.data) * 4 / 3 / 6 * 60 < 1_400_000
    found = read_wav(made.data)
    assert (found.channels, found.rate_hz, found.law) == (2, 8000, "ulaw")
    wave = np.frombuffer(ulaw_decode(found.data), "<i2").reshape(-1, 2) / 32768
    for side, name in enumerate(("caller", "heard")):
        assert onsets(wave[:, side]) == pytest.approx(ONSETS[name], abs=0.002)


@pytest.mark.extra
def test_mp3_has_no_delay_and_keeps_the_sides_apart() -> None:
    soundfile = pytest.importorskip("soundfile")
    made = embedded_sound(SOUND)
    assert (made.media_type, made.suffix) == ("audio/mpeg", "mp3")
    assert len(made.data) * 4 / 3 / 6 * 60 < 400_000
    wave, rate = soundfile.read(io.BytesIO(made.data))
    assert rate == RATE_HZ
    for side, name in enumerate(("caller", "heard")):
        assert onsets(wave[:, side]) == pytest.approx(ONSETS[name], abs=0.01)
    other = wave[round(0.5 * RATE_HZ) : round(0.8 * RATE_HZ), 1]
    assert np.abs(other).max() < 0.02, "what the caller says is not on the other side"


def test_without_the_extra_mp3_is_refused_with_a_hint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "soundfile", None)
    assert embedded_sound(SOUND).suffix == "wav"
    with pytest.raises(ModuleNotFoundError, match=r"audiosocket-sim\[report\]"):
        embedded_sound(SOUND, compress=True)


def test_the_outline_is_loud_where_the_sound_is() -> None:
    found = envelope(SOUND.caller)
    assert found.step_ms == 20
    loud = [index * 20 for index, value in enumerate(found.values) if value > 60]
    assert (min(loud), max(loud)) == (500, 3280)
    assert max(fewer(found, 0, 400, 10)) == 0
    assert len(fewer(found, 0, 6000, 100)) <= 100


@pytest.mark.long("the outline of a call is drawn")
def test_the_outline_of_an_hour_is_coarser_and_that_of_nothing_is_empty() -> None:
    assert envelope(bytes(2 * RATE_HZ * 3600)).step_ms == 100
    assert envelope(b"").values == b""
    assert fewer(envelope(b""), 0, 1000, 10) == [0] * 10
    assert interleave(b"", b"") == b""
