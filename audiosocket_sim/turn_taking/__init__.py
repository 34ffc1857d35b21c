"""Measures of turn-taking between a caller and a bot. `measures` is the whole room: segments in, values out."""

from audiosocket_sim.turn_taking import measures
from audiosocket_sim.turn_taking.measures import *  # noqa: F403 - its `__all__` is this room's

__all__ = measures.__all__
