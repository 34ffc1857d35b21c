"""All cases of the suite, in the order of their ids."""

from audiosocket_sim.conformance.case import SECTIONS, Case
from audiosocket_sim.conformance.cases import (
    audio_out,
    audio_out_pace,
    framing,
    framing_ends,
    handshake,
    keys,
    no_calls,
)

__all__ = ["CASES"]

_FILES = (
    handshake.CASES,
    no_calls.CASES,
    framing.CASES,
    framing_ends.CASES,
    audio_out.CASES,
    audio_out_pace.CASES,
    keys.CASES,
)


def _place(case: Case) -> tuple[int, str]:
    return list(SECTIONS).index(case.id[:2]), case.id


CASES: tuple[Case, ...] = tuple(sorted((case for cases in _FILES for case in cases), key=_place))
"""Every case."""
