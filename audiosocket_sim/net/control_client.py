"""A client of the control URL of the server under test: finds our call, follows its events, pushes messages.

The control URL is optional for a target (docs/targets.md); without it this client is not used.
"""

import asyncio
import contextlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx
from httpx_sse import EventSource
from pydantic import SecretStr

__all__ = ["ControlClient", "ControlError", "ControlEvent", "UnknownEvent", "token_from_environment"]

_FIND_EVERY_SECONDS = 0.02
_FIND_FOR_SECONDS = 5.0
_ANSWER_SECONDS = 10.0
_TOKEN_NEEDED = "it needs a token, or another one: --control-token, or CONTROL_TOKEN in the environment"


class ControlError(Exception):
    """The control URL does not behave as docs/targets.md says."""


class UnknownEvent(ControlError):
    """An event that does not follow docs/targets.md. The message quotes the event, and so perhaps a caller's words."""


@dataclass(frozen=True, slots=True)
class ControlEvent:
    """One event of the target's stream: its type, seconds since the UUID, and its fields."""

    type: str
    at_seconds: float
    fields: dict[str, Any]

    def text(self, field: str) -> str:
        """Return a field as text. Raises ControlError if the event has no such field."""
        if field not in self.fields:
            raise ControlError(f"an event {self.type} of the control URL has no {field!r} (docs/targets.md)")
        return str(self.fields[field])

    def ms(self, field: str) -> int:
        """Return a field as whole milliseconds. Raises ControlError if it is missing or not a number."""
        try:
            return round(float(self.text(field)))
        except (ValueError, OverflowError) as error:
            raise ControlError(
                f"{field!r} of an event {self.type} of the control URL is {self.fields[field]!r}, no number of "
                "milliseconds (docs/targets.md)"
            ) from error

    def ms_or_none(self, field: str) -> int | None:
        """Return a field as whole milliseconds; None if it is missing or null. Raises ControlError."""
        return None if self.fields.get(field) is None else self.ms(field)


def token_from_environment() -> SecretStr | None:
    """Return the environment's CONTROL_TOKEN, or None. The reference server uses the same name."""
    token = os.environ.get("CONTROL_TOKEN")
    return SecretStr(token) if token else None


class ControlClient:
    """The client of one call. `url`: the base URL. `token`: the token that the target requires, or None.

    With a token, the certificate of an https server is verified; without one there is no secret to protect.
    """

    def __init__(self, url: str, token: SecretStr | None = None) -> None:
        self._url = url.rstrip("/")
        headers = {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
        verify = token is not None and self._url.startswith("https:")
        self._http = httpx.AsyncClient(trust_env=False, verify=verify, timeout=_ANSWER_SECONDS, headers=headers)

    async def answers(self) -> bool:
        """Whether a control API that lists calls answers at the URL."""
        try:
            answer = await self._http.get(f"{self._url}/calls")
            return answer.is_success and "calls" in answer.json()
        except (httpx.HTTPError, ValueError, TypeError):
            return False

    async def find(self, uuid: str, address: str) -> str:
        """Return the target's id of our call, which is found by our address `HOST:PORT` or else by the UUID.

        Waits up to 5 s until the target lists the call. Raises ControlError.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + _FIND_FOR_SECONDS
        while loop.time() < until:
            try:
                answer = await self._http.get(f"{self._url}/calls")
                calls = answer.raise_for_status().json()["calls"]
                ours = [call for call in calls if call.get("peer") == address and call.get("uuid") == uuid]
                ours = ours or [call for call in calls if call.get("id") == uuid and call.get("peer") is None]
                if ours:
                    return str(ours[-1]["id"])
            except httpx.HTTPStatusError as error:
                if error.response.status_code == httpx.codes.UNAUTHORIZED:
                    raise ControlError(f"{self._url}/calls: {_TOKEN_NEEDED}") from error
                raise ControlError(f"{self._url}/calls: {error!s} ({type(error).__name__})") from error
            except httpx.HTTPError as error:
                raise ControlError(f"{self._url}/calls: {error!s} ({type(error).__name__})") from error
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                raise ControlError(f"{self._url}/calls does not answer as docs/targets.md says: {error!r}") from error
            await asyncio.sleep(_FIND_EVERY_SECONDS)
        raise ControlError(f"{self._url}/calls does not list the call {uuid} from {address}")

    async def follow(self, call_id: str, on_event: Callable[[ControlEvent], None]) -> None:
        """Call `on_event` with each event of the call from its start, until the stream ends. Raises ControlError."""
        url = f"{self._url}/calls/{quote(call_id, safe='')}/events"
        try:
            async with self._http.stream("GET", url, timeout=httpx.Timeout(_ANSWER_SECONDS, read=None)) as answer:
                answer.raise_for_status()
                # Closed here even after an invalid event: the garbage collector might close it after the loop's end.
                async with contextlib.aclosing(EventSource(answer).aiter_sse()) as events:
                    async for event in events:
                        if event.data:  # an id or a retry without data is no event
                            on_event(_parse(event.data))
        except httpx.HTTPError as error:
            raise ControlError(f"{url}: {error!s} ({type(error).__name__})") from error

    async def push(self, conversation_id: str, body: dict[str, Any]) -> int:
        """POST a message as the backend does, and return the HTTP status of the answer. Raises ControlError."""
        url = f"{self._url}/calls/{quote(conversation_id, safe='')}/messages"
        try:
            answer = await self._http.post(url, json=body)
        except httpx.HTTPError as error:
            raise ControlError(f"{url}: {error!r}") from error
        return answer.status_code

    async def aclose(self) -> None:
        """Close the connections to the control URL."""
        await self._http.aclose()


def _parse(data: str) -> ControlEvent:
    try:
        fields = json.loads(data)
        at_seconds = float(fields.pop("at"))
        if not math.isfinite(at_seconds):
            raise ValueError(at_seconds)
        return ControlEvent(str(fields.pop("type")), at_seconds, fields)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UnknownEvent(f"an event of the control URL is not as docs/targets.md says: {data[:200]!r}") from error
