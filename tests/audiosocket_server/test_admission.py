"""Who may call: networks, and UUIDs that are valid once and for a while."""

from uuid import UUID

import pytest
from audiosocket_server.admission import MOST_EXPECTED, Admission, Expected, read_announcement
from audiosocket_server.settings.settings import ConfigError, Settings

ONE, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("peers", "peer", "let_in"),
    [
        ([], "203.0.113.9:5", True),
        ([], "", True),
        (["10.1.2.0/24", "2001:db8::/32"], "10.1.2.200:40000", True),
        (["10.1.2.0/24", "2001:db8::/32"], "10.1.3.1:40000", False),
        (["10.1.2.0/24", "2001:db8::/32"], "[2001:db8::7%eth0]:40000", True),
        (["10.1.2.0/24"], "[::ffff:10.1.2.9]:40000", True),
        (["10.1.2.7"], "10.1.2.7:1", True),
        (["10.1.2.7"], "10.1.2.8:1", False),
        (["10.1.2.7"], "", False),
    ],
)
def test_peers(peers: list[str], peer: str, let_in: bool) -> None:
    admission = Admission(Settings.from_overrides({"server": {"peers": peers}}))
    assert admission.lets_in(peer) is let_in
    assert admission.is_open is not bool(peers)


def test_expected_uuids_close_the_door_too() -> None:
    assert not Admission(Settings.from_overrides({"server": {"expected_uuids": []}})).is_open


def test_a_listed_uuid_is_valid_once_and_for_ever() -> None:
    expected = Expected((str(ONE),), 60)
    assert not expected.take(OTHER, 1.0)
    assert expected.take(ONE, 1e9)
    assert not expected.take(ONE, 1e9)


def test_an_announced_one_is_valid_once_and_for_a_while() -> None:
    expected = Expected((), 60)
    for uuid in (ONE, OTHER):
        assert expected.announce(uuid, 100.0)
    assert expected.take(ONE, 159.9)
    assert not expected.take(ONE, 159.9)
    assert not expected.take(OTHER, 160.0)


def test_a_listed_one_that_is_announced_stays_listed() -> None:
    expected = Expected((str(ONE),), 60)
    assert expected.announce(ONE, 0.0)
    assert expected.take(ONE, 1e6)


def test_what_is_announced_and_does_not_come_is_forgotten() -> None:
    expected = Expected((), 60)
    assert all(expected.announce(UUID(int=n), 0.0) for n in range(MOST_EXPECTED))
    assert not expected.announce(UUID(int=MOST_EXPECTED), 59.0)
    assert expected.announce(UUID(int=5), 59.0)
    assert expected.announce(UUID(int=MOST_EXPECTED), 60.0)


def test_any_is_taken_where_none_is_asked_for() -> None:
    expected = Expected(None, 60)
    assert expected.takes_any
    assert expected.take(ONE, 0.0)
    assert expected.take(ONE, 0.0)


@pytest.mark.parametrize(
    ("body", "why"),
    [([], 'expected {"uuid"'), ({"uuid": 5}, 'expected {"uuid"'), ({"uuid": "x"}, "uuid: expected a UUID")],
)
def test_an_announcement_that_is_none(body: object, why: str) -> None:
    assert read_announcement({"uuid": str(ONE)}) == ONE
    with pytest.raises(ValueError, match=why):
        read_announcement(body)


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("peers", ["10.0.0.1/8"], "expected a network such as"),
        ("peers", ["host"], "expected a network such as"),
        ("expected_uuids", ["x"], "expected a UUID such as"),
    ],
)
def test_wrong_settings_are_named(key: str, value: object, why: str) -> None:
    with pytest.raises(ConfigError, match=rf"server\.{key}.*{why}"):
        Settings.from_overrides({"server": {key: value}})
