"""The example of docs/asterisk.md that calls a bot with a real Asterisk, pasted into a file as it stands there."""

import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from helpers.real_calls import ROOT, page_dialplan

from audiosocket_core.messages import Kind, encode
from audiosocket_core.slin import read_audio, silence

pytestmark = [pytest.mark.asterisk, pytest.mark.real_time]

LOUD_BYTES = 150
"""More bytes of a read that are not 0 are of a voice: silence has none but the headers'."""


def test_the_pasted_example_calls_the_bot_and_prints_the_console(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "asterisk.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "call_it.py").write_text(example, encoding="utf-8")
    words = read_audio(ROOT / "recordings" / "pt-br" / "quero_falar_com_o_apartamento_202.wav")
    (tmp_path / "words.sln").write_bytes(words)
    with socket.create_server(("127.0.0.1", 0)) as bot:
        address = f"127.0.0.1:{bot.getsockname()[1]}"
        (tmp_path / "extensions.conf").write_text(page_dialplan().replace("127.0.0.1:8080", address), encoding="utf-8")
        heard: list[bool] = []
        answering = threading.Thread(target=lambda: heard.append(_answer(bot)))
        answering.start()
        command = [sys.executable, "call_it.py"]
        told = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=90)
    answering.join()
    assert told.returncode == 0, told.stderr
    assert heard == [True]
    assert "goes on after the bot" in told.stdout
    assert told.stdout.index("talks to the bot as") < told.stdout.index("is over")


def _answer(bot: socket.socket) -> bool:
    """Answer one call with silence, all the time, until the caller's words have come; then hang up.

    Returns whether they came.
    """
    connection, _ = bot.accept()
    with connection:
        connection.settimeout(0.02)
        while True:
            try:
                came = connection.recv(4096)
            except TimeoutError:
                came = None
            if came == b"":
                return False
            if came is not None and len(came) - came.count(0) > LOUD_BYTES:
                break
            connection.sendall(encode(Kind.SLIN8, silence(20)))
        connection.settimeout(None)
        connection.sendall(encode(Kind.HANGUP))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(4096):
            pass
    return True
