"""The greeting of one call: is it still to come, and when is it due? Pure; times are seconds of the call's clock.

It is due after its delay. If nothing has come from the caller's side by then, it waits for the first audio, within a
bound: under ARI nothing flows either way before the bridge (docs/protocol.md, FID-04), and a phone may send nothing.
"""

__all__ = ["Greeting"]


class Greeting:
    """The greeting that is to come. `audio_wait_seconds`: how long it waits for audio beyond its delay."""

    def __init__(self, audio_wait_seconds: float) -> None:
        self.job: int | None = None
        """The number of its synthesis; None if there is none to come (any more)."""
        self._audio_wait_seconds = audio_wait_seconds
        self._due_at = 0.0
        self._audio_began = False

    def announce(self, job: int | None, due_at: float) -> None:
        """The call was answered. `job`: None if it has no greeting; then `deadline` is where the delay would end."""
        self.job, self._due_at = job, due_at

    @property
    def awaits_audio(self) -> bool:
        """True while `audio_began` would make a difference."""
        return self.job is not None and not self._audio_began

    @property
    def deadline(self) -> float:
        """When it is to be played. It may lie in the past."""
        return self._due_at + (self._audio_wait_seconds if self.awaits_audio else 0.0)

    def audio_began(self) -> None:
        """The caller's first audio arrived."""
        self._audio_began = True

    def take(self) -> int | None:
        """Return the number of its synthesis, and have none to come any more."""
        job, self.job = self.job, None
        return job
