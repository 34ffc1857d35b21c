"""HTTP in virtual time: uvicorn, Starlette, sse-starlette and httpx in one loop, in memory and over kernel loopback."""

import asyncio
import contextlib
import gc
import threading
import time
from collections.abc import AsyncIterator

import anyio.to_thread
import httpx
import pytest
import uvicorn
from anyio._backends._asyncio import AsyncIOBackend
from sse_starlette.sse import EventSourceResponse
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from audiosocket_sim.virtual_time import VirtualLoop, run
from audiosocket_sim.virtual_time.memory_network import Split

NETWORKS = pytest.mark.parametrize(
    "memory_network", [pytest.param(True, id="memory"), pytest.param(False, id="kernel", marks=pytest.mark.kernel)]
)


async def slow(request: Request) -> Response:
    body = await request.body()
    await asyncio.sleep(float(request.query_params["seconds"]))
    return JSONResponse({"bytes": len(body)})


async def ticks(request: Request) -> Response:
    async def events() -> AsyncIterator[dict[str, str]]:
        for number in range(3):
            await asyncio.sleep(0.25)
            yield {"id": str(number), "event": "tick", "data": f"tick {number}"}

    return EventSourceResponse(events())


async def for_ever(request: Request) -> Response:
    async def events() -> AsyncIterator[dict[str, str]]:
        while True:
            await asyncio.sleep(1)
            yield {"data": "on"}

    return EventSourceResponse(events())


async def in_a_thread(request: Request) -> Response:
    await run_in_threadpool(_sleep_in_real_time)
    return JSONResponse({})


def _sleep_in_real_time() -> None:
    time.sleep(0.05)  # noqa: TID251


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[httpx.AsyncClient]:
    """A server on a free port, and a client for it; both end in order."""
    app = Starlette(
        routes=[
            Route("/slow", slow, methods=["GET", "POST"]),
            Route("/ticks", ticks),
            Route("/for-ever", for_ever),
            Route("/thread", in_a_thread),
        ]
    )
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, access_log=False, date_header=False, lifespan="off"
    )
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    task = asyncio.create_task(server.serve(), name="uvicorn")
    while not server.started:  # noqa: ASYNC110 (uvicorn has no event for it)
        await asyncio.sleep(0.001)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=False) as client:
            yield client
    finally:
        server.should_exit = True
        await task


@NETWORKS
def test_a_request_takes_exactly_the_server_s_time(memory_network: bool) -> None:
    async def main() -> list[tuple[float, int]]:
        loop = asyncio.get_running_loop()
        seen = []
        async with serving() as client:
            for size in (0, 40_000, 300_000):
                began = loop.time()
                response = await client.post("/slow?seconds=0.35", content=b"x" * size)
                seen.append((round(loop.time() - began, 9), response.json()["bytes"]))
        return seen

    assert run(main, memory_network=memory_network) == [(0.35, 0), (0.35, 40_000), (0.35, 300_000)]


@NETWORKS
def test_a_kept_connection_is_used_again_and_given_up_after_the_server_s_five_seconds(memory_network: bool) -> None:
    async def main() -> list[int]:
        ports = []
        async with serving() as client:
            for pause in (1, 60, 0):
                response = await client.get("/slow?seconds=0.1")
                ports.append(response.extensions["network_stream"].get_extra_info("client_addr")[1])
                await asyncio.sleep(pause)
        return ports

    first, again, fresh = run(main, memory_network=memory_network)
    assert first == again
    assert fresh != first


@NETWORKS
def test_a_read_timeout_happens_at_its_instant(memory_network: bool) -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        async with serving() as client:
            began = loop.time()
            with pytest.raises(httpx.ReadTimeout):
                await client.get("/slow?seconds=45", timeout=30)
            return loop.time() - began

    assert run(main, memory_network=memory_network) == pytest.approx(30, abs=1e-9)


@NETWORKS
def test_nobody_listening_is_a_connect_error(memory_network: bool) -> None:
    async def main() -> None:
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get("http://127.0.0.1:9/")

    run(main, memory_network=memory_network)


def test_in_memory_the_name_localhost_needs_no_lookup_and_other_names_lead_nowhere() -> None:
    async def main() -> None:
        async with serving() as client:
            port = client.base_url.port
            assert (await client.get(f"http://localhost:{port}/slow?seconds=0")).status_code == 200
            with pytest.raises(httpx.ConnectError):
                await client.get("http://backend.example/")
            with pytest.raises(httpx.ConnectError):
                await client.get("http://192.0.2.1/")

    run(main)


@NETWORKS
def test_server_sent_events_arrive_in_their_time_and_the_stream_ends(memory_network: bool) -> None:
    async def main() -> tuple[list[tuple[float, str]], bool]:
        loop = asyncio.get_running_loop()
        seen = []
        async with serving() as client:
            began = loop.time()
            async with client.stream("GET", "/ticks", timeout=None) as response:
                async for line in response.aiter_lines():
                    if line.startswith("data"):
                        seen.append((round(loop.time() - began, 9), line))
        return seen, response.is_stream_consumed

    seen, ended = run(main, memory_network=memory_network)
    assert seen == [(0.25, "data: tick 0"), (0.5, "data: tick 1"), (0.75, "data: tick 2")]
    assert ended


@NETWORKS
def test_a_stream_without_end_is_left_by_the_client_and_the_server_still_stops(memory_network: bool) -> None:
    async def main() -> set[str]:
        async with serving() as client, client.stream("GET", "/for-ever", timeout=None) as response:
            async for line in response.aiter_lines():
                if line.startswith("data"):
                    break
        await asyncio.sleep(5)
        return {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()}

    # sse-starlette keeps one task a loop, which asks twice a second whether uvicorn is told to exit
    assert {name.rpartition(".")[2] for name in run(main, memory_network=memory_network)} <= {
        "main",
        "_shutdown_watcher",
    }
    gc.collect()  # an unclosed transport would warn here, and warnings are errors


@NETWORKS
def test_a_synchronous_endpoint_s_thread_costs_no_virtual_time(memory_network: bool) -> None:
    async def main() -> float:
        loop = asyncio.get_running_loop()
        async with serving() as client:
            began = loop.time()
            await client.get("/thread", timeout=0.01)
            return loop.time() - began

    assert run(main, memory_network=memory_network) == 0


def anyio_s_method() -> object:
    return AsyncIOBackend.__dict__["run_sync_in_worker_thread"]


def test_anyio_is_as_it_was_when_the_last_virtual_run_ends() -> None:
    before = anyio_s_method()

    async def inner() -> None:
        assert anyio_s_method() is not before

    async def outer() -> None:
        replaced = anyio_s_method()
        assert replaced is not before
        await asyncio.to_thread(run, inner)
        assert anyio_s_method() is replaced  # this run still lasts

    run(outer)
    assert anyio_s_method() is before


def test_anyio_is_as_it_was_after_a_run_that_failed() -> None:
    before = anyio_s_method()

    async def main() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        run(main)
    assert anyio_s_method() is before


async def test_on_a_real_clock_anyio_s_threads_work_while_a_virtual_run_lasts() -> None:
    started, ended = threading.Event(), threading.Event()

    async def virtual() -> None:
        started.set()
        await asyncio.to_thread(ended.wait)

    lasting = asyncio.create_task(asyncio.to_thread(run, virtual))
    await asyncio.to_thread(started.wait)
    try:
        assert await anyio.to_thread.run_sync(lambda: 42) == 42
    finally:
        ended.set()
        await lasting


@pytest.mark.every(2)
@pytest.mark.parametrize("split", ["bytes", "seeded"])
def test_http_survives_any_cut(split: Split) -> None:
    async def main() -> int:
        async with serving() as client:
            response = await client.post("/slow?seconds=0.1", content=b"y" * 3_000)
            return int(response.json()["bytes"])

    assert run(main, split=split) == 3_000


def test_everything_is_closed_after_an_orderly_end() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        assert loop.network is not None
        async with serving() as client:
            await client.get("/slow?seconds=0.1")
            assert len(loop.network.open_sockets) == 2
        await asyncio.sleep(0.1)
        assert loop.network.open_sockets == []
        assert loop.network.listening_ports == []

    run(main)
