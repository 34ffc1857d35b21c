"""Several calls in one file: what each caller has, and what is said of a file that is wrong, with line and column."""

# ruff: noqa: E501 - the tables show each line as a person sees it

import sys
from pathlib import Path

import pytest

from audiosocket_sim.scenario import CallerPlace, Scenario
from audiosocket_sim.scenario.callers import path_of_the_call
from audiosocket_sim.scenario.loading import ScenarioError, load_all, load_all_text, load_text
from audiosocket_sim.scenario.loading.used_files import used_files

ROOT = Path(__file__).resolve().parents[4]
UUID = "0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57"
WAIT = "steps: [{wait: 1s}]\n"


def load(text: str) -> Scenario:
    return load_text(f"summary: x\n{text}", "two", file="two.yaml", folder=ROOT / "scenarios")


def errors(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load(text)
    return str(caught.value).splitlines()


def test_a_caller_has_what_is_his_own_and_else_what_all_have() -> None:
    made = load(
        "line: {codec: alaw, seed: 4}\nai: [{says: Olá.}]\ncallers:\n  - {name: ana, line: {noise_dbfs: -50}, ai: []}\n"
        f"  - {{name: bruno, starts: 500ms, asterisk: '20.6', uuid: {UUID}}}\n{WAIT}"
    )
    ana, bruno = made.calls
    assert (ana.line.codec, ana.line.seed, ana.line.noise_dbfs, ana.ai) == ("alaw", 4, -50, ())
    assert (bruno.line.noise_dbfs, bruno.ai[0].says, bruno.asterisk.version) == (None, "Olá.", "20.6")
    assert (bruno.asterisk.uuid, ana.asterisk.uuid) == (UUID, None)
    assert [call.caller for call in made.calls] == [CallerPlace("ana"), CallerPlace("bruno", 0, 500)]
    assert [call.name for call in made.calls] == ["two, ana", "two, bruno"]
    assert (made.name, made.caller, made.has_several_calls) == ("two", CallerPlace(), True)
    assert ana.written.line("steps", 0) == bruno.written.line("steps", 0) == "two.yaml:7"
    assert ana.written.line("line") == "two.yaml:5"


def test_a_scenario_of_one_call_has_that_call() -> None:
    made = load(WAIT)
    assert made.calls == (made,)
    assert not made.has_several_calls


def test_who_calls_next_may_be_one_or_a_list_and_several_at_a_time() -> None:
    following = "then: [{name: b}, {callers: 2, line: {codec: alaw}}, {callers: [{name: c, starts: 1s}, {}]}]\n"
    made = load(f"{following}{WAIT}")
    places = [(call.caller.name, call.caller.group, call.line.codec) for call in made.calls]
    assert places == [
        ("call-1", 0, "ulaw"),
        ("b", 1, "ulaw"),
        ("call-3", 2, "alaw"),
        ("call-4", 2, "alaw"),
        ("c", 3, "ulaw"),
        ("call-6", 3, "ulaw"),
    ]
    (first, second) = load("then: {}\n" + WAIT).calls
    assert (first.steps, first.caller.group) == (second.steps, 0)
    assert second.caller == CallerPlace("call-2", 1)


def test_a_number_that_somebody_is_called_by_is_passed_over() -> None:
    assert [call.caller.name for call in load("callers: [{name: call-2}, {}]\n" + WAIT).calls] == ["call-2", "call-3"]


def test_a_voice_is_for_the_texts_that_name_none() -> None:
    made = load(
        "voice: hibari\ncallers:\n  - {name: ana}\n  - {name: bruno, voice: pm_alex}\nsteps:\n"
        "  - say: {text: Oi}\n  - say: {text: Oi, voice: pf_dora}\n  - say: pt-br/sim\n"
        "  - repeat: {times: 2, steps: [{say: {text: Oi}}]}\n"
    )
    said = [
        [step.say.voice for step in (*call.steps[:3], call.steps[3].repeat.steps[0])]  # type: ignore[union-attr]
        for call in made.calls
    ]
    assert said == [["hibari", "pf_dora", None, "hibari"], ["pm_alex", "pf_dora", None, "pm_alex"]]
    (step,) = load("voice: hibari\nsteps: [{say: {text: Oi}}]\n").steps
    assert step.say.voice == "hibari"  # type: ignore[union-attr]


def test_steps_of_a_caller_may_be_in_another_file(tmp_path: Path) -> None:
    (tmp_path / "greeting.yaml").write_text("- expect: {bot_speaks: 1s}\n- wait: 3s\n", encoding="utf-8")
    (tmp_path / "two.yaml").write_text(
        "summary: x\ncallers:\n  - {name: a, steps: [{include: greeting.yaml}]}\n  - name: b\n    steps:\n"
        "      - optional: {include: greeting.yaml}\nthen:\n  steps: {include: greeting.yaml}\n",
        encoding="utf-8",
    )
    (made,) = load_all(tmp_path / "two.yaml")
    assert [len(call.steps) for call in made.calls] == [2, 1, 2]
    assert made.calls[0].written.line("steps", 1) == f"{tmp_path}/greeting.yaml:2"
    assert made.parts == (tmp_path / "greeting.yaml",)
    assert tmp_path / "greeting.yaml" in used_files(made)


def test_the_files_of_all_callers_belong_to_the_scenario() -> None:
    made = load("callers:\n  - {}\n  - {steps: [{say: pt-br/sim}]}\n" + WAIT)
    assert ROOT / "recordings" / "pt-br" / "sim.wav" in used_files(made)


def test_a_variable_may_be_the_number_of_callers_and_a_part_of_a_caller() -> None:
    text = "summary: x\nfor_each: {n: [1, 3], codec: [alaw, gsm]}\ncallers: ${n}\nline: {codec: '${codec}'}\n" + WAIT
    made = load_all_text(text, "many")
    assert [(one.name, len(one.calls)) for one in made] == [
        ("many[n=1,codec=alaw]", 1),
        ("many[n=1,codec=gsm]", 1),
        ("many[n=3,codec=alaw]", 3),
        ("many[n=3,codec=gsm]", 3),
    ]
    assert made[3].calls[2].name == "many[n=3,codec=gsm], call-3"


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("callers: {ana: {}}\n", ["2:10: callers: needs a list of callers (lines that begin with `- `), or how many, not a mapping"]),
        ("callers: []\n", ["2:10: callers: needs a list of callers (lines that begin with `- `), or how many, not a list"]),
        ("callers: many\n", ["2:10: callers: needs a list of callers (lines that begin with `- `), or how many, not 'many'"]),
        ("callers:\n", ["2:1: callers: needs a list of callers (lines that begin with `- `), or how many, not nothing"]),
        ("callers: true\n", ["2:10: callers: needs a list of callers (lines that begin with `- `), or how many, not True"]),
        ("callers: 0\n", ["2:10: callers: from 1 to 20 at a time, not 0"]),
        ("callers: 21\n", ["2:10: callers: from 1 to 20 at a time, not 21"]),
        (f"callers: [{', '.join(['{}'] * 21)}]\n", ["2:10: callers: at most 20 at a time, not 21"]),
        ("then: 3\n", ["2:7: then: needs a caller (a mapping), or a list of them, not 3"]),
        ("then: []\n", ["2:7: then: needs a caller (a mapping), or a list of them, not a list"]),
        (f"then: [{', '.join(['{}'] * 51)}]\n", ["2:7: then: at most 50 after one another, not 51"]),
        ("callers: 20\nthen: [{callers: 20}, {callers: 20}]\n", ["1:1: 60 calls: at most 50 are taken"]),
        ("callers: [3]\n", ["2:11: a caller is a mapping, such as {name: ana, steps: […]}, not 3"]),
        ("then: [x]\n", ["2:8: a caller is a mapping, such as {name: ana, steps: […]}, not 'x'"]),
        ("callers: [{naem: ana}]\n", ["2:12: unknown key 'naem'; did you mean 'name'?"]),
        ("callers: [{xyzzy: ana}]\n", ["2:12: unknown key 'xyzzy'; a caller has name, uuid, starts, asterisk, line, voice, ear, ai, ai_cassette, steps, before, after, quality, turn_taking, reaction, max_duration"]),
        ("callers: [{server: {}}]\n", ["2:12: server: is the same for all calls: it belongs to the scenario, and not to a caller"]),
        ("callers: [{callers: 2}]\n", ["2:12: callers: is the same for all calls: it belongs to the scenario, and not to a caller"]),
        ("then: {callers: 2, name: x}\n", ["2:20: name: belongs to each of the callers here"]),
        ("callers: [{name: a b}]\n", ["2:18: name: up to 30 letters, digits, _ and -, such as ana, not 'a b'"]),
        ("callers: [{name: 7}]\n", ["2:18: name: up to 30 letters, digits, _ and -, such as ana, not 7"]),
        ("callers: [{name: ../x}]\n", ["2:18: name: up to 30 letters, digits, _ and -, such as ana, not '../x'"]),
        ("callers: [{name: Ana}, {name: ana}]\n", ["2:31: name: 'ana' is here twice (first in line 2): each caller has his own"]),
        ("callers: [{name: second-run}]\n", ["2:18: name: 'second-run' is the folder of a run that is made again: choose another"]),
        ("callers: [{starts: 3}]\n", ["2:20: starts: a duration needs a number and a unit (300ms, 1.2s, 5min), not 3"]),
        ("callers: [{uuid: x}]\n", ["2:18: uuid: a UUID looks like 0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57, not 'x'"]),
        (f"callers: [{{uuid: {UUID}}}, {{uuid: {UUID}}}]\n", ["2:64: uuid: call-1 and call-2 have the same: each call needs its own"]),
        (f"asterisk: {{uuid: {UUID}}}\nthen: {{}}\n", ["2:12: uuid: call-1 and call-2 have the same: each call needs its own"]),
        ("callers: [{ai: [{fault: refused}]}, {}]\n", ["2:12: ai: fault: refused: nothing listens at the backend's address then, for no caller: it must be the only reply of each"]),
        ("callers: [{line: {codec: x}}, {line: {codec: gsm}, asterisk: {packet_time: 30ms}}]\n", ["2:26: codec: must be ulaw, alaw, gsm or none, not 'x'", "2:46: codec: gsm: its frames are 20 ms long: asterisk.packet_time: 20ms, 40ms or 60ms"]),
        ("voice: 'a b:c'\ncallers: [{steps: [{say: {text: Oi}}]}, {}]\n", ["2:8: voice: pm_alex, pf_dora, hibari, or module:callable, such as my_voices:anna, not 'a b:c'"]),
        ("callers: [{steps: [{say: pt-br/simm}]}, {}]\n", ["2:26: say: there is no recording 'pt-br/simm' in recordings/; did you mean 'pt-br/sim'?"]),
        ("callers: 2\nai_cassette: x\n", ["3:14: ai_cassette: there is no file x"]),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_place(text: str, lines: list[str]) -> None:
    assert errors(text + WAIT) == [f"two.yaml:{line}" for line in lines]


def test_steps_that_are_missing_and_steps_that_are_nobodys() -> None:
    assert errors("callers: [{steps: [{wait: 1s}]}, {}]\n") == ["two.yaml:2:34: the key 'steps' is missing"]
    own = "callers: [{steps: [{wait: 1s}]}, {steps: [{wait: 2s}]}]\n"
    assert errors(own + WAIT) == ["two.yaml:3:1: steps: are nobody's: every caller has his own"]
    assert len(load(own).calls) == 2
    assert len(load(f"{own}then: {{}}\n{WAIT}").calls) == 3  # they are the next one's


def test_an_error_in_one_of_several_calls_of_a_matrix_names_the_cell() -> None:
    text = "summary: x\nfor_each: {codec: [alaw, x]}\ncallers: [{}, {line: {codec: '${codec}'}}]\n" + WAIT
    with pytest.raises(ScenarioError) as caught:
        load_all_text(text, "two", file="two.yaml")
    assert str(caught.value) == (
        "two.yaml:2:26: codec: must be ulaw, alaw, gsm or none, not 'x' (${codec} in line 3) (in two[codec=x])"
    )


def test_a_text_that_is_wrong_itself_is_said_once() -> None:
    assert errors("reaction: 1s\nreaction: 2s\ncallers: 3\n" + WAIT) == [
        "two.yaml:3:1: the key 'reaction' is here twice (first in line 2)"
    ]


def test_defaults_have_no_callers(tmp_path: Path) -> None:
    (tmp_path / "defaults.yaml").write_text("callers: 2\nreaction: 1s\n", encoding="utf-8")
    (tmp_path / "one.yaml").write_text("summary: x\n" + WAIT, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"defaults.yaml:1:1: callers belongs in a scenario"):
        load_all(tmp_path / "one.yaml")


def test_without_the_loader_several_calls_are_no_model() -> None:
    with pytest.raises(ValueError, match="is taken apart by `load`"):
        Scenario.model_validate({"summary": "x", "callers": 2, "steps": [{"wait": "1s"}]})


@pytest.mark.parametrize(
    ("path", "within"),
    [
        (("steps", 0), ("steps", 0)),
        (("callers", 1, "steps", 0), ("steps", 0)),
        (("callers",), ("callers",)),
        (("then", "steps"), ("steps",)),
        (("then", 2, "steps"), ("steps",)),
        (("then", 2, "callers", 0, "line"), ("line",)),
        (("then", "callers", 0, "line"), ("line",)),
    ],
)
def test_the_path_within_a_call(path: tuple[str | int, ...], within: tuple[str | int, ...]) -> None:
    assert path_of_the_call(path) == within


def test_all_calls_together_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiosocket_sim.scenario.loading.several._MOST_VALUES", 20)
    assert errors("callers: 9\n" + WAIT) == [
        "two.yaml:2:10: 5 calls with more than 200000 values together: make fewer, or several files"
    ]
    monkeypatch.undo()
    monkeypatch.setattr(sys.modules["audiosocket_sim.scenario.loading.load"], "_MOST_PLACES", 60)
    with pytest.raises(ScenarioError, match=r"2:11: for_each: calls of several callers with more than 1000000 values"):
        load_all_text("summary: x\nfor_each: {n: [1, 2, 3, 4, 5, 6]}\ncallers: ${n}\n" + WAIT, "two")
