"""A real Asterisk for the tests of this folder, or a skip that says what is missing."""

import pytest

from audiosocket_sim.asterisk_real import Installation, find


@pytest.fixture(scope="session")
def installation() -> Installation:
    found = find()
    if found is None:
        pytest.skip(
            "no Asterisk here: `make test-all` fetches Debian's (python -m audiosocket_sim.asterisk_real fetch --all)"
        )
    return found
