"""What a call by microphone leaves: in a folder of its own, for its owner alone."""

import os
import wave
from pathlib import Path

import pytest

from audiosocket_sim.call_log.events import Entry, Noted, Source
from audiosocket_sim.live.mic.files import write_files


def test_each_call_has_a_private_folder_of_its_own(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        entries = [Entry(5, Source.CHECK, 1, Noted("half \ud800"))]
        made = [write_files(tmp_path / "runs", "mic", entries, [(1.0, bytes(320))], 1.0, bytes(640)) for _ in range(2)]
    finally:
        os.umask(before)
    assert [files.recording.parent.name for files in made] == ["mic-1", "mic-2"]
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "runs").rglob("*.*")} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("mic-?")} == {0o700}
    assert "half \\ud800" in made[0].transcript.read_text(encoding="utf-8")
    with wave.open(str(made[0].recording)) as file:
        assert (file.getnchannels(), file.getnframes()) == (2, 320)


def test_a_file_in_the_way_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "runs").touch()
    with pytest.raises(NotADirectoryError, match="runs"):
        write_files(tmp_path / "runs", "mic", [], [], 0.0, b"")
