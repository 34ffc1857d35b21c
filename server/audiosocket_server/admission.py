"""Who may call: peers of some networks, calls with some UUIDs. AudioSocket has no password. Pure; `now` in seconds."""

from collections.abc import Mapping
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from audiosocket_server.settings.settings import Settings

__all__ = ["MOST_EXPECTED", "Admission", "Expected", "read_announcement"]

MOST_EXPECTED = 10_000
"""Announced calls that are remembered at a time."""


class Expected:
    """The UUIDs of calls that are expected. Each is valid once; one that was announced is valid for a while."""

    def __init__(self, listed: tuple[str, ...] | None, valid_seconds: float) -> None:
        self.takes_any = listed is None
        """True if every UUID is accepted."""
        self.valid_seconds = valid_seconds
        self._until = dict.fromkeys(map(UUID, listed or ()), float("inf"))

    def announce(self, uuid: UUID, now: float) -> bool:
        """Expect a call. Returns False if too many are expected already."""
        if len(self._until) >= MOST_EXPECTED and uuid not in self._until:
            self._until = {one: until for one, until in self._until.items() if until > now}
            if len(self._until) >= MOST_EXPECTED:
                return False
        self._until[uuid] = max(now + self.valid_seconds, self._until.get(uuid, 0.0))
        return True

    def take(self, uuid: UUID, now: float) -> bool:
        """Return whether a call with this UUID is expected now. It is expected no more afterwards."""
        return self.takes_any or self._until.pop(uuid, float("-inf")) > now


class Admission:
    """Judges connections by the settings `server.peers` and `server.expected_uuids`."""

    def __init__(self, settings: Settings) -> None:
        self.expected = Expected(settings.server.expected_uuids, settings.limits.expected_seconds)
        self._networks = tuple(map(ip_network, settings.server.peers))

    @property
    def is_open(self) -> bool:
        """True if whoever reaches the port can call."""
        return not self._networks and self.expected.takes_any

    def lets_in(self, peer: str) -> bool:
        """Return whether a connection from `peer` ("ip:port" or "[ip]:port") is accepted."""
        if not self._networks:
            return True
        try:
            address = ip_address(peer.rpartition(":")[0].strip("[]").partition("%")[0])
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in self._networks)


def read_announcement(body: Mapping[str, object] | object) -> UUID:
    """Return the UUID of a request to expect a call. Raises ValueError with a line for people."""
    uuid = body.get("uuid") if isinstance(body, Mapping) else None
    if not isinstance(uuid, str):
        raise ValueError('expected {"uuid": "…"}')
    try:
        return UUID(uuid)
    except ValueError:
        raise ValueError("uuid: expected a UUID such as 40325ec2-5efd-4bd3-805f-53576e581d13") from None
