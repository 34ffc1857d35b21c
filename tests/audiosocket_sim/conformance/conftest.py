"""Servers with planted faults do not clean up behind themselves: that is part of a fault, and fails no test."""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A connection that a server of these tests has not closed is no warning."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.filterwarnings("ignore::ResourceWarning"))


@pytest.fixture(autouse=True, scope="module")
def nothing_is_left_for_the_next_file() -> Iterator[None]:
    """What such servers have left is collected here, and not during another file's test, where it would be a warning.

    Once a file: to look through all that is in memory takes longer than most of these tests. What is left then stays,
    reports of tests for the most part, and need not be looked through behind the next file."""
    yield
    gc.collect()
    gc.freeze()
