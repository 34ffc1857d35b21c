"""A client of the control URL of the server under test: find our call, follow its events, push a message.

The control URL is optional for a target (docs/targets.md); where there is none, nothing here is used.
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
    """An event that is not as docs/targets.md says. Its text holds the event, and so, it may be, somebody's words."""


@dataclass(frozen=True, slots=True)
class ControlEvent:
    """One event of the target's stream: its type, seconds since the UUID, and its fields."""

    type: str
    at_seconds: float
    fields: dict[str, Any]

    def text(self, field: str) -> str:
        """A field of it. Raises ControlError where it is not there."""
        if field not in self.fields:
            raise ControlError(f"an event {self.type} of the control URL has no {field!r} (docs/targets.md)")
        return str(self.fields[field])

    def ms(self, field: str) -> int:
        """A field of it that is a number of milliseconds. Raises ControlError where it is none."""
        try:
            return round(float(self.text(field)))
        except (ValueError, OverflowError) as error:
            raise ControlError(
                f"{field!r} of an event {self.type} of the control URL is {self.fields[field]!r}, no number of "
                "milliseconds (docs/targets.md)"
            ) from error

    def ms_or_none(self, field: str) -> int | None:
        """The field as whole milliseconds; None where it is missing or null. Raises ControlError."""
        return None if self.fields.get(field) is None else self.ms(field)


def token_from_environment() -> SecretStr | None:
    """CONTROL_TOKEN, which is also the reference server's own name for it."""
    token = os.environ.get("CONTROL_TOKEN")
    return SecretStr(token) if token else None


class ControlClient:
    """One per call. `url` is the base, without a trailing slash. token: what the target asks for, if it does.

    A token goes over https only to a server whose certificate is good; without one nothing needs to be kept safe.
    """

    def __init__(self, url: str, token: SecretStr | None = None) -> None:
        self._url = url.rstrip("/")
        headers = {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
        verify = token is not None and self._url.startswith("https:")
        self._http = httpx.AsyncClient(trust_env=False, verify=verify, timeout=_ANSWER_SECONDS, headers=headers)

    async def answers(self) -> bool:
        """Whether there is anything that tells calls at the URL."""
        try:
            answer = await self._http.get(f"{self._url}/calls")
            return answer.is_success and "calls" in answer.json()
        except (httpx.HTTPError, ValueError, TypeError):
            return False

    async def find(self, uuid: str, address: str) -> str:
        """The id under which the target knows our call: by our address, else by the UUID. Raises ControlError."""
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
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ControlError(f"{self._url}/calls does not answer as docs/targets.md says: {error!r}") from error
            await asyncio.sleep(_FIND_EVERY_SECONDS)
        raise ControlError(f"{self._url}/calls does not list the call {uuid} from {address}")

    async def follow(self, call_id: str, on_event: Callable[[ControlEvent], None]) -> None:
        """Call `on_event` with each event of the call from its start, until the stream ends. Raises ControlError."""
        url = f"{self._url}/calls/{quote(call_id, safe='')}/events"
        try:
            async with self._http.stream("GET", url, timeout=httpx.Timeout(_ANSWER_SECONDS, read=None)) as answer:
                answer.raise_for_status()
                # Closed here also when an event is not as it should be: left to the garbage it could outlive the loop.
                async with contextlib.aclosing(EventSource(answer).aiter_sse()) as events:
                    async for event in events:
                        if event.data:  # an id or a retry alone is no event
                            on_event(_parse(event.data))
        except httpx.HTTPError as error:
            raise ControlError(f"{url}: {error!s} ({type(error).__name__})") from error

    async def push(self, conversation_id: str, body: dict[str, Any]) -> int:
        """POST a message as the backend does; the HTTP status of the answer."""
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
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UnknownEvent(f"an event of the control URL is not as docs/targets.md says: {data[:200]!r}") from error
