"""The scenario as frozen data: `model` is the whole; `fields`, `step_models` and `expectations` are its parts.

The names of `model` can be imported from this package. `loading` reads scenarios from YAML; `schema` makes the JSON
Schema for editors; `paths` finds files.
"""

from audiosocket_sim.scenario import model
from audiosocket_sim.scenario.model import *  # noqa: F403 - its `__all__` is this room's

__all__ = model.__all__
