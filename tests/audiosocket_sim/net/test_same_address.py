"""An address that leads back to where a program listens itself is known as that."""

import pytest

from audiosocket_sim.net.same_address import reaches

HERE = ("127.0.0.1", 8090)


@pytest.mark.parametrize(
    ("to", "listening", "expected"),
    [
        (HERE, HERE, True),
        (("localhost", 8090), HERE, True),
        (("0.0.0.0", 8090), HERE, True),
        (HERE, ("0.0.0.0", 8090), True),
        (HERE, ("", 8090), True),
        (("127.0.0.1", 8080), HERE, False),
        (("127.0.0.2", 8090), HERE, False),
        (("192.0.2.7", 8090), ("0.0.0.0", 8090), False),
        (("127.0.0.1", 0), ("127.0.0.1", 0), False),
        (("nowhere\0.invalid", 8090), HERE, False),
    ],
)
def test_an_address_reaches_what_listens_there(to: tuple[str, int], listening: tuple[str, int], expected: bool) -> None:
    assert reaches(to, listening) is expected
