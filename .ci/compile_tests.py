"""Compile the tests as pytest does, with their asserts rewritten, and keep that where pytest looks for it.

`make test` does it while pip installs, which leaves a core idle: 13 s of work. It needs pytest alone, of which it uses
what is not public: should that be gone, this fails, nothing is kept, and pytest does it all itself, as ever.
tests/test_compiled_tests.py sees whether pytest takes what is kept here.
"""

import os
from pathlib import Path

from _pytest.assertion import rewrite


def keep(path: Path) -> None:
    kept = rewrite.get_cache_dir(path) / (path.name.removesuffix(".py") + rewrite.PYC_TAIL)
    if rewrite._read_pyc(path, kept) is not None:
        return
    kept.parent.mkdir(exist_ok=True)
    about, code = rewrite._rewrite_test(path, None)  # type: ignore[arg-type]  # without settings of pytest
    part = Path(f"{kept}.{os.getpid()}")
    with part.open("wb") as file:
        rewrite._write_pyc_fp(file, about, code)
    part.replace(kept)


def main(folder: Path) -> None:
    keep(folder / "conftest.py")
    for name in ("conftest.py", "test_*.py"):
        for path in sorted((folder / "tests").rglob(name)):
            keep(path)


if __name__ == "__main__":
    main(Path(__file__).resolve().parent.parent)
