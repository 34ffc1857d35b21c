"""What can be heard in the recording of a call of which there is no log: who spoke when, and hold audio. Pure."""

from collections.abc import Iterable, Sequence

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.call_log.events import (
    BotSpoke,
    CallerSpoke,
    CallLog,
    Entry,
    HoldStarted,
    HoldStopped,
    Noted,
    Source,
)
from audiosocket_sim.call_log.resumption import add_speech
from audiosocket_sim.hearing import Ear, Fact, HeardHoldStarted, HeardHoldStopped, HeardSpeech
from audiosocket_sim.report.saved.stereo import RATE_HZ, StereoSound

__all__ = ["log_of_sound"]

_FRAME_BYTES = 2 * RATE_HZ // 50
_END = "the recording ends here: who ended the call is not in it"


def log_of_sound(
    sound: StereoSound, book: PhraseBook, hold_pcm: bytes, more: Iterable[tuple[int, Source, CallerSpoke]] | None = None
) -> tuple[Entry, ...]:
    """Return the call log of a sound: speech of both sides, and hold audio of the bot's.

    `book`: prompts whose words are read; `hold_pcm`: hold music that is known, SLIN at 8 kHz, else empty. `more`: what
    the caller said, where that is known; None: it is found in the sound.
    """
    log = CallLog()
    if more is None:
        for fact in _facts(sound.caller, PhraseBook([])):
            if isinstance(fact, HeardSpeech) and fact.sound == "speech":
                length_ms = fact.lasted_ms
                spoke = CallerSpoke(None, None, length_ms, fact.parts_ms or ((0, length_ms),))
                log.add(round(fact.at * 1000), Source.CALLER, spoke)
    for at_ms, source, event in more or ():
        log.add(at_ms, source, event)
    for fact in _facts(sound.heard, book, hold_pcm, any_music=True):
        match fact:
            case HeardSpeech():
                at_ms = round(fact.at * 1000)
                log.add(at_ms, Source.BOT, add_speech(log, at_ms, _spoke(fact)))
            case HeardHoldStarted(at=at):
                log.add(round(at * 1000), Source.HOLD, HoldStarted())
            case HeardHoldStopped(at=at, duration_ms=duration, seamless=seamless):
                log.add(round(at * 1000), Source.HOLD, HoldStopped(duration, seamless))
    log.add(max(sound.duration_ms, *(entry.at_ms for entry in log.entries), 0), Source.END, Noted(_END))
    return tuple(log.entries)


def _facts(pcm: bytes, book: PhraseBook, hold_pcm: bytes = b"", *, any_music: bool = False) -> Sequence[Fact]:
    facts: list[Fact] = []
    ear = Ear(book, hold_pcm, facts.append, judges=False, any_music=any_music)
    ear.advance(0.0)
    for number, at in enumerate(range(0, len(pcm), _FRAME_BYTES)):
        ear.hear(number * 0.02, RATE_HZ, pcm[at : at + _FRAME_BYTES])
    ear.close(len(pcm) // 2 / RATE_HZ)
    return facts


def _spoke(fact: HeardSpeech) -> BotSpoke:
    return BotSpoke(
        fact.text,
        fact.heard_ms,
        fact.whole_ms,
        fact.voice,
        fact.gap_ms,
        level_dbfs=fact.level_dbfs,
        parts_ms=fact.parts_ms,
        skipped_ms=fact.skipped_ms,
        sound=fact.sound,
        pauses_ms=fact.pauses_ms,
        twice_ms=fact.twice_ms,
    )
