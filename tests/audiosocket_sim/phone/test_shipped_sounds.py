"""The sounds that ship in recordings/sounds/: all labelled, audible, and of the size and level of phone sound."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from audiosocket_core.phrase_book.book import PhraseBook, PhraseBookError
from audiosocket_sim.call_log.events import CallerSpoke
from audiosocket_sim.call_log.voices import measures
from audiosocket_sim.hearing.spoken_parts import spoken_parts_ms
from audiosocket_sim.running.runner import Options, run
from audiosocket_sim.scenario.loading import ScenarioError, load_text

ROOT = Path(__file__).resolve().parents[3]
BOOK = PhraseBook.load(ROOT / "recordings" / "sounds")
SIX = ("cough", "breath", "laugh", "dog", "television", "talker")


def test_each_sound_is_labelled_and_voices_have_three_variants() -> None:
    assert Counter(sound.kind for sound in BOOK.recordings) == {"backchannel": 12, "vocal_tic": 9, "non_directed": 15}
    assert Counter(phrase.text for phrase in BOOK.phrases) == {"Aham.": 3, "Uhum.": 3, "Sei.": 3, "Isso.": 3}
    names = Counter(sound.name.partition("_")[0] for sound in BOOK.recordings)
    assert {name: names[name] for name in SIX} == dict.fromkeys(SIX, 3)
    assert {name: names[name] for name in ("door", "keyboard", "street", "babble", "music")} == {
        "door": 2, "keyboard": 1, "street": 1, "babble": 1, "music": 1
    }  # fmt: skip


def test_each_file_is_listed_and_all_recordings_are_small() -> None:
    files = {path.name for path in (ROOT / "recordings" / "sounds").glob("*.wav")}
    assert files == {f"{sound.name}.wav" for sound in BOOK.recordings}
    assert sum(path.stat().st_size for path in (ROOT / "recordings").rglob("*.wav")) < 3_000_000


@pytest.mark.every(3)
@pytest.mark.parametrize("sound", BOOK.recordings, ids=lambda sound: sound.name)
def test_a_sound_is_audible_clean_and_as_long_as_its_manifest_says(sound: object) -> None:
    pcm = sound.pcm  # type: ignore[attr-defined]
    samples = np.frombuffer(pcm, "<i2").astype(float)
    assert len(samples) // 8 == sound.duration_ms  # type: ignore[attr-defined]
    assert np.abs(samples).max() < 32768 * 10 ** (-2.9 / 20)  # no clipping
    assert abs(samples.mean()) < 30
    assert samples[0] == samples[-1] == 0
    (first, *_), last = spoken_parts_ms(pcm), spoken_parts_ms(pcm)[-1]
    assert first[0] <= 150
    assert last[1] - first[0] >= 250


def test_a_recogniser_of_the_main_book_does_not_know_them() -> None:
    main = PhraseBook.load(ROOT / "recordings")
    assert {phrase.kind for phrase in main.recordings} == {"turn"}
    assert main.phrases == main.recordings


def call(steps: str, folder: Path = ROOT / "scenarios") -> list[CallerSpoke]:
    scenario = load_text(f"summary: A call.\nsteps: [{steps}]\n", "call", folder=folder)
    hello = [0.2, "say", "pt-br/condominio_apoena_em_que_posso_ajudar"]
    scenario = scenario.model_copy(update={"server": {"script": [hello, [6, "hang_up"]]}})
    result = run(scenario, Options(target="helpers.scripted_bot:serve"))
    sounds = measures(result.entries)["selectivity"]["sounds"]  # type: ignore[index]
    spoke = [entry.event for entry in result.entries if isinstance(entry.event, CallerSpoke)]
    assert len(sounds) == sum(one.kind != "turn" for one in spoke)
    return spoke


@pytest.mark.long("quicker tests of this file are run")
def test_the_label_of_the_manifest_or_of_the_step_is_in_the_log() -> None:
    (cough,) = call("{say: sounds/cough_low, after: 1s}, {wait: 5s}")
    assert (cough.kind, cough.text, cough.recording) == ("vocal_tic", None, "sounds/cough_low")
    (aham,) = call("{say: sounds/aham_dora, after: 1s}, {wait: 5s}")
    assert (aham.kind, aham.text) == ("backchannel", "Aham.")
    (own,) = call("{say: {recording: pt-br/aha, kind: backchannel}, after: 1s}, {wait: 5s}")
    assert own.kind == "backchannel"
    (turn,) = call("{say: {recording: sounds/sei_alex, kind: turn}, after: 1s}, {wait: 5s}")
    assert turn.kind == "turn"


@pytest.mark.long("quicker tests of this file are run")
def test_a_folder_of_ones_own_comes_first_and_needs_no_other_recordings(tmp_path: Path) -> None:
    own = tmp_path / "calls" / "recordings" / "sounds"
    own.mkdir(parents=True)
    for name in ("my_dog", "dog_small"):
        (own / f"{name}.wav").write_bytes((ROOT / "recordings/sounds/dog_large.wav").read_bytes())
    listed = "".join(f"- {{file: {name}.wav, kind: vocal_tic}}\n" for name in ("my_dog", "dog_small"))
    (own / "manifest.yaml").write_text(listed, encoding="utf-8")
    for name in ("sounds/my_dog", "sounds/dog_small"):
        (spoke,) = call(f"{{say: {name}, after: 1s}}, {{wait: 5s}}", tmp_path / "calls")
        assert (spoke.kind, spoke.recording) == ("vocal_tic", name)


def test_a_name_that_is_nearly_one() -> None:
    with pytest.raises(ScenarioError, match="did you mean 'sounds/cough_low'"):
        load_text("summary: A.\nsteps: [{say: sounds/cough_lo}]\n", "call", folder=ROOT / "scenarios")


@pytest.mark.parametrize(
    ("entry", "line"),
    [
        ("{file: a.wav, kind: cough}", "kind: expected one of turn, backchannel, vocal_tic, non_directed, got 'cough'"),
        ("{file: a.wav, kind: backchannel}", "text is missing"),
    ],
)
def test_a_label_that_is_none_and_words_that_are_missing(entry: str, line: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.yaml").write_text(f"[{entry}]", encoding="utf-8")
    with pytest.raises(PhraseBookError, match=line):
        PhraseBook.load(tmp_path)
