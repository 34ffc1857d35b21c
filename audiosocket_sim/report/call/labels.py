"""The call as labels of Audacity: a line for each event, with start, end and text between tabs. Pure."""

from audiosocket_sim.call_log.transcript import visible
from audiosocket_sim.report.call.lane_items import Lane

__all__ = ["audacity_labels"]

_LANES = ("caller", "bot", "other", "backend", "turns", "both", "quiet", "defects")


def audacity_labels(lanes: list[Lane], end_ms: int) -> str:
    """Return the labels of what was said and of what was wrong, in the order of time; "" if there are none."""
    found = []
    for lane in lanes:
        if lane.id not in _LANES:
            continue
        for item in lane.items:
            until = end_ms if item.to_ms is None else item.to_ms
            words = visible(item.title if lane.id == "defects" else item.text or item.title)
            found.append((item.from_ms, until, f"{lane.label}: {words}"))
    return "".join(f"{start / 1000:.3f}\t{end / 1000:.3f}\t{words}\n" for start, end, words in sorted(found))
