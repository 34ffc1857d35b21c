"""Plans of faults: the file, the step for each request, the log of requests, and the command."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from helpers.fake_azure_needs import needs
from pydantic import BaseModel

from audiosocket_sim.cli.fake_azure import line_of
from audiosocket_sim.cli.main import main
from audiosocket_sim.fake_azure import FakeAzure, FakeAzureError, Faults, FaultsError, Request, load_faults
from audiosocket_sim.fake_azure.plan import Drop, FaultMoment, Pace, PlanStep, Stall
from audiosocket_sim.fake_azure.plan_progress import AFTER, AUDIO, BEFORE, START, PlanProgress, TurnMoment, is_at
from audiosocket_sim.fake_azure.request_log import RequestLog, masked
from audiosocket_sim.scenario.paths import PROJECT

FILE = """
keys:
  wrong: [{refuse: 401}]
  flaky:
    - {drop: {with: 1011, after_audio: 1s}}
    - {}
  slow: [{pace: {interim: 300ms, final: 200ms, first_byte: 180ms, chunk: 50ms, speed: 2}}]
default: [{only: synthesis, stall: {before: audio, for: 500ms}}]
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "faults.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_of_plans(tmp_path: Path) -> None:
    faults = load_faults(write(tmp_path, FILE))
    assert faults.plan("wrong")[0].refuse == 401
    drop = faults.plan("flaky")[0].drop
    assert drop is not None
    assert (drop.with_, drop.after_audio) == (1011, 1000)
    assert faults.plan("slow")[0].pace.speed == 2
    stall = faults.plan("any other")[0].stall
    assert stall is not None
    assert (stall.before, stall.for_) == ("audio", 500)


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "1:1: the file is empty; plans begin with `keys:`"),
        ("keys: {a: [{refuse: 401}", "1:25: "),
        ("defalt: []", "1:1: unknown key 'defalt'; did you mean 'default'?"),
        ("keys: {a: [{stal: {}}]}", "1:13: unknown key 'stal'; did you mean 'stall'?"),
        ("keys: {a: [{drop: {wth: 1011}}]}", "1:20: unknown key 'wth'; did you mean 'with'?"),
        ("keys: {a: {refuse: 401}}", "1:11: a: needs a list"),
        ("keys:\n  a:\n    - refuse: 200", "3:15: refuse: must be at least 300, not 200"),
        ("keys: {a: [{status: Nomatch}]}", "did you mean 'NoMatch'?"),
        ("keys: {a: [{drop: 1006}]}", "drop: expected reset, or a close code such as 1000, 1011 or 4429, not 1006"),
        ("keys: {a: [{stall: {for: 3}}]}", "for: a duration needs a number and a unit"),
        ("keys: {a: [{drop: {before: audio, after: audio}}]}", "only one moment may be given: before or after"),
        (
            "keys: {a: [{drop: {after: upgrade}}]}",
            "after the upgrade a turn begins, which is the default: leave this key out",
        ),
        ("keys: {a: [{drop: {before: upgrade, with: 1011}}]}", "no websocket to close with a code"),
        ("keys: {a: [{refuse: 401, status: Error}]}", "a refused upgrade has no turn"),
        ("keys: {a: [{only: synthesis, status: Error}]}", "only a recognised phrase has a status"),
        ("keys: {a: [{only: recognition, no_audio: true}]}", "only synthesis makes audio"),
        ("keys: {a: [{times: 0}]}", "times: must be at least 1, not 0"),
        ("keys: {a: [{refuse: '401'}]}", "refuse: needs a whole number, not '401'"),
    ],
)
def test_errors_in_a_file(text: str, problem: str, tmp_path: Path) -> None:
    path = write(tmp_path, text)
    with pytest.raises(FaultsError) as found:
        load_faults(path)
    assert str(found.value).startswith(f"{path}:")
    assert problem in str(found.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FaultsError, match=r"none\.yaml: No such file"):
        load_faults(tmp_path / "none.yaml")


DOCS = (PROJECT / "docs" / "speech.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("model", [PlanStep, FaultMoment, Pace])
def test_the_docs_describe_every_key(model: type[BaseModel]) -> None:
    for name, field in model.model_fields.items():
        assert f"| `{name}` | {field.description}" in DOCS


def test_the_docs_show_a_file_that_is_right(tmp_path: Path) -> None:
    begin = DOCS.index("    keys:\n")
    text = DOCS[begin : DOCS.index("\n\n", begin)]
    assert list(load_faults(write(tmp_path, textwrap.dedent(text))).keys) == ["wrong", "flaky", "mute", "slow"]


# --- which step a request meets


def script(**keys: list[dict[str, Any]]) -> PlanProgress:
    return PlanProgress(Faults.model_validate({"keys": keys}))


def test_the_last_step_stays() -> None:
    plans = script(k=[{"status": "Error", "times": 2}, {"status": "NoMatch"}])
    assert [plans.at_turn("k", "recognition").status for _ in range(4)] == ["Error", "Error", "NoMatch", "NoMatch"]
    assert plans.at_turn("another", "recognition") == PlanStep()


def test_each_service_counts_by_itself() -> None:
    plans = script(k=[{"only": "synthesis", "no_audio": True}, {"status": "Error"}, {}])
    assert plans.at_turn("k", "recognition").status == "Error"
    assert [plans.at_turn("k", "synthesis").no_audio for _ in range(2)] == [True, False]
    assert plans.at_turn("k", "recognition") == PlanStep()


def test_steps_about_the_upgrade_are_for_upgrades() -> None:
    plans = script(k=[{"refuse": 503}, {"status": "Error"}, {"refuse": 401}])
    assert plans.at_upgrade("k", "recognition").refuse == 503
    assert plans.at_upgrade("k", "recognition") == PlanStep()  # the next step is about a turn
    assert plans.at_upgrade("k", "recognition") == PlanStep()  # however often is connected before it
    assert plans.at_turn("k", "recognition").status == "Error"
    assert plans.at_turn("k", "recognition").refuse == 401  # and not used up: the connection has to end first
    assert plans.at_upgrade("k", "recognition").refuse == 401


def test_other_plans_begin_at_their_first_step() -> None:
    plans = script(k=[{"status": "Error"}, {}])
    plans.at_turn("k", "recognition")
    plans.replace(Faults.model_validate({"keys": {"k": [{"status": "NoMatch"}, {}]}}))
    assert plans.at_turn("k", "recognition").status == "NoMatch"


@pytest.mark.parametrize(
    ("moment", "now", "is_now"),
    [
        ({}, TurnMoment(START), True),
        ({}, TurnMoment(BEFORE, "audio"), False),
        ({"before": "audio"}, TurnMoment(START), False),
        ({"before": "audio"}, TurnMoment(BEFORE, "audio"), True),
        ({"before": "audio"}, TurnMoment(AFTER, "audio"), False),
        ({"after": "speech.phrase"}, TurnMoment(AFTER, "speech.phrase"), True),
        ({"after_audio": "1s"}, TurnMoment(AUDIO, audio_ms=900), False),
        ({"after_audio": "1s"}, TurnMoment(AUDIO, audio_ms=1050), True),
        ({"after_audio": "1s"}, TurnMoment(START), False),
    ],
)
def test_moments(moment: dict[str, str], now: TurnMoment, is_now: bool) -> None:
    assert is_at(Drop.model_validate(moment), now) is is_now
    assert is_at(Stall.model_validate(moment), now) is is_now


# --- the log of requests


def test_the_log_is_bounded_and_reports_each_end_once() -> None:
    told: list[Request] = []
    log = RequestLog(told.append)
    number = log.begin("recognition", "k", language="pt-BR")
    assert log.all()[0].is_open
    log.change(number, audio_ms=100)
    log.change(number, outcome="Success", text="Sim.")
    log.change(number, outcome="the client left")  # it had ended before
    assert told == [Request(1, "recognition", "k", "pt-BR", text="Sim.", audio_ms=100, outcome="Success")]
    for _ in range(1200):
        log.begin("synthesis", "k")
    assert len(log.all()) == 1000
    assert log.all()[-1].number == 1201
    log.change(1, outcome="forgotten")


def test_keys_are_masked() -> None:
    assert [masked(key) for key in ("", "short", "0123456789abcdef0123456789abcdef")] == ["none", "••••", "••••cdef"]


def test_a_line_for_a_request() -> None:
    spoken = Request(7, "synthesis", "flaky", "pt-BR", "pt-BR-X", "Oi.", "raw", audio_ms=1500, outcome="Success")
    assert line_of(spoken) == "   7  synthesis  flaky  pt-BR  pt-BR-X  raw  1.50 s  “Oi.”: Success"
    heard = Request(8, "recognition", "none", "pt-BR", mode="once", continued=True, outcome="NoMatch")
    assert line_of(heard) == "   8  recognition  none  pt-BR  once  resumed: NoMatch"


# --- the command


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["--faults", "none.yaml"], 2, "none.yaml: No such file"),
        (["--recogniser", "os:no_such_name"], 2, "the recogniser os:no_such_name cannot be imported"),
        (["--phrase-book", "no_such_folder"], 2, "no_such_folder: cannot be read"),
        (["--host", "192.0.2.1"], 3, "cannot listen on 192.0.2.1:0"),
    ],
)
@needs(fake_azure="websockets")
@pytest.mark.extra
def test_what_the_command_refuses(
    arguments: list[str],
    code: int,
    problem: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["fake-azure", *arguments]) == code
    assert problem in capsys.readouterr().err


def test_the_command_without_its_extra(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "websockets", None)
    for name in [name for name in sys.modules if name.startswith(("websockets.", "audiosocket_sim.fake_azure.web"))]:
        monkeypatch.delitem(sys.modules, name)
    assert main(["fake-azure"]) == 3
    assert capsys.readouterr().err == (
        "the fake Azure Speech service needs an extra: pip install 'audiosocket-sim[fake-azure]'\n"
    )
    with pytest.raises(FakeAzureError, match=r"\[fake-azure\]"), FakeAzure.in_thread():
        pass


@needs(fake_azure="websockets")
@pytest.mark.extra
@pytest.mark.real_time
def test_the_command_serves_until_it_is_stopped(tmp_path: Path) -> None:
    faults = write(tmp_path, FILE)
    command = [sys.executable, "-m", "audiosocket_sim", "fake-azure", "--faults", str(faults)]
    environment = {**os.environ, "PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, text=True) as run:
        assert run.stdout is not None
        line = run.stdout.readline()
        run.send_signal(signal.SIGTERM)
        rest = run.stdout.read()
    assert line.startswith("fake Azure Speech on ws://127.0.0.1:")
    assert "plans for the keys wrong, flaky, slow" in line
    assert (run.returncode, rest) == (0, "")
