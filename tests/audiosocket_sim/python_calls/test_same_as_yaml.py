"""A call in Python is the call that YAML makes: the same models of steps, and of the same steps the same log."""

import asyncio
import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audiosocket_sim.python_calls.driving import run_call
from audiosocket_sim.python_calls.phone_call import PhoneCall, event
from audiosocket_sim.python_calls.place import CodePlace
from audiosocket_sim.python_calls.session import CallPlan, CallSession
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.progress import CarriedOut
from audiosocket_sim.running.runner import run
from audiosocket_sim.scenario import (
    EXPECT_KEYS,
    NEVER_KEYS,
    STEP_KEYS,
    ExpectStep,
    NeverStep,
    SayStep,
    Scenario,
    Step,
)
from audiosocket_sim.scenario.loading import load, load_text
from audiosocket_sim.scenario.step_models import step_keys

ROOT = Path(__file__).resolve().parents[3]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
SERVER = Options(target="audiosocket_server:serve")

FILE = "greeting_then_hold.yaml"  # it is there
SAME: list[tuple[Callable[[PhoneCall], Any], str]] = [
    (lambda call: call.say("pt-br/sim"), "{say: pt-br/sim}"),
    (
        lambda call: call.say("pt-br/sim", gain_db=-6, start=0.1, lasting="300ms", blocks=False, after=2),
        "{say: {recording: pt-br/sim, gain_db: -6, start: 100ms, for: 300ms, blocks: false}, after: 2s}",
    ),
    (lambda call: call.say(text="Bom dia."), "{say: {text: Bom dia.}}"),
    (lambda call: call.say(text="Bom dia.", voice="pf_dora"), "{say: {text: Bom dia., voice: pf_dora}}"),
    (
        lambda call: call.say(file="greeting_then_hold.yaml", text="Oi."),
        "{say: {file: greeting_then_hold.yaml, text: Oi.}}",
    ),
    (lambda call: call.wait(1.25), "{wait: 1250ms}"),
    (lambda call: call.wait(0.0004), "{wait: 0ms}"),
    (lambda call: call.dtmf("202#", tone=0.2, gap="50ms"), '{dtmf: "202#", tone: 200ms, gap: 50ms}'),
    (lambda call: call.dtmf("1"), '{dtmf: "1"}'),
    (lambda call: call.noise(2, dbfs=-30, color="pink"), "{noise: {for: 2s, dbfs: -30, color: pink}}"),
    (lambda call: call.noise("2s"), "{noise: 2s}"),
    (lambda call: call.tone(1, hz=400, dbfs=-10), "{tone: {for: 1s, hz: 400, dbfs: -10}}"),
    (lambda call: call.silence(3), "{silence: 3s}"),
    (lambda call: call.mute(), '{mute: "on"}'),
    (lambda call: call.mute(1.5), "{mute: 1.5s}"),
    (lambda call: call.unmute(), '{mute: "off"}'),
    (lambda call: call.hang_up(), "{hang_up: close}"),
    (lambda call: call.hang_up("reset", after=0.5), "{hang_up: reset, after: 500ms}"),
    (lambda call: call.expect_says("Oi"), "{expect: {bot_says: {text: Oi, part: true}}}"),
    (lambda call: call.expect_says("Oi", part=False, within=4), "{expect: {bot_says: Oi, within: 4s}}"),
    (lambda call: call.expect_speaks(), "{expect: {bot_speaks: {}}}"),
    (lambda call: call.expect_speaks(1, within=2), "{expect: {bot_speaks: 1s, within: 2s}}"),
    (lambda call: call.expect_silent(2), "{expect: {bot_silent: 2s}}"),
    (lambda call: call.expect_hold(), "{expect: {hold_audio: playing}}"),
    (lambda call: call.expect_hold("stopped", within=0), "{expect: {hold_audio: stopped, within: 0s}}"),
    (lambda call: call.expect_hold(file=FILE), f"{{expect: {{hold_audio: {{is: playing, file: {FILE}}}}}}}"),
    (lambda call: call.never_hold(file=FILE), f"{{never: {{hold_audio: {{is: playing, file: {FILE}}}}}}}"),
    (
        lambda call: call.expect_state("WAITING", when_told=True),
        "{expect: {state: {is: WAITING, when_told: true}}}",
    ),
    (lambda call: call.expect_backend_asked("202"), '{expect: {backend_asked: "202"}}'),
    (
        lambda call: call.expect_hangs_up(how="fin", dialplan="ends"),
        "{expect: {hangs_up: {who: server, how: fin, dialplan: ends}}}",
    ),
    (lambda call: call.expect_hangs_up("asterisk"), "{expect: {hangs_up: asterisk}}"),
    (lambda call: call.expect_responds(1.2), "{expect: {responds: 1.2s}}"),
    (lambda call: call.expect_responds(), "{expect: {responds: {within: 5s}}}"),
    (lambda call: call.expect_stops("300ms", after=1), "{expect: {bot_stops: {within: 300ms}}, after: 1s}"),
    (lambda call: call.expect_stops(), "{expect: {bot_stops: 2s}}"),
    (lambda call: call.expect_goes_on(), "{expect: bot_goes_on}"),
    (lambda call: call.expect_goes_on(0.3), "{expect: {bot_goes_on: {pause: 300ms}}}"),
    (lambda call: call.expect_resumes(1), "{expect: {resumes: {within: 1s}}}"),
    (lambda call: call.expect_resumes(), "{expect: resumes}"),
    (lambda call: call.expect_asks_again(8, after=1), "{expect: {asks_again: 8s}, after: 1s}"),
    (lambda call: call.expect_asks_again(), "{expect: asks_again}"),
    (lambda call: call.say("pt-br/aha", kind="backchannel"), "{say: {recording: pt-br/aha, kind: backchannel}}"),
    (lambda call: call.never_talk_over(), "{never: talk_over}"),
    (lambda call: call.never_talk_over(0.3, during=2), "{never: {talk_over: 300ms, for: 2s}}"),
    (lambda call: call.never_dead_air(), "{never: dead_air}"),
    (lambda call: call.never_dead_air(4), "{never: {dead_air: {at_least: 4s}}}"),
    (lambda call: call.never_says("Oi", during=2), "{never: {bot_says: {text: Oi, part: true}, for: 2s}}"),
    (lambda call: call.never_says("Oi", part=False), "{never: {bot_says: Oi}}"),
    (lambda call: call.never_speaks("300ms"), "{never: {bot_speaks: 300ms}}"),
    (lambda call: call.never_silent(2, after=1), "{never: {bot_silent: 2s}, after: 1s}"),
    (lambda call: call.never_hold(), "{never: {hold_audio: playing}}"),
    (lambda call: call.never_state("WAITING"), "{never: {state: WAITING}}"),
    (lambda call: call.never_backend_asked("202"), '{never: {backend_asked: "202"}}'),
    (lambda call: call.never_hangs_up(), "{never: {hangs_up: server}}"),
    (lambda call: call.expect_hangs_up(last_word="heard"), "{expect: {hangs_up: {who: server, last_word: heard}}}"),
    (lambda call: call.never_holes(0.06), "{never: {holes: 60ms}}"),
    (lambda call: call.never_ahead("300ms", during=5), "{never: {ahead: 300ms, for: 5s}}"),
    (lambda call: call.never_outside_level(-40, -10), "{never: {level_dbfs: [-40, -10]}}"),
    (lambda call: call.never_damaged(), "{never: {damage: any}}"),
    (lambda call: call.never_premature(), "{never: {premature: any}}"),
    (
        lambda call: call.say("pt-br/sim", after=event("bot_starts", 0.3)),
        "{say: pt-br/sim, at: {after: bot_starts, by: 300ms}}",
    ),
    (
        lambda call: call.expect_silent(after=event("WAITING", within=3)),
        "{expect: {bot_silent: 500ms}, at: {after: {state: WAITING}, within: 3s}}",
    ),
    (
        lambda call: call.never_speaks(0.1, while_="caller_speaks"),
        "{never: {bot_speaks: 100ms, while: caller_speaks}}",
    ),
    (
        lambda call: call.any_of({"bot_says": "Oi.", "within": "2s"}, {"hangs_up": "server"}, after=1),
        "{any_of: [{expect: {bot_says: Oi., within: 2s}}, {expect: {hangs_up: server}}], after: 1s}",
    ),
    (lambda call: call.happens({"bot_speaks": "1s"}), "{optional: {expect: {bot_speaks: 1s}}}"),
]
CHECKED_BY_PLAY = {"play", "result"}


def bare_plan(scenario: Scenario, options: Options = SERVER) -> CallPlan:
    says = [step.say for step in scenario.steps if isinstance(step, SayStep) and step.say.recording is None]
    return CallPlan(scenario.model_copy(update={"steps": ()}), options, tuple(says), CodePlace("test.py", 1))


def step_made_by(make: Callable[[PhoneCall], Any], monkeypatch: pytest.MonkeyPatch) -> Step:
    """The model that a method hands on when it is awaited."""
    handed: list[Step] = []

    async def take(session: CallSession, what: str, step: Step, place: CodePlace) -> CarriedOut:
        handed.append(step)
        raise InterruptedError

    monkeypatch.setattr(CallSession, "carry_out", take)
    call = PhoneCall(bare_plan(load(ROOT / "scenarios" / "greeting_then_hold.yaml")))

    async def main() -> None:
        with pytest.raises(InterruptedError):
            await make(call)

    asyncio.run(main())
    return handed[0]


@pytest.mark.every(11)
@pytest.mark.parametrize(("make", "yaml"), SAME, ids=[yaml for _, yaml in SAME])
def test_a_method_makes_the_step_that_yaml_makes(
    make: Callable[[PhoneCall], Any], yaml: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = load_text(f"summary: A call.\nsteps: [{yaml}]\n", folder=ROOT / "scenarios").steps[0]
    assert step_made_by(make, monkeypatch) == written


def test_every_step_and_every_expectation_has_its_methods() -> None:
    """Python has words of its own for what is repeated, and for what depends on something."""
    made = {yaml: load_text(f"summary: A.\nsteps: [{yaml}]\n", folder=ROOT / "scenarios").steps[0] for _, yaml in SAME}
    assert {key for step in made.values() for key in step_keys(step)} == set(STEP_KEYS) - {"repeat", "if_heard"}
    assert {step.expect.key for step in made.values() if isinstance(step, ExpectStep)} == set(EXPECT_KEYS)
    assert {step.never.key for step in made.values() if isinstance(step, NeverStep)} == set(NEVER_KEYS)
    methods = {name for name in vars(PhoneCall) if not name.startswith("_")} - CHECKED_BY_PLAY
    tried = " ".join(inspect.getsource(make) for make, _ in SAME)
    assert {name for name in methods if f"call.{name}(" not in tried} == set()


def played(scenario: Scenario, options: Options) -> Any:
    """The scenario's steps handed on one by one, as a call in Python does."""
    plan = bare_plan(scenario, options)
    call = PhoneCall(plan)

    async def body() -> None:
        for step in scenario.steps:
            await call._session.carry_out("a step", step, plan.place)

    run_call(plan, call, body)
    return call.result


@pytest.mark.parametrize("file", SCENARIOS[::72], ids=lambda file: file.stem)
def test_the_log_is_the_same_as_of_the_scenario(file: Path) -> None:
    scenario = load(file)
    whole = run(scenario, SERVER)
    assert whole.problems == []
    one_by_one = played(scenario, SERVER)
    assert one_by_one.entries == whole.entries
    assert one_by_one.transcript == whole.transcript
    assert one_by_one.outcome == whole.outcome


@pytest.mark.one_python
@pytest.mark.long("the first and the last scenario stand for all")
def test_the_logs_of_all_scenarios_are_the_same() -> None:
    for file in SCENARIOS:
        scenario = load(file)
        assert played(scenario, SERVER).transcript == run(scenario, SERVER).transcript, file.stem


@pytest.mark.long("calls that pass are compared")
def test_the_transcripts_of_a_failure_are_the_same() -> None:
    text = (ROOT / "scenarios" / "greeting_then_hold.yaml").read_text(encoding="utf-8")
    text = text.replace('pode entrar.", within', 'pode subir.", within')
    scenario = load_text(text, "greeting_then_hold", folder=ROOT / "scenarios")
    whole = run(scenario, SERVER)
    assert len(whole.failures) >= 1
    with pytest.raises(AssertionError) as failed:
        played(scenario, SERVER)
    result = failed.value.result  # type: ignore[attr-defined]
    assert result.transcript == whole.transcript
    assert [replace(f, where="") for f in result.failures] == [replace(f, where="") for f in whole.failures]
