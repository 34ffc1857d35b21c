"""From what was asked for to a run that can begin: the target, what check.yaml states, what is known to fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audiosocket_sim.conformance.case import Case
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.stated.check_file import CHECK_FILE, read_check_file
from audiosocket_sim.conformance.stated.known_failing import read_known_failing
from audiosocket_sim.conformance.suite import Suite
from audiosocket_sim.parties.target import parse_target
from audiosocket_sim.parties.target_choice import TargetChoice

__all__ = ["ReadyRun", "made_ready"]


@dataclass(frozen=True, slots=True)
class ReadyRun:
    """A run that can begin. `config`: the check.yaml that was read, or None."""

    suite: Suite
    choice: TargetChoice
    config: Path | None


def made_ready(
    choice: TargetChoice,
    cases: Sequence[Case],
    all_ids: Sequence[str],
    *,
    config: Path | None = None,
    known_failing: Path | None = None,
    heavy: bool = False,
    real_time: bool = False,
    ai_port: int = 0,
    seed: int = 1,
) -> ReadyRun:
    """Read the files, and return the run. Raises TargetUsageError, and FileError for a file that is not valid.

    `config`: by default check.yaml beside the file that names the target, or else in the working folder, if there is
    one. `all_ids`: those of all cases, which the list of known failures may name.
    """
    target = parse_target(choice.text, None, choice.folder)
    if config is None:
        beside = _near((choice.folder or Path.cwd()) / CHECK_FILE)
        config = beside if beside.is_file() else None
    suite = Suite(
        target=target,
        target_text=choice.visible,
        cases=tuple(cases),
        stated=Features() if config is None else read_check_file(config),
        known={} if known_failing is None else read_known_failing(known_failing, all_ids),
        heavy=heavy,
        real_time=real_time,
        ai_port=ai_port,
        seed=seed,
    )
    return ReadyRun(suite, choice, config)


def _near(path: Path) -> Path:
    """Return the path, relative to the working folder if it is below it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
