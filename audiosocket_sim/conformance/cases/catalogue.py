"""All cases of the suite, in the order of their ids."""

from audiosocket_sim.conformance.case import Case
from audiosocket_sim.conformance.cases import handshake

__all__ = ["CASES"]

CASES: tuple[Case, ...] = (*handshake.CASES,)
"""Every case."""
