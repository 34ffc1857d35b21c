"""Which requests come from web pages, and which names nobody can own."""

import pytest

from audiosocket_core.http_origin import names_no_public_host, names_this_machine, of_another_origin


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("host", "this_machine", "private"),
    [
        ("localhost", True, True),
        ("localhost:8081", True, True),
        ("a.localhost:80", True, True),
        ("127.0.0.1:80", True, True),
        ("[::1]:80", True, True),
        ("192.0.2.7", True, True),
        ("capture:8000", False, True),
        ("host.docker.internal", False, True),
        ("laptop.local", False, True),
        ("rebind.evil", False, False),
        ("rebind.evil:8081", False, False),
        ("127.0.0.1.evil", False, False),
        ("localhost.", False, False),
        ("", False, False),
        ("[::1", False, False),
        ("a@b.evil", False, False),
    ],
)
def test_names(host: str, this_machine: bool, private: bool) -> None:
    assert (names_this_machine(host), names_no_public_host(host)) == (this_machine, private)


@pytest.mark.parametrize(
    ("headers", "another"),
    [
        ({}, False),
        ({"host": "a:1"}, False),
        ({"host": "a:1", "origin": "http://a:1"}, False),
        ({"host": "a:1", "origin": "http://b:1"}, True),
        ({"host": "a:1", "origin": "null"}, True),
        ({"host": "a:1", "origin": "http://[a"}, True),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": "same-site"}, True),
    ],
)
def test_origins(headers: dict[str, str], another: bool) -> None:
    assert of_another_origin(headers) is another
