"""An instant of a call in words, the one way in which the page of a call writes it. Pure."""

__all__ = ["clock_text"]


def clock_text(ms: int) -> str:
    """Return an instant as people say it: `0:07`, `1:02.50`; before the beginning `−0:00.20`."""
    minutes, rest = divmod(round(abs(ms) / 10), 6_000)
    part = f".{rest % 100:02d}" if rest % 100 else ""
    return f"{'−' if ms < 0 else ''}{minutes}:{rest // 100:02d}{part}"
