"""Calls to a bot whose voice no phrase book knows, with a reader of its words."""

import threading
from pathlib import Path
from typing import Any

import pytest
from helpers import readers

from audiosocket_sim.call_log.events import BotSpoke, CallerSpoke, Entry, ExpectationJudged, StepFailed
from audiosocket_sim.reading import ReadWord
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import load_text

ROOT = Path(__file__).resolve().parents[3]
FLAT = "recordings/pt-br/apartamento_202"
THANKS = "recordings/pt-br/obrigado_tchau"
YES = "recordings/pt-br/sim"
BOOK = "helpers.readers:of_the_book"


@pytest.fixture(autouse=True)
def no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    readers.calls.clear()


def call(
    steps: str, *script: list[Any], keys: str = "", reader: str | None = BOOK, on_entry: Any = None, **how: Any
) -> Result:
    """A call to a bot that says what the script says; `steps` and `keys` in YAML."""
    text = f"summary: A test.\n{keys}\nserver: {{script: {list(script)!r}}}\nsteps:\n{steps}\n"
    scenario = load_text(text, name="reading", folder=ROOT / "scenarios", file="reading.yaml")
    return run(scenario, Options(target="helpers.scripted_bot:serve", reader=reader, **how), on_entry)


def spoken(result: Result) -> list[BotSpoke]:
    return [entry.event for entry in result.entries if isinstance(entry.event, BotSpoke)]


def test_the_words_of_any_voice_are_read() -> None:
    steps = "- expect: {bot_says: 'apartamento duzentos e dois', within: 2s}"
    result = call(steps, [0.5, "say", FLAT])
    assert result.passed, result.problems
    (heard,) = spoken(result)
    assert (heard.text, heard.voice, heard.read_by, heard.confidence) == (
        "Apartamento 202.",
        "recogniser",
        BOOK,
        0.875,
    )
    assert heard.words[1] == ReadWord("202.", 100, 200, 0.5)
    assert f", read by {BOOK} (88% sure)" in result.transcript
    record = result.entries[0].to_json()
    assert (record["read_by"], record["confidence"]) == (BOOK, 0.875)


def test_without_a_reader_nothing_changes() -> None:
    result = call("- expect: {bot_speaks: 500ms, within: 2s}", [0.5, "say", FLAT], reader=None)
    assert result.passed
    assert [(s.text, s.voice, s.read_by) for s in spoken(result)] == [(None, "unread", None)]
    assert result.snapshot == result.transcript
    assert not readers.calls


@pytest.mark.long("the cache's own tests hold it")
def test_a_second_call_costs_nothing_and_says_the_same() -> None:
    steps = "- expect: {bot_says: {text: o apartamento 202, words: 0.5}, within: 2s}"
    first = call(steps, [0.5, "say", FLAT])
    second = call(steps, [0.5, "say", FLAT])
    assert first.passed
    assert first.entries == second.entries
    assert readers.calls == {"of_the_book pt-BR": 1}


@pytest.mark.long("that of the scenario is asked for")
def test_the_language_may_be_given() -> None:
    keys = f"reader: {{use: '{BOOK}', language: es-MX}}"
    call("- expect: {bot_says: quiero hablar}", [0.5, "say", FLAT], keys=keys, reader=None, trust=True)
    call("- wait: 3s", [0.5, "say", THANKS])
    assert set(readers.calls) == {"of_the_book es-MX", "of_the_book "}


@pytest.mark.long("functions read")
def test_a_reader_may_be_a_coroutine_function() -> None:
    result = call("- expect: {bot_says: 'OBRIGADO, tchau!'}", [0.5, "say", THANKS], reader="helpers.readers:in_a_loop")
    assert result.passed, result.problems


@pytest.mark.long("what is expected is found")
def test_a_failure_shows_the_words_one_by_one() -> None:
    wanted = "No apartamento 202, agora."
    result = call(f"- expect: {{bot_says: {{text: '{wanted}', words: 0.9}}, within: 2s}}", [0.5, "say", FLAT])
    assert result.outcome is Outcome.FAILED
    (failure,) = result.failures
    assert failure.expected.startswith(f"the bot says “{wanted}” (at least 90 % of the words), from 0.000")
    assert failure.happened[1] == (
        "word by word: [missing: No] apartamento 202 [missing: agora] (2 of 4 words right, 50%)"
    )
    assert call(f"- expect: {{bot_says: {{text: '{wanted}', words: 0.5}}}}", [0.5, "say", FLAT]).passed


@pytest.mark.long("what is expected is found")
def test_what_is_forbidden_is_found_in_read_words() -> None:
    result = call("- never: {bot_says: {pattern: 'apartamento 2\\d+'}}\n- wait: 3s", [0.5, "say", FLAT])
    assert result.outcome is Outcome.FAILED
    assert call("- never: {bot_says: {pattern: 'bloco'}}\n- wait: 3s", [0.5, "say", FLAT]).passed


@pytest.mark.long("quicker tests of this file are run")
def test_sentences_with_a_pause_between_them_may_be_expected_together() -> None:
    both, script = "Sim. Obrigado, tchau.", [[0.5, "say", YES], [1.9, "say", THANKS]]
    result = call(f"- expect: {{bot_says: '{both}', within: 1s}}\n- wait: 1s", *script)
    assert result.passed, result.problems
    assert len(spoken(result)) == 2
    assert "“…”" in result.snapshot
    far = call(f"- expect: {{bot_says: '{both}', within: 1s}}", script[0], [3.2, "say", THANKS])
    assert far.outcome is Outcome.FAILED
    assert call("- expect: {bot_says: 'Obrigado, tchau.', within: 3s}", *script).passed


@pytest.mark.long("what is read is in the log")
def test_a_snapshot_has_the_words_that_were_asked_for() -> None:
    steps = "- expect: {bot_says: {text: o apartamento 202, words: 0.5}}\n- wait: 3s"
    lines = call(steps, [0.5, "say", FLAT], [4, "say", THANKS]).snapshot.splitlines()
    read = [line for line in lines if "bot" in line.split()[1:2]]
    assert "“o apartamento 202”" in read[0]
    assert "speech whose words no step asks for" in read[1]
    assert all(line.endswith(f"read by {BOOK}") for line in read)
    pattern = call("- expect: {bot_says: {pattern: 'apartamento'}}", [0.5, "say", FLAT]).snapshot
    assert "“(apartamento)”" in pattern


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.every(9)
@pytest.mark.parametrize(
    ("reader", "line"),
    [
        ("helpers.readers:nothing", "the reader helpers.readers:nothing has found no words in it; use bot_speaks"),
        ("helpers.readers:broken", "the reader helpers.readers:broken failed: ValueError: no model"),
        ("helpers.readers:numbers", "the reader helpers.readers:numbers returned int: expected a text"),
        ("helpers.readers:two", "the reader helpers.readers:two: too many positional arguments"),
    ],
)
def test_a_reader_that_fails_is_no_fault_of_the_bot(reader: str, line: str) -> None:
    result = call("- expect: {bot_says: Oi, within: 3s}", [0.5, "say", YES], reader=reader)
    assert result.outcome is Outcome.SET_UP
    assert line in " ".join(result.faults)


def test_a_name_that_is_none_is_a_matter_of_usage() -> None:
    assert call("- wait: 1s", reader="lokal").outcome is Outcome.INVALID


@pytest.mark.long("quicker tests of this file are run")
def test_a_scenario_names_code_only_if_it_is_trusted() -> None:
    steps, keys = "- expect: {bot_says: {pattern: apartamento}}", f"reader: '{BOOK}'"
    refused = call(steps, [0.5, "say", FLAT], keys=keys, reader=None)
    assert refused.outcome is Outcome.INVALID
    assert refused.faults == (
        f"reading.yaml:2:1: reader: '{BOOK}' names code, which is not taken from a scenario that is not trusted "
        "(docs/scenarios.md, Trust)",
    )
    assert call(steps, [0.5, "say", FLAT], keys=keys, reader=None, trust=True).passed
    assert (
        call(steps, [0.5, "say", FLAT], keys="reader: none", reader=None, default_reader=BOOK).outcome is Outcome.SET_UP
    )
    assert call(steps, [0.5, "say", FLAT], reader=None, default_reader=BOOK).passed
    assert call(steps, [0.5, "say", FLAT], keys="reader: none", reader=BOOK).passed


@pytest.mark.real_time
@pytest.mark.long("virtual time waits for the reader")
def test_on_the_real_clock_the_caller_does_not_wait_for_the_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader answers when the caller has spoken: who waits for it waits for ever."""
    said = threading.Event()

    def waits(pcm: bytes, rate_hz: int, language: str) -> str:
        return "apartamento" if said.wait(20) else "nobody spoke"

    monkeypatch.setattr(readers, "waits", waits, raising=False)

    def look(entry: Entry, fixture: CallFixture) -> None:
        if isinstance(entry.event, CallerSpoke):
            said.set()

    script = [0.2, "say", "recordings/pt-br/sim"]
    for wanted, met in (("apartamento", True), ("elevador", False)):
        said.clear()
        steps = f"- expect: {{bot_says: {wanted}, within: 2s}}\n- say: {{recording: pt-br/sim}}"
        result = call(
            steps, script, keys="reaction: 100ms", reader="helpers.readers:waits", on_entry=look, real_time=True
        )
        judged = [entry.event for entry in result.entries if isinstance(entry.event, ExpectationJudged)]
        assert [(one.number, one.met_ms is not None) for one in judged] == [(1, met)], result.problems
        failed = [entry.event for entry in result.entries if isinstance(entry.event, StepFailed)]
        assert [one.number for one in failed if one.number] == ([] if met else [1])
        assert any(isinstance(entry.event, CallerSpoke) for entry in result.entries)
