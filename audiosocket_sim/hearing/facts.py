"""What the ear reports of what came out of the phone: facts, each as soon as it is known. Data only."""

from dataclasses import dataclass, field

from audiosocket_sim.hearing.modelled_playout import PhoneLost
from audiosocket_sim.hearing.phone_buffer import SentAhead
from audiosocket_sim.hearing.sound_kinds import SoundKind

__all__ = [
    "Fact",
    "HeardDamage",
    "HeardHoldStarted",
    "HeardHoldStopped",
    "HeardHole",
    "HeardSpeech",
    "HeardSpeechStarted",
    "PhoneLost",
    "SentAhead",
]


@dataclass(frozen=True, slots=True)
class HeardSpeechStarted:
    """A stretch of speech began at `at` (s), its first audible sample. Reported 30 to 120 ms later."""

    at: float


@dataclass(frozen=True, slots=True)
class HeardSpeech:
    """A stretch of speech is over. It began at `at` (s); `heard_ms` counts what was audible, without holes (`gap_ms`).

    `text`, `whole_ms` and `voice` (`prompt` or `synthetic`) belong to a known phrase, of which `heard_ms` were heard;
    otherwise they are None and `unread`. `ahead_ms` is the most that the bot had sent ahead of real time, beyond one
    frame: a bot that changes its mind is still heard for that long. Holes and leads below 10 ms are not reported.
    `hole_ms` counts the holes that cut into sound: not those where the sound before and behind is a pause anyway.
    `level_dbfs`: the level (RMS) of what was audible.
    `holes_ms`: these holes, as (ms from its start, length in ms); at most 200.
    `parts_ms`: from when to when it was audible between pauses of 200 ms and more, counted from its start; empty: there
    was no such pause.
    `pauses_ms`: where the bot paused in a known phrase, as (ms from its start, length in ms): quiet that is not in the
    phrase. `twice_ms`: how much of the phrase is said twice around them. Neither is part of `heard_ms`.
    `skipped_ms`: how much of a known phrase is missing at its beginning. `sound`: what it is if it could not be read:
    `speech`, or `music`, a `tone`, steady `noise` (`sound_kinds`). `pcm`: its sound (8 kHz SLIN) then.
    """

    at: float
    heard_ms: int
    whole_ms: int | None = None
    text: str | None = None
    voice: str = "unread"
    gap_ms: int = 0
    ahead_ms: int = 0
    hole_ms: int = 0
    level_dbfs: float | None = None
    parts_ms: tuple[tuple[int, int], ...] = ()
    skipped_ms: int = 0
    sound: SoundKind = "speech"
    holes_ms: tuple[tuple[int, int], ...] = ()
    pauses_ms: tuple[tuple[int, int], ...] = ()
    twice_ms: int = 0
    pcm: bytes = field(default=b"", repr=False, compare=False)

    @property
    def lasted_ms(self) -> int:
        """The time from its first audible sound to its last."""
        return self.heard_ms + self.gap_ms + self.twice_ms + sum(length for _, length in self.pauses_ms)


@dataclass(frozen=True, slots=True)
class HeardHole:
    """Between two stretches of speech, which were audible up to it on both sides, there was nothing to play.

    `at`: from when on (s). `in_a_phrase`: the phrase before it had not been said to its end.
    """

    at: float
    hole_ms: int
    in_a_phrase: bool


@dataclass(frozen=True, slots=True)
class HeardDamage:
    """A fault of the sound began at `at` (s) and lasted `duration_ms`. It is reported up to half a second after the end
    of the stretch that it is in.

    `kind`: `damage`, or `hold_seam`. `what`: the fault for people, with its cause. `amount`: how much of it, or None.
    `fault`: the kind of damage, as `damage.model` names it. `places_ms`: each single fault of it, as (ms from `at`,
    length in ms), at most 200; `more_places`: how many others there are.
    """

    at: float
    kind: str
    what: str
    amount: float | None = None
    duration_ms: int = 0
    fault: str = ""
    places_ms: tuple[tuple[int, int], ...] = ()
    more_places: int = 0


@dataclass(frozen=True, slots=True)
class HeardHoldStarted:
    """Hold audio began at `at` (s). Reported after 200 ms of it; after half a second where it is not the loop sample by
    sample, after two seconds where it is other music or a tone. `file`: the name of the music; None: it has none."""

    at: float
    file: str | None = None


@dataclass(frozen=True, slots=True)
class HeardHoldStopped:
    """Hold audio stopped at `at` (s). `seamless`: it followed its loop without a jump, hole or other sound over it.
    `file`: as in HeardHoldStarted."""

    at: float
    duration_ms: int
    seamless: bool
    file: str | None = None


Fact = (
    HeardSpeechStarted
    | HeardSpeech
    | HeardDamage
    | HeardHoldStarted
    | HeardHoldStopped
    | HeardHole
    | SentAhead
    | PhoneLost
)
"""Anything that the ear reports."""
