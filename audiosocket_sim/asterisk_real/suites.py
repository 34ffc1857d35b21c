"""The suites of Debian that may have an Asterisk with AudioSocket, and a record of what was found in each.

The record is a small JSON file in the cache folder. It lets `fetch --all` leave out what is settled, and `list` report
without the network.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

from audiosocket_sim.asterisk_real.versions import BadVersion, read_version

__all__ = ["FIRST_WITH_AUDIOSOCKET", "SUITES", "SuiteResult", "base_of", "is_too_old", "read_record", "write_record"]

SUITES: tuple[str, ...] = (
    "forky",
    "sid",
    "experimental",
    "trixie",
    "trixie-backports",
    "bookworm",
    "bookworm-backports",
    "bullseye",
)
"""In the order in which they are tried; `fetch` alone stops at the first that has one."""

FIRST_WITH_AUDIOSOCKET = 18
"""The first branch with the application and the channel driver."""

SuiteOutcome = Literal["runs", "does_not_run", "too_old", "no_asterisk", "no_suite", "failed"]
_SETTLED = ("runs", "too_old", "no_asterisk", "no_suite")


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """What one suite had. package: the version text of its `asterisk`, empty where it has none.

    release: the version that runs (`22.10.1`), empty where none does. reason: one line, for all but `runs`.
    """

    suite: str
    outcome: SuiteOutcome
    package: str = ""
    release: str = ""
    reason: str = ""

    @property
    def is_settled(self) -> bool:
        """Whether asking the mirror again is not worth the time: False after a failure of apt or of the program."""
        return self.outcome in _SETTLED

    def __str__(self) -> str:
        """`forky: 22.10.1 runs here (package 1:22.10.1+dfsg-1)`."""
        package = f" (package {self.package})" if self.package else ""
        return f"{self.suite}: " + (f"{self.release} runs here" if self.outcome == "runs" else self.reason) + package


def base_of(suite: str) -> str | None:
    """The suite that completes another one: `sid` for `experimental`, `trixie` for `trixie-backports`; None: none."""
    if suite == "experimental":
        return "sid"
    name, _, addition = suite.partition("-")
    return name if addition else None


def is_too_old(package: str) -> bool:
    """Whether a package of this version has no AudioSocket. False for a text that is no version: then it is tried."""
    try:
        return read_version(package).major < FIRST_WITH_AUDIOSOCKET
    except BadVersion:
        return False


def read_record(path: Path) -> dict[str, SuiteResult]:
    """The results by suite; nothing where there is no record, or none that can be read."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        results = [SuiteResult(**{"suite": suite, **fields}) for suite, fields in found.items()]
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
    return {result.suite: result for result in results if result.outcome in get_args(SuiteOutcome)}


def write_record(path: Path, results: Mapping[str, SuiteResult]) -> None:
    """Replace the record, in one step. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {suite: {k: v for k, v in asdict(result).items() if k != "suite"} for suite, result in results.items()}
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(fields, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)
