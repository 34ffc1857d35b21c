"""`include:` and defaults.yaml: what stands in other files, which files a scenario cannot reach, where errors point."""

# ruff: noqa: E501 - the tables show each line as a person sees it

from pathlib import Path

import pytest

from audiosocket_sim.call_log.events import StepFailed
from audiosocket_sim.checks.failure import Failure
from audiosocket_sim.scenario import STEP_KEYS, ExpectStep, SayStep, Scenario, WaitStep
from audiosocket_sim.scenario.loading import ScenarioError, assembly, layout, load, load_all, load_text
from audiosocket_sim.scenario.loading.load import _listed_in
from audiosocket_sim.scenario.step_models import AnyOfStep, IfHeardStep, OptionalStep, RepeatStep

CALL = "summary: A call.\nsteps:\n  - wait: 1s\n  - include: steps/greeting.yaml\n  - wait: 2s\n"
GREETING = "- expect: {bot_speaks: 300ms}\n- say: pt-br/sim\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "calls"
    write(folder, "call.yaml", CALL)
    write(folder, "steps/greeting.yaml", GREETING)
    return folder


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def errors(home: Path) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_all(home / "call.yaml")
    return str(caught.value).replace(f"{home}/", "").splitlines()


def test_included_steps_stand_in_the_place_of_their_step(home: Path) -> None:
    made = load(home / "call.yaml")
    assert [type(step) for step in made.steps] == [WaitStep, ExpectStep, SayStep, WaitStep]
    assert made.parts == (home / "steps/greeting.yaml",)


def test_a_failure_points_into_the_included_file(home: Path) -> None:
    made = load(home / "call.yaml")
    places = [Failure.of(StepFailed(number, "x", "y", ()), 0, made).where for number in (1, 2, 3, 4)]
    steps = home / "steps/greeting.yaml"
    assert places == [f"{home}/call.yaml:3", f"{steps}:1", f"{steps}:2", f"{home}/call.yaml:5"]


def test_includes_of_includes_are_relative_to_the_file_that_names_them(home: Path) -> None:
    write(home, "steps/greeting.yaml", "- include: more/a.yaml\n- include: ../b.yaml\n")
    write(home, "steps/more/a.yaml", "- wait: 3s\n- include: ../../b.yaml\n")
    write(home, "b.yaml", "- wait: 4s\n")
    made = load(home / "call.yaml")
    assert [step.wait for step in made.steps if isinstance(step, WaitStep)] == [1000, 3000, 4000, 4000, 2000]
    assert set(made.parts) == {home / "steps/greeting.yaml", home / "steps/more/a.yaml", home / "b.yaml"}


def test_variables_hold_in_what_is_included_and_in_its_name(home: Path) -> None:
    write(home, "call.yaml", "for_each: {who: [greeting, other], long: [2s]}\n" + CALL.replace("greeting", "${who}"))
    write(home, "steps/greeting.yaml", "- wait: ${long}\n")
    write(home, "steps/other.yaml", "- wait: 3s\n")
    waits = [[step.wait for step in one.steps if isinstance(step, WaitStep)] for one in load_all(home / "call.yaml")]
    assert waits == [[1000, 2000, 2000], [1000, 3000, 2000]]


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("steps/greeting.yaml", "- wait: 1\n- sya: x\n", ["steps/greeting.yaml:1:9: wait: a duration needs a number and a unit (300ms, 1.2s, 5min), not 1", "steps/greeting.yaml:2:3: unknown step 'sya'; did you mean 'say'?"]),
        ("steps/greeting.yaml", "- wait: [\n", ["steps/greeting.yaml:2:1: expected the node content, but found the end of the file, while parsing a flow node"]),
        ("steps/greeting.yaml", "- {wait: 1s, wait: 2s}\n", ["steps/greeting.yaml:1:14: the key 'wait' is here twice (first in line 1)"]),
        ("steps/greeting.yaml", "- say: pt-br/simm\n", ["steps/greeting.yaml:1:8: say: there is no recording 'pt-br/simm' in recordings/; did you mean 'pt-br/sim'?"]),
        ("steps/greeting.yaml", "- wait: ${x}\n", ["steps/greeting.yaml:1:9: ${x}: there is no for_each that names it; for these characters themselves write $${"]),
        ("steps/greeting.yaml", "- include: greeting.yaml\n", ["steps/greeting.yaml:1:12: include: greeting.yaml includes greeting.yaml: a circle has no end"]),
        ("steps/greeting.yaml", "- include: ../steps/b.yaml\n", ["steps/b.yaml:1:12: include: greeting.yaml includes b.yaml includes greeting.yaml: a circle has no end"]),
        ("steps/greeting.yaml", "", ["call.yaml:4:14: include: steps/greeting.yaml is empty: what is included is a list of steps (lines that begin with `- `)"]),
        ("steps/greeting.yaml", "steps: []\n", ["call.yaml:4:14: include: steps/greeting.yaml is a mapping: what is included is a list of steps (lines that begin with `- `)"]),
        ("steps/greeting.yaml", "hello\n", ["call.yaml:4:14: include: steps/greeting.yaml is a text: what is included is a list of steps (lines that begin with `- `)"]),
        ("call.yaml", CALL.replace("steps/greeting", "steps/greting"), ["call.yaml:4:14: include: there is no file steps/greting.yaml; did you mean 'greeting.yaml'?"]),
        ("call.yaml", CALL.replace("steps/greeting", "nowhere/a"), ["call.yaml:4:14: include: there is no file nowhere/a.yaml"]),
        ("call.yaml", CALL.replace("steps/greeting.yaml", "../secret.yaml"), ["call.yaml:4:14: include: ../secret.yaml leads out of the scenario's folder"]),
        ("call.yaml", CALL.replace("steps/greeting.yaml", "/etc/passwd"), ["call.yaml:4:14: include: /etc/passwd: a path is relative to the file that includes it"]),
        ("call.yaml", CALL.replace("steps/greeting.yaml", "link.yaml"), ["call.yaml:4:14: include: link.yaml leads out of the scenario's folder"]),
        ("call.yaml", CALL.replace("steps/greeting.yaml", '"a\\0b"'), ["call.yaml:4:14: include: a file's name cannot contain a NUL character"]),
        ("call.yaml", CALL.replace("steps/greeting.yaml", ""), ["call.yaml:4:5: include: needs the name of a file of steps, such as steps/greeting.yaml"]),
        ("call.yaml", CALL.replace("steps/greeting.yaml", "[a]"), ["call.yaml:4:14: include: needs the name of a file of steps, such as steps/greeting.yaml"]),
        ("call.yaml", CALL.replace("steps/greeting.yaml", "steps/greeting.yaml\n    after: 1s"), ["call.yaml:4:14: include: stands alone in its step; 'after' belongs to another one"]),
        ("call.yaml", CALL.replace("include", "inlcude"), ["call.yaml:4:5: unknown step 'inlcude'; did you mean 'include'?"]),
    ],
)  # fmt: skip
def test_what_a_person_sees(name: str, text: str, lines: list[str], home: Path) -> None:
    write(home, "steps/b.yaml", "- include: greeting.yaml\n")
    write(home.parent, "secret.yaml", "- wait: 1s\n")
    (home / "link.yaml").symlink_to(home.parent / "secret.yaml")
    write(home, name, text)
    assert errors(home) == lines


@pytest.mark.long("quicker tests of this file are run")
def test_includes_are_bounded_in_depth_and_in_number(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for depth in range(1, 12):
        write(home, f"d{depth}.yaml", f"- include: d{depth + 1}.yaml\n")
    write(home, "d11.yaml", "- wait: 1s\n")
    write(home, "call.yaml", CALL.replace("steps/greeting", "d1"))
    assert errors(home) == ["d10.yaml:1:12: include: d11.yaml: at most 10 files deep"]
    write(home, "call.yaml", CALL.replace("steps/greeting", "d2"))
    assert load(home / "call.yaml")
    for depth in range(1, 11):
        write(home, f"d{depth}.yaml", f"- include: d{depth + 1}.yaml\n" * 5)
    monkeypatch.setattr(assembly, "_MOST_VALUES", 2000)
    assert errors(home) == ["d11.yaml:1:3: more than 50000 values with all that is included: too large for a scenario"]


def test_a_text_in_no_folder_includes_nothing() -> None:
    with pytest.raises(ScenarioError, match=r"include: steps/greeting\.yaml is relative to the scenario"):
        load_text(CALL)


# --- defaults.yaml


def test_the_folders_defaults_are_joined_key_by_key(home: Path) -> None:
    write(
        home,
        "defaults.yaml",
        "asterisk: {attach: chan}\nline: {codec: alaw, noise_dbfs: -60}\nreaction: 400ms\ntags: [a]\n",
    )
    write(home, "call.yaml", CALL + 'asterisk: "22.8"\nline: {noise_dbfs: -40}\ntags: [b]\n')
    made = load(home / "call.yaml")
    assert (made.asterisk.attach, made.asterisk.version) == ("chan", "22.8")
    assert (made.line.codec, made.line.noise_dbfs, made.reaction, made.tags) == ("alaw", -40, 400, ("b",))
    assert home / "defaults.yaml" in made.parts
    (made,) = load_all(home / "call.yaml", ["asterisk.attach=app", "line.codec=none"])
    assert (made.asterisk.attach, made.asterisk.version, made.line.codec) == ("app", "22.8", "none")


def test_a_subfolder_has_defaults_of_its_own(home: Path) -> None:
    write(home, "defaults.yaml", "reaction: 400ms\n")
    write(home, "deep/call.yaml", "summary: x\nsteps: [{wait: 1s}]\n")
    assert load(home / "deep/call.yaml").reaction == 700


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("network: {split: byts}\nlien: 1\n", ["defaults.yaml:1:18: split: must be none, bytes or seeded, not 'byts'; did you mean 'bytes'?", "defaults.yaml:2:1: unknown key 'lien'; did you mean 'line'?"]),
        ("line: {codec: ${x}}\n", ["defaults.yaml:1:16: a variable needs quotes within {…} and […]: \"${name}\""]),
        ("reaction: ${x}\n", ["defaults.yaml:1:11: ${x}: there is no for_each that names it; for these characters themselves write $${"]),
        ("reaction: 1s\nsummary: x\n", ["defaults.yaml:2:1: summary belongs in a scenario: a defaults.yaml is what its folder's scenarios have in common"]),
        ("reaction: 1s\nfor_each: {a: [1]}\n", ["defaults.yaml:2:1: for_each belongs in a scenario: a defaults.yaml is what its folder's scenarios have in common"]),
        ("reaction: 1s\nreaction: 2s\n", ["defaults.yaml:2:1: the key 'reaction' is here twice (first in line 1)"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_defaults(text: str, lines: list[str], home: Path) -> None:
    write(home, "defaults.yaml", text)
    assert errors(home) == lines


@pytest.mark.parametrize("text", ["hydra: {run: x}\n", "- a\n", "", "summary: x\nsteps: [{wait: 1s}]\nreaction: 2s\n"])
def test_a_file_of_that_name_that_is_something_else_is_left_alone(text: str, home: Path) -> None:
    write(home, "defaults.yaml", text)
    assert load(home / "call.yaml").reaction == 700


def test_defaults_behind_a_link_out_of_the_folder_are_refused(home: Path) -> None:
    write(home.parent, "other.yaml", "reaction: 2s\n")
    (home / "defaults.yaml").symlink_to(home.parent / "other.yaml")
    assert errors(home) == ["defaults.yaml: this link leads out of the scenario's folder"]


def test_the_names_of_defaults_and_steps_are_no_step_and_no_key() -> None:
    assert "include" not in STEP_KEYS
    assert "include" not in Scenario.model_fields


def test_steps_within_steps_are_included_too(home: Path) -> None:
    blocks = """\
summary: A call.
steps:
  - repeat: {times: 2, steps: [{include: steps/greeting.yaml}, {wait: 1s}]}
  - any_of: [{include: steps/greeting.yaml}, {expect: {bot_silent: 300ms}}]
  - optional: {include: steps/greeting.yaml}
  - if_heard: {bot_speaks: 300ms}
    then: [{include: steps/greeting.yaml}, {wait: 1s}]
    else: {include: steps/sad.yaml}
"""
    write(home, "call.yaml", blocks)
    write(home, "steps/sad.yaml", "- wait: 1\n")
    assert errors(home) == ["steps/sad.yaml:1:9: wait: a duration needs a number and a unit (300ms, 1.2s, 5min), not 1"]
    write(home, "steps/sad.yaml", "- wait: 1s\n")
    repeat, any_of, optional, if_heard = load(home / "call.yaml").steps
    assert isinstance(repeat, RepeatStep)
    assert [type(step) for step in repeat.repeat.steps] == [ExpectStep, SayStep, WaitStep]
    assert isinstance(any_of, AnyOfStep)
    assert [[type(step) for step in branch] for branch in any_of.any_of] == [[ExpectStep, SayStep], [ExpectStep]]
    assert isinstance(optional, OptionalStep)
    assert [type(step) for step in optional.optional] == [ExpectStep, SayStep]
    assert isinstance(if_heard, IfHeardStep)
    assert [type(step) for step in if_heard.then] == [ExpectStep, SayStep, WaitStep]
    assert [type(step) for step in if_heard.else_] == [WaitStep]


def test_a_file_that_is_no_text(home: Path) -> None:
    (home / "steps/greeting.yaml").write_bytes(b"- wait: \xff\n")
    (line,) = errors(home)
    assert line.startswith("steps/greeting.yaml:1:1: ")
    assert "UTF-8" in line


def test_files_without_steps_count_too(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "steps/greeting.yaml", "[]")
    write(home, "call.yaml", "summary: A call.\nsteps:\n" + "  - include: steps/greeting.yaml\n" * 9)
    monkeypatch.setattr(assembly, "_MOST_VALUES", 8)
    (line,) = errors(home)
    assert line.endswith("with all that is included: too large for a scenario")


@pytest.mark.parametrize(("limit", "most"), [("_MOST_VALUES", 100), ("_MOST_CHARACTERS", 300)])
def test_all_calls_together_are_bounded(limit: str, most: int, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "summary: A call.\nfor_each: {a: [-1, -2, -3]}\nline: {noise_dbfs: '${a}'}\nsteps:\n" + "  - wait: 1s\n" * 20
    write(home, "call.yaml", text)
    assert len(load_all(home / "call.yaml")) == 3
    monkeypatch.setattr(layout, limit, most // 3)
    (line,) = errors(home)
    assert line.startswith("call.yaml:2:11: for_each: 3 calls with more than 400000 values, or 20000000 characters,")


def test_a_folder_without_a_manifest_names_nothing(tmp_path: Path) -> None:
    assert _listed_in(tmp_path) == ()
