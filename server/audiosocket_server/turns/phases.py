"""The phases of a call; the table in `machine` says what follows each. Data only."""

from enum import Enum, auto

__all__ = ["Phase"]


class Phase(Enum):
    """What the call is waiting for, finer than `CallState`."""

    NEW = auto()
    GREETING = auto()
    LISTENING = auto()
    HEARING = auto()
    RECOGNISING = auto()
    AWAITING_BACKEND = auto()
    SYNTHESISING = auto()
    PLAYING = auto()
    DOUBTING = auto()
    OVERHEARING = auto()
    PAUSING = auto()
    AWAITING_PUSH = auto()
    OVER = auto()
