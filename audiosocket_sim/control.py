"""A client of the control URL of the server under test: find our call, follow its events, push a message.

The control URL is optional for a target (docs/targets.md); where there is none, nothing here is used.
"""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

__all__ = ["ControlClient", "ControlError", "ToldEvent"]

_FIND_EVERY_SECONDS = 0.02
_FIND_FOR_SECONDS = 5.0


class ControlError(Exception):
    """The control URL does not behave as docs/targets.md says."""


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """One event of the target's stream: its type, seconds since the UUID, and its fields."""

    type: str
    at_seconds: float
    fields: dict[str, Any]


class ControlClient:
    """One per call. `url` is the base, without a trailing slash."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.AsyncClient(trust_env=False, verify=False, timeout=httpx.Timeout(10, read=None))
        self.call_id: str | None = None
        self._found = asyncio.Event()

    async def find(self, uuid: str, address: str) -> str:
        """The id under which the target knows our call: by our address, else by the UUID. Raises ControlError."""
        loop = asyncio.get_running_loop()
        until = loop.time() + _FIND_FOR_SECONDS
        while loop.time() < until:
            try:
                answer = await self._http.get(f"{self._url}/calls")
                calls = answer.raise_for_status().json()["calls"]
            except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
                raise ControlError(f"{self._url}/calls: {error or type(error).__name__}") from error
            ours = [call for call in calls if call.get("peer") == address and call.get("uuid") == uuid]
            ours = ours or [call for call in calls if call.get("id") == uuid and call.get("peer") is None]
            if ours:
                self.call_id = str(ours[-1]["id"])
                self._found.set()
                return self.call_id
            await asyncio.sleep(_FIND_EVERY_SECONDS)
        raise ControlError(f"{self._url}/calls does not list the call {uuid} from {address}")

    async def follow(self, call_id: str, on_event: Callable[[ToldEvent], None]) -> None:
        """Tell every event of the call from its start, until the stream ends."""
        try:
            async with self._http.stream("GET", f"{self._url}/calls/{call_id}/events") as answer:
                answer.raise_for_status()
                async for line in answer.aiter_lines():
                    if line.startswith("data:"):
                        on_event(_parse(line.removeprefix("data:").strip()))
        except httpx.HTTPError as error:
            raise ControlError(f"{self._url}/calls/{call_id}/events: {error or type(error).__name__}") from error

    async def push(self, conversation_id: str, body: dict[str, Any]) -> int:
        """POST a message as the backend does; the HTTP status of the answer."""
        try:
            answer = await self._http.post(f"{self._url}/calls/{conversation_id}/messages", json=body)
        except httpx.HTTPError as error:
            raise ControlError(f"{self._url}/calls/{conversation_id}/messages: {error!r}") from error
        return answer.status_code

    async def aclose(self) -> None:
        await self._http.aclose()


def _parse(data: str) -> ToldEvent:
    try:
        fields = json.loads(data)
        return ToldEvent(str(fields.pop("type")), float(fields.pop("at")), fields)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ControlError(f"an event of the control URL is not as docs/targets.md says: {data[:200]!r}") from error
