"""How well the local engine understands, by what the line does to the sound, and what it costs; how fast it speaks.

All of `recordings/`, one's own among them, by language and voice; and people: the English prompts of Debian's package.
"""

import statistics
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import Phrase, PhraseBook
from audiosocket_sim.phone.line import LineModel
from benchmarks.human_prompts import FOLDER, human_prompts
from benchmarks.machine import PROJECT, Elapsed, Unavailable
from benchmarks.report import Row
from benchmarks.word_errors import count_words, word_errors

__all__ = ["ABOUT", "run"]

ABOUT = "word error rate of the local engine (Whisper base), and the cost of its recognition and of its speech"

# Name, G.711, noise so many dB under the speech.
_LINES = (
    ("clean, 8 kHz", False, None),
    ("µ-law", True, None),
    *((f"µ-law, {snr} dB", True, float(snr)) for snr in (20, 15, 10, 5)),
)
_QUICK_LINES = (_LINES[1], _LINES[3])
_QUIET_BEFORE_MS, _QUIET_AFTER_MS = 300, 1000  # as the server cuts it: pre-roll, and the silence that ends a turn


def run(quick: bool = False) -> list[Row]:
    try:
        import ctranslate2  # noqa: F401
        import onnxruntime  # noqa: F401
        from audiosocket_server.speech.local.whisper import Whisper
    except ImportError as error:
        raise Unavailable(f"{error}: pip install 'audiosocket-sim[local]'") from error
    loading = Elapsed()
    whisper = Whisper.load()
    rows = [Row("load the recogniser", loading.cpu, "s", f"processor time; {_memory_mb():.0f} MB with all")]
    costs: list[float] = []
    for group, phrases in _groups().items():
        for line in _QUICK_LINES if quick else _LINES:
            rows.append(_understood(whisper, group, phrases[::3] if quick else phrases, line, costs))
    if not FOLDER.is_dir():
        rows.append(Row("people", 0.0, "", "not measured: apt install asterisk-core-sounds-en-wav"))
    note = f"processor time, median of {len(costs)}; worst {max(costs):.2f} s"
    rows.append(Row("an utterance", statistics.median(costs), "s", note))
    return [*rows, *_speech(quick)]


def _groups() -> dict[str, Sequence[Phrase]]:
    """By language and voice. Portuguese is told with the default prompt and without."""
    groups: dict[str, list[Phrase]] = defaultdict(list)
    for phrase in [*PhraseBook.load(PROJECT / "recordings").phrases, *human_prompts()]:
        groups[f"{phrase.language}, {phrase.voice}"].append(phrase)
        if phrase.language.startswith("pt"):
            groups[f"{phrase.language}, {phrase.voice}, no prompt"].append(phrase)
    return dict(groups)


def _understood(
    whisper: object, group: str, phrases: Sequence[Phrase], line: tuple[str, bool, float | None], costs: list[float]
) -> Row:
    from audiosocket_server.speech.local.engine import DEFAULT_PROMPTS
    from audiosocket_server.speech.local.whisper import Whisper

    assert isinstance(whisper, Whisper)
    name, g711, snr_db = line
    errors = words = exact = refused = 0
    for phrase in phrases:
        language = phrase.language
        prompt = "" if group.endswith("no prompt") else DEFAULT_PROMPTS.get(language[:2], "")
        pcm = _on_the_line(phrase, g711, snr_db)
        spent = Elapsed()
        text = whisper.transcribe(pcm, language, prompt)
        costs.append(spent.cpu)
        wrong = word_errors(phrase.text, text, language)
        errors, words = errors + wrong, words + count_words(phrase.text, language)
        exact, refused = exact + (wrong == 0), refused + (not text)
    note = f"{exact} of {len(phrases)} word for word" + (f", {refused} refused" if refused else "")
    return Row(f"{group}: {name}", 100 * errors / words, "%", note)


def _on_the_line(phrase: Phrase, g711: bool, snr_db: float | None) -> bytes:
    speech = phrase.pcm[phrase.speech_start_ms * 16 : phrase.speech_end_ms * 16]
    noise_dbfs = None if snr_db is None else slin.level_dbfs(speech) - snr_db
    line = LineModel("ulaw" if g711 else "none", noise_dbfs)
    return line.send(slin.silence(_QUIET_BEFORE_MS) + speech + slin.silence(_QUIET_AFTER_MS))


def _speech(quick: bool) -> list[Row]:
    """The bot's prompts, spoken anew."""
    from audiosocket_server.speech.local.speaker import Speaker

    from audiosocket_core.kept_files import KeptFiles

    prompts = PhraseBook.load(PROJECT / "audio/prompts").phrases
    rows = []
    for voice, language in (("pm_alex", "pt-BR"), ("hibari", "en-US")):
        texts = [phrase.text for phrase in prompts if phrase.language == language][: 4 if quick else None]
        with tempfile.TemporaryDirectory() as folder:
            speaker = Speaker(voice, None, KeptFiles(Path(folder), ".slin"))
            loading = Elapsed()
            speaker.prepare()
            rows.append(Row(f"load {voice}", loading.cpu, "s", "processor time"))
            speaker.speak(texts[0], keep=False)  # the child process, and what the model reads late
            spent = Elapsed()
            seconds = sum(len(speaker.speak(text, keep=False)) for text in texts) / 16_000
            note = f"of the speech's length; processor time {spent.cpu / seconds:.2f}; {len(texts)} sentences"
            rows.append(Row(f"speak, {voice}", spent.wall / seconds, "times", note))
    return [*rows, Row("memory of a process with all models", _memory_mb(), "MB")]


def _memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6
