"""The line of a call as frozen data: codec, noise, echo, and what is around the caller. Data only."""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from audiosocket_sim.scenario.fields import DurationMs, Model, PositiveMs, Shorthand

__all__ = ["BackgroundNoise", "Echo", "Line", "RoomSound", "SecondTalker"]


def _known_echo_delay(ms: int) -> int:
    if ms > 2000:
        raise ValueError("an echo comes within 2 s")
    return ms


def _known_spread(ms: int) -> int:
    if ms > 500:
        raise ValueError("an echo is smeared over 500 ms at most")
    return ms


def _known_reverb(ms: int) -> int:
    if ms > 2000:
        raise ValueError("a room dies away within 2 s")
    return ms


class Echo(Model):
    """The echo of the bot's own sound, mixed into what the caller sends."""

    delay: Annotated[PositiveMs, AfterValidator(_known_echo_delay)] = Field(
        default=80, description="from the bot's sound at the phone to its echo in what the phone sends, up to 2 s"
    )
    gain_db: float = Field(default=-20.0, ge=-60, le=0, description="how much softer")
    spread: Annotated[DurationMs, AfterValidator(_known_spread)] = Field(
        default=8, description="smeared over so much: 8 ms as a hybrid does, 60 ms as a room; 0: a pure copy"
    )


class _Behind(Model):
    recording: str | None = Field(default=None, description="of recordings/, such as sounds/street")
    file: str | None = Field(default=None, description="an audio file beside the scenario")

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.recording is None) == (self.file is None):
            raise ValueError("needs exactly one of: recording, file")
        return self


class BackgroundNoise(_Behind):
    """A sound that is heard behind the caller all the time, round and round."""

    snr_db: float = Field(default=15.0, ge=-20, le=60, description="how much louder the caller's own words are")


class SecondTalker(_Behind):
    """Somebody else who speaks behind the caller, again and again."""

    snr_db: float = Field(default=12.0, ge=-20, le=60, description="how much louder the caller's own words are")
    after: DurationMs = Field(default=0, description="when he begins, from the first packet on")
    pause: DurationMs = Field(default=2000, description="how long he is silent before he says it again")


class RoomSound(Model):
    """The room in which the caller speaks."""

    reverb: Annotated[PositiveMs, AfterValidator(_known_reverb)] = Field(
        default=300, description="how long it takes to die away by 60 dB, up to 2 s"
    )
    reverb_db: float = Field(default=-6.0, ge=-40, le=10, description="its energy, relative to the direct sound")


class Line(Model):
    """The line, which changes the sound between the caller's mouth and Asterisk."""

    codec: Literal["ulaw", "alaw", "gsm", "none"] = Field(
        default="ulaw",
        description="G.711; GSM, of the caller's sound alone; or linear samples untouched",
    )
    noise_dbfs: float | None = Field(
        default=None, le=0, ge=-120, description="white noise under all that the caller sends; none otherwise"
    )
    noise: Annotated[BackgroundNoise, Shorthand("recording")] | None = Field(
        default=None, description="a sound behind the caller, all the time; none otherwise"
    )
    talker: Annotated[SecondTalker, Shorthand("recording")] | None = Field(
        default=None, description="somebody else who speaks behind the caller; nobody otherwise"
    )
    room: Annotated[RoomSound, Shorthand("reverb")] | None = Field(
        default=None, description="the room in which the caller speaks; none otherwise"
    )
    gain_db: float = Field(default=0.0, ge=-60, le=40, description="louder or softer, both ways")
    echo: Annotated[Echo, Shorthand("delay")] | None = Field(
        default=None, description="of the bot's own voice; none otherwise"
    )
    seed: int = Field(default=1, description="the same seed, the same noise and the same path of the echo")
