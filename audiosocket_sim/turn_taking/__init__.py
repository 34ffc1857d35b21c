"""Measures of turn-taking between a caller and a bot: segments with labels in, values out.

`segments` is the data; `measures`, `selectivity` and `quiet` measure one call, `summary` puts many calls together.
"""

from audiosocket_sim.turn_taking import measures, quiet, segments, selectivity, summary
from audiosocket_sim.turn_taking.measures import *  # noqa: F403 - their `__all__` is this room's
from audiosocket_sim.turn_taking.quiet import *  # noqa: F403
from audiosocket_sim.turn_taking.segments import *  # noqa: F403
from audiosocket_sim.turn_taking.selectivity import *  # noqa: F403
from audiosocket_sim.turn_taking.summary import *  # noqa: F403

__all__ = []
__all__ += measures.__all__
__all__ += quiet.__all__
__all__ += segments.__all__
__all__ += selectivity.__all__
__all__ += summary.__all__
