"""The behaviour of each generation of Asterisk on the wire, as a table: version -> era -> rules. Data only.

The eras are those of docs/protocol.md, section 6: releases of the same era have the same AudioSocket sources as far as
a server can tell. One release stands for each era; the others of that era are refused by name, with a hint, so that a
scenario never claims to have tried a version whose patch notes nobody looked at.
"""

import contextlib
import re
from dataclasses import dataclass
from enum import Enum
from typing import Literal, get_args

__all__ = [
    "ATTACHMENTS",
    "ERAS",
    "FIRST_PACKET_MS",
    "VERSIONS",
    "Attach",
    "CallerCodec",
    "ComfortNoise",
    "Era",
    "HeaderRule",
    "Profile",
    "UnknownProfile",
    "profile",
    "release_like",
]

Attach = Literal["app", "chan"]
ATTACHMENTS: tuple[Attach, ...] = get_args(Attach)

CallerCodec = Literal["slin", "ulaw", "alaw", "g722", "gsm"]
"""What the channel driver writes: SLIN with `c(slin)`, otherwise the codec of the caller's phone (FID-24)."""

FIRST_PACKET_MS = 8.0
"""When a phone's first packet comes after the UUID, unless told otherwise: 5.6 to 12.6 ms were recorded (FID-06)."""

QUIET_LIMIT_SECONDS = 2.0
"""How long the application waits for anything from either side (`MAX_WAIT_TIMEOUT_MSEC` of app_audiosocket.c)."""

PAYLOAD_GAP_SECONDS = 0.005
"""How long the reader waits for more payload (docs/protocol.md, 4.1)."""


class UnknownProfile(ValueError):
    """A version or an attachment that has no profile. The message names the known ones and the nearest."""


class HeaderRule(Enum):
    """The treatment of a header that comes in pieces (FID-14)."""

    ENDS_CALL = "a missing header byte is an error at once"
    TAKEN_WHOLE = "the first piece is taken for a whole header; the bytes that are missing are whatever was in memory"
    OVERWRITTEN = "each further piece is read to the header's start, over the piece before"
    WAITED_FOR = "waited for without any limit, and put together rightly"


class ComfortNoise(Enum):
    """What the channel driver makes of a phone's comfort noise packet (FID-29). The application always drops it."""

    WRITTEN_AS_AUDIO = "all of its bytes but the first (the noise level) are written as one audio message"
    SILENCES_CHANNEL = "an unknown frame type: the channel falls silent for good, and its connection stays open"
    IGNORED = "dropped"


@dataclass(frozen=True, slots=True)
class Era:
    """The rules that a stretch of releases shares. Each field names what it decides; `why` names its origin."""

    name: str
    first_releases: str
    why: str
    header: HeaderRule
    payload_gap_seconds: float
    """Longest wait inside a payload; 0: any missing byte ends the call (FID-13)."""
    strict: bool
    """Unknown kinds and empty audio end the call; otherwise they are skipped (FID-15, FID-16)."""
    orderly_end: bool
    """0x00 and FIN are an end that the dialplan survives; otherwise 0x00 fails and FIN is not noticed (FID-18, 19)."""
    quiet_limit: bool
    """The application ends a call in which both sides are quiet (FID-12)."""
    dtmf: bool
    """Keys are sent as 0x03 (FID-09)."""
    wideband_kinds: bool
    """0x11 to 0x18 exist; otherwise the channel driver labels wideband 0x10, and the reader does not know them."""
    nodelay: bool
    """TCP_NODELAY on Asterisk's side (FID-26)."""
    comfort_noise: ComfortNoise
    """The channel driver's treatment of a comfort noise packet (FID-29). The application drops it in each era."""
    seconds_per_message: float = 27e-6
    """The time to read a message; measured with a server that flooded (FID-21)."""

    @property
    def may_stick_in_a_header(self) -> bool:
        """asterisk/asterisk #2089: a wake-up without data leaves the thread waiting for a header (FID-28)."""
        return self.header in (HeaderRule.OVERWRITTEN, HeaderRule.WAITED_FOR)


ERAS: tuple[Era, ...] = (
    Era(
        name="A",
        first_releases="18.20, 20.5, 21.0, 22.0",
        why="the first reader: three one-byte reads, no wait anywhere, end of stream taken for «nothing yet»",
        header=HeaderRule.ENDS_CALL,
        payload_gap_seconds=0.0,
        strict=False,
        orderly_end=False,
        quiet_limit=False,
        dtmf=False,
        wideband_kinds=False,
        nodelay=False,
        comfort_noise=ComfortNoise.WRITTEN_AS_AUDIO,
    ),
    Era(
        name="B1",
        first_releases="20.14, 21.9, 22.4",
        why="PR #1138: DTMF, the 2 s limit, an orderly end, strict kinds; one read for the whole header",
        header=HeaderRule.TAKEN_WHOLE,
        payload_gap_seconds=0.0,
        strict=True,
        orderly_end=True,
        quiet_limit=True,
        dtmf=True,
        wideband_kinds=False,
        nodelay=False,
        comfort_noise=ComfortNoise.SILENCES_CHANNEL,
    ),
    Era(
        name="B2",
        first_releases="20.15, 21.10, 22.5, 23.0",
        why="PR #1246: TCP_NODELAY; PR #1247: 5 ms of patience inside a payload",
        header=HeaderRule.TAKEN_WHOLE,
        payload_gap_seconds=PAYLOAD_GAP_SECONDS,
        strict=True,
        orderly_end=True,
        quiet_limit=True,
        dtmf=True,
        wideband_kinds=False,
        nodelay=True,
        comfort_noise=ComfortNoise.SILENCES_CHANNEL,
    ),
    Era(
        name="C",
        first_releases="20.17, 22.7, 23.1",
        why="PR #1492: kinds 0x11 to 0x18; PR #1522: the header is waited for, but read to the wrong place",
        header=HeaderRule.OVERWRITTEN,
        payload_gap_seconds=PAYLOAD_GAP_SECONDS,
        strict=True,
        orderly_end=True,
        quiet_limit=True,
        dtmf=True,
        wideband_kinds=True,
        nodelay=True,
        comfort_noise=ComfortNoise.SILENCES_CHANNEL,
    ),
    Era(
        name="D",
        first_releases="20.19, 22.9, 23.3",
        why="PR #1824: the header's pieces go to their places",
        header=HeaderRule.WAITED_FOR,
        payload_gap_seconds=PAYLOAD_GAP_SECONDS,
        strict=True,
        orderly_end=True,
        quiet_limit=True,
        dtmf=True,
        wideband_kinds=True,
        nodelay=True,
        comfort_noise=ComfortNoise.SILENCES_CHANNEL,
    ),
    Era(
        name="E",
        first_releases="20.20, 22.10, 23.4",
        why="PR #1890: comfort noise and other frames no longer silence the channel; the same as D otherwise",
        header=HeaderRule.WAITED_FOR,
        payload_gap_seconds=PAYLOAD_GAP_SECONDS,
        strict=True,
        orderly_end=True,
        quiet_limit=True,
        dtmf=True,
        wideband_kinds=True,
        nodelay=True,
        comfort_noise=ComfortNoise.IGNORED,
    ),
)

VERSIONS: tuple[tuple[str, str], ...] = (
    ("20.6", "A"),
    ("22.4", "B1"),
    ("22.5", "B2"),
    ("22.8", "C"),
    ("22.9", "D"),
    ("22.10", "E"),
    ("24.0", "E"),
    ("certified-20.7", "A"),
    ("certified-22.8", "C"),
)
"""The releases that have a profile, with their era. A certified release is built from the branch that it names."""

_BRANCHES: tuple[tuple[int, tuple[tuple[int, str], ...]], ...] = (
    (18, ((20, "A"),)),
    (20, ((5, "A"), (14, "B1"), (15, "B2"), (17, "C"), (19, "D"), (20, "E"))),
    (21, ((0, "A"), (9, "B1"), (10, "B2"))),
    (22, ((0, "A"), (4, "B1"), (5, "B2"), (7, "C"), (9, "D"), (10, "E"))),
    (23, ((0, "B2"), (1, "C"), (3, "D"), (4, "E"))),
    (24, ((0, "E"),)),
)
"""Branch -> the first release of each era in it: to name the profile that a release without one behaves like."""

_VERSION = re.compile(
    r"(?P<certified>certified[-/])?(?P<major>\d{1,3})\.(?P<minor>\d{1,3})(?:[-.]\w[\w.-]*)?", re.ASCII
)
"""`22.10`, `22.10.1`, `24.0.0-rc1`, `certified/22.8-cert1`: as `core show version` and the packages write them."""


@dataclass(frozen=True, slots=True)
class Profile:
    """One Asterisk as the server meets it: a version, how it is attached, and the rules of its era."""

    version: str
    attach: Attach
    era: Era

    @property
    def quiet_limit_seconds(self) -> float | None:
        """The both-sides-quiet limit. The channel driver has none in any era (docs/protocol.md, 5)."""
        return QUIET_LIMIT_SECONDS if self.era.quiet_limit and self.attach == "app" else None


def profile(version: str, attach: str = "app") -> Profile:
    """The profile of `version` (`22.10`, `certified-22.8-cert1`) attached as `app` or `chan`.

    The patch level, a release candidate's and a certified release's number change nothing on the wire, and stay in the
    profile's name. Raises `UnknownProfile`.
    """
    names = dict(VERSIONS)
    name = _release(version)
    if name not in names:
        known = ", ".join(f"{name} (era {era})" for name, era in VERSIONS)
        raise UnknownProfile(f"no profile for Asterisk {version}{_hint(version)}; known: {known}")
    for known_attach in ATTACHMENTS:
        if attach == known_attach:
            return Profile(version, known_attach, next(era for era in ERAS if era.name == names[name]))
    raise UnknownProfile(f"Asterisk is attached as {' or '.join(ATTACHMENTS)}, not {attach!r}")


def release_like(version: str) -> str:
    """The release that has a profile and behaves like `version` (`22.11.2`): `22.10`. Raises `UnknownProfile`."""
    name = _release(version)
    if name in dict(VERSIONS):
        return name
    match = _VERSION.fullmatch(version)
    major, minor = (int(match["major"]), int(match["minor"])) if match is not None else (0, 0)
    starts = next((starts for branch, starts in _BRANCHES if branch == major), ())
    eras = [era for start, era in starts if minor >= start]
    if not eras:
        raise UnknownProfile(f"no profile for Asterisk {version}, nor for one like it")
    return next(name for name, era in VERSIONS if era == eras[-1])


def _release(version: str) -> str:
    """`22.10` for `22.10.1`, `certified-22.8` for `certified/22.8-cert1`; what is no version comes back as it is."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return version
    return f"{'certified-' if match['certified'] else ''}{int(match['major'])}.{int(match['minor'])}"


def _hint(version: str) -> str:
    """`: on the wire it behaves like 22.8`, where the branch is known; the nearest number otherwise."""
    match = _VERSION.fullmatch(version)
    if match is None:
        return ": a version looks like 22.10"
    with contextlib.suppress(UnknownProfile):
        return f": on the wire it behaves like {release_like(version)}"
    major, minor = int(match["major"]), int(match["minor"])
    numbers = [name for name, _ in VERSIONS if not name.startswith("certified")]
    nearest = min(numbers, key=lambda known: abs(_place(*map(int, known.split("."))) - _place(major, minor)))
    return f": the nearest is {nearest}"


def _place(major: int, minor: int) -> int:
    return 1000 * major + minor
