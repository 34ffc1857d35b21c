"""Response latency: how long the caller waits for an answer, stage by stage. Pure: times in, `StageTookEvent` out.

    the caller's last word ── endpoint ── recognition ── backend ── first_audio

Each stage begins where the previous one ended. The last stage begins again with each message. A message that the
backend pushes answers nothing that the caller said, so only the first message after an utterance reports the time since
the caller's last word.
"""

from audiosocket_server.events import LatencyStage, StageTookEvent

__all__ = ["AnswerClock"]


class AnswerClock:
    """The latency of one call. All times are seconds of one clock and never go back."""

    def __init__(self) -> None:
        self._last_word_at: float | None = None
        self._stage_since = 0.0

    def endpoint(self, now: float, silence_ms: int) -> StageTookEvent:
        """The utterance ended at `now`, `silence_ms` after its last voiced frame."""
        self._last_word_at = self._stage_since = now - silence_ms / 1000
        return self._took(LatencyStage.ENDPOINT, now)

    def recognised(self, now: float) -> StageTookEvent:
        """Recognition finished at `now`, with a text or a failure."""
        return self._took(LatencyStage.RECOGNITION, now)

    def answered(self, now: float) -> StageTookEvent:
        """The backend answered or failed at `now`."""
        return self._took(LatencyStage.BACKEND, now)

    def message(self, now: float) -> None:
        """Synthesis of a message starts at `now`."""
        self._stage_since = now

    def first_audio(self, now: float) -> StageTookEvent:
        """The first frame of the message was sent at `now`. Later messages have no last word to count from."""
        took = self._took(LatencyStage.FIRST_AUDIO, now)
        self._last_word_at = None
        return took

    def _took(self, stage: LatencyStage, now: float) -> StageTookEvent:
        since, self._stage_since = self._stage_since, now
        waited = None if self._last_word_at is None else round((now - self._last_word_at) * 1000)
        return StageTookEvent(stage, round((now - since) * 1000), waited)
