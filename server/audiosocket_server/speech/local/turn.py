"""The recognition of one utterance by a model that takes it as a whole, begun before it has ended.

When the caller has been quiet for a moment, all that he said is recognised on speculation: if he says no more, its text
is there when the endpointing ends the utterance; if he goes on, it is dropped. The text is used only if the endpointing
heard nothing after that moment either, which the length of the audio tells.
"""

import asyncio
from collections.abc import Awaitable, Callable

from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.local.quiet_tail import QuietTail

__all__ = ["SPECULATE_AFTER_MS", "WholeTurn"]

SPECULATE_AFTER_MS = 300
_BYTES_A_MS = 16


class WholeTurn:
    """The `Recognition` of one utterance. No interim texts.

    `transcribe` recognises audio; `may_speculate` says if the model has nothing else to do; `silence_ms` of silence
    end an utterance.
    """

    def __init__(
        self, transcribe: Callable[[bytes], Awaitable[str]], may_speculate: Callable[[], bool], silence_ms: int
    ) -> None:
        self._transcribe = transcribe
        self._may_speculate = may_speculate
        self._silence_ms = silence_ms
        self._pcm: bytearray | None = bytearray()
        self._tail = QuietTail()
        self._early: asyncio.Task[str | None] | None = None
        self._early_ms = 0  # of audio that `_early` was given

    def feed(self, pcm: bytes) -> None:
        """Take caller audio. See `Recognition`."""
        if self._pcm is None:
            return
        self._pcm += pcm
        self._tail.feed(pcm)
        quiet_ms = self._tail.quiet_ms
        if not quiet_ms:
            self._drop_early()
        elif quiet_ms >= SPECULATE_AFTER_MS and self._early is None and self._may_speculate():
            self._early_ms = len(self._pcm) // _BYTES_A_MS
            self._early = asyncio.get_running_loop().create_task(self._speculate(bytes(self._pcm)))

    async def finish(self) -> str:
        """Return the text: that of the speculation, if nothing was said after it began. See `Recognition`."""
        pcm, self._pcm = self._pcm, None
        if not pcm:
            self._drop_early()
            return ""
        if self._early is not None and self._has_all_speech(len(pcm) // _BYTES_A_MS):
            text = await self._early
            if text is not None:
                return text
        self._drop_early()
        return await self._transcribe(bytes(pcm))

    def cancel(self) -> None:
        """Discard the audio. Work in progress is dropped; in a thread it ends by itself. See `Recognition`."""
        self._pcm = None
        self._drop_early()

    def _has_all_speech(self, whole_ms: int) -> bool:
        """Return whether the last sound that the endpointing took for speech is in what was recognised early."""
        return whole_ms - self._silence_ms <= self._early_ms

    async def _speculate(self, pcm: bytes) -> str | None:
        """Return the text; None if it failed, so that `finish` tries again and reports the failure."""
        try:
            return await self._transcribe(pcm)
        except SpeechError:
            return None

    def _drop_early(self) -> None:
        if self._early is not None:
            self._early.cancel()
            self._early = None
