"""What needs more than Python packages: ffmpeg for other audio formats, gcc for the benchmarks' C programs.

`make test` skips these where that is missing, and says so; `make test-all` installs what they need, and there a skip is
a failure.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import duration_ms, level_dbfs, read_audio
from audiosocket_sim.cli.main import main

ROOT = Path(__file__).resolve().parent.parent
SIM = ROOT / "recordings" / "pt-br" / "sim.wav"

pytestmark = pytest.mark.apt


def needs(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed: `make test-all` installs it")


@pytest.fixture
def mp3(tmp_path: Path) -> Path:
    needs("ffmpeg")
    path = tmp_path / "sim.mp3"
    subprocess.run(["ffmpeg", "-loglevel", "error", "-i", SIM, "-ar", "24000", path], check=True)
    return path


def test_an_mp3_is_read_at_8_khz(mp3: Path) -> None:
    pcm, original = read_audio(mp3), read_audio(SIM)
    assert abs(duration_ms(pcm, 8000) - duration_ms(original, 8000)) < 120
    assert abs(level_dbfs(pcm) - level_dbfs(original)) < 2


def test_a_recording_of_ones_own_from_an_mp3(mp3: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "recordings"
    assert main(["add-recording", str(mp3), "--text", "Sim, claro.", "--language", "pt-BR", "--to", str(folder)]) == 0
    assert "pt-br/sim_claro" in capsys.readouterr().out
    phrase = PhraseBook.load(folder).by_name("pt-br/sim_claro")
    assert phrase is not None
    assert phrase.text == "Sim, claro."
    assert 300 < phrase.speech_end_ms - phrase.speech_start_ms < 500


@pytest.mark.parametrize("program", ["load_generator", "yardstick"])
def test_the_c_programs_of_the_benchmarks_compile_without_a_warning(program: str, tmp_path: Path) -> None:
    needs("gcc")
    source = ROOT / "benchmarks" / "native" / f"{program}.c"
    command = ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", tmp_path / program, source]
    subprocess.run(command, check=True)
