"""The protocol of a speech engine: streaming recognition and streaming synthesis, both 8 kHz.

An engine is made once and serves all calls. It never blocks the event loop: work of more than about 2 ms belongs in the
executor. It never invents a text: if nothing was recognised, the text is empty.
"""

from collections.abc import AsyncIterator, Callable
from typing import NamedTuple, Protocol, runtime_checkable

__all__ = [
    "Checked",
    "Recognition",
    "SpeechEngine",
    "SpeechError",
    "SpeechUnavailable",
    "Synthesised",
    "TellsLikely",
    "TellsWords",
    "WordEnd",
]


class SpeechError(Exception):
    """The engine failed, as opposed to recognising nothing. The message is one line for the log."""


class SpeechUnavailable(SpeechError):
    """The engine failed, but may work later without any change: unreachable, throttled, silent, too busy."""


class WordEnd(NamedTuple):
    """Where a word ends: `text_end` characters of the text are said when `ends_ms` of its sound have been played."""

    text_end: int
    ends_ms: int


Synthesised = bytes | WordEnd
"""What a synthesis yields: SLIN (8 kHz, any even length), and the ends of words, if the engine knows them."""


class Recognition(Protocol):
    """The recognition of one utterance. It is fed live, pre-roll first, and finished by the endpointing."""

    def feed(self, pcm: bytes) -> None:
        """Take caller audio: SLIN, 16-bit little-endian, 8 kHz, any length. Returns at once; must not raise."""

    async def finish(self) -> str:
        """End the audio, and return the final text; "" if nothing was recognised. Raises SpeechError."""

    def cancel(self) -> None:
        """Discard the recognition (the call is over, or the utterance was too short). Idempotent; returns at once."""


class SpeechEngine(Protocol):
    """Recognition and synthesis by one vendor."""

    @property
    def name(self) -> str:
        """The engine's name: `azure`, `local` or `embedded`."""

    def recognise(self, language: str, on_interim: Callable[[str], None]) -> Recognition:
        """Start the recognition of one utterance.

        `language`: a tag such as pt-BR. `on_interim` is called on the event loop with the text understood so far.
        """

    def synthesise(self, text: str, voice: str) -> AsyncIterator[Synthesised]:
        """Speak `text`: yields SLIN (8 kHz, any even length) as it becomes ready. May raise SpeechError at any time.

        An engine that knows when its words end yields a `WordEnd` for each, in order, before or after their sound;
        otherwise their ends are estimated from the sound (`call.heard_words`).
        """

    async def aclose(self) -> None:
        """Release everything that the engine holds."""


@runtime_checkable
class TellsWords(Protocol):
    """Optional protocol of an engine whose recognitions tell words before an utterance ends: by `on_interim`, or as
    `TellsLikely`. With barge-in such words take the turn, or a voice that lasts; else any sound that lasts."""

    @property
    def tells_words(self) -> bool:
        """True if that is so."""


@runtime_checkable
class TellsLikely(Protocol):
    """Optional protocol of a recognition that knows more before the end than it would call an interim text."""

    def likely(self) -> str:
        """Return the text of which a part was heard by now, and which may still turn out to be another; "" for none."""


@runtime_checkable
class Checked(Protocol):
    """Optional protocol of an engine that can prove, before the first call, that it works."""

    async def check(self) -> str:
        """Recognise and speak once, for real and within seconds. Returns one line that says what was tried.

        Raises SpeechError that says what to install or to set; SpeechUnavailable if waiting may help.
        """
