"""Complaints in the log: some a minute of each kind, and a count of the rest."""

import logging

import pytest
from audiosocket_server.complaints import WHOLE_A_MINUTE, Complaints


def test_some_a_minute_of_each_kind_and_a_count_of_the_rest(caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints(logging.getLogger("test"))
    for n in range(100):
        complaints.about("lost connections", f"lost {n}", n * 0.1)
    complaints.about("other things", "another", 10.0, logging.ERROR)
    complaints.about("lost connections", "lost again", 60.0)
    assert caplog.messages == [
        *(f"lost {n}" for n in range(WHOLE_A_MINUTE)),
        "another",
        f"lost connections: {100 - WHOLE_A_MINUTE} more within a minute were not logged",
        "lost again",
    ]
    assert caplog.records[WHOLE_A_MINUTE].levelno == logging.ERROR
