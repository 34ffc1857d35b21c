"""Analyse a captured call: the caller's utterances, what the bot understood, and what the caller heard of the bot.

Pure, except that `load_known_sounds` reads the phrase book and the hold music from disk, once per folder.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from audiosocket_core.phrase_book.book import MANIFEST_NAME, PhraseBook
from audiosocket_core.slin import read_audio
from audiosocket_sim.live.captured_call.bot_hearing import HeardBot, hear_bot
from audiosocket_sim.live.captured_call.echo_detection import EstimatedEcho, find_echo
from audiosocket_sim.live.captured_call.model import CapturedCall, CapturedUtterance
from audiosocket_sim.live.captured_call.segmentation import cut_utterances, noise_floor_dbfs
from audiosocket_sim.live.captured_call.text_pairing import Turn, pair_with_texts, understood_turns
from audiosocket_sim.live.captured_call.track import Track, assemble_track
from audiosocket_sim.scenario.paths import PROJECT, nearest_folder

__all__ = ["Analysis", "KnownSounds", "analyse", "load_known_sounds"]


@dataclass(frozen=True, slots=True)
class KnownSounds:
    """Sounds that can be recognised in the bot's audio: its prompts, and its hold loop as 8 kHz SLIN (empty: none)."""

    book: PhraseBook
    hold_pcm: bytes


@dataclass(frozen=True, slots=True)
class Analysis:
    """The results for one call. Times are ms since the UUID; `noise_dbfs` is None on a silent line."""

    track: Track
    utterances: tuple[CapturedUtterance, ...]
    turns: tuple[Turn, ...]
    bot: HeardBot
    noise_dbfs: float | None
    echo: EstimatedEcho | None = None


@lru_cache(maxsize=8)
def load_known_sounds(folder: Path) -> KnownSounds:
    """Load the prompts and the hold music near `folder`, and the project's own prompts.

    Blocks: it reads files. Raises PhraseBookError, AudioFileError.
    """
    near = nearest_folder("audio/prompts", folder, MANIFEST_NAME)
    own = PROJECT / "audio" / "prompts"
    prompts = [path for path in dict.fromkeys((near, own)) if path is not None and path.is_dir()]
    music = nearest_folder("audio", folder, "waiting.slin")
    return KnownSounds(PhraseBook.load(*prompts), b"" if music is None else read_audio(music / "waiting.slin"))


def analyse(call: CapturedCall, ear: KnownSounds) -> Analysis:
    """Analyse the call, with the bot's audio compared to the sounds in `ear`.

    Takes about 100 ms of computation for each minute of call: run it in an executor.
    """
    track = assemble_track(call.caller, call.rate_hz, call.packet_time_ms)
    bot = hear_bot(call.bot, call.ending.at_ms, ear.book, ear.hold_pcm)
    understood = understood_turns(call)
    echo = find_echo(track, bot.sound)
    utterances = call.utterances
    if utterances is None:
        utterances = pair_with_texts(cut_utterances(track, echo), understood, bot.sentences)
    return Analysis(track, utterances, understood, bot, noise_floor_dbfs(track, utterances), echo)
