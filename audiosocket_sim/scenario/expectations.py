"""What can be expected of a bot: one model for each key, and exactly one key in an expectation. Data only.

`checks` decides whether an expectation is met. docs/scenarios.md describes each key: when it is met and what it costs.
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from audiosocket_sim.scenario.fields import DurationMs, Model, PositiveMs, Shorthand, Words
from audiosocket_sim.scenario.quality import LevelRange

__all__ = [
    "EXPECTATION_KEYS",
    "NEVER_KEYS",
    "BackendAskedExpectation",
    "BotSays",
    "BotSilent",
    "BotSpeaks",
    "Expectation",
    "HangsUp",
    "HoldAudio",
    "Never",
    "StateIs",
    "Within",
]


class BotSays(Model):
    """The bot says a text, as the caller hears it: the whole utterance, to its end."""

    text: Words = Field(description="the bot's words; case, accents and punctuation do not count")
    part: bool = Field(default=False, description="true: the text may be a part of what the bot says")


class BotSpeaks(Model):
    """The bot speaks, in any words: this works for every voice."""

    at_least: PositiveMs = Field(default=200, description="for how long, without falling silent")


class BotSilent(Model):
    """The caller hears no speech of the bot."""

    at_least: PositiveMs = Field(default=500, description="for how long without a break")


class HoldAudio(Model):
    """Hold audio (waiting music), as the caller hears it."""

    is_: Literal["playing", "stopped"] = Field(alias="is", description="playing, or has stopped since the step before")


class StateIs(Model):
    """The bot's own state, if the target reports it by its control API."""

    is_: Literal["STANDBY", "USER_TURN", "WAITING", "IA_TURN"] = Field(alias="is", description="the state")
    when_told: bool = Field(default=False, description="true: pass over this step if the target reports no states")


class BackendAskedExpectation(Model):
    """The bot asked the AI backend: this shows what the bot understood."""

    content: Words = Field(description="a part of what the backend was asked, without case and accents")


class HangsUp(Model):
    """The call ends: by whom, how on the wire, and what Asterisk's dialplan makes of it."""

    who: Literal["server", "caller", "asterisk"] = Field(description="asterisk: it dropped the call by its own rules")
    how: Literal["hangup_message", "fin", "reset", "unanswered", "protocol"] | None = Field(
        default=None,
        description="00 00 00, a plain end of the connection, a reset, a channel that was never answered, "
        "or one of Asterisk's rules; any of them otherwise",
    )
    dialplan: Literal["continues", "ends", "channel_ends"] | None = Field(
        default=None, description="how the dialplan goes on; channel_ends with attach: chan; any otherwise"
    )
    last_word: Literal["heard"] | None = Field(
        default=None, description="heard: the bot has spoken, and all speech that it had sent was played before the end"
    )


class Expectation(Model):
    """Exactly one of: bot_says, bot_speaks, bot_silent, hold_audio, state, backend_asked, hangs_up."""

    _more_keys: ClassVar[tuple[str, ...]] = ()

    bot_says: Annotated[BotSays, Shorthand("text")] | None = Field(default=None, description="the bot says this")
    bot_speaks: Annotated[BotSpeaks, Shorthand("at_least")] | None = Field(
        default=None, description="the bot speaks for this long, in any words"
    )
    bot_silent: Annotated[BotSilent, Shorthand("at_least")] | None = Field(
        default=None, description="the bot is silent for this long"
    )
    hold_audio: Annotated[HoldAudio, Shorthand("is")] | None = Field(default=None, description="playing or stopped")
    state: Annotated[StateIs, Shorthand("is")] | None = Field(default=None, description="the bot's own state")
    backend_asked: Annotated[BackendAskedExpectation, Shorthand("content")] | None = Field(
        default=None, description="a part of what the AI backend was asked"
    )
    hangs_up: Annotated[HangsUp, Shorthand("who")] | None = Field(default=None, description="who ends the call")

    @property
    def key(self) -> str:
        """The key that is set, as written in the scenario: `bot_says`, …"""
        return next(key for key in self._keys() if getattr(self, key) is not None)

    @classmethod
    def _keys(cls) -> tuple[str, ...]:
        return EXPECTATION_KEYS + cls._more_keys

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        given = [key for key in self._keys() if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError(f"one expectation at a time: {' and '.join(given)} are {len(given)} steps")
        if not given:
            raise ValueError(f"an expectation needs exactly one of: {', '.join(self._keys())}")
        return self


EXPECTATION_KEYS = tuple(Expectation.model_fields)


class Within(Expectation):
    """Something that must happen within a time. Exactly one expectation, and `within`."""

    within: DurationMs = Field(
        default=5000, description="from the completion of the step before to the start of the thing expected"
    )


class Never(Expectation):
    """Something that must not happen in a window of time. Exactly one expectation or kind of defect, and `for`."""

    _more_keys: ClassVar[tuple[str, ...]] = ("holes", "ahead", "level_dbfs", "damage", "premature")

    holes: PositiveMs | None = Field(default=None, description="holes of more than this in one stretch of speech")
    ahead: PositiveMs | None = Field(default=None, description="sound sent more than this ahead of what is playing")
    level_dbfs: LevelRange | None = Field(default=None, description="speech below the first level or over the second")
    damage: Literal["any"] | None = Field(default=None, description="damaged sound of any kind")
    premature: Literal["any"] | None = Field(
        default=None, description="the bot begins to speak in the midst of the caller's sentence"
    )
    for_: PositiveMs | None = Field(
        default=None,
        alias="for",
        description="the window, from the completion of the step before; by default to the end of the call",
    )


NEVER_KEYS = EXPECTATION_KEYS + Never._more_keys
