"""What a speech engine is: streaming recognition and streaming synthesis, 8 kHz both ways. Protocols only.

An engine is made once and serves all calls. Nothing here blocks the event loop: work of more than about 2 ms goes
to the loop's executor. An engine never invents a text: where it recognised nothing, the text is empty.
"""

from collections.abc import AsyncIterator, Callable
from typing import Protocol, runtime_checkable

__all__ = ["Checked", "Recognition", "SpeechEngine", "SpeechError", "SpeechUnavailable"]


class SpeechError(Exception):
    """The engine failed (not: recognised nothing). The message is one line for the log."""


class SpeechUnavailable(SpeechError):
    """It failed now, and may work in a minute with nothing changed: unreachable, throttled, silent, too busy."""


class Recognition(Protocol):
    """One caller turn. Fed live, pre-roll first; closed by our endpointing."""

    def feed(self, pcm: bytes) -> None:
        """Take caller audio: SLIN, 16-bit little-endian, 8 kHz, any length. Returns at once; must not raise."""

    async def finish(self) -> str:
        """No more audio comes: the final text, "" where nothing was recognised. Raises SpeechError."""

    def cancel(self) -> None:
        """Give the turn up (the call is over, or the utterance was too short). Idempotent, returns at once."""


class SpeechEngine(Protocol):
    """Recognition and synthesis of one vendor."""

    @property
    def name(self) -> str:
        """`azure`, `local` or `embedded`."""

    def recognise(self, language: str, on_interim: Callable[[str], None]) -> Recognition:
        """Open the recognition of one caller turn. `language` is a tag such as pt-BR; `on_interim` is called on the
        event loop with what is understood so far."""

    def synthesise(self, text: str, voice: str) -> AsyncIterator[bytes]:
        """Speak: chunks of SLIN, 8 kHz, of any even length, as they become ready. Raises SpeechError at any chunk."""

    async def aclose(self) -> None:
        """Let go of everything that the engine holds."""


@runtime_checkable
class Checked(Protocol):
    """What an engine may have beside: a way to prove, before the first call, that it works."""

    async def check(self) -> str:
        """Do for real, once, what calls will ask for, within seconds: what was tried, in one line.

        Raises SpeechError that says what to install or to set; SpeechUnavailable where only time helps.
        """
