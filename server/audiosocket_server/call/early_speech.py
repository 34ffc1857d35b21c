"""What a caller says before it is his turn: held back until it counts. Pure; one stretch of holding.

The endpointer hears him already. Here its utterance waits, with all its audio, until it is let through: by `release`,
when the turn has come, or by itself once it has `proof_ms` of voice, so that no noise counts as a caller.
"""

from collections.abc import Sequence

from audiosocket_server.endpointing import EndpointingFact, UtteranceClosed, UtteranceOpened

__all__ = ["EarlySpeech"]

_BYTES_A_MS = 16


class EarlySpeech:
    """The utterance that is held back, if there is one. `proof_ms`: None if only `release` lets it through."""

    def __init__(self, proof_ms: int | None) -> None:
        self.over = False
        """True once nothing is held back any more: what follows needs no `take`."""
        self._proof_ms = proof_ms
        self._released = False
        self._pcm: bytearray | None = None
        self._closed: UtteranceClosed | None = None
        self._closed_for = 0  # bytes of audio since then

    def take(
        self, facts: Sequence[EndpointingFact] | None, pcm: bytes, voiced_ms: int
    ) -> Sequence[EndpointingFact] | None:
        """Take what the endpointer said about the piece `pcm`; return what is let through, None for nothing.

        `voiced_ms`: how much voice its utterance has so far.
        """
        if self._closed is not None:
            self._closed_for += len(pcm)
        elif self._pcm is not None:
            self._pcm += pcm
        for fact in facts or ():
            if isinstance(fact, UtteranceOpened):
                self._pcm, self._closed = bytearray(fact.pcm), None
            elif isinstance(fact, UtteranceClosed):
                is_noise = fact.reason == "too_short"
                self._pcm, self._closed = (None, None) if is_noise else (self._pcm, fact)
        if self._released or self._is_proven(voiced_ms):
            return self._let_through()
        return None

    def release(self) -> None:
        """Let the utterance through with the next `take`."""
        self._released = True
        self.over = self._pcm is None

    def _is_proven(self, voiced_ms: int) -> bool:
        return self._proof_ms is not None and self._pcm is not None and voiced_ms >= self._proof_ms

    def _let_through(self) -> Sequence[EndpointingFact] | None:
        self.over = True
        if self._pcm is None:
            return None
        opened = UtteranceOpened(bytes(self._pcm))
        if (closed := self._closed) is None:
            return [opened]
        silence_ms = closed.silence_ms + self._closed_for // _BYTES_A_MS
        return [opened, UtteranceClosed(closed.reason, closed.duration_ms, silence_ms)]
