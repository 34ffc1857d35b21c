"""What `check` was asked for, and the command that asks for one case of it again."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from audiosocket_sim.conformance.case import Level
from audiosocket_sim.parties.target_choice import TargetChoice

__all__ = ["CheckRequest", "repeat_command", "without_a_folder"]


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """The arguments of `check`. `json`: a file, or - for stdout. `program`: how this command is called.

    `fuzz`: how long to search, in seconds. `cases`: the folder of a user's own cases. `replay`: files of such cases.
    """

    target: str | None = None
    config: Path | None = None
    only: Sequence[str] = ()
    level: Level | None = None
    heavy: bool = False
    lists: bool = False
    explain: str | None = None
    known_failing: Path | None = None
    expect: Path | None = None
    write_known_failing: Path | None = None
    json: str | None = None
    junit: Path | None = None
    badge: Path | None = None
    page: Path | None = None
    ai_port: int = 0
    real_time: bool = False
    seed: int = 1
    verbose: bool = False
    fuzz: float | None = None
    cases: Path | None = None
    replay: Sequence[Path] = ()
    program: str = "audiosocket-sim"


def without_a_folder(asked: CheckRequest) -> Path | None:
    """Return the first file to be written whose folder is not there: known before calls are made, which cost money."""
    files = (asked.json if asked.json != "-" else None, asked.junit, asked.badge, asked.page, asked.write_known_failing)
    return next((Path(file) for file in files if file is not None and not Path(file).parent.is_dir()), None)


def repeat_command(asked: CheckRequest, name: str, *, file: Path | None = None) -> str:
    """Return the command that runs one case alone, with the options that matter for it. `file`: the case's own."""
    words = [*shlex.split(asked.program), "check"]
    if asked.target is not None:
        words += ["--target", TargetChoice(asked.target, "").visible]
    if asked.config is not None:
        words += ["--config", str(asked.config)]
    if file is not None:
        words += ["--replay", str(file)]
    else:
        words += ["--only", name]
        words += ["--cases", str(asked.cases)] if asked.cases is not None else []
        words += [word for path in asked.replay for word in ("--replay", str(path))]
    words += ["--heavy"] if asked.heavy else []
    words += ["--real-time"] if asked.real_time else []
    words += ["--ai-port", str(asked.ai_port)] if asked.ai_port else []
    words += ["--seed", str(asked.seed)] if asked.seed != 1 else []
    return shlex.join(words)
