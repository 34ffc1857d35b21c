"""Asterisk's version numbers, as the program, Debian's packages and people write them. Pure."""

import re
from dataclasses import dataclass
from functools import total_ordering

__all__ = ["AsteriskVersion", "BadVersion", "fits", "read_version"]

_TEXT = re.compile(
    r"(?:\d+:)?"  # Debian's epoch
    r"(?P<certified>certified[-/])?"
    r"(?P<major>\d{1,3})\.(?P<minor>\d{1,3})(?:\.(?P<patch>\d{1,3}))?"
    r"(?:[-~.]?cert(?P<cert>\d{1,3}))?"
    r"(?:[-~.]?(?P<stage>alpha|beta|rc)(?P<number>\d{1,3}))?"
    r"(?=$|[-~+\s])[^\s]*"  # what Debian adds: ~dfsg+~cs6.17.60671434-1
)
_BRANCH = re.compile(r"\d{1,3}")
_STAGES = ("alpha", "beta", "rc")


class BadVersion(ValueError):
    """A text that is no version of Asterisk. The message shows what one looks like."""


@total_ordering
@dataclass(frozen=True, slots=True)
class AsteriskVersion:
    """One release. patch: None where the text names none. cert: of a certified release, else None.

    stage, number: `rc` and 2 of a second release candidate; empty and 0 of a release. Newer is greater; a candidate
    comes before its release, a certified release after the one that it is built from.
    """

    major: int
    minor: int
    patch: int | None = None
    cert: int | None = None
    stage: str = ""
    number: int = 0

    def __str__(self) -> str:
        """`22.10.1`, `24.0.0-rc1`, `certified-22.8-cert1`: also the name of its folder in the cache."""
        text = f"{self.major}.{self.minor}" + ("" if self.patch is None else f".{self.patch}")
        if self.cert is not None:
            text = f"certified-{text}-cert{self.cert}"
        return f"{text}-{self.stage}{self.number}" if self.stage else text

    def __lt__(self, other: "AsteriskVersion") -> bool:
        return self._place < other._place

    @property
    def _place(self) -> tuple[int, ...]:
        stage = _STAGES.index(self.stage) if self.stage else len(_STAGES)
        return (self.major, self.minor, self.patch or 0, self.cert or 0, stage, self.number)


def read_version(text: str) -> AsteriskVersion:
    """The version in a text such as `22.10.1`, `Asterisk certified/22.8-cert1` or `1:24.0.0~rc1~dfsg+~cs6.17-1`.

    Raises BadVersion.
    """
    match = _TEXT.fullmatch(text.strip().removeprefix("Asterisk ").strip())
    if match is None:
        raise BadVersion(f"{text.strip()!r} is no version of Asterisk: one looks like 22.10, 22.10.1 or 24.0.0-rc1")
    patch, cert = match["patch"], match["cert"]
    return AsteriskVersion(
        int(match["major"]),
        int(match["minor"]),
        None if patch is None else int(patch),
        (0 if match["certified"] else None) if cert is None else int(cert),
        match["stage"] or "",
        int(match["number"] or 0),
    )


def fits(version: AsteriskVersion, wanted: str) -> bool:
    """Whether `version` is one that `wanted` names: `22` is any of that branch, `22.10` any of its patch levels.

    `22.10.1` and `24.0.0-rc1` name one release each; `certified-22.8` any certified release of 22.8. Raises BadVersion.
    """
    if _BRANCH.fullmatch(wanted.strip()):
        return version.major == int(wanted) and version.cert is None
    asked = read_version(wanted)
    if (version.major, version.minor, version.cert is None) != (asked.major, asked.minor, asked.cert is None):
        return False
    if asked.cert and asked.cert != version.cert:
        return False
    if asked.stage and (asked.stage, asked.number) != (version.stage, version.number):
        return False
    if asked.patch is None:
        return True
    return asked.patch == (version.patch or 0) and (bool(asked.stage) or not version.stage)
