"""One thing in a lane of the page: a stretch or an instant, with its words. Data."""

from dataclasses import dataclass
from typing import Any

__all__ = ["LaneItem"]

_MOST_TEXT = 300


@dataclass(frozen=True, slots=True)
class LaneItem:
    """A stretch from `from_ms` to `to_ms` (None: to the end), or an instant, where both are the same."""

    from_ms: int
    to_ms: int | None
    text: str
    title: str = ""
    tone: str = ""
    sign: str = ""
    pattern: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as lanes.js takes it."""
        text = {"text": self.text[:_MOST_TEXT]} if self.text else {}
        title = {"title": self.title[:_MOST_TEXT]} if self.title and self.title != self.text else {}
        more = {key: value for key in ("tone", "sign", "pattern") if (value := getattr(self, key))}
        if self.from_ms == self.to_ms:
            return {"at": self.from_ms / 1000, **text, **title, **more}
        return {"from": self.from_ms / 1000, "to": _seconds(self.to_ms), **text, **title, **more}


def _seconds(ms: int | None) -> float | None:
    return None if ms is None else ms / 1000
