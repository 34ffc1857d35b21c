"""The examples of docs/library.md: the echo server and the caller against one another, and against the simulator."""

import asyncio
import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from audiosocket_core import silence
from audiosocket_core.slin import read_audio
from audiosocket_sim.virtual_time import run as run_virtually

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```python\n# (\S+\.py)\n(.*?)```", PAGE, re.DOTALL))


def module_of(name: str, folder: Path) -> ModuleType:
    file = folder / name
    file.write_text(EXAMPLES[name], encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name.removesuffix(".py"), file)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def test_the_page_has_its_examples_and_they_are_short() -> None:
    assert list(EXAMPLES) == ["echo_server.py", "test_echo_server.py", "caller.py"]
    for name in ("echo_server.py", "caller.py"):
        code = [line for line in EXAMPLES[name].splitlines() if line.strip()]
        assert len(code) <= 40, name


def test_the_caller_hears_himself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server, caller = module_of("echo_server.py", tmp_path), module_of("caller.py", tmp_path)
    said = read_audio(ROOT / "recordings" / "pt-br" / "sim.wav")

    async def main() -> bytes:
        running = await server.serve()
        try:
            return bytes(await caller.call(running.host, running.port, said))
        finally:
            await running.close()
            await asyncio.sleep(3)

    heard = run_virtually(main)
    assert heard == said + silence(20)[: len(heard) - len(said)]
    assert "a call: " in capsys.readouterr().out


@pytest.mark.long("the page's server and its caller talk to each other")
def test_the_echo_server_under_the_simulator(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("echo_server.py", "test_echo_server.py"):
        (pytester.path / name).write_text(EXAMPLES[name], encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'server'}:{pytester.path}")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.runpytest_subprocess("-p", "audiosocket_sim.pytest_plugin.plugin").assert_outcomes(passed=1)


def test_the_connection_alone_needs_no_numpy_and_no_loop() -> None:
    program = "import sys; from audiosocket_core import Connection, Role; Connection(Role.SERVER); print(*sys.modules)"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not {"numpy", "pydantic", "asyncio", "soxr"} & set(told.stdout.split())
