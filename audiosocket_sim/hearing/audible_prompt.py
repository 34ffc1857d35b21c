"""Which part of a known prompt is audible at the level at which it was heard, and what of that is missing. Pure."""

import math
from functools import lru_cache

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import Phrase
from audiosocket_sim.hearing.damage.known_prompt import Known
from audiosocket_sim.hearing.loudness import Bounds, audible_stretches
from audiosocket_sim.hearing.playout import RATE_HZ

__all__ = ["audible_ms", "is_to_its_end", "lost_start_ms"]

_AT_ITS_END = 160  # samples
_SOFTER_BY_DB = -2


def lost_start_ms(known: Known) -> int:
    """Return how much (ms) of what is audible of a prompt is missing at its beginning."""
    bounds = _audible(known.phrase, known.gain)
    first = known.followed.first - bounds[0] if known.followed is not None and bounds is not None else 0
    return max(0, round(first * 1000 / RATE_HZ))


def is_to_its_end(known: Known) -> bool:
    """Whether a prompt was heard to the end of what is audible of it."""
    bounds = _audible(known.phrase, known.gain)
    return bounds is not None and known.followed is not None and known.followed.last >= bounds[1] - _AT_ITS_END


def audible_ms(phrase: Phrase, gain: float) -> int:
    """Return how long a prompt is audible, at a gain of its amplitude."""
    bounds = _audible(phrase, gain)
    return 0 if bounds is None else round((bounds[1] + 1 - bounds[0]) * 1000 / RATE_HZ)


def _audible(phrase: Phrase, gain: float) -> Bounds | None:
    """The first and last audible sample of a prompt at a gain of its amplitude: its soft ends may not be."""
    db = round(20 * math.log10(max(gain, 1e-3)))
    bounds = audible_stretches(_at_gain(phrase, db) if db <= _SOFTER_BY_DB else phrase.pcm)
    return (bounds[0][0], bounds[-1][1]) if bounds else None


@lru_cache(maxsize=256)
def _at_gain(phrase: Phrase, db: int) -> bytes:
    return slin.gain(phrase.pcm, db)
