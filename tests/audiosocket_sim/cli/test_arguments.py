"""Numbers of the command line: their limits, and one short line for what is none."""

from argparse import ArgumentTypeError
from collections.abc import Callable

import pytest

from audiosocket_sim.cli.arguments import count, port, seconds


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [(port, "0", 0), (port, "65535", 65_535), (count, "1", 1), (count, "100000", 100_000), (seconds, "1.5", 1.5)],
)
def test_a_number_within_its_limits(kind: Callable[[str], float], text: str, value: float) -> None:
    assert kind(text) == value


@pytest.mark.parametrize("text", ["-1", "65536", "", "1.0", "1" * 5000, "x" * 5000, "٣", "0x10", "1_0"])
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        port(text)
    assert str(caught.value) == f"{text[:40]} is no port: 0 to 65535"


@pytest.mark.parametrize("text", ["0", "-1", "100001", "", "1" * 5000])
def test_what_is_no_count(text: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        count(text)
    assert str(caught.value) == f"{text[:40]}: expected a number from 1 to 100000"


@pytest.mark.parametrize("text", ["0", "-1", "86401", "nan", "inf", "1e999", "9" * 5000, "soon", ""])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ArgumentTypeError) as caught:
        seconds(text)
    assert str(caught.value) == f"{text[:40]} is no time: expected more than 0 s and at most a day"
