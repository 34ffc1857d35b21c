"""The scenario as frozen data: `model` is the whole; fields, steps, expectations and the JSON Schema are its parts."""

from audiosocket_sim.scenario import model
from audiosocket_sim.scenario.model import *  # noqa: F403 - its `__all__` is this room's

__all__ = model.__all__
