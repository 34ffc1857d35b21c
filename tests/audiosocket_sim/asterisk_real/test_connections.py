"""Which connections a process has to a port, read from the kernel's tables: of this process, over both protocols."""

import os
import socket

import pytest

from audiosocket_sim.asterisk_real.connections import connections_to


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_the_local_address_of_each_connection_to_the_port(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as listening:
        try:
            listening.bind((host, 0))
        except OSError:
            pytest.skip(f"this machine has no {host}")
        listening.listen()
        port = listening.getsockname()[1]
        assert connections_to(port, os.getpid()) == set()
        with socket.create_connection((host, port)) as one, socket.create_connection((host, port)) as other:
            expected = {one.getsockname()[:2], other.getsockname()[:2]}
            assert connections_to(port, os.getpid()) == expected
            assert connections_to(port + 1, os.getpid()) == set()
