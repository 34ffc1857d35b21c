"""A case: what the peer does, what a good server does, why, and the judge of it. Data and a pure function."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.script import Script, Starve, StopServer, seconds_of
from audiosocket_sim.conformance.seen_call import Delays, SeenCall

_NOTED_WITHIN = 0.25
"""How much later than it happens a delay of the server's program may be noted, in seconds."""

__all__ = [
    "SECTIONS",
    "AsteriskCall",
    "Case",
    "CaseOutcome",
    "Judge",
    "Level",
    "Resources",
    "SeenCase",
    "Statement",
]

Level = Literal["must", "should"]

SECTIONS = {
    "HS": "handshake",
    "FR": "framing on input",
    "AI": "audio in",
    "AO": "audio out",
    "DT": "keys",
    "TD": "the end of a call",
    "RB": "robustness and load",
    "AV": "whole calls of each Asterisk",
    "MY": "cases of your own",
}
"""The sections of the cases, in the order in which they are shown: the first two letters of an id."""


class CaseOutcome(Enum):
    """What became of a case."""

    PASS = "pass"
    FAIL = "fail"
    WARN = "warn"
    """A SHOULD that the server does not do."""
    INCONCLUSIVE = "inconclusive"
    """This machine was late where it matters."""
    NOT_RUN = "not run"
    EXPECTED_FAILURE = "expected failure"
    """It fails, and is listed as known to fail."""
    UNEXPECTED_PASS = "unexpected pass"
    """It is listed as known to fail, and passes: the entry is stale."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One thing that was judged. `ok` None: this machine was too late to tell.

    `says`: what is required, and where it is not so, what was seen, in one line for people. `at`: when, in seconds
    since the case began, and `call` in which connection: there the bytes around it are shown.
    """

    ok: bool | None
    says: str
    about: Literal["behaviour", "ending"] = "behaviour"
    call: str = "the call"
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Resources:
    """What the server's process holds: open descriptors, threads, and bytes of memory."""

    descriptors: int
    threads: int
    memory: int


@dataclass(frozen=True, slots=True)
class SeenCase:
    """All that was seen in a case, and what is known of the server. A judge takes it and touches nothing else.

    `before`, `after`: what the server's process held; None where that cannot be seen (another machine, or our
    own process).
    """

    calls: tuple[SeenCall, ...]
    features: Features
    delays: Delays = field(default_factory=Delays)
    before: Resources | None = None
    after: Resources | None = None
    looks: tuple[Resources, ...] = ()
    """What it held at each time of `Case.looks_at`; empty where that cannot be seen."""
    leg_ends: tuple["LegSeen", ...] = ()
    heavy: bool = False
    """Whether the case was played in a heavy form of its own."""

    def call(self, name: str = "the call") -> SeenCall:
        """Return the connection of this name."""
        return next(call for call in self.calls if call.script.name == name)

    def late(self, since: float, until: float) -> float:
        """By how much all that came in between may be late, or come at once, because of this machine, in seconds.

        A delay is the sum of what a thread had to wait, reading for reading: one that lasts is many small ones.
        """
        return self.delays.total(since, until + _NOTED_WITHIN)


@dataclass(frozen=True, slots=True)
class AsteriskCall:
    """A whole call of the simulated Asterisk: its version and attachment, and how long each part lasts, in seconds.

    `silent`: the caller's phone sends nothing from the start. `mutes`: it sends nothing in the quiet part, where it
    sends digital silence otherwise; `mutes_after`: it does so only from so many seconds into that part on.
    `packet`: of the phone, in seconds. `rate_hz`, `coding`: of the channel driver. `mixed`: a conference, whose
    clock sends silence. `bridged_after`: how late ARI puts the channel in a bridge, in seconds. `jitter`: by how
    much single packets are late, at most. `comfort_noise`: the bytes of the packet by which the phone falls silent.
    `key`: pressed in the quiet part. `stands_still`: so long, in the quiet part. `stuck`: asterisk/asterisk #2089.
    `time_limit`: TIMEOUT(absolute), in seconds.
    """

    version: str
    attach: Literal["app", "chan"]
    listens: float = 1.5
    speaks: float = 1.5
    quiet: float = 3.0
    silent: bool = False
    mutes: bool = False
    mutes_after: float = 0.0
    packet: float = 0.02
    rate_hz: int = 8000
    coding: Literal["slin", "ulaw"] = "slin"
    mixed: bool = False
    bridged_after: float | None = None
    jitter: float = 0.0
    comfort_noise: int = 0
    key: str = ""
    stands_still: float = 0.0
    stuck: bool = False
    time_limit: float | None = None

    @property
    def seconds(self) -> float:
        """How long it lasts at most."""
        return self.listens + self.speaks + self.quiet


@dataclass(frozen=True, slots=True)
class LegSeen:
    """How a call of the simulated Asterisk ended. `dropped`: Asterisk ended it because of what the server did."""

    version: str
    attach: str
    dropped: bool
    reason: str
    at: float
    messages: int
    """Messages of the server that Asterisk read."""
    anomalies: tuple[str, ...] = ()
    who: str = ""
    """Who ended it: server, caller or asterisk."""
    how: str = ""
    """How it ended: `LegEnd.how`."""
    to_server: int = 0
    """Messages that Asterisk sent, the UUID included."""
    released: bool | None = None
    """Whether the server then closed its end too; None if that cannot be known."""


Judge = Callable[[SeenCase], Iterable[Statement]]


@dataclass(frozen=True)
class Case:
    """A case of the suite.

    `good`: what a good server does, as the end of the sentence "a good server …". `why`: what Asterisk does to one that
    does not, or how it comes that a server meets this. `section`: of docs/protocol.md. `since`: the first releases that
    behave so, "" if all do. `needs`: names of features and roles. `alone`: it measures pace, so nothing runs beside it.
    `heavy`: what `--heavy` does instead; empty: the same. `only_heavy`: it is run with `--heavy` alone. `two_at_once`:
    it needs a server that serves two calls at once. `prefers`: the role in which it is called if check.yaml states it.
    `shares`: a name; cases of the same name do the same on the wire and are judged from one recording. `unseen`: why it
    counts as not run if the judge has nothing to say. A need may name alternatives: `tone|hangs_up`.

    `looks_at`: when what the server's process holds is looked at, in seconds since the case began. `only_real`: why it
    is not run in virtual time. `cannot`: why nobody can run it. `may_end_the_server`: it runs when all others are over.
    """

    id: str
    title: str
    level: Level
    peer: str
    good: str
    why: str
    section: str
    judge: Judge
    scripts: tuple[Script, ...] = ()
    heavy: tuple[Script, ...] = ()
    asterisk: AsteriskCall | None = None
    since: str = ""
    needs: tuple[str, ...] = ()
    alone: bool = False
    only_heavy: bool = False
    two_at_once: bool = False
    prefers: str = ""
    shares: str = ""
    unseen: str = "nothing was seen that could be judged"
    looks_at: tuple[float, ...] = ()
    only_real: str = ""
    cannot: str = ""
    may_end_the_server: bool = False

    @property
    def stops_the_server(self) -> bool:
        """Whether it stops the server, or may, and so comes last."""
        stops = any(isinstance(action, StopServer) for script in self.scripts for action in script.actions)
        return stops or self.may_end_the_server

    @property
    def starves(self) -> bool:
        """Whether nothing else can run meanwhile, so that it runs alone even in virtual time."""
        return any(isinstance(action, Starve) for script in self.scripts for action in script.actions)

    def connections(self, *, heavy: bool) -> Sequence[Script]:
        """Return its connections in this form."""
        return (self.heavy or self.scripts) if heavy else self.scripts

    def n_calls(self, *, heavy: bool) -> int:
        """How many connections it makes."""
        return len(self.connections(heavy=heavy)) or 1

    def is_alone(self, *, heavy: bool) -> bool:
        """Whether nothing may run beside it: it measures pace, or makes so many connections that it disturbs others."""
        return self.alone or self.only_heavy or (heavy and bool(self.heavy))

    def seconds(self, *, heavy: bool) -> float:
        """How long it takes at most, on the real clock."""
        if self.asterisk is not None:
            return self.asterisk.seconds
        return max(
            (one.starts + sum(map(seconds_of, one.actions)) for one in self.connections(heavy=heavy)), default=0.0
        )
