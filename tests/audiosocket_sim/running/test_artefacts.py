"""The files of a run: private, whole or not there, and never another run's; what is not there is not listed."""

import os
import resource
import shutil
import signal
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Thread

import pytest

from audiosocket_sim.cli.main import main
from audiosocket_sim.running import runner
from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import load_text

ROOT = Path(__file__).resolve().parents[3]
HELLO = [0.5, "say", "pt-br/pode_subir"]
FILES = {"transcript.txt", "call.jsonl", "call.wav", "result.json"}


def scenario(*script: object, steps: str = "[{wait: 3s}]") -> Scenario:
    made = load_text(f"summary: A call.\nsteps: {steps}\n", "call", folder=ROOT / "scenarios")
    return made.model_copy(update={"server": {"script": list(script)}})


def go(made: Scenario, folder: Path, **options: object) -> Result:
    return run(made, Options(target="helpers.scripted_bot:serve", artefacts=folder, **options))  # type: ignore[arg-type]


@pytest.fixture
def open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@contextmanager
def files_of_at_most(n_bytes: int) -> Iterator[None]:
    """As a disk that is full: writing past the limit fails."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.every(3)
@pytest.mark.usefixtures("open_to_all")
@pytest.mark.parametrize(
    ("say", "is_said"), [("pt-br/sim", False), ("{file: pt-br/sim.wav, text: Sim.}", True), ("{file: cut.wav}", False)]
)
def test_all_that_a_run_leaves_is_its_owners_alone(say: str, is_said: bool, tmp_path: Path) -> None:
    """Also where the set-up fails, and where the bot is told what the caller says in words of his own."""
    here = tmp_path / "scenarios"
    shutil.copytree(ROOT / "recordings", here)
    (here / "cut.wav").write_bytes((here / "pt-br" / "sim.wav").read_bytes()[:100])
    made = load_text(f"summary: A call.\nsteps: [{{say: {say}}}]\n", "call", folder=here)
    result = run(made, Options(artefacts=tmp_path / "runs" / "call"))
    assert result.outcome is (Outcome.SET_UP if "cut" in say else Outcome.PASSED)
    left = [tmp_path / "runs", *(tmp_path / "runs").rglob("*")]
    assert {path.stat().st_mode & 0o777 for path in left if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in left if path.is_dir()} == {0o700}
    assert {path.name for path in left if path.is_file()} == FILES | ({"1.wav", "manifest.yaml"} if is_said else set())


def test_two_runs_of_one_name_at_a_time_have_a_folder_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = Barrier(2)
    results: dict[str, Result] = {}
    scripts = {"spoken": [HELLO], "silent": []}

    def one(name: str) -> None:
        met = []

        def look(*_: object) -> None:
            if not met:
                met.append(both.wait(60))

        options = Options(target="helpers.scripted_bot:serve", artefacts=tmp_path / "call")
        results[name] = runner.run(scenario(*scripts[name]), options, look)

    threads = [Thread(target=one, args=(name,)) for name in scripts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {path.name for path in tmp_path.iterdir()} == {"call", "call-2"}
    for result in results.values():
        assert result.outcome is Outcome.PASSED
        assert result.artefacts is not None
        assert result.artefacts.transcript is not None
        assert result.artefacts.transcript.read_text(encoding="utf-8") == result.transcript
    assert results["spoken"].transcript != results["silent"].transcript
    assert go(scenario(), tmp_path / "call").artefacts.call_log == tmp_path / "call" / "call.jsonl"  # type: ignore[union-attr]


def test_a_disk_that_is_full_is_a_line_and_what_is_not_there_is_not_listed(tmp_path: Path) -> None:
    folder = tmp_path / "call"
    assert go(scenario(HELLO), folder).outcome is Outcome.PASSED
    earlier = (folder / "call.jsonl").read_bytes()
    with files_of_at_most(20_000):
        result = go(scenario(HELLO), folder)
    assert result.outcome is Outcome.SET_UP
    assert result.problems == [f"cannot write to {folder / 'call.wav'}: File too large"]
    assert result.artefacts is not None
    assert (result.artefacts.recording, result.artefacts.call_log) == (None, folder / "call.jsonl")
    assert {path.name for path in folder.iterdir()} == FILES - {"call.wav"}  # nor that of the run before, or a part
    assert (folder / "call.jsonl").read_bytes() == earlier


def test_a_failure_of_the_bot_stays_one_on_a_full_disk(tmp_path: Path) -> None:
    with files_of_at_most(0):
        result = go(scenario(steps="[{expect: {bot_speaks: 1s, within: 1s}}]"), tmp_path / "call")
    assert result.outcome is Outcome.FAILED
    assert result.artefacts is None
    assert list((tmp_path / "call").iterdir()) == []
    assert len(result.failures) == 1


@pytest.mark.parametrize("place", ["file", "file/call"])
def test_a_folder_that_cannot_be_is_one_line(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "call.yaml").write_text("summary: A call.\nsteps: [{wait: 1s}]\n")
    assert main(["run", "call.yaml", "--target", "helpers.scripted_bot:serve", "--artefacts", place]) == 3
    out = capsys.readouterr().out
    assert f"cannot write to {place.split('/')[0]}" in out
    assert out.count("cannot write") == 1
    assert "transcript  " not in out
    assert "recording  " not in out


def test_an_interrupted_call_leaves_its_log_and_its_recording(tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        if not asked:
            asked.append(True)
            signal.raise_signal(signal.SIGINT)

    asked: list[bool] = []
    options = Options(target="helpers.scripted_bot:serve", artefacts=tmp_path / "call")
    result = run(scenario(HELLO), options, interrupt)
    assert result.interrupted
    assert {path.name for path in (tmp_path / "call").iterdir()} == FILES
    with wave.open(str(tmp_path / "call" / "call.wav")) as file:
        assert file.getnchannels() == 2
