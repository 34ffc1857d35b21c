"""What good servers of several kinds are like: no case of the suite may blame any of them."""

from dataclasses import dataclass, field, replace
from uuid import UUID

from audiosocket_sim.conformance.features import Features, TestRole

__all__ = ["KINDS", "Ways"]


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways of a good server. Times in seconds."""

    greets: bool = True
    """It speaks first."""
    greeting: float = 1.0
    """How long its greeting lasts."""
    idle: bool = True
    """It sends silence while it has nothing to say."""
    echoes: bool = False
    """It sends the caller's sound back, unchanged."""
    answers: bool = True
    """It speaks after the caller has."""
    thinks: float = 0.3
    """How long after the caller's last word it answers."""
    takes_keys: bool = False
    """It plays a sound for each key."""
    lives: float | None = None
    """It hangs up so long after the UUID."""
    hangs_up_on: bytes | None = None
    """It hangs up after 2 s in calls of this UUID."""
    one_at_a_time: bool = False
    """A second call waits until the first is over."""
    wideband: bool = True
    """It takes audio of more than 8 kHz; otherwise it skips it."""
    packet: float = 0.02
    """How much sound is in each of its messages."""
    at_once: bool = False
    """An echo of each message by itself, whatever its size, and no clock."""
    stated: Features = field(default_factory=Features)
    """What its check.yaml says."""

    @property
    def lacks(self) -> frozenset[str]:
        """The cases that it does not pass by its nature: silent while it has nothing to say, it is dropped."""
        if self.idle:
            return frozenset()
        speaks = self.greets or self.answers or self.echoes
        stays = self.lives is None or self.lives > 4.0
        return frozenset(
            (
                *("AO-06", "AV-10"),
                *(("AO-07",) if not self.greets else ()),
                *(("AO-14",) if speaks and stays else ()),
                *(("AV-11",) if stays else ()),
                *(("AV-25",) if stays and not self.greets else ()),
            )
        )


_HANGUP = UUID("00000000-0000-4000-8000-00000000dead").bytes
_ECHO = Ways(greets=False, answers=False, echoes=True)

KINDS: dict[str, Ways] = {
    "doorman": Ways(),
    "waits": Ways(greets=False),
    "terse": Ways(idle=False),
    "taciturn": Ways(greets=False, idle=False, wideband=False),
    "echo": _ECHO,
    "echo_at_once": replace(_ECHO, idle=False, at_once=True),
    "echo_role": replace(_ECHO, stated=Features(roles={"echo": TestRole()})),
    "greets_and_echoes": replace(_ECHO, greets=True, idle=False),
    "keys": Ways(takes_keys=True, stated=Features(roles={"dtmf": TestRole()})),
    "keys_only": Ways(greets=False, answers=False, takes_keys=True),
    "brief": Ways(lives=6.0),
    "brief_and_quiet": Ways(greets=False, idle=False, answers=False, lives=3.0),
    "briefest": Ways(answers=False, lives=1.3),
    "tape": Ways(greets=True, answers=False),
    "sink": Ways(greets=False, answers=False),
    "black_hole": Ways(greets=False, answers=False, idle=False, wideband=False),
    "slow": Ways(greets=False, idle=False, thinks=4.5),
    "hangs_up_when_asked": Ways(hangs_up_on=_HANGUP, stated=Features(roles={"hangup": TestRole(uuid=_HANGUP)})),
    "one_at_a_time": Ways(one_at_a_time=True),
    "one_echo_at_a_time": replace(_ECHO, one_at_a_time=True),
    "barge_in": Ways(greeting=6.0, stated=Features(barge_in=True, stated=frozenset({"barge_in"}))),
    "packets_of_10_ms": Ways(packet=0.01),
    "packets_of_60_ms": replace(_ECHO, packet=0.06),
}
"""Each kind, by name."""
