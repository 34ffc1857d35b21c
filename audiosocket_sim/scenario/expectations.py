"""What can be expected of a bot: one model for each key, and exactly one key in an expectation. Data only.

`checks` decides whether an expectation is met. docs/scenarios.md describes each key: when it is met and what it costs.
"""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from audiosocket_sim.scenario.bot_words import BotSays
from audiosocket_sim.scenario.fields import DurationMs, Model, PositiveMs, Shorthand, Words, misfit
from audiosocket_sim.scenario.quality import LevelRange

__all__ = [
    "EXPECTATION_KEYS",
    "EXPECT_KEYS",
    "NEVER_KEYS",
    "OWN_WINDOW_KEYS",
    "AsksAgain",
    "BackendAskedExpectation",
    "BotGoesOn",
    "BotSays",
    "BotSilent",
    "BotSpeaks",
    "BotStops",
    "DeadAir",
    "Expectation",
    "HangsUp",
    "HoldAudio",
    "Never",
    "Responds",
    "Resumes",
    "StateIs",
    "TalkOver",
    "Within",
]


class BotSpeaks(Model):
    """The bot speaks, in any words: this works for every voice."""

    at_least: PositiveMs = Field(default=200, description="for how long, without falling silent")


class BotSilent(Model):
    """The caller hears no speech of the bot."""

    at_least: PositiveMs = Field(default=500, description="for how long without a break")


class HoldAudio(Model):
    """Hold audio (waiting music), as the caller hears it."""

    is_: Literal["playing", "stopped"] = Field(alias="is", description="playing, or has stopped since the step before")
    file: str | None = Field(
        default=None,
        description="the music, an audio file beside the scenario; by default audio/waiting.slin, and any music or "
        "tone of 2 s and more",
    )


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


class Responds(Model):
    """The bot answers the caller: from the end of his last word to its first audible speech."""

    within: DurationMs = Field(
        default=5000, description="from the end of the caller's last word to the bot's first audible speech after it"
    )


class BotStops(Model):
    """The bot stops speaking for a caller who begins to speak over it."""

    within: PositiveMs = Field(
        default=2000, description="from the caller's first sound over the bot's speech to the last that is heard of it"
    )


class BotGoesOn(Model):
    """The bot goes on speaking for 2 s after a sound of the caller over its speech, or to the end of its sentence."""

    pause: DurationMs = Field(
        default=900, description="the longest that it may fall silent, if it then goes on where it had stopped"
    )


class Resumes(Model):
    """The bot goes on after a sound of the caller made it stop: where it had stopped, or with the sentence anew."""

    within: PositiveMs = Field(
        default=2000, description="from the last that is heard of the bot to its next audible speech"
    )


class AsksAgain(Model):
    """The bot speaks again though the caller says nothing, or nothing that it understands."""

    within: PositiveMs = Field(
        default=10_000, description="from the last that was heard of either to the bot's next audible speech"
    )


class TalkOver(Model):
    """Caller and bot speak at once, whoever began."""

    at_least: PositiveMs = Field(default=100, description="for how long; shorter is what happens at a change of turn")


class DeadAir(Model):
    """Nobody is heard, neither speech nor hold audio, while it is the bot's turn."""

    at_least: PositiveMs = Field(default=3000, description="for how long without a break")


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
"""The keys that both `expect` and `never` may have."""


class Within(Expectation):
    """Something that must happen within a time. Exactly one expectation, and `within`.

    `responds`, `bot_stops`, `bot_goes_on`, `resumes` and `asks_again` have times of their own, which count from what
    was heard of the caller or of the bot.
    """

    _more_keys: ClassVar[tuple[str, ...]] = ("responds", "bot_stops", "bot_goes_on", "resumes", "asks_again")

    responds: Annotated[Responds, Shorthand("within")] | None = Field(
        default=None, description="the bot answers so soon after the caller's last word"
    )
    bot_stops: Annotated[BotStops, Shorthand("within")] | None = Field(
        default=None, description="the bot stops so soon after the caller began to speak over it"
    )
    bot_goes_on: Annotated[BotGoesOn, Shorthand("pause")] | None = Field(
        default=None, description="the bot goes on speaking, whatever the caller's last sound was"
    )
    resumes: Annotated[Resumes, Shorthand("within")] | None = Field(
        default=None, description="the bot goes on so soon after the caller's last sound made it stop"
    )
    asks_again: Annotated[AsksAgain, Shorthand("within")] | None = Field(
        default=None, description="the bot speaks again so soon after both were silent"
    )
    within: DurationMs = Field(
        default=5000, description="from the completion of the step before to the start of the thing expected"
    )

    @model_validator(mode="after")
    def _within_is_inside(self) -> Self:
        if self.key == "bot_goes_on" and "within" in self.model_fields_set:
            raise misfit("bot_goes_on is judged for 2 s from the caller's sound on: it has no within", "within")
        if self.key in OWN_WINDOW_KEYS and "within" in self.model_fields_set:
            heard = "what was heard last" if self.key == "asks_again" else "the caller's words"
            raise misfit(f"counts from {heard} here: write {self.key}: {{within: …}}", "within")
        return self


class Never(Expectation):
    """Something that must not happen in a window of time. Exactly one expectation or kind of defect, and `for`."""

    _more_keys: ClassVar[tuple[str, ...]] = (
        "talk_over",
        "dead_air",
        "holes",
        "ahead",
        "level_dbfs",
        "damage",
        "premature",
    )

    talk_over: Annotated[TalkOver, Shorthand("at_least")] | None = Field(
        default=None, description="caller and bot speak at once for so long"
    )
    dead_air: Annotated[DeadAir, Shorthand("at_least")] | None = Field(
        default=None, description="nobody is heard for so long while it is the bot's turn"
    )
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
    while_: Literal["caller_speaks", "bot_speaks"] | None = Field(
        default=None, alias="while", description="count only what happens while the one or the other speaks"
    )

    @model_validator(mode="after")
    def _while_makes_sense(self) -> Self:
        if self.while_ is not None and (self.key in ("talk_over", "dead_air") or self.key == self.while_):
            raise misfit(f"does not go with {self.key}, which is about who speaks itself", "while")
        if self.while_ == "bot_speaks" and self.key == "bot_silent":
            raise misfit("who speaks is not silent", "while")
        return self

    @model_validator(mode="after")
    def _no_judge(self) -> Self:
        if self.bot_says is not None and self.bot_says.judge is not None:
            raise misfit("a judge is asked about what the bot is to say, below expect", "bot_says", "judge")
        return self


EXPECT_KEYS = EXPECTATION_KEYS + Within._more_keys
"""The keys of which an `expect` has exactly one."""
OWN_WINDOW_KEYS = Within._more_keys
"""The keys whose window does not count from the step before."""
NEVER_KEYS = EXPECTATION_KEYS + Never._more_keys
