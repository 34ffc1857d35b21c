"""`python -m audiosocket_server`: ready, asked to stop, gone; one line and the right exit code for any fault."""

import asyncio
import gc
import re
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from audiosocket_server.__main__ import allow_open_files, collect_each_minute, main
from helpers.call_bench import virtual

from audiosocket_core.connection import Connection, Role
from audiosocket_core.messages import Kind, encode, uuid_message

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _one_engine_whatever_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECH_ENGINE", "embedded")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def kinds_until_the_end(call: socket.socket) -> Iterator[int]:
    peer = Connection(Role.PEER)
    while chunk := call.recv(4096):
        yield from (message.kind for message in peer.receive(chunk))


@pytest.mark.real_time
@pytest.mark.parametrize(
    "how", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long("SIGTERM is sent"))]
)
def test_it_says_that_it_is_ready_and_hangs_up_when_it_is_told_to_stop(how: signal.Signals) -> None:
    command = [sys.executable, "-m", "audiosocket_server", "--port", "0", "--control-port", "0", "--loop", "asyncio"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            ready = server.stdout.readline()
            told = re.fullmatch(
                r"AudioSocket on 127\.0\.0\.1:(\d+), control API and debug page on (http://127\.0\.0\.1:\d+)\n", ready
            )
            assert told, ready or server.communicate()
            assert httpx.get(f"{told[2]}/health", trust_env=False, verify=False).json() == {
                "status": "ok",
                "live_calls": 0,
            }
            with socket.create_connection(("127.0.0.1", int(told[1])), timeout=10) as call:
                call.sendall(encode(*uuid_message(uuid4())))
                assert call.recv(3 + 320, socket.MSG_WAITALL)  # from now on it is a call: audio comes
                server.send_signal(how)
                kinds = list(kinds_until_the_end(call))
            assert kinds[-1] == Kind.HANGUP
            assert server.wait(10) == 0
            _, log = server.communicate()
            assert "Traceback" not in log
        finally:
            server.kill()


@pytest.mark.every(2)
@pytest.mark.kernel
@pytest.mark.parametrize("flag", ["--port", "--control-port"])
def test_a_port_in_use_is_one_line_and_code_3(flag: str, taken_port: int, capsys: pytest.CaptureFixture[str]) -> None:
    other = "--control-port" if flag == "--port" else "--port"
    assert main([flag, str(taken_port), other, "0", "--loop", "asyncio"]) == 3
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f"server: port {taken_port} on 127.0.0.1 is in use: end what listens there, or choose another with {flag}\n"
    )


@pytest.mark.long("a port in use is one line and code 3")
@pytest.mark.kernel
def test_an_address_that_is_not_ours_is_one_line_and_code_3(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--host", "203.0.113.7", "--port", "0", "--control-port", "0", "--loop", "asyncio"]) == 3
    err = capsys.readouterr().err
    assert err.startswith("server: cannot listen on 203.0.113.7:0 and 127.0.0.1:0: ")
    assert err.count("\n") == 1


def test_a_file_that_is_not_there_is_one_line_and_code_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUDIO__WAITING_FILE", "/nowhere/music.slin")
    assert main(["--port", "0", "--control-port", "0", "--loop", "asyncio"]) == 3
    err = capsys.readouterr().err
    assert err.startswith("server: ")
    assert "/nowhere/music.slin" in err
    assert err.count("\n") == 1


def test_a_wrong_setting_is_one_line_and_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.json").write_text('{"system": {"silence_treshold_seconds": 1}}', encoding="utf-8")
    assert main(["--config", "mine.json"]) == 2
    assert capsys.readouterr().err == (
        "server: mine.json: system.silence_treshold_seconds: unknown key; did you mean silence_threshold_seconds?\n"
    )


def test_a_wrong_flag_is_code_2_and_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--port", "70000"])
    assert caught.value.code == 2
    assert "'70000' is not a port: expected 0 to 65535" in capsys.readouterr().err
    with pytest.raises(SystemExit) as long:
        main(["--port", "1" * 5000])  # Python reads no number of more than 4,300 digits
    assert long.value.code == 2
    assert f"'{'1' * 40}' is not a port: expected 0 to 65535" in capsys.readouterr().err
    with pytest.raises(SystemExit) as caught:
        main(["--help"])
    assert caught.value.code == 0
    assert "AI_API_URL=http" in capsys.readouterr().out


def test_as_many_files_as_the_calls_need_or_the_system_allows(caplog: pytest.LogCaptureFixture) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        allow_open_files(10, 300)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 420
        allow_open_files(1, 300)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 420
        assert not caplog.records
        allow_open_files(hard, 300)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
        assert "limits.calls" in caplog.text
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@virtual
async def test_the_collector_looks_at_everything_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    now = asyncio.get_running_loop().time
    at: list[float] = []
    monkeypatch.setattr(gc, "collect", lambda: at.append(now()))
    began_at = now()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(collect_each_minute(), 150)
    assert [when - began_at for when in at] == [60, 120]
