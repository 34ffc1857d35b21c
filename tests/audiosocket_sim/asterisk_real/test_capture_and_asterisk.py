"""A real Asterisk calls the reference server through the capture; what was written plays the same call by itself."""

import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from helpers.programs import program

from audiosocket_sim.asterisk_real import Installation
from audiosocket_sim.call_log.events import BackendAsked, BotSpoke, CallEnded
from audiosocket_sim.running.runner import Options, Outcome, run
from audiosocket_sim.scenario import DtmfStep, SayStep
from audiosocket_sim.scenario.loading import load

pytestmark = [pytest.mark.asterisk, pytest.mark.real_time]

ROOT = Path(__file__).resolve().parents[3]
CALL = """
summary: A caller presses keys, says goodbye, and is told goodbye.
line: {codec: ulaw, noise_dbfs: -60}
ai:
  - {says: "Até logo, tenha um bom dia.", set_call_status: STANDBY, after: 300ms}
steps:
  - expect: {bot_says: "Condomínio Apoena, em que posso ajudar?", within: 8s}
  - dtmf: "42"
    after: 800ms
  - say: pt-br/obrigado_tchau
    after: 800ms
  - expect: {bot_says: "Até logo, tenha um bom dia.", within: 8s}
  - expect: {hangs_up: server, within: 3s}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@contextmanager
def everything(out: Path, ai_port: int) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """The server, and the capture before and behind it; the capture's port."""
    asks = free_port()
    settings = {
        "AI_API_URL": f"http://127.0.0.1:{asks}/messages",
        "SPEECH_ENGINE": "embedded",
        "GREETING__DELAY_SECONDS": "0.5",
    }
    with program("audiosocket_server", "--port", "0", "--control-port", "0", **settings) as server:
        assert server.stdout is not None
        ready = server.stdout.readline()
        to = ready.split("127.0.0.1:")[1].split()[0].rstrip(",;")
        control = next(word.rstrip(".,;") for word in ready.split() if word.startswith("http://"))
        words = f"--listen 127.0.0.1:0 --to 127.0.0.1:{to} --control {control} --calls 1"
        backend = f"--ai-listen 127.0.0.1:{asks} --ai-to http://127.0.0.1:{ai_port}"
        command = ["capture", *words.split(), *backend.split(), "--out", str(out)]
        with program("audiosocket_sim", *command) as capture:
            assert capture.stdout is not None
            yield int(capture.stdout.readline().split("127.0.0.1:")[1].split(",")[0]), capture


def test_a_real_call_captured_plays_again(installation: Installation, one_at_a_time: None, tmp_path: Path) -> None:
    (tmp_path / "goodbye.yaml").write_text(CALL, encoding="utf-8")
    out, ai_port = tmp_path / "captured", free_port()
    with everything(out, ai_port) as (port, capture):
        options = Options(target=f"tcp://127.0.0.1:{port}", peer="asterisk", real_time=True, ai_port=ai_port)
        live = run(load(tmp_path / "goodbye.yaml"), options)
        told, wrong = capture.communicate(timeout=30)
    assert live.outcome is Outcome.PASSED, live.problems
    assert (capture.returncode, wrong) == (0, "")
    assert "presses 2 keys" in told

    scenario = load(out / "call.yaml")
    assert "".join(step.dtmf for step in scenario.steps if isinstance(step, DtmfStep)) == "42"
    assert [step.say.text for step in scenario.steps if isinstance(step, SayStep)] == ["Obrigado, tchau."]
    again = run(scenario)
    assert again.outcome is Outcome.PASSED, again.problems
    for kind, field in ((BackendAsked, "content"), (BotSpoke, "text"), (CallEnded, "who")):
        once = [getattr(e.event, field) for e in live.entries if isinstance(e.event, kind)]
        assert [getattr(e.event, field) for e in again.entries if isinstance(e.event, kind)] == once
