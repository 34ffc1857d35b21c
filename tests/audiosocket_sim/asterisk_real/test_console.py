"""The console, against a program that has Asterisk's fault with two consoles, and always. No Asterisk is needed."""

import asyncio
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from audiosocket_sim.asterisk_real import AsteriskMissing, Installation
from audiosocket_sim.asterisk_real.console import logged_at
from audiosocket_sim.asterisk_real.process import RealAsterisk

_WAITS = "import signal; signal.pause()"
_ENDS = "print('no such module'); raise SystemExit(3)"


def _installation(program: str) -> Installation:
    return Installation((sys.executable, "-c", program), Path("modules"), Path("data"), "22.10.1")


class _Consoles:
    """Listens where Asterisk does. Only the first console that it is given can be unmuted: the number of a later one's
    descriptor still stands beside the one before."""

    def __init__(self, asterisk: RealAsterisk) -> None:
        self._asterisk = asterisk
        self._given = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._given += 1
        first, mute = self._given == 1, True
        writer.write(b"host/1/22.10.1\n")
        try:
            while True:
                command = (await reader.readuntil(b"\0"))[:-1].decode()
                if command.endswith("core waitfullybooted"):
                    writer.write(b"Asterisk has fully booted.\n")
                elif command == "logger mute silent":
                    mute = not first
                elif command == "speak" and not mute:
                    writer.write(b"\xfeheard\n")
                elif command.endswith("core stop now"):
                    self._asterisk_stops()
                if command.startswith("cli quit after"):
                    break
        except asyncio.IncompleteReadError:
            pass
        writer.close()

    def _asterisk_stops(self) -> None:
        assert self._asterisk._process is not None
        self._asterisk._process.kill()


async def test_what_asterisk_tells_is_heard_whichever_console_it_unmutes() -> None:
    asterisk = RealAsterisk(_installation(_WAITS), "")
    (asterisk.folder / "run").mkdir()
    server = await asyncio.start_unix_server(_Consoles(asterisk).serve, asterisk._socket)
    async with server, asterisk:
        asterisk.send("speak")
        assert (await asterisk.told("heard", within_seconds=5))[1] == "heard"
        with pytest.raises(TimeoutError, match=r"did not say 'words' within 0\.01 s; it said: .*; heard$"):
            await asterisk.told("words", within_seconds=0.01)


def test_a_line_of_the_log_says_when_it_was_written() -> None:
    line = "[2026-11-30 11:03:29.084961] NOTICE[19958][C-00000001]: Ext. s:2 @ calls: @far"
    assert logged_at(line) == datetime(2026, 11, 30, 11, 3, 29, 84961).astimezone().timestamp()
    for other in ("@far", "[Nov 30 11:03:29] NOTICE[19958]: Ext. s:2 @ calls: @far", f"> {line}"):
        with pytest.raises(ValueError, match=r"^no line of the log: "):
            logged_at(other)


async def test_an_asterisk_that_ends_at_once_is_told_with_its_last_words() -> None:
    with pytest.raises(AsteriskMissing, match="ended with code 3: no such module"):
        async with RealAsterisk(_installation(_ENDS), ""):
            pass


_SAYS_WHERE = "import os, signal; pipe = open({pipe!r}, 'w', 1); print(os.getpid(), file=pipe); signal.pause()"
_STARTS = """
import asyncio
from pathlib import Path
from audiosocket_sim.asterisk_real import Installation
from audiosocket_sim.asterisk_real.process import RealAsterisk
async def start():
    async with RealAsterisk(Installation(({python!r}, "-c", {program!r}), Path("m"), Path("d"), "22.10.1"), ""):
        pass
asyncio.run(start())
"""


@pytest.mark.long("it starts processes")
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv of util-linux is not there")
def test_asterisk_does_not_outlive_a_runner_that_is_killed(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    program = _STARTS.format(python=sys.executable, program=_SAYS_WHERE.format(pipe=str(pipe)))
    own_folders = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", program], env=own_folders) as runner, pipe.open() as told:
        assert int(told.readline()) != runner.pid
        runner.kill()
        assert told.read() == ""  # its end of the pipe is closed: it is gone
