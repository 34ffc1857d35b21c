"""The folder of one run: private, and no other run's while it lasts, however that one ends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from audiosocket_sim.running.run_folder import RunFolder


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_it_is_made_private_with_what_is_missing_around_it(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there").chmod(0o755)
    held = RunFolder.hold(tmp_path / "there" / "runs" / "call")
    assert held.path == tmp_path / "there" / "runs" / "call"
    assert [mode(path) for path in (held.path, held.path.parent, held.path.parent.parent)] == [0o700, 0o700, 0o755]
    held.release()


def test_a_folder_of_an_earlier_run_becomes_private_and_any_other_stays(tmp_path: Path) -> None:
    for name in ("earlier", "somebodys"):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(0o755)
    (tmp_path / "earlier" / "call.wav").touch()
    for name, expected in (("earlier", 0o700), ("somebodys", 0o755)):
        RunFolder.hold(tmp_path / name).release()
        assert mode(tmp_path / name) == expected


def test_while_it_is_held_others_get_the_next_free_name(tmp_path: Path) -> None:
    first, second, third = (RunFolder.hold(tmp_path / "call") for _ in range(3))
    assert [held.path.name for held in (first, second, third)] == ["call", "call-2", "call-3"]
    second.release()
    second.release()
    assert RunFolder.hold(tmp_path / "call").path.name == "call-2"
    first.release()
    assert RunFolder.hold(tmp_path / "call").path.name == "call"


def test_a_folder_without_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    first, second = RunFolder.hold(Path()), RunFolder.hold(Path())
    assert (first.path, second.path) == (tmp_path / "here", tmp_path / "here-2")


_HOLDS = """
import sys, time
from pathlib import Path
from audiosocket_sim.running.run_folder import RunFolder
print(RunFolder.hold(Path(sys.argv[1])).path.name, flush=True)
sys.stdin.read()
"""


def test_the_lock_of_a_run_that_was_killed_blocks_nobody(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(tmp_path / "call")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "call\n"
        here = RunFolder.hold(tmp_path / "call")
        assert here.path.name == "call-2"
        here.release()
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert RunFolder.hold(tmp_path / "call").path.name == "call"


def test_a_child_that_lives_on_keeps_nothing_locked(tmp_path: Path) -> None:
    """A process that was forked off shares the lock, whatever is closed here."""
    held = RunFolder.hold(tmp_path / "call")
    shared = [held._descriptor]
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=shared):
        held.release()
        assert RunFolder.hold(tmp_path / "call").path.name == "call"


def test_where_there_are_no_locks_it_is_taken_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", no_locks)
    held = RunFolder.hold(tmp_path / "call")
    assert held.path == tmp_path / "call"
    held.release()


def test_a_file_in_its_place_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for wanted in (tmp_path / "file", tmp_path / "file" / "call"):
        with pytest.raises(NotADirectoryError) as caught:
            RunFolder.hold(wanted)
        assert caught.value.filename == str(tmp_path / "file")
