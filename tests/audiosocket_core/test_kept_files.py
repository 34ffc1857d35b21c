"""A cache on disk: bounded, its owner's alone, and never a reason to fail."""

import logging
import os
import stat
from pathlib import Path

import pytest

from audiosocket_core.kept_files import KeptFiles


def test_what_is_kept_is_found_by_the_whole_key_and_is_the_owners(tmp_path: Path) -> None:
    kept = KeptFiles(tmp_path / "there" / "kept", ".slin")
    kept.put(b"a", "pm_alex", b"text")
    assert kept.get("pm_alex", "text") == b"a"
    assert kept.get("pm_alextext") is None
    assert kept.get("pm_alex\0text") is None
    (file,) = (tmp_path / "there" / "kept").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "text" not in file.name


@pytest.mark.parametrize("limit", [{"most_files": 2}, {"most_bytes": 250}])
def test_what_was_not_used_for_longest_goes_first(limit: dict[str, int], tmp_path: Path) -> None:
    kept = KeptFiles(tmp_path, ".slin", **limit)
    for number, name in enumerate(("a", "b")):
        kept.put(name.encode() * 100, name)
        (path,) = [path for path in tmp_path.iterdir() if path.read_bytes()[:1] == name.encode()]
        os.utime(path, (number, number))
    assert kept.get("a") == b"a" * 100  # and is thereby the newest
    kept.put(b"c" * 100, "c")
    assert kept.get("b") is None
    assert kept.get("a") == b"a" * 100
    assert len(list(tmp_path.iterdir())) == 2


def test_where_nothing_can_be_written_nothing_is_kept_and_one_line_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    for name in ("a", "b"):
        kept = KeptFiles(tmp_path / "file" / "kept", ".slin")
        kept.put(b"x", name)
        assert kept.get(name) is None
    line = f"{tmp_path}/file/kept: Not a directory: nothing is kept in this cache, and all is made anew"
    assert caplog.record_tuples == [("audiosocket.cache", logging.WARNING, line)]


def test_what_cannot_be_marked_as_used_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a cache that somebody else has filled."""
    kept = KeptFiles(tmp_path, ".slin")
    kept.put(b"x", "a")

    def refuses(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "utime", refuses)
    assert kept.get("a") == b"x"
