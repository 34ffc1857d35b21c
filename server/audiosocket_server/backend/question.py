"""What the AI backend is told beside the caller's words. Data only."""

from dataclasses import asdict, dataclass

__all__ = ["Interrupted"]


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The bot's message that the caller interrupted before he said this.

    `text`: all of it; `heard`: the part that was said, whole words only. `said_ms`: how much of its sound was sent, in
    the meaning of `audio_end_ms` of OpenAI's realtime API; `of_ms`: how long it would have lasted, None if that was not
    known yet, as its synthesis was not over.
    """

    text: str
    heard: str
    said_ms: int
    of_ms: int | None

    def to_json(self) -> dict[str, object]:
        """Return it as the request's `interrupted` has it."""
        return asdict(self)
