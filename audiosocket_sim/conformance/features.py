"""What a server can do, as far as it is known: by probing, or as its author has stated it in check.yaml."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

__all__ = ["FEATURES", "ONLY_STATED", "ROLES", "Features", "TestRole", "role_of", "why_not"]

FEATURES = {
    "two_calls": "serves two calls at once",
    "speaks_first": "sends sound before the caller says anything",
    "sends_always": "sends messages all the time, also while it has nothing to say",
    "echoes": "sends the caller's sound back",
    "answers": "sends sound after the caller has spoken",
    "hangs_up": "ends calls by itself",
    "takes_keys": "does something audible when a key is pressed",
    "wideband": "takes audio of more than 8 kHz, and answers it",
    "barge_in": "stops speaking when the caller interrupts it",
}
"""Each feature, in words for people."""

ONLY_STATED = frozenset({"barge_in"})
"""Features that are a choice and are not looked for: a server has them if check.yaml says so."""

ROLES = {
    "echo": "sends the caller's sound back, unchanged",
    "tone": "plays sound for 3 s or longer, then hangs up",
    "sink": "sends only what its library sends by itself",
    "hangup": "ends the call after a second or two",
    "dtmf": "plays a sound for each key",
}
"""What a server can be asked to play in a test, by UUID or by port."""


@dataclass(frozen=True, slots=True)
class TestRole:
    """How a role is asked for: by the UUID of the call, by another port, or by both. `uuid` None: any.

    `uuids`: several that mean the same, used in turn, so that no two calls at once have one of them.
    """

    uuid: bytes | None = None
    port: int | None = None
    uuids: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Features:
    """What is known of the server. Each feature: True, False, or None if it is not known."""

    two_calls: bool | None = None
    speaks_first: bool | None = None
    sends_always: bool | None = None
    echoes: bool | None = None
    answers: bool | None = None
    hangs_up: bool | None = None
    takes_keys: bool | None = None
    wideband: bool | None = None
    barge_in: bool | None = None
    answer_seconds: float = 6.0
    """How long after the caller's last word its answer begins, at most, as far as was seen."""
    lives: float | None = None
    """How long after the UUID it ends a call by itself, at the earliest that was seen; None: it was not seen to."""
    most_calls: int | None = None
    """How many calls it takes at once, as check.yaml states; None: any number."""
    roles: Mapping[str, TestRole] = field(default_factory=dict)
    stated: frozenset[str] = frozenset()
    """The features that check.yaml states; the others were found out."""

    def has(self, name: str) -> bool | None:
        """Whether it has the feature, or the role, of this name; None if that is not known."""
        if name in ROLES:
            return name in self.roles
        known: bool | None = getattr(self, name)
        return known

    def in_role(self, name: str) -> "Features":
        """Return what is known of the server when it plays this role ("": none)."""
        return replace(self, echoes=True, answers=False) if name == "echo" else self


def why_not(needs: Iterable[str], features: Features) -> str:
    """Return why a case that needs all of these cannot be run, in one line; "" if it can.

    A need may name alternatives, `tone|hangs_up`: the last one is what is said to be missing.
    """
    for need in needs:
        names = need.split("|")
        if any(features.has(name) for name in names):
            continue
        name = names[-1]
        if name in ROLES:
            return f"check.yaml states no role {name}: a server that {ROLES[name]}"
        if name in features.stated:
            return f"check.yaml says that it does not: {FEATURES[name]}"
        if name in ONLY_STATED:
            return f"check.yaml does not say that it does: {FEATURES[name]}"
        return f"not seen in the probe: {FEATURES[name]}"
    return ""


def role_of(needs: Iterable[str], features: Features) -> str:
    """Return the role in which a case with these needs calls the server: the first that is stated, or ""."""
    names = [name for need in needs for name in need.split("|")]
    return next((name for name in names if name in features.roles), "")
