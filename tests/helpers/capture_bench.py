"""The reference server behind the capture, as one target (`helpers.capture_bench:serve`): first run of a round trip."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from audiosocket_sim.call_log.events import CallEnded, CallerAction, CallerSpoke, Entry, Noted, StageTook
from audiosocket_sim.live.capture import Capture, CaptureOptions
from audiosocket_sim.net.control_client import ControlClient
from audiosocket_sim.running.runner import Options as RunOptions
from audiosocket_sim.running.runner import Result, run
from audiosocket_sim.scenario.loading import load

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"

_options: list[CaptureOptions] = []
lines: list[str] = []
troubles: list[str] = []


@dataclass(frozen=True, slots=True)
class _Behind:
    """What the target hands out: the capture's port, the server's control URL."""

    host: str
    port: int
    control_url: str | None
    server: Any
    capture: Capture

    async def close(self) -> None:
        await self.server.close()
        await self.capture.aclose()


async def serve(host: str, port: int, control_port: int, settings: Mapping[str, Any]) -> _Behind:
    """`audiosocket_server:serve`, and the capture in front of it and behind it."""
    from audiosocket_server import serve as serve_alone

    backend = urlsplit(str(settings["ai"]["api_url"]))
    ai_port = _free_port()
    captures_ai = _options[-1].ai_to != "not captured"
    url = f"http://{host}:{ai_port}{backend.path}" if captures_ai else settings["ai"]["api_url"]
    own = {**settings, "ai": {**settings["ai"], "api_url": url}}
    server = await serve_alone(host=host, port=port, control_port=control_port, settings=own)
    options = replace(
        _options[-1],
        listen=(host, 0),
        to=(server.host, server.port),
        ai_listen=(host, ai_port) if captures_ai else None,
        ai_to=f"http://{backend.netloc}" if captures_ai else None,
        control=server.control_url,
    )
    capture = Capture(options, say=lines.append, trouble=troubles.append)
    await capture.start()
    control_url = f"http://{host}:{capture.ai_port}" if captures_ai else server.control_url
    return _Behind(host, capture.port, control_url, server, capture)


_ports = iter(range(20_000, 30_000))


def _free_port() -> int:
    return next(_ports)  # of the in-memory network


@contextmanager
def captured(name: str, out: Path, **options: Any) -> Iterator[tuple[Result, Path]]:
    """Run a committed scenario through the capture; the run, and the scenario that was written."""
    lines.clear()
    troubles.clear()
    _options.append(CaptureOptions(("", 0), ("", 0), out, name=name, **options))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ControlClient, "find", _find)
        try:
            result = run(load(SCENARIOS / f"{name}.yaml"), RunOptions(target="helpers.capture_bench:serve"))
        finally:
            _options.pop()
    yield result, out / f"{name}.yaml"


async def _find(self: ControlClient, uuid: str, address: str) -> str:
    """By the UUID alone: who follows from the far side of the capture is not at the address that the server knows."""
    while True:
        answer = await self._http.get(f"{self._url}/calls")
        for call in answer.json()["calls"]:
            if call["uuid"] == uuid:
                return str(call["id"])
        await asyncio.sleep(0.02)


def comparable(entries: list[Entry]) -> list[Entry]:
    """What must be the same in both runs; see test_capture_round_trip."""
    kept = [e for e in entries if not isinstance(e.event, CallerSpoke | CallerAction | StageTook | Noted)]
    return [
        replace(e, event=replace(e.event, reason="", last_word_heard=None)) if isinstance(e.event, CallEnded) else e
        for e in kept
    ]
