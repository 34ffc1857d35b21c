"""All cases of the suite, in the order of their ids."""

from audiosocket_sim.conformance.case import SECTIONS, Case
from audiosocket_sim.conformance.cases import (
    asterisk_versions,
    audio_in,
    audio_out,
    audio_out_pace,
    ending,
    framing,
    framing_ends,
    handshake,
    hangup,
    keys,
    load,
    no_calls,
    odd_peers,
)

__all__ = ["CASES"]

_FILES = (
    handshake.CASES,
    no_calls.CASES,
    framing.CASES,
    framing_ends.CASES,
    asterisk_versions.CASES,
    audio_in.CASES,
    audio_out.CASES,
    audio_out_pace.CASES,
    keys.CASES,
    ending.CASES,
    hangup.CASES,
    load.CASES,
    odd_peers.CASES,
)


def _place(case: Case) -> tuple[int, str]:
    return list(SECTIONS).index(case.id[:2]), case.id


CASES: tuple[Case, ...] = tuple(sorted((case for cases in _FILES for case in cases), key=_place))
"""Every case."""
