"""The hold music: made by its script to the byte, fit for the telephone, and without a seam."""

import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from audiosocket_core import slin

AUDIO = Path(__file__).parents[2] / "audio"
PCM = (AUDIO / "waiting.slin").read_bytes()
WAVE = np.frombuffer(PCM, "<i2").astype(np.float64)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_waiting", AUDIO / "make_waiting.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.long("the committed bytes are heard")
def test_the_script_makes_the_committed_bytes(script: ModuleType) -> None:
    assert script.render() == PCM


def test_length_and_level() -> None:
    assert 10_000 <= slin.duration_ms(PCM, 8000) <= 20_000
    assert len(PCM) % 320 == 0  # whole frames of 20 ms: the loop needs no padding
    assert slin.level_dbfs(PCM) == pytest.approx(-22, abs=0.1)
    assert np.abs(WAVE).max() < 32768 * 10 ** (-3 / 20)


def test_no_second_is_silent_or_loud() -> None:
    levels = [slin.level_dbfs(PCM[at : at + 16_000]) for at in range(0, len(PCM), 16_000)]
    assert min(levels) > -30
    assert max(levels) < -16


def bends(wave: np.ndarray) -> np.ndarray:
    """How far each sample lies off the line through its neighbours, which a click makes large."""
    return np.abs(wave[2:] - 2 * wave[1:-1] + wave[:-2])


def test_the_seam_is_like_any_other_place() -> None:
    """Around the seam (2 ms) the wave bends no more than music of its loudness does anywhere."""
    around = np.concatenate((WAVE[-400:], WAVE[:400]))
    usual = bends(WAVE)
    assert bends(around[384:416]).max() <= np.percentile(usual, 99)
    assert abs(WAVE[0] - WAVE[-1]) <= np.percentile(np.abs(np.diff(WAVE)), 99)


def test_no_clicks() -> None:
    """A click is a bend far larger than those of the 50 ms around it."""
    usual = bends(WAVE)
    blocks = usual[: len(usual) // 400 * 400].reshape(-1, 400)
    assert (blocks.max(axis=1) / np.sqrt((blocks**2).mean(axis=1))).max() < 5


def test_it_lies_where_a_telephone_carries_sound() -> None:
    power = np.abs(np.fft.rfft(WAVE)) ** 2
    hz = np.fft.rfftfreq(len(WAVE), 1 / 8000)
    inside = power[(hz >= 240) & (hz <= 3400)].sum()
    assert inside / power.sum() > 0.99
