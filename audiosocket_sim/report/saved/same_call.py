"""What two saved calls were made from: only where that is the same can their times be compared. Pure."""

from collections.abc import Iterator

from audiosocket_sim.report.saved.saved_call import SavedCall

__all__ = ["made_differently", "not_comparable"]

_OTHER = {
    "scenario": "another scenario",
    "audio": "another sound of the caller",
    "profile": "another Asterisk, line, network or ear",
}


def not_comparable(first: SavedCall, second: SavedCall) -> list[str]:
    """Return why the times of two calls cannot be compared, a phrase each: `another scenario`. Empty: they can.

    The scenario, the caller's sound and the profile are compared by hash. A call saved without hashes cannot be
    compared: `what it was made from is not known`.
    """
    if not (first.hashes and second.hashes):
        return ["what it was made from is not known"]
    return list(_other_inputs(first, second))


def made_differently(first: SavedCall, second: SavedCall, *, with_target: bool = True) -> list[str]:
    """Return in what the making of two calls differed, as far as it is known: scenario, sound, profile, seeds, target,
    clock and versions, a phrase each. `with_target`: False leaves out the target, whose name may be private."""
    found = list(_other_inputs(first, second)) if first.hashes and second.hashes else []
    ours, theirs = first.environment, second.environment
    for key in (*(("target",) if with_target else ()), "clock", "simulator", "python", "system"):
        before, after = ours.get(key), theirs.get(key)
        if isinstance(before, str) and isinstance(after, str) and before != after:
            found.append(f"another {key}: {before} → {after}")
    return found


def _other_inputs(first: SavedCall, second: SavedCall) -> Iterator[str]:
    for key, words in _OTHER.items():
        if first.hashes.get(key) != second.hashes.get(key):
            yield words
    for key in sorted(first.seeds.keys() | second.seeds.keys()):
        before, after = first.seeds.get(key), second.seeds.get(key)
        if before != after:
            yield f"another seed: {key} {_or_none(before)} → {_or_none(after)}"


def _or_none(seed: int | None) -> str:
    return "none" if seed is None else str(seed)
