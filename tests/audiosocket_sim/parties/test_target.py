"""The three kinds of target by their text."""

import asyncio
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from audiosocket_sim.net.listening_process import listening_process
from audiosocket_sim.parties import keeper
from audiosocket_sim.parties.target import (
    Child,
    CommandTarget,
    DialledTarget,
    InProcessTarget,
    TargetError,
    TargetUsageError,
    listens_on,
    parse_target,
    program_of,
)


def test_kinds() -> None:
    assert parse_target("audiosocket_server:serve") == InProcessTarget("audiosocket_server", "serve")
    assert parse_target("tcp://127.0.0.1:8080", "http://127.0.0.1:8081") == DialledTarget(
        "127.0.0.1", 8080, "http://127.0.0.1:8081"
    )
    assert parse_target("command: bot --port {port}") == CommandTarget("bot --port {port}", None)


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tcp://127.0.0.1", "expected tcp://HOST:PORT"),
        ("tcp://127.0.0.1:99999", "tcp://127.0.0.1:99999: expected tcp://HOST:PORT with a port from 1 to 65535"),
        ("tcp://127.0.0.1:0", "expected tcp://HOST:PORT with a port from 1 to 65535"),
        (f"tcp://127.0.0.1:{'7' * 5000}", f"tcp://127.0.0.1:{'7' * 63}…: expected tcp://HOST:PORT with a port from"),
        (f"{'x' * 5000}", f"{'x' * 79}…: expected module:callable"),
        (f"command: {'x' * 5000}", f"command: {'x' * 70}…: the command needs the placeholder"),
        ("command: bot", "the placeholder {port}"),
        ("server", "expected module:callable"),
        ("server:", "expected module:callable"),
        ("../audiosocket_server:serve", "expected module:callable"),
        ("tcp://127.0.0.1:8080/calls", "expected tcp://HOST:PORT"),
        ("command: bot {port} {prot}", "there is no placeholder {prot}; there are {port}, {control_port}"),
        ("command: bot {port} 'unclosed", "no command line: No closing quotation"),
    ],
)
def test_what_is_no_target_says_what_was_expected(text: str, says: str) -> None:
    with pytest.raises(TargetUsageError, match=re.escape(says)) as wrong:
        parse_target(text)
    assert len(str(wrong.value)) < 300


async def test_an_import_that_fails_is_one_line() -> None:
    with pytest.raises(TargetError, match="no_such_module:serve cannot be imported"):
        await parse_target("no_such_module:serve").start({}, "http://127.0.0.1:1")


async def test_a_module_that_is_missing_says_where_it_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    looked = f"no_such_package.bot:serve cannot be imported: no module 'no_such_package' in {tmp_path}"
    with pytest.raises(TargetError, match=f"^{re.escape(looked)} or in what is installed$"):
        await parse_target("no_such_package.bot:serve").start({}, "http://127.0.0.1:1")
    inner = tmp_path / "scenarios"
    inner.mkdir()
    monkeypatch.chdir(inner)
    with pytest.raises(TargetError, match=re.escape(f" in {inner}, in {tmp_path} or in what is installed")):
        await parse_target("no_such_package:serve", folder=tmp_path).start({}, "http://127.0.0.1:1")


async def test_settings_need_a_target_that_takes_them() -> None:
    with pytest.raises(TargetUsageError, match="settings for the server \\(system\\)"):
        await parse_target("tcp://127.0.0.1:8080").start({"system": {}}, "http://127.0.0.1:1")


async def test_a_command_that_is_not_there() -> None:
    with pytest.raises(TargetError, match="no-such-program: cannot be started"):
        await parse_target("command: no-such-program {port}").start({}, "http://127.0.0.1:1")


@pytest.mark.parametrize("url", ["localhost:8081", "http://", "ftp://127.0.0.1", "http://127.0.0.1:x", "http://[1"])
def test_a_control_url_that_is_none(url: str) -> None:
    with pytest.raises(TargetUsageError, match="a control URL looks like"):
        parse_target("tcp://127.0.0.1:8080", url)


def test_an_import_string_tells_its_control_url_itself() -> None:
    with pytest.raises(TargetUsageError, match="--control-url is for command: and tcp://"):
        parse_target("audiosocket_server:serve", "http://127.0.0.1:8081")


async def test_other_braces_are_the_commands_own(tmp_path: Path) -> None:
    told = tmp_path / "told.txt"
    command = f"command: sh -c 'echo \"$0 $1\" > {told}' '{{\"a\": {{}}}}' {{port}}"
    with pytest.raises(TargetError, match="the command ended with code 0 before it listened on port"):
        await parse_target(command).start({}, "http://127.0.0.1:1")
    assert told.read_text().startswith('{"a": {}} ')


_RUNNER = """
import asyncio, sys
from audiosocket_sim.parties.target import parse_target

async def main():
    await parse_target(sys.argv[1]).start({}, "http://127.0.0.1:1")
    print("started", flush=True)
    await asyncio.sleep(1000)

asyncio.run(main())
"""
_LISTENS = "import socket, sys, time; held = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(1000)"


_ALSO = {
    "children": "sleep 1000 &",
    "a session of its own": "setsid sleep 1000 &",
    "a daemon": "(setsid sh -c 'sleep 1000 & exec true' &);",
}


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("stubborn", "also"),
    [
        pytest.param(False, "children", marks=pytest.mark.long("a daemon is ended, which is harder")),
        pytest.param(True, "children", marks=pytest.mark.long("a program without a trap is ended")),
        pytest.param(False, "a session of its own", marks=pytest.mark.long("a daemon is ended, which is harder")),
        (False, "a daemon"),
    ],
)
def test_a_program_and_what_it_started_do_not_outlive_a_runner_that_is_killed(
    tmp_path: Path, stubborn: bool, also: str
) -> None:
    """All of them hold one end of a pipe: the other comes to its end when none of them is left."""
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    trap = "trap : TERM;" if stubborn else ""
    shell = f'{trap} exec 3>{alive}; {_ALSO[also]} {sys.executable} -S -c "{_LISTENS}" $0; sleep 1000'
    command = f"command: sh -c {shlex.quote(shell)} {{port}}"
    with (
        subprocess.Popen([sys.executable, "-c", _RUNNER, command], stdout=subprocess.PIPE, text=True) as runner,
        open(alive, "rb") as held,
    ):
        assert runner.stdout is not None
        assert runner.stdout.readline() == "started\n"
        runner.kill()
        assert held.read() == b""


@pytest.mark.every(2)
@pytest.mark.kernel
@pytest.mark.parametrize("starts", ["setsid", ""])
async def test_a_program_that_is_stopped_leaves_nothing_behind(starts: str) -> None:
    """With `setsid`, which forks and ends, the bot runs in a session of its own."""
    program = f"{sys.executable} -S -c {shlex.quote(_LISTENS)}"
    running = await parse_target(f"command: {starts} {program} {{port}}").start({}, "http://127.0.0.1:1")
    assert isinstance(running, Child)
    assert running.program.returncode is None
    assert listens_on(running.port)
    await running.close()
    assert running.program.returncode is not None
    assert not listens_on(running.port)


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("shell", "how"), [("exit 3", "ended with code 3"), ("sleep 9 & kill -SEGV $$", "was ended by SIGSEGV")]
)
async def test_how_a_program_ended_is_known_once_nothing_of_it_is_left(shell: str, how: str) -> None:
    with pytest.raises(TargetError, match=f"^the command {how} before it listened on port"):
        await parse_target(f"command: sh -c {shlex.quote(shell)} {{port}}").start({}, "http://127.0.0.1:1")


@pytest.mark.kernel
async def test_cancelled_it_kills_a_program_that_does_not_end() -> None:
    shell = f"trap '' TERM; {sys.executable} -S -c \"{_LISTENS}\" $0 & wait; wait"
    running = await parse_target(f"command: sh -c {shlex.quote(shell)} {{port}}").start({}, "http://127.0.0.1:1")
    assert isinstance(running, Child)
    closing = asyncio.create_task(running.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.wait({closing})
    assert closing.cancelled()
    assert running.program.returncode is not None
    assert not listens_on(running.port)


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.kernel
async def test_the_process_of_a_bot_at_an_address_of_this_machine_is_known() -> None:
    """Whether it had a processor is then known too."""
    program = f"{sys.executable} -S -c {shlex.quote(_LISTENS)}"
    running = await parse_target(f"command: {program} {{port}}").start({}, "http://127.0.0.1:1")
    assert isinstance(running, Child)
    for host in ("127.0.0.1", "localhost", "::1"):
        assert program_of(DialledTarget(host, running.port, None)) == program_of(running) == running.program.pid
    assert program_of(DialledTarget("192.0.2.1", running.port, None)) is None
    assert program_of(DialledTarget("some.other.host.invalid", running.port, None)) is None
    await running.close()
    assert program_of(DialledTarget("127.0.0.1", running.port, None)) is None


@pytest.mark.kernel
def test_a_bot_in_this_process_is_none_of_its_programs(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bot:
        port = bot.getsockname()[1]
        assert listening_process(port) == os.getpid()
        assert program_of(DialledTarget("127.0.0.1", port, None)) is None
    assert listening_process(port, tmp_path) is None


async def test_cancelled_while_a_program_is_being_started_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its transport would be found by the garbage collector when the loop is closed: a traceback."""
    keepers: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def noticed(*words: Any, **options: Any) -> asyncio.subprocess.Process:
        keepers.append(await start(*words, **options))
        starting.cancel()
        return keepers[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noticed)
    starting = asyncio.create_task(parse_target("command: sleep 1000 {port}").start({}, "http://127.0.0.1:1"))
    await asyncio.wait({starting})
    assert starting.cancelled()
    assert keepers[0].returncode is not None


@pytest.mark.kernel
def test_a_program_ends_whose_runner_ends_while_it_is_being_started(tmp_path: Path) -> None:
    """The program holds one end of a pipe: the other comes to its end when it is gone."""
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    line, other = socket.socketpair()
    line.close()
    with other:
        words = [str(other.fileno()), "sh", "-c", f"exec 3>{alive}; exec sleep 1000"]
        command = [sys.executable, "-I", "-S", keeper.__file__, *words]
        kept = subprocess.Popen(command, pass_fds=(other.fileno(),), start_new_session=True, stderr=subprocess.PIPE)
    with kept, open(os.open(alive, os.O_RDONLY | os.O_NONBLOCK), "rb") as held:
        assert kept.wait(20) == -signal.SIGTERM
        assert kept.stderr is not None
        assert kept.stderr.read() == b""
        assert held.read() == b""


@pytest.mark.kernel
def test_a_program_ends_whose_runner_kills_its_own_child(tmp_path: Path) -> None:
    """As asyncio does when its loop is closed after a second Ctrl-C. The program takes no SIGTERM."""
    alive = tmp_path / "alive"
    os.mkfifo(alive)
    line, other = socket.socketpair()
    with other:
        words = [str(other.fileno()), "sh", "-c", f"trap '' TERM; exec 3>{alive}; while :; do sleep 0.1; done"]
        command = [sys.executable, "-I", "-S", keeper.__file__, *words]
        kept = subprocess.Popen(command, pass_fds=(other.fileno(),), start_new_session=True)
    with line, kept, open(alive, "rb") as held:  # the program is there
        line.send(b".")
        line.close()
        kept.kill()
        assert held.read() == b""


_MANY_FILES = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (2048, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
os.dup2(int(sys.argv[1]), 1500)
os.execv(sys.executable, [sys.executable, "-I", "-S", sys.argv[2], "1500", "sh", "-c", "exit 3"])
"""


@pytest.mark.kernel
def test_a_runner_may_have_more_files_open_than_select_takes() -> None:
    line, other = socket.socketpair()
    with line, other:
        command = [sys.executable, "-c", _MANY_FILES, str(other.fileno()), keeper.__file__]
        kept = subprocess.run(command, pass_fds=(other.fileno(),), capture_output=True, timeout=20)
    assert (kept.returncode, kept.stderr) == (3, b"")
