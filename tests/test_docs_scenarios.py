"""docs/scenarios.md is held to the code: its examples run, its tables name every key, its errors are the real ones."""

import re
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from helpers.local_needs import needs_local

from audiosocket_sim.running.runner import Options, Outcome, run
from audiosocket_sim.scenario import EXPECT_KEYS, STEP_KEYS, Scenario
from audiosocket_sim.scenario.loading import ScenarioError, load_all_text, load_text, schema

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def any_voice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The page's examples hold on a machine without the local engine: its voices are played by another."""
    monkeypatch.setattr("audiosocket_sim.phone.voices.LOCAL_IMPORT", "helpers.named_voice:speak")
    monkeypatch.setattr("audiosocket_sim.phone.sounds.cache_folder", lambda: tmp_path)


def blocks() -> list[Any]:
    """Every ```yaml block; one that holds several documents (---) gives several."""
    found = []
    for match in re.finditer(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        line = PAGE.count("\n", 0, match.start()) + 2
        for part in re.split(r"^---\n", match[1], flags=re.MULTILINE):
            found.append(pytest.param(part, id=f"line {line}", marks=needs_local if "use: local" in part else ()))
            line += part.count("\n") + 1
    return found


def each_twelfth(examples: list[Any]) -> list[Any]:
    others = pytest.mark.long("it is read; each twelfth one is carried out")
    return [
        one if at % 12 == 0 or one.marks else pytest.param(*one.values, id=one.id, marks=others)
        for at, one in enumerate(examples)
    ]


def whole(example: str) -> str:
    """The example as a whole scenario: steps and keys on their own get what else must be there."""
    lines = [line for line in example.splitlines() if not line.startswith("#")]
    if any(line.startswith("summary:") for line in lines):
        return example
    if lines[0].startswith("- "):
        return "summary: An example.\nsteps:\n" + example
    return "summary: An example.\nsteps: [{wait: 1s}]\n" + example


@cache
def loaded(example: str) -> tuple[Scenario, ...]:
    """The calls of an example, in the shipped scenarios' folder; if it includes files, beside those of the page."""
    if "include:" not in example:
        return load_all_text(whole(example), folder=ROOT / "scenarios")
    with TemporaryDirectory() as folder:
        for name, text in re.findall(r"^```yaml\n# (\S+\.yaml)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
            (Path(folder) / name).parent.mkdir(exist_ok=True)
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return load_all_text(whole(example), folder=Path(folder))


@pytest.mark.parametrize("example", blocks())
def test_an_example_loads(example: str) -> None:
    assert loaded(example)


@pytest.mark.parametrize("example", each_twelfth(blocks()))
def test_an_example_is_carried_out(example: str) -> None:
    """A whole scenario passes. A part runs in a call of its own: whether its expectations hold is another thing."""
    for call in loaded(example):
        result = run(call, Options(target="audiosocket_server:serve"))
        assert result.outcome in (Outcome.PASSED, Outcome.FAILED), result.problems
        if "\nsummary:" in f"\n{example}":
            assert result.outcome is Outcome.PASSED, result.problems


def test_there_are_examples_of_every_step_and_expectation() -> None:
    steps = [step for block in blocks() for call in loaded(block.values[0]) for step in call.steps]
    assert {next(key for key in STEP_KEYS if hasattr(step, key)) for step in steps} == set(STEP_KEYS)
    expected = {step.expect.key for step in steps if hasattr(step, "expect")}
    assert expected == set(EXPECT_KEYS)
    never = {step.never.key for step in steps if hasattr(step, "never")}
    assert {"talk_over", "dead_air"} <= never


def test_the_page_names_every_key() -> None:
    made = schema()
    tables = [made, *made["definitions"].values()]
    keys = {key for table in tables for key in table.get("properties", {})}
    named = set(re.findall(r"`([a-z_0-9]+)[`:]", PAGE))
    assert keys - named == set()


def test_the_page_names_every_word_that_a_key_takes() -> None:
    words: set[str] = set()

    def collect(node: Any) -> None:
        if isinstance(node, dict):
            words.update(str(word) for word in node.get("enum", []))
            node = list(node.values())
        for item in node if isinstance(node, list) else []:
            collect(item)

    collect(schema())
    rates = {"12000", "16000", "24000", "32000", "44100", "48000", "96000"}  # «up to 192000»
    assert {word for word in words - rates if not re.search(rf"\b{re.escape(word)}\b", PAGE)} == set()


def test_the_defaults_on_the_page_are_the_real_ones() -> None:
    made = schema()
    wrong = []
    sections = {"asterisk": "AsteriskPeer", "line": "Line", "network": "Network"}
    for heading, model in sections.items():
        section = PAGE.split(f"### `{heading}`")[1].split("\n#")[0]
        for key, default in re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", section, re.MULTILINE):
            real = made["definitions"][model]["properties"][key].get("default")
            real = (
                str(real).lower() if isinstance(real, bool) else f"{real:g}" if isinstance(real, float) else str(real)
            )
            wrong += [f"{heading}.{key}: {default}, is {real}"] if default.strip('"') != real else []
    assert wrong == []


@pytest.mark.long("quicker tests of this file are run")
def test_the_failure_on_the_page_is_the_real_one() -> None:
    """Of the page's first example, with one word changed: what a newcomer tries."""
    path = ROOT / "scenarios" / "greeting_then_hold.yaml"
    shown = re.search(r"^    (greeting_then_hold\.yaml:.*\n(?:      .*\n)+)", PAGE, re.MULTILINE)
    assert shown is not None
    changed = path.read_text(encoding="utf-8").replace('pode entrar.", within', 'pode subir.", within')
    result = run(load_text(changed, path.stem, file=path.name, folder=path.parent))
    (failure,) = result.failures
    assert failure.block() == [line.removeprefix("    ") for line in shown[0].splitlines()]


def test_the_wrong_setting_on_the_page_is_told_so() -> None:
    text = "summary: x\nserver: {system: {barge_inn: true}}\nsteps:\n  - wait: 1s\n"
    result = run(load_text(text, "bad", file="bad.yaml", folder=ROOT / "scenarios"))
    assert result.outcome is Outcome.INVALID
    assert [line.strip() for line in PAGE.splitlines() if "barge_inn" in line] == result.problems


def test_the_errors_on_the_page_are_the_real_ones() -> None:
    text = "summary: x\nline: {codec: ulwa}\nsteps:\n  - say: pt-br/simm\n  - sya: x\n  - wait: 1\n    wait: 2s\n"
    with pytest.raises(ScenarioError) as caught:
        load_text(text, file="bad.yaml", folder=ROOT / "scenarios")
    shown = [line.strip() for line in PAGE.splitlines() if line.startswith("    bad.yaml:") and "barge" not in line]
    assert shown == str(caught.value).splitlines()


def test_the_error_in_a_cell_on_the_page_is_the_real_one() -> None:
    text = next(block.values[0] for block in blocks() if "for_each:" in block.values[0]).replace("-40", "loud")
    with pytest.raises(ScenarioError) as caught:
        load_all_text(text, "greets", file="calls/greets.yaml", folder=ROOT / "scenarios")
    assert [line.strip() for line in PAGE.splitlines() if "not 'loud'" in line] == str(caught.value).splitlines()
