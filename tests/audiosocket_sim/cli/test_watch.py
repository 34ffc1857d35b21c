"""`run --watch`: what a saved file concerns, what is run again, and how it ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from audiosocket_sim.cli.main import main
from audiosocket_sim.cli.run import RunRequest
from audiosocket_sim.cli.watch import Round, watch_command

CALL = "summary: A call.\nsteps: [{wait: 100ms}]\n"
BOT = """
import asyncio, types
import answers

async def serve(*, host, port, control_port=0, settings=None):
    server = await asyncio.start_server(answers.take, host, port)
    async def close(): server.close()
    return types.SimpleNamespace(host=host, port=server.sockets[0].getsockname()[1], control_url=None, close=close)
"""
ANSWERS = """
async def take(reader, writer):
    await reader.read()
    writer.close()
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write("pyproject.toml", '[tool.audiosocket-sim]\ntarget = "bot:serve"\n')
    write("bot.py", BOT)
    write("answers.py", ANSWERS)
    write("calls/a.yaml", "for_each: {x: [1, 2]}\n" + CALL.replace("A call", "${x}") + "line: {codec: alaw}\n")
    write(
        "calls/b.yaml",
        "summary: A call.\nsteps:\n  - include: parts/b.yaml\n  - say: aa/yes\n  - say: {file: own.wav}\n",
    )
    write("calls/parts/b.yaml", "- wait: 100ms\n")
    for name in ("recordings/aa/yes.wav", "calls/own.wav"):
        write(name, "x")
    write("recordings/manifest.yaml", '- {file: aa/yes.wav, text: "Yes."}\n')
    return tmp_path


def write(name: str, text: str) -> Path:
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def nothing() -> None:
    pass


class Session:
    """Watches with rounds that make no calls. `does`: what somebody saves, one after each round; then comes Ctrl-C.

    A list is saved with one look at the files between its parts.
    """

    def __init__(self, *does: Callable[[], object] | list[Callable[[], object]], **results: Round) -> None:
        self.rounds: list[list[str]] = []
        self.parts: list[bool] = []
        parts = (do if isinstance(do, list) else [do] for do in does)
        self._does = (do for part in parts for do in [*part, nothing])
        self._results = results

    def watch(self, *names: str) -> int:
        return watch_command(RunRequest(names=names), self._round, self._pause)

    def _round(self, asked: RunRequest) -> Round:
        self.rounds.append([os.path.relpath(name) for name in asked.names])
        self.parts.append(asked.is_part)
        return self._results.get(f"round_{len(self.rounds)}", Round(0))

    def _pause(self) -> None:
        do = next(self._does, None)
        if do is None:
            raise KeyboardInterrupt
        do()


def saved(*names: str) -> Callable[[], None]:
    def save() -> None:
        for name in names:
            write(name, f"{Path(name).read_text(encoding='utf-8')}\n" if Path(name).exists() else CALL)

    return save


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("calls/a.yaml", ["calls/a.yaml"]),
        ("calls/b.yaml", ["calls/b.yaml"]),
        ("calls/parts/b.yaml", ["calls/b.yaml"]),
        ("calls/own.wav", ["calls/b.yaml"]),
        ("recordings/aa/yes.wav", ["calls/b.yaml"]),
        ("recordings/manifest.yaml", ["calls/b.yaml"]),
        ("bot.py", ["calls/a.yaml", "calls/b.yaml"]),
        ("calls/new.yaml", ["calls/new.yaml"]),
    ],
)
def test_what_a_saved_file_concerns_is_run_again(name: str, again: list[str]) -> None:
    session = Session(saved(name))
    assert session.watch("calls") == 0
    assert session.rounds == [["calls/a.yaml", "calls/b.yaml"], again]
    assert session.parts == [False, len(again) == 1]


def test_a_module_that_the_bot_has_imported_concerns_all(project: Path) -> None:
    session = Session(saved("answers.py"), round_1=Round(0, {}, frozenset({project / "answers.py"})))
    session.watch("calls")
    assert len(session.rounds) == 2


@pytest.mark.every(3)
@pytest.mark.parametrize("name", ["answers.py", "other.txt", "calls/other.txt"])
def test_another_file_concerns_nothing(name: str) -> None:
    write(name, "")
    session = Session(saved(name))
    session.watch("calls")
    assert len(session.rounds) == 1


def test_defaults_that_are_new_and_an_include_that_was_missing_concern_their_scenarios() -> None:
    session = Session(saved("calls/defaults.yaml"))
    session.watch("calls/a.yaml")
    assert len(session.rounds) == 2
    write("calls/b.yaml", "summary: x\nsteps: [{include: parts/new.yaml}]\n")
    session = Session(saved("calls/parts/new.yaml"))
    session.watch("calls/b.yaml")
    assert len(session.rounds) == 2


def test_ctrl_c_before_the_first_round_is_over_ends_it_too() -> None:
    def interrupted(_: RunRequest) -> Round:
        raise KeyboardInterrupt

    assert watch_command(RunRequest(names=["calls"]), interrupted) == 4


def test_a_scenario_that_is_not_valid_is_run_again_when_one_of_its_folder_is_mended() -> None:
    write("calls/b.yaml", "summary: x\nsteps: [{include: parts/none.yaml}]\n")
    write("calls/parts/b.yaml", "- wiat: 1s\n")
    session = Session(saved("calls/parts/b.yaml"))
    session.watch("calls/b.yaml")
    assert session.rounds == [["calls/b.yaml"]] * 2


def test_one_cell_stays_one_cell() -> None:
    session = Session(saved("calls/a.yaml"))
    session.watch("calls/a.yaml[x=2]")
    assert session.rounds == [["calls/a.yaml[x=2]"]] * 2


def test_changes_that_go_on_are_one() -> None:
    session = Session([saved("calls/a.yaml"), saved("calls/b.yaml")], saved("calls/b.yaml"))
    session.watch("calls")
    assert session.rounds[1:] == [["calls/a.yaml", "calls/b.yaml"], ["calls/b.yaml"]]


def test_a_scenario_that_is_gone_is_left_out() -> None:
    session = Session(Path("calls/b.yaml").unlink, saved("bot.py"), round_1=Round(1))
    assert session.watch("calls") == 0
    assert session.rounds[1:] == [["calls/a.yaml"]]


def test_the_exit_code_is_that_of_the_last_rounds(project: Path) -> None:
    a, b = project / "calls/a.yaml", project / "calls/b.yaml"
    failed = Round(1, {a: 0, b: 1})
    assert Session(round_1=failed).watch("calls") == 1
    assert Session(saved("calls/b.yaml"), round_1=failed, round_2=Round(0, {b: 0})).watch("calls") == 0
    assert Session(saved("calls/a.yaml"), round_1=failed, round_2=Round(0, {a: 0})).watch("calls") == 1
    assert Session(round_1=Round(2)).watch("calls") == 2
    assert Session(round_1=Round(4, interrupted=True)).watch("calls") == 4


def test_what_names_no_scenario_is_not_watched(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--watch", "none_such"]) == 2
    assert "no such scenario" in capsys.readouterr().err


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "audiosocket_sim", "run", "--watch", "calls/a.yaml[x=1]"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as started:
        yield started
        started.kill()


def lines_until(program: subprocess.Popen[str], word: str) -> list[str]:
    assert program.stdout is not None
    found: list[str] = []
    for line in program.stdout:
        found.append(line.rstrip())
        if word in line:
            break
    return found


@pytest.mark.long("rounds are made in the same process")
def test_a_round_is_a_process_of_its_own_and_ctrl_c_ends_the_watch(program: subprocess.Popen[str]) -> None:
    first = lines_until(program, "watching")
    assert any(line.startswith("passed: a[x=1]") for line in first)
    assert first[-1] == "watching 3 files; Ctrl-C ends"  # the scenario, the bot, and what it imports
    write("answers.py", "raise ValueError('broken')\n")
    again = lines_until(program, "watching")
    assert any("broken" in line for line in again)
    program.send_signal(signal.SIGINT)
    assert program.wait() == 3


def test_a_limit_over_all_calls_of_the_last_round_counts_too(project: Path) -> None:
    held = {project / "calls/a.yaml": 0, project / "calls/b.yaml": 0}
    assert Session(round_1=Round(1, held)).watch("calls") == 1
