"""Reads limits on turn-taking from a text, as a command line or an ini file has them."""

from audiosocket_sim.scenario.loading.documents import read_model
from audiosocket_sim.scenario.turn_limits import TurnLimits

__all__ = ["read_turn_limits"]


def read_turn_limits(text: str) -> TurnLimits:
    """Return the limits in YAML's notation, with or without braces: `response_p95: 1.2s, interruptions_by_bot: 0`.

    An empty text is no limit. Raises ValueError with one line.
    """
    text = text.strip()
    if not text:
        return TurnLimits()
    limits, _, problems = read_model(TurnLimits, text if text.startswith("{") else f"{{{text}}}", "", "no limits")
    if problems or limits is None:
        raise ValueError(problems[0].message)
    return limits
