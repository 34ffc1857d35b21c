"""How long the caller waits for an answer, stage by stage. Pure: instants in, `StageTookEvent` out; no clock.

    the caller's last word ── endpoint ── recognition ── backend ── first_audio

Each stage begins where the one before it ended. The last one begins anew with each message: one that the backend pushes
answers no word of the caller's, so only the first message after an utterance says how long ago his last word was.
"""

from audiosocket_server.events import LatencyStage, StageTookEvent

__all__ = ["AnswerClock"]


class AnswerClock:
    """One call's. All instants are seconds of the call's clock, none earlier than the one before."""

    def __init__(self) -> None:
        self._last_word_at: float | None = None
        self._stage_since = 0.0

    def endpoint(self, now: float, silence_ms: int) -> StageTookEvent:
        """The utterance is over, `silence_ms` after the last voiced frame of it."""
        self._last_word_at = self._stage_since = now - silence_ms / 1000
        return self._took(LatencyStage.ENDPOINT, now)

    def recognised(self, now: float) -> StageTookEvent:
        """The final text is there, or the failure."""
        return self._took(LatencyStage.RECOGNITION, now)

    def answered(self, now: float) -> StageTookEvent:
        """The backend answered, or failed."""
        return self._took(LatencyStage.BACKEND, now)

    def message(self, now: float) -> None:
        """There is something to say: from now on it is made."""
        self._stage_since = now

    def first_audio(self, now: float) -> StageTookEvent:
        """Its first frame has left. What is said after it answers no word of the caller's."""
        took = self._took(LatencyStage.FIRST_AUDIO, now)
        self._last_word_at = None
        return took

    def _took(self, stage: LatencyStage, now: float) -> StageTookEvent:
        since, self._stage_since = self._stage_since, now
        waited = None if self._last_word_at is None else round((now - self._last_word_at) * 1000)
        return StageTookEvent(stage, round((now - since) * 1000), waited)
