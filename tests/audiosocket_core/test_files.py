"""Files whole and private: what a reader sees at any moment, and what is left when writing fails."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from audiosocket_core.files import (
    create_private_file,
    make_private_folder,
    read_regular_file,
    write_private_file,
    write_shared_file,
)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture(autouse=True)
def _open_to_all() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_file_is_its_owners_alone(tmp_path: Path) -> None:
    write_private_file(tmp_path / "a", b"one")
    create_private_file(tmp_path / "b", b"two")
    assert (mode(tmp_path / "a"), mode(tmp_path / "b")) == (0o600, 0o600)
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"one", b"two")
    with pytest.raises(FileExistsError):
        create_private_file(tmp_path / "b", b"three")


def test_a_file_of_all_becomes_private_when_it_is_written_again(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    write_private_file(tmp_path / "a", b"new")
    assert (mode(tmp_path / "a"), (tmp_path / "a").read_bytes()) == (0o600, b"new")


def test_a_link_is_replaced_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "kept").write_bytes(b"kept")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    write_private_file(tmp_path / "link", b"new")
    assert ((tmp_path / "kept").read_bytes(), (tmp_path / "link").read_bytes()) == (b"kept", b"new")


def test_a_file_appears_only_once_it_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"old")
    seen = []
    replace = os.replace

    def look(source: str, target: Path) -> None:
        seen.append(((tmp_path / "a").read_bytes(), Path(source).read_bytes()))
        replace(source, target)

    monkeypatch.setattr(os, "replace", look)
    write_private_file(tmp_path / "a", b"new")
    assert seen == [(b"old", b"new")]


@pytest.mark.parametrize("wrong", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_what_fails_leaves_the_old_file_and_nothing_else(
    wrong: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").write_bytes(b"old")

    def fail(*_: object) -> None:
        raise wrong

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(type(wrong)) as caught:
        write_private_file(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"
    if isinstance(caught.value, OSError):
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(tmp_path / "a"))


def test_an_error_names_the_file_and_not_the_temporary_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_private_file(tmp_path / "none" / "a", b"")
    assert caught.value.filename == str(tmp_path / "none" / "a")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as in_the_way:
        write_private_file(tmp_path / "folder", b"")
    assert in_the_way.value.filename == str(tmp_path / "folder")


def test_what_others_may_read_keeps_its_mode_and_is_written_in_one_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shared_file(tmp_path / "new", b"new")
    assert mode(tmp_path / "new") == 0o666  # less the umask, which is 0 here
    (tmp_path / "old").write_bytes(b"old")
    (tmp_path / "old").chmod(0o640)
    write_shared_file(tmp_path / "old", b"new")
    assert (mode(tmp_path / "old"), (tmp_path / "old").read_bytes()) == (0o640, b"new")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        write_shared_file(tmp_path / "old", b"newer")
    assert (tmp_path / "old").read_bytes() == b"new"
    assert {path.name for path in tmp_path.iterdir()} == {"new", "old"}


def test_folders_are_made_private_and_left_alone_where_they_are(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir(mode=0o755)
    make_private_folder(tmp_path / "there" / "runs" / "call")
    assert mode(tmp_path / "there") == 0o755
    assert mode(tmp_path / "there" / "runs") == mode(tmp_path / "there" / "runs" / "call") == 0o700
    make_private_folder(tmp_path / "there")
    assert mode(tmp_path / "there") == 0o755
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError) as caught:
        make_private_folder(tmp_path / "file" / "call")
    assert caught.value.filename == str(tmp_path / "file")


def test_a_file_is_read_up_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 1_000_000)
    assert len(read_regular_file(tmp_path / "a", 1_000_000)) == 1_000_000
    with pytest.raises(OSError, match="larger than 0 MB") as caught:
        read_regular_file(tmp_path / "a", 999_999)
    assert caught.value.errno == errno.EFBIG


def test_a_file_that_lies_about_its_length_is_read_up_to_its_limit() -> None:
    """Files of /proc say that they are empty."""
    assert read_regular_file("/proc/self/status", 1_000_000).startswith(b"Name:")
    with pytest.raises(OSError, match="larger than"):
        read_regular_file("/proc/self/status", 10)


def test_only_a_regular_file_is_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file") as caught:
            read_regular_file(path, 10)
        assert caught.value.filename == str(path)
    with pytest.raises(IsADirectoryError, match=f"Is a directory: '{tmp_path}'"):
        read_regular_file(tmp_path, 10)
