"""The Azure engine in a process of its own: 200 turns that leave nothing behind, and an end without a crash."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from audiosocket_server.settings.settings import PROJECT_ROOT
from helpers.azure_bench import NEEDS_AZURE, recording
from helpers.azure_process import Backend, Callers, LiveServer, always_sim

from audiosocket_sim.fake_azure import FakeAzure

pytestmark = NEEDS_AZURE

CRASHES = ("FATAL", "Traceback", "Aborted", "does not let go", "internal error", "never awaited")


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeAzure]:
    plans = {"wrong": [{"refuse": 401}], "throttled": [{"refuse": 429}], "mute": [{"stall": {}}]}
    plans["slow"] = [{"pace": {"speed": 1.0}, "only": "synthesis"}]
    with FakeAzure.in_thread({"keys": plans}, recogniser=always_sim) as fake:
        yield fake


CALLS, ROUNDS = 40, 5
# Of 160 further turns. The memory of a process grows by some 20 MiB until it has seen enough turns, then stays for
# hundreds of them, but for a jump of 8 MiB where the allocator takes a further arena (measured over 720 turns). A
# recognizer of the SDK that is left behind is about 1 MiB, so a third of them would show. Threads are pooled.
MORE_MIB, MORE_THREADS, MORE_FILES = 48, 24, 4


async def test_200_turns_leave_nothing_behind_and_the_end_in_mid_turn_is_clean(fake: FakeAzure) -> None:
    before = len(fake.requests)
    held = []
    async with Backend() as ai, LiveServer(fake.endpoint, "any", ai) as server, Callers(server, CALLS) as callers:
        await callers.until_all("USER_TURN")
        for number in range(1, ROUNDS + 1):
            callers.say(recording("sim"))
            await ai.until_asked(CALLS * number)
            await callers.until_all("USER_TURN")
            held.append(server.holds())
        callers.say(recording("quero_falar_com_o_apartamento_202"), CALLS // 2)
        await callers.until_left(2600)  # of 3.65 s: half of them speak
        code, errors = await server.ended(signal.SIGTERM)
    assert code == 0
    assert [word for word in CRASHES if word in errors] == []
    assert errors.count("transcript_final failed=False") == CALLS * ROUNDS
    assert errors.count("synthesis_failed") == 0
    assert len(fake.requests) - before > CALLS * ROUNDS
    (memory, threads, files), (last_memory, last_threads, last_files) = held[0], held[-1]
    assert last_memory - memory < MORE_MIB, held
    assert last_threads - threads < MORE_THREADS, held
    assert last_files - files < MORE_FILES, held


IMPATIENT = {"SPEECH__AZURE_FINAL_TEXT_SECONDS": "1", "SPEECH__AZURE_FIRST_AUDIO_SECONDS": "1"}


async def ended_in_mid_word(fake: FakeAzure, key: str, state: str, how: signal.Signals) -> tuple[int, str]:
    """Three callers speak, or are spoken to, when the server is told to end."""
    async with (
        Backend() as ai,
        LiveServer(fake.endpoint, key, ai, **IMPATIENT) as server,
        Callers(server, 3) as callers,
    ):
        await callers.until_all(state)
        callers.say(recording("quero_falar_com_o_apartamento_202"))
        await callers.until_left(2800)  # of 3.65 s
        return await server.ended(how)


async def test_the_end_is_clean_whatever_the_service_does(fake: FakeAzure) -> None:
    ended = await asyncio.gather(
        ended_in_mid_word(fake, "any", "USER_TURN", signal.SIGINT),
        ended_in_mid_word(fake, "slow", "IA_TURN", signal.SIGINT),
        ended_in_mid_word(fake, "mute", "USER_TURN", signal.SIGTERM),
        ended_in_mid_word(fake, "throttled", "USER_TURN", signal.SIGTERM),
    )
    for code, errors in ended:
        assert code == 0
        assert [word for word in CRASHES if word in errors] == []
    assert [("the server starts nevertheless" in errors) for _, errors in ended] == [False, False, True, True]


async def test_a_wrong_key_is_one_line_and_no_server(fake: FakeAzure) -> None:
    async with Backend() as ai, LiveServer(fake.endpoint, "wrong", ai) as server:
        assert server.port == 0
        code, errors = await server.ended()
    (line,) = [line for line in errors.splitlines() if line.startswith("server:")]
    assert line.startswith("server: Azure rejects the key: check AZURE_SPEECH_KEY")
    assert code == 3
    assert [word for word in CRASHES if word in errors] == []


@pytest.mark.parametrize("key", ["any", "wrong", "no libssl3"])
async def test_the_check_from_the_command_line(key: str, fake: FakeAzure, tmp_path: Path) -> None:
    environment = {"AZURE_SPEECH_KEY": key, "AZURE_SPEECH_ENDPOINT": fake.endpoint, "SPEECH_ENGINE": "azure"}
    if key == "no libssl3":  # found before the real one, and of no use
        (tmp_path / "libssl.so.3").touch()
        environment["LD_LIBRARY_PATH"] = str(tmp_path)
    code, out, errors = await run_python("-m", "audiosocket_server", "--check", "--loop", "asyncio", **environment)
    assert out.startswith("speech engine: azure (set by speech.engine)\n")
    if key == "any":
        assert code == 0
        assert "tried: ws://127.0.0.1:" in out
        assert "it works (" in out
    else:
        told = "Azure rejects the key" if key == "wrong" else "the Azure Speech SDK needs OpenSSL at run time"
        assert code == 3
        assert errors.startswith(f"server: {told}")
        assert errors.count("\n") == 1


# A program that uses the engine and ends as if it knew of no `aclose`.
LEFT_BEHIND = """
import asyncio, sys
sys.path[:0] = {path}
from helpers.azure_bench import recording, settings
from audiosocket_server.speech.azure import load

async def main():
    engine = load(settings({endpoint!r}, "slow"))
    turns = [engine.recognise("pt-BR", lambda text: None) for _ in range(8)]
    speech = engine.synthesise("Pode subir.", "pt-BR-AntonioNeural")
    await anext(speech)
    pcm = recording("sim")
    for at in range(0, len(pcm), 320):
        for turn in turns:
            turn.feed(pcm[at : at + 320])
        await asyncio.sleep(0.02)
    sys.exit(7)

loop = asyncio.new_event_loop()
loop.run_until_complete(main())
"""


async def test_a_program_that_closes_nothing_ends_cleanly_too(fake: FakeAzure) -> None:
    program = LEFT_BEHIND.format(path=sys.path, endpoint=fake.endpoint)
    ended = await asyncio.gather(*(run_python("-c", program) for _ in range(4)))
    assert [code for code, _, _ in ended] == [7] * 4, ended


async def run_python(*arguments: str, **environment: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()
