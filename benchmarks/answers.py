"""How well the local engine hears answers of one word and numbers said alone, in eight voices that its known answers
were not made of; and whether it makes words of sounds that are no speech.

The voices are mixtures of Kokoro's two Portuguese ones, some of them higher or lower. `BENCHMARKS_VOICES`: a folder
with other voices of Kokoro instead, NAME.bin as its publishers give them (float32, 510 × 256), the first eight by
name.
"""

import os
import re
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import WITHOUT_WORDS, PhraseBook, speech_edges_ms
from audiosocket_sim.phone.line import LineModel
from benchmarks.machine import PROJECT, Elapsed, Unavailable
from benchmarks.reading import unseen_sounds
from benchmarks.report import Row
from benchmarks.word_errors import count_words, in_portuguese, word_errors

if TYPE_CHECKING:
    from audiosocket_server.speech.local.whisper import Whisper
    from numpy.typing import NDArray

__all__ = ["ABOUT", "run"]

ABOUT = (
    "answers of one word and numbers, as the local engine hears them; and what it makes of sounds that are no speech"
)

_MOST_WRONG = 20
_VOICES = 8
_MIXTURES = ((0.3, 1.0), (0.5, 1.0), (0.7, 1.0), (0.5, 0.9), (0.5, 1.12), (0.3, 1.1), (0.7, 0.9), (0.15, 1.0))
"""The share of the man's voice, and how much higher the sound is."""
_WORDS = (
    *("Sim.", "Não.", "Tá.", "Isso.", "Claro.", "Certo.", "Pode.", "Espera.", "Para.", "Alô.", "Ahã.", "Uhum.", "Sei."),
    *("Ok.", "Obrigado.", "Tá bom.", "Isso mesmo.", "Não quero."),
)
_OTHERS = ("Maria.", "Pedro.", "Banana.", "Elevador.", "Entrega.", "Síndico.", "Garagem.", "Socorro.", "Portão.")
"""Other words: whatever is understood, it must not be a known answer that was not said."""
_NUMBERS = 6  # in each voice, from 1 to 9,999; other ones in each
_LINES = (("µ-law", None), ("µ-law, 15 dB", 15.0))
_VOICES_BEHIND = ("babble", "talker", "television")  # of these, words are heard
_QUIET_BEFORE_MS, _QUIET_AFTER_MS = 300, 700


def run(quick: bool = False) -> list[Row]:
    try:
        from audiosocket_server.speech.local.engine import DEFAULT_PROMPTS
        from audiosocket_server.speech.local.whisper import Whisper
    except ImportError as error:
        raise Unavailable(f"{error}: pip install 'audiosocket-sim[local]'") from error
    whisper, prompt = Whisper.load(), DEFAULT_PROMPTS["pt"]
    spoken = list(_spoken(2 if quick else _VOICES))
    rows = []
    costs: list[float] = []
    for line, snr_db in _LINES:
        for kind in ("words", "numbers"):
            said = [(text, pcm) for group, text, pcm in spoken if group == kind]
            rows.append(_heard(whisper, prompt, f"{kind}, {line}", said, snr_db, costs))
    rows.append(_mistaken(whisper, prompt, [(text, pcm) for group, text, pcm in spoken if group == "others"]))
    rows.append(Row("an utterance", statistics.median(costs), "s", f"processor time; worst {max(costs):.2f} s"))
    return [*rows, _invented(whisper, prompt, quick)]


def _heard(
    whisper: "Whisper",
    prompt: str,
    name: str,
    said: Sequence[tuple[str, bytes]],
    snr_db: float | None,
    costs: list[float],
) -> Row:
    wrong, words, missed = 0, 0, []
    for text, pcm in said:
        sound = _on_the_line(pcm, snr_db)
        spent = Elapsed()
        heard = whisper.transcribe(sound, "pt-BR", prompt)
        costs.append(spent.cpu)
        errors = word_errors(text, heard.replace(".", "") if any(map(str.isdigit, heard)) else heard)
        wrong, words = wrong + errors, words + count_words(text)
        if errors:
            missed.append(f"{text} → “{heard}”")
    rate = 100 * wrong / words
    exact = len(said) - len(missed)
    note = f"{exact} of {len(said)} right" + (f"; {', '.join(missed[:6])}" if missed else "")
    goal = f"at most {_MOST_WRONG} %" if snr_db is None else ""
    return Row(name, rate, "% wrong", note, goal, rate <= _MOST_WRONG if goal else None)


def _mistaken(whisper: "Whisper", prompt: str, said: Sequence[tuple[str, bytes]]) -> Row:
    from audiosocket_server.speech.local.answers import answers_in

    answers = answers_in("pt-BR")
    known = set(answers.texts) if answers is not None else set()
    heard = [(text, whisper.transcribe(_on_the_line(pcm, None), "pt-BR", prompt)) for text, pcm in said]
    mistaken = [f"{text} → “{found}”" for text, found in heard if found in known - {text}]
    return Row("other words taken for answers", len(mistaken), "", f"of {len(said)}: {', '.join(mistaken[:6])}")


def _on_the_line(pcm: bytes, snr_db: float | None) -> bytes:
    """As the server cuts it: pre-roll, and the silence that ends a turn."""
    start_ms, end_ms = speech_edges_ms(pcm)
    speech = pcm[start_ms * 16 : end_ms * 16]
    line = LineModel("ulaw", None if snr_db is None else slin.level_dbfs(speech) - snr_db)
    return line.send(slin.silence(_QUIET_BEFORE_MS) + speech + slin.silence(_QUIET_AFTER_MS))


def _spoken(voices: int) -> Iterator[tuple[str, str, bytes]]:
    """What each voice says: its kind, its text, and its sound."""
    from audiosocket_server.speech.local.kokoro import RATE_HZ, Kokoro
    from audiosocket_server.speech.local.phonemes import Phonemes
    from audiosocket_server.speech.local.speaker import framed

    kokoro, phonemes = Kokoro.load(), Phonemes()
    draw = np.random.default_rng(16)
    for styles, height in list(_styles())[:voices]:
        numbers = [f"{_accented(int(number)).capitalize()}." for number in draw.integers(1, 10_000, _NUMBERS)]
        for kind, texts in (("words", _WORDS), ("numbers", numbers), ("others", _OTHERS)):
            for text in texts:
                pcm = framed(kokoro.speak(phonemes.of(text), styles), RATE_HZ)
                yield kind, text, pcm if height == 1.0 else slin.resample(pcm, round(8000 * height), 8000)
    phonemes.close()


def _accented(number: int) -> str:
    return re.sub(r"\btres\b", "três", in_portuguese(number))


def _styles() -> "Iterator[tuple[NDArray[np.float32], float]]":
    from audiosocket_server.speech.local.kokoro import styles_of

    folder = os.environ.get("BENCHMARKS_VOICES")
    if folder is None:
        woman, man = styles_of("pf_dora"), styles_of("pm_alex")
        yield from ((share * man + (1 - share) * woman, height) for share, height in _MIXTURES)
        return
    files = sorted(Path(folder).glob("*.bin"))
    if not files:
        raise Unavailable(f"BENCHMARKS_VOICES: {folder} has no .bin file")
    yield from ((np.frombuffer(file.read_bytes(), "<f4").reshape(510, 256), 1.0) for file in files)


def _invented(whisper: "Whisper", prompt: str, quick: bool) -> Row:
    """The sounds that no limit was set by, and the shipped ones that are no voice."""
    sounds = unseen_sounds(quick)
    for phrase in PhraseBook.load(PROJECT / "recordings" / "sounds").recordings:
        if phrase.kind in WITHOUT_WORDS and not phrase.name.startswith(_VOICES_BEHIND):
            sounds.append((phrase.name, phrase.pcm))
    made = []
    for name, pcm in sounds:
        text = whisper.transcribe(_quiet_around(pcm), "pt-BR", prompt)
        if text:
            made.append(f"{name}: “{text}”")
    note = f"of {len(sounds)} sounds" + (f": {'; '.join(made[:8])}" if made else "")
    return Row("sounds of which words were made", len(made), "", note, "none", not made)


def _quiet_around(pcm: bytes) -> bytes:
    return LineModel("ulaw", None).send(slin.silence(_QUIET_BEFORE_MS) + pcm + slin.silence(_QUIET_AFTER_MS))
