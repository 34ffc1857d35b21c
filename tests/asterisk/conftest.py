"""A real Asterisk for the tests of this folder, or a skip that says what is missing."""

import fcntl
import os
from collections.abc import Iterator

import pytest

from audiosocket_sim.asterisk_real import Installation, find


@pytest.fixture(scope="session")
def installation() -> Installation:
    found = find()
    if found is None:
        pytest.skip(
            "no Asterisk here: `make test-all` fetches Debian's (python -m audiosocket_sim.asterisk_real fetch)"
        )
    return found


@pytest.fixture
def one_at_a_time(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For groups of calls on the real clock: not while another of pytest's workers makes some."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with (folder / "calls.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
