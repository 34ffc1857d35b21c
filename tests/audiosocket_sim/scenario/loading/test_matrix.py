"""`for_each`, `${…}` and `--set`: the calls that one file makes, their names, and what a person sees for each slip."""

# ruff: noqa: E501 - the tables show each line as a person sees it

from pathlib import Path

import pytest

from audiosocket_sim.scenario import SayStep, Scenario, WaitStep
from audiosocket_sim.scenario.call_uuid import call_uuid
from audiosocket_sim.scenario.loading import (
    ScenarioError,
    WrongOverride,
    load,
    load_all,
    load_scenarios,
    load_text,
    parse_override,
)
from audiosocket_sim.scenario.loading.matrix import is_chosen, no_such_cell
from audiosocket_sim.scenario.paths import named_cell
from audiosocket_sim.scenario.schema import schema

NOISY = """\
summary: A line of ${noise} dBFS.
for_each:
  noise: [-60, -40.5]
  word: [pt-br/sim, pt-br/nao]
line:
  noise_dbfs: ${noise}
steps:
  - say: ${word}
"""
STEPS = "summary: A call.\nsteps: [{wait: 1s}]\n"


def cells(tmp_path: Path, text: str, *overrides: str) -> tuple[Scenario, ...]:
    file = tmp_path / "call.yaml"
    file.write_text(text, encoding="utf-8")
    return load_all(file, overrides)


def errors(tmp_path: Path, text: str, *overrides: str) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        cells(tmp_path, text, *overrides)
    return str(caught.value).replace(f"{tmp_path}/", "").splitlines()


def test_each_cell_is_a_call_of_its_own(tmp_path: Path) -> None:
    made = cells(tmp_path, NOISY)
    assert [one.name for one in made] == [
        "call[noise=-60,word=pt-br-sim]",
        "call[noise=-60,word=pt-br-nao]",
        "call[noise=-40.5,word=pt-br-sim]",
        "call[noise=-40.5,word=pt-br-nao]",
    ]
    assert [one.line.noise_dbfs for one in made] == [-60, -60, -40.5, -40.5]
    assert [step.say.recording for one in made for step in one.steps if isinstance(step, SayStep)] == [
        "pt-br/sim",
        "pt-br/nao",
    ] * 2
    assert made[2].summary == "A line of -40.5 dBFS."
    assert len({call_uuid(one) for one in made}) == 4
    assert made[0].for_each == {}
    assert made[3].cell == {"noise": "-40.5", "word": "pt-br-nao"}
    assert load_scenarios(tmp_path / "call.yaml") == list(made)


def test_alone_a_variable_keeps_its_type_and_within_a_text_it_is_text(tmp_path: Path) -> None:
    text = """\
summary: ${number} ${yes} ${none} ${text}
for_each: {number: [3], yes: [true], none: [null], text: ["007"], part: [{codec: alaw, noise_dbfs: -50}], list: [[a, b]]}
line: ${part}
tags: ${list}
server: {number: "${number}", yes: "${yes}", none: "${none}", text: "${text}", after: "${number}s", kept: "$${text} $$ $5 {text}"}
steps: [{wait: "${number}s"}]
"""
    (made,) = cells(tmp_path, text)
    assert made.summary == "3 true null 007"
    assert made.server == {
        "number": 3,
        "yes": True,
        "none": None,
        "text": "007",
        "after": "3s",
        "kept": "${text} $$ $5 {text}",
    }
    assert (made.line.codec, made.line.noise_dbfs, made.tags) == ("alaw", -50, ("a", "b"))
    assert [step.wait for step in made.steps if isinstance(step, WaitStep)] == [3000]
    assert made.name == "call[number=3,yes=true,none=null,text=007,part=1,list=1]"


def test_a_value_may_hold_the_characters_themselves(tmp_path: Path) -> None:
    made = cells(tmp_path, STEPS + "for_each: {a: ['$${x}', ['$${y}']]}\nserver: {a: '${a}'}\n")
    assert [one.server["a"] for one in made] == ["${x}", ["${y}"]]


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ("[{a: 1}, {a: 2}]", ["1", "2"]),
        ("['1', 1]", ["1", "2"]),
        ("[a b, a/b]", ["1", "2"]),
        ("[a, A]", ["1", "2"]),
        ("['', é/ü]", ["1", "2"]),
        ("['../x y', z!]", ["..-x-y", "z"]),
        (f"[{'a' * 41}, b]", ["1", "2"]),
        ("[true, 1]", ["true", "1"]),
    ],
)
def test_a_label_is_readable_and_fit_for_a_files_name(values: str, labels: list[str], tmp_path: Path) -> None:
    made = cells(tmp_path, f"summary: x\nfor_each: {{v: {values}}}\nserver: {{v: '${{v}}'}}\nsteps: [{{wait: 1s}}]\n")
    assert [one.cell["v"] for one in made] == labels


def test_a_long_id_has_numbers(tmp_path: Path) -> None:
    names = [f"name_{number}" for number in range(8)]
    text = "summary: x\nfor_each:\n" + "".join(f"  {name}: [{name * 3}]\n" for name in names)
    text += "server:\n" + "".join(f"  {name}: ${{{name}}}\n" for name in names) + "steps: [{wait: 1s}]\n"
    (made,) = cells(tmp_path, text)
    assert made.name == f"call[{','.join(f'{name}=1' for name in names)}]"


@pytest.mark.every(5)
@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (NOISY.replace("${word}", "${wrod}"), ["8:10: ${wrod}: for_each has no 'wrod'; did you mean ${word}?"]),
        (NOISY.replace("${word}", "${xyz}"), ["8:10: ${xyz}: for_each has no 'xyz'; there are noise, word"]),
        (STEPS + "server: {a: '${b}'}", ["3:13: ${b}: there is no for_each that names it; for these characters themselves write $${"]),
        (NOISY.replace("${word}", "${word"), ["8:10: '${word': a variable is written ${name}; for these characters themselves write $${"]),
        (NOISY.replace("${word}", "pt-br/sim"), ["4:3: word is used nowhere: write ${word} where its values belong"]),
        (NOISY.replace("-40.5", "loud"), ["3:16: noise_dbfs: needs a number, not 'loud' (${noise} in line 6) (in call[noise=loud,word=pt-br-sim] and 1 more)"]),
        (NOISY.replace("pt-br/nao", "pt-br/noa"), ["4:21: say: there is no recording 'pt-br/noa' in recordings/; did you mean 'pt-br/nao'? (${word} in line 8) (in call[noise=-60,word=pt-br-noa] and 1 more)"]),
        (NOISY.replace("say:", "sya:"), ["8:5: unknown step 'sya'; did you mean 'say'?"]),
        (STEPS + "for_each: [a]", ["3:11: for_each: needs a mapping of names to lists of values, such as {noise_dbfs: [-60, -40]}"]),
        (STEPS + "for_each: {}", ["3:11: for_each: needs a mapping of names to lists of values, such as {noise_dbfs: [-60, -40]}"]),
        (STEPS + "for_each: {a: 1, b: []}", ["3:12: a: needs a list of values, such as [-60, -40]", "3:18: b: needs a list of values, such as [-60, -40]"]),
        (STEPS + "for_each: {a b: [1]}", ["3:12: 'a b': a variable's name has up to 30 letters, digits and _, and begins with no digit"]),
        (STEPS + "for_each: {a: [1, 2, 1]}", ["3:22: a: the value 1 is here twice"]),
        (STEPS + "for_each: {a: [{b: 1}, {b: 1}, [1], [1]]}", ["3:24: a: the value (a mapping) is here twice", "3:37: a: the value (a list) is here twice"]),
        (STEPS + "for_each: {a: [1], b: [['${a}']]}", ["3:24: b: a value of for_each has no variables of its own"]),
        (STEPS + f"for_each: {{a: {list(range(20))}, b: {list(range(11))}}}", ["3:11: for_each: 20 × 11 values make 220 calls: at most 200 are taken"]),
        (STEPS + f"for_each: {{{', '.join(f'a{n}: [1]' for n in range(9))}}}", ["3:11: for_each: at most 8 variables, not 9"]),
        (STEPS + "for_each: {a: [{b: 1}]}\nserver: {c: 'the ${a}'}", ["4:13: ${a} is a mapping: it can stand alone only, not within a text"]),
        (STEPS + "for_each: {a: [[1]]}\nserver: {c: 'the ${a}'}", ["4:13: ${a} is a list: it can stand alone only, not within a text"]),
        (STEPS + "for_each: {a: [{b: alaw, split: x}]}\nnetwork: ${a}", ["3:17: unknown key 'b'; known are kernel, split, seed", "3:33: split: must be none, bytes or seeded, not 'x' (${a} in line 4)"]),
        (STEPS + "for_each: {a: [1, x]}\nline: {noise_dbfs: '${a}', gain_db: '${a}'}", ["3:16: noise_dbfs: must be at most 0, not 1 (${a}) (in call[a=1])", "3:19: gain_db: needs a number, not 'x' (${a}) (in call[a=x])", "3:19: noise_dbfs: needs a number, not 'x' (${a}) (in call[a=x])"]),
        (STEPS + "line: {noise_dbfs: ${a}}", ["3:21: a variable needs quotes within {…} and […]: \"${name}\""]),
        (STEPS + "for_eahc: {a: [1]}", ["3:1: unknown key 'for_eahc'; did you mean 'for_each'?"]),
        (f"summary: {'${a}' * 2000}\nfor_each: {{a: [{'x' * 3000}]}}\nsteps: [{{wait: 1s}}]\n", ["1:10: more than 5000000 characters with the values of all variables: too large for a scenario"]),
        (f"summary: x\nfor_each: {{a: [{list(range(2000))}]}}\nserver:\n" + "".join(f"  k{n}: ${{a}}\n" for n in range(30)) + "steps: [{wait: 1s}]\n", ["28:8: more than 50000 values with all that is included: too large for a scenario"]),
    ],
)  # fmt: skip
def test_what_a_person_sees(text: str, lines: list[str], tmp_path: Path) -> None:
    assert errors(tmp_path, text) == [f"call.yaml:{line}" for line in lines]


def test_where_one_call_is_needed_several_are_an_error(tmp_path: Path) -> None:
    cells(tmp_path, NOISY)
    with pytest.raises(ScenarioError, match=r"call\.yaml:2:1: for_each makes 4 calls of it, where one is needed"):
        load(tmp_path / "call.yaml")
    assert (
        load_text(NOISY.replace(", -40.5", "").replace(", pt-br/nao", "")).name == "scenario[noise=-60,word=pt-br-sim]"
    )


def test_one_cell_by_its_name(tmp_path: Path) -> None:
    made = cells(tmp_path, NOISY)
    assert named_cell("x/call.yaml[noise=-60,word=a]") == ("x/call.yaml", "noise=-60,word=a")
    assert [named_cell(text) for text in ("call", "call[ab]", "[a=1]", "calls/[ab]*")] == [None] * 4
    assert [is_chosen(one.cell, "word=pt-br-nao, noise=-60") for one in made] == [False, True, False, False]
    assert [is_chosen(one.cell, "word=pt-br-nao") for one in made] == [False, True, False, True]
    assert not any(is_chosen(one.cell, "other=1") for one in made)
    assert no_such_cell("call", "noise=-61,word=pt-br-nao", [one.name for one in made]) == (
        "call[noise=-61,word=pt-br-nao]: for_each makes no such call; did you mean 'call[noise=-60,word=pt-br-nao]'?"
    )
    assert no_such_cell("call", "a=1", ["call"]) == "call[a=1]: the scenario has no for_each: its name is call"


# --- --set


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("line.noise_dbfs=-30", -30),
        ("line={noise_dbfs: -30}", -30),
        ("line.noise_dbfs=-30.0", -30),
        ("line.noise_dbfs=null", None),
    ],
)
def test_a_set_value_goes_before_that_of_the_file(override: str, value: float | None, tmp_path: Path) -> None:
    (made,) = cells(tmp_path, STEPS + "line: {noise_dbfs: -60, codec: alaw}\n", override)
    assert (made.line.noise_dbfs, made.line.codec) == (value, "alaw")
    assert made.name == "call"


def test_what_is_set_knows_the_short_forms_and_texts(tmp_path: Path) -> None:
    (made,) = cells(
        tmp_path,
        STEPS + 'asterisk: "20.6"\nline: {echo: 90ms}\n',
        "asterisk.attach=chan",
        "line.echo.gain_db=-12",
        "server.a.b=22.10",
        "summary=7",
    )
    assert (made.asterisk.version, made.asterisk.attach) == ("20.6", "chan")
    assert (made.line.echo.delay, made.line.echo.gain_db) == (90, -12) if made.line.echo else False
    assert (made.server, made.summary) == ({"a": {"b": 22.1}}, "7")
    (made,) = cells(tmp_path, STEPS + "asterisk: {attach: chan}\n", "asterisk=22.10", "asterisk.version=20.6")
    assert (made.asterisk.version, made.asterisk.attach) == ("20.6", "chan")
    (made,) = cells(tmp_path, STEPS, "ai=[{says: Oi.}]", "tags=[a]", "reaction=1s")
    assert (made.ai[0].says, made.tags, made.reaction) == ("Oi.", ("a",), 1000)


def test_a_variable_in_whose_place_something_is_set_makes_no_cells(tmp_path: Path) -> None:
    made = cells(tmp_path, NOISY, "line.noise_dbfs=-30", "summary=x")
    assert [one.name for one in made] == ["call[word=pt-br-sim]", "call[word=pt-br-nao]"]
    assert [one.line.noise_dbfs for one in made] == [-30, -30]
    (made_one,) = cells(tmp_path, NOISY, "line.noise_dbfs=-30", "summary=x", "steps=[{wait: 1s}]")
    assert made_one.name == "call"
    made = cells(tmp_path, NOISY, "for_each.noise=[-20]")
    assert [one.line.noise_dbfs for one in made] == [-20, -20]


@pytest.mark.parametrize(
    ("override", "line"),
    [
        ("line.nois_dbfs=-30", "--set line.nois_dbfs=-30: unknown key 'nois_dbfs'; did you mean 'noise_dbfs'?"),
        ("line={nois_dbfs: 1}", "--set line={nois_dbfs: 1}: unknown key 'nois_dbfs'; did you mean 'noise_dbfs'?"),
        ("line.noise_dbfs=loud", "--set line.noise_dbfs=loud: noise_dbfs: needs a number, not 'loud'"),
        ("steps.1.wait=1s", "--set steps.1.wait=1s: steps: needs a list (lines that begin with `- `), not a mapping"),
        ("tags=[A]", "--set tags=[A]: a tag consists of lower-case letters, digits and _, not 'A'"),
        ("noise", "--set: 'noise': expected KEY.KEY=VALUE, such as line.noise_dbfs=-40"),
        ("=1", "--set: '=1': expected KEY.KEY=VALUE, such as line.noise_dbfs=-40"),
        ("a..b=1", "--set: 'a..b=1': expected KEY.KEY=VALUE, such as line.noise_dbfs=-40"),
        ("line=", "--set: 'line=': needs a value after ="),
        ("line={a: 1, a: 2}", "--set: 'line={a: 1, a: 2}': the key 'a' is here twice (first in line 1)"),
        (
            "line=[",
            "--set: 'line=[': expected the node content, but found the end of the file, while parsing a flow node",
        ),
    ],
)
def test_what_is_wrong_with_what_is_set(override: str, line: str, tmp_path: Path) -> None:
    assert errors(tmp_path, STEPS, override) == [line]


def test_an_override_is_checked_without_a_scenario() -> None:
    assert parse_override("line.noise_dbfs=-40").data == {"line": {"noise_dbfs": -40}}
    with pytest.raises(WrongOverride):
        parse_override("x")


def test_the_schema_lets_a_variable_stand_for_any_value() -> None:
    made = schema()
    variable = {"$ref": "#/definitions/Variable"}
    assert made["definitions"]["Line"]["properties"]["noise_dbfs"]["anyOf"][-1] == variable
    assert made["properties"]["line"]["anyOf"][-1] == variable
    assert made["properties"]["reaction"]["anyOf"][-1] == variable
    assert variable not in made["properties"]["summary"].get("anyOf", [])  # any text may hold one
    assert made["properties"]["for_each"]["type"] == "object"
