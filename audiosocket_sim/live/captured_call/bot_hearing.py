"""Find what the caller heard of the bot: its sentences, with their words if they can be recognised, and hold audio.

Pure. It uses the simulator's own ear (`hearing.Ear`). Words are recognised for the prompts of the phrase book only
(`audio/prompts`); any other voice is speech without words.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.hearing import Ear, Fact, HeardHoldStarted, HeardHoldStopped, HeardSpeech
from audiosocket_sim.live.captured_call.model import BotPacket

__all__ = ["HeardBot", "HoldStretch", "Sentence", "hear_bot"]

_CUT_OFF_MS = 60


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of the bot's speech. `text` is None if it was not recognised, or if the phrase was cut off."""

    start_ms: int
    end_ms: int
    text: str | None = None

    @property
    def length_ms(self) -> int:
        """The duration in ms."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class HoldStretch:
    """Hold audio from `start_ms` to `end_ms`."""

    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True)
class HeardBot:
    """All that the caller heard of the bot, in order of time; `sound` is 8 kHz SLIN since the UUID."""

    sentences: tuple[Sentence, ...]
    holds: tuple[HoldStretch, ...]
    sound: bytes


def hear_bot(packets: Sequence[BotPacket], end_ms: int, book: PhraseBook, hold_pcm: bytes) -> HeardBot:
    """Hear the bot's packets of a whole call, which ended at `end_ms`.

    `hold_pcm` is the hold loop to recognise, 8 kHz SLIN; empty for none.
    """
    facts: list[Fact] = []
    ear = Ear(book, hold_pcm, facts.append, judges=False)
    ear.advance(0.0)
    for packet in packets:
        if packet.payload and packet.at_ms <= end_ms:
            ear.hear(packet.at_ms / 1000, packet.rate_hz, packet.payload)
    sound_end = end_ms / 1000
    ear.close(sound_end)
    sentences = [_sentence(fact) for fact in facts if isinstance(fact, HeardSpeech)]
    return HeardBot(tuple(sorted(sentences, key=_start)), tuple(_holds(facts)), ear.timeline(0.0))


def _sentence(fact: HeardSpeech) -> Sentence:
    start_ms = round(fact.at * 1000)
    whole = fact.whole_ms is not None and fact.heard_ms + _CUT_OFF_MS >= fact.whole_ms
    return Sentence(start_ms, start_ms + fact.lasted_ms, fact.text if whole else None)


def _start(sentence: Sentence) -> int:
    return sentence.start_ms


def _holds(facts: Sequence[Fact]) -> list[HoldStretch]:
    started: int | None = None
    holds: list[HoldStretch] = []
    for fact in facts:
        match fact:
            case HeardHoldStarted(at=at):
                started = round(at * 1000)
            case HeardHoldStopped(at=at) if started is not None:
                holds.append(HoldStretch(started, round(at * 1000)))
                started = None
    return holds
