"""The scenario as frozen data: what each key means, its default and its limits. Neither reads YAML nor runs anything.

Every model is frozen and refuses unknown keys. Durations are held as whole milliseconds and written with a unit
(`300ms`, `1.2s`, `5 min`). docs/scenarios.md is the reference for people, `scenario.schema.json` the one for editors.
The parts are defined in `fields`, `anchors`, `step_models` and `expectations`; this module exports all of them.
"""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic.json_schema import SkipJsonSchema

from audiosocket_sim.asterisk.profiles import FIRST_PACKET_MS, VERSIONS, CallerCodec, profile
from audiosocket_sim.scenario.anchors import ANCHOR_EVENTS, Anchor
from audiosocket_sim.scenario.caller_ear import CallerEar
from audiosocket_sim.scenario.callers import CallerPlace
from audiosocket_sim.scenario.cassette import RawExchange
from audiosocket_sim.scenario.expectations import (
    EXPECT_KEYS,
    EXPECTATION_KEYS,
    NEVER_KEYS,
    OWN_WINDOW_KEYS,
    AsksAgain,
    BackendAskedExpectation,
    BotGoesOn,
    BotSays,
    BotSilent,
    BotSpeaks,
    BotStops,
    DeadAir,
    Expectation,
    HangsUp,
    HoldAudio,
    Never,
    Responds,
    Resumes,
    StateIs,
    TalkOver,
    Within,
)
from audiosocket_sim.scenario.fields import (
    DURATION_PATTERN,
    DurationMs,
    Model,
    OneOrMore,
    PositiveMs,
    Quoted,
    Shorthand,
    Words,
    format_duration,
    misfit,
    parse_duration_ms,
)
from audiosocket_sim.scenario.hooks import PLACEHOLDERS, Hook, filled
from audiosocket_sim.scenario.line import BackgroundNoise, Echo, Line, RoomSound, SecondTalker
from audiosocket_sim.scenario.nesting import (
    BlockStep,
    StepPlace,
    all_steps,
    blocks_of,
    check_nesting,
    expectation_at,
    expectations_in,
    says_in,
    step_at,
)
from audiosocket_sim.scenario.quality import Quality
from audiosocket_sim.scenario.reader_model import Reader
from audiosocket_sim.scenario.step_models import (
    STEP_KEYS,
    AnyOfStep,
    DtmfStep,
    ExpectStep,
    HangUp,
    HangUpStep,
    IfHeardStep,
    MuteStep,
    NeverStep,
    Noise,
    NoiseStep,
    OptionalStep,
    Repeat,
    RepeatStep,
    Say,
    SayStep,
    SilenceStep,
    Step,
    Tone,
    ToneStep,
    WaitStep,
)
from audiosocket_sim.scenario.turn_limits import TurnLimits
from audiosocket_sim.scenario.written import KeyPath, Written

__all__ = [
    "ANCHOR_EVENTS",
    "ASTERISK_VERSIONS",
    "EXPECTATION_KEYS",
    "EXPECT_KEYS",
    "NEVER_KEYS",
    "OWN_WINDOW_KEYS",
    "PLACEHOLDERS",
    "STEP_KEYS",
    "Ai",
    "Anchor",
    "AnyOfStep",
    "AsksAgain",
    "AsteriskPeer",
    "BackendAskedExpectation",
    "BackgroundNoise",
    "BlockStep",
    "BotGoesOn",
    "BotSays",
    "BotSilent",
    "BotSpeaks",
    "BotStops",
    "CallerEar",
    "CallerPlace",
    "DeadAir",
    "DtmfStep",
    "Echo",
    "ExpectStep",
    "Expectation",
    "HangUp",
    "HangUpStep",
    "HangsUp",
    "HoldAudio",
    "Hook",
    "IfHeardStep",
    "Jitter",
    "Line",
    "MuteStep",
    "Network",
    "Never",
    "NeverStep",
    "Noise",
    "NoiseStep",
    "OptionalStep",
    "Push",
    "Quality",
    "Reader",
    "Repeat",
    "RepeatStep",
    "Reply",
    "Responds",
    "Resumes",
    "RoomSound",
    "Say",
    "SayStep",
    "Scenario",
    "SecondTalker",
    "SilenceStep",
    "StateIs",
    "Step",
    "StepPlace",
    "TalkOver",
    "Tone",
    "ToneStep",
    "TurnLimits",
    "WaitStep",
    "Within",
    "all_steps",
    "check_hang_up",
    "expectation_at",
    "expectations_in",
    "filled",
    "format_duration",
    "parse_duration_ms",
    "says_in",
    "step_at",
]

ASTERISK_VERSIONS = tuple(version for version, _ in VERSIONS)
"""The releases whose behaviour on the wire is simulated (docs/protocol.md, 6)."""

PACKET_TIMES_MS = (10, 20, 30, 40, 60)


# --- the peer and the way to the server ---------------------------------------------------------------------------


class Jitter(Model):
    """How unevenly the caller's packets arrive (docs/protocol.md, FID-07); their mean rate stays exact."""

    up_to: PositiveMs = Field(default=140, description="the longest single gap beyond the packet time")
    seed: int = Field(default=1, description="the same seed, the same gaps")


class PeerStall(Model):
    """A time in which Asterisk as a whole stands still, as on a busy machine: it reads nothing and sends nothing."""

    at: DurationMs = Field(description="after the UUID")
    for_: PositiveMs = Field(alias="for", description="how long it stands still")
    caller: Literal["phone", "local"] = Field(
        default="phone",
        description="phone: its packets wait and come in a burst; local (Playback, a Local channel): none were made",
    )


def _known_version(version: str) -> str:
    return profile(version).version


def _known_packet_time(ms: int) -> int:
    if ms not in PACKET_TIMES_MS:
        raise ValueError("phones send packets of 10, 20, 30, 40 or 60 ms")
    return ms


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise ValueError(f"a UUID looks like 0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57, not {text!r}") from None


def _phase(value: object) -> object:
    return "0ms" if value == "with_uuid" else value


def _as_list(value: object) -> object:
    return [value] if isinstance(value, dict) else value


def _no_overlap(stalls: Sequence[PeerStall]) -> Sequence[PeerStall]:
    for before, after in itertools.pairwise(sorted(stalls, key=lambda stall: stall.at)):
        if before.at + before.for_ > after.at:
            raise ValueError(f"the stall at {format_duration(after.at)} begins before the one before it is over")
    return stalls


class AsteriskPeer(Model):
    """The Asterisk that calls: its version, and how the AudioSocket is attached to the call."""

    version: Annotated[
        str,
        AfterValidator(_known_version),
        Quoted,
        WithJsonSchema({"anyOf": [{"enum": list(ASTERISK_VERSIONS)}, {"type": "string"}]}),
    ] = Field(default="22.10", description="in quotes; its rules on the wire are imitated")
    attach: Literal["app", "chan"] = Field(default="app", description="AudioSocket() or Dial(AudioSocket/…)")
    packet_time: Annotated[DurationMs, AfterValidator(_known_packet_time)] = Field(
        default=20, description="of the caller's phone: 10, 20, 30, 40 or 60 ms"
    )
    first_packet: Annotated[
        DurationMs,
        BeforeValidator(_phase),
        WithJsonSchema({"anyOf": [{"enum": ["with_uuid"]}, {"type": "string", "pattern": DURATION_PATTERN}]}),
    ] = Field(
        default=round(FIRST_PACKET_MS),
        description="from the UUID to the caller's first packet; with_uuid: in the same segment as the UUID",
    )
    rate_hz: Literal[8000, 12000, 16000, 24000, 32000, 44100, 48000, 96000, 192000] = Field(
        default=8000, description="c(slin…) of the channel driver; the application is 8 kHz always"
    )
    uuid: Annotated[str, AfterValidator(_uuid)] | None = Field(
        default=None, description="the call's UUID; made from the scenario's name otherwise"
    )
    answered: bool = Field(default=True, description="false: the application connects and closes with no byte")
    connect_pause: DurationMs = Field(default=0, description="between the connect and the UUID")
    mixed: bool = Field(default=False, description="chan in a conference: zeros every 20 ms while the caller is quiet")
    c: CallerCodec = Field(
        default="slin",
        description="ulaw, alaw, g722, gsm: the dialplan lacks c(slin), so chan sends the phone's codec as 0x10",
    )
    bridge_after: DurationMs | None = Field(
        default=None, description="ARI: chan is in no bridge until so long after the UUID, and no audio flows"
    )
    comfort_noise: bool | Annotated[int, Field(ge=1, le=64)] = Field(
        default=False, description="the phone says when it falls silent (mute); a number: in a packet of so many bytes"
    )
    absolute_timeout: PositiveMs | None = Field(
        default=None, description="TIMEOUT(absolute) of the dialplan, counted from the UUID; none otherwise"
    )
    stall: Annotated[Sequence[PeerStall], BeforeValidator(_as_list), AfterValidator(_no_overlap)] = Field(
        default=(), max_length=100, description="Asterisk stands still: one such time, or a list of them"
    )
    stuck_in_header: bool = Field(
        default=False, description="asterisk/asterisk #2089: the caller is not heard before the server's first byte"
    )
    jitter: Annotated[Jitter, Shorthand("up_to")] | None = Field(default=None, description="uneven packets")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.attach == "app" and self.rate_hz != 8000:
            raise misfit(f"{self.rate_hz} needs attach: chan; the application is 8 kHz always", "rate_hz")
        if self.attach == "app" and self.mixed:
            raise misfit("needs attach: chan; the application is never in a conference", "mixed")
        if self.attach == "app" and self.c != "slin":
            raise misfit(f"{self.c} needs attach: chan; the application sends SLIN always", "c")
        if self.c == "gsm" and self.packet_time % 20:
            raise misfit("gsm: GSM's frames are 20 ms long: packet_time: 20ms, 40ms or 60ms", "c")
        if self.c != "slin" and self.rate_hz != 8000:
            raise misfit(f"{self.c} is 8 kHz always", "c")
        if self.attach == "app" and self.bridge_after is not None:
            raise misfit("needs attach: chan; the application is in no bridge", "bridge_after")
        if self.stuck_in_header and not profile(self.version).era.may_stick_in_a_header:
            raise misfit(f"Asterisk {self.version} does not have this fault: 22.8 and later do", "stuck_in_header")
        if self.attach == "chan" and not self.answered:
            raise misfit("false needs attach: app; the channel driver answers when it is connected", "answered")
        return self


class Network(Model):
    """The network, which carries the bytes between Asterisk and the server."""

    kernel: bool = Field(default=False, description="over kernel loopback instead of in memory")
    split: Literal["none", "bytes", "seeded"] = Field(
        default="none", description="cut what is written: every byte on its own, or at seeded places"
    )
    seed: int = Field(default=1, description="of the seeded places")


# --- the AI backend -----------------------------------------------------------------------------------------------

_Status = Annotated[
    str, WithJsonSchema({"anyOf": [{"enum": ["USER_TURN", "WAITING", "IA_TURN", "STANDBY"]}, {"type": "string"}]})
]


def _check_status(nested_status: bool, status: str | None) -> None:
    if nested_status and status is None:
        raise misfit("it says where set_call_status is put, so it needs set_call_status", "nested_status")


def _not_json(value: object) -> Iterator[KeyPath]:
    """Yield the path to each number in the value that JSON cannot represent (infinity, NaN)."""
    if isinstance(value, float) and not math.isfinite(value):
        yield ()
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        for path in _not_json(inner):
            yield (key, *path)


class Push(Model):
    """A later message of the backend: JSON like that of a reply, sent by POST to the server's control API."""

    after: DurationMs = Field(default=0, description="after the reply or push before it was sent")
    says: str | None = Field(default=None, description="mensagem; absent from the JSON otherwise")
    set_call_status: _Status | None = Field(default=None, description="absent from the JSON otherwise")
    nested_status: bool = Field(default=False, description="status inside `content`, as old backends send it")
    expect_http: Annotated[int | None, WithJsonSchema({"type": ["integer", "null"]})] = Field(
        default=202, description="the status that the control API must answer with; null: any"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _check_status(self.nested_status, self.set_call_status)
        return self


class Reply(Model):
    """One answer of the mock AI backend. The first unused reply whose `hears` matches the request is used."""

    hears: Words | None = Field(
        default=None, description="a part of the caller's words, without case and accents; any request otherwise"
    )
    after: DurationMs = Field(default=0, description="think time")
    says: str | None = Field(default=None, description="mensagem; absent from the JSON otherwise")
    set_call_status: _Status | None = Field(default=None, description="absent from the JSON otherwise")
    nested_status: bool = Field(default=False, description="status inside `content`, as old backends send it")
    body: dict[str, Any] | None = Field(
        default=None, description="the whole JSON answer, instead of says and set_call_status"
    )
    fault: (
        Literal["http_500", "http_404", "invalid_json", "missing_content", "no_answer", "reset", "refused"] | None
    ) = Field(default=None, description="what goes wrong instead of a good answer")
    optional: bool = Field(default=False, description="need not be used")
    times: int = Field(default=1, ge=1, description="how often it answers")
    then_pushes: tuple[Push, ...] = Field(default=(), strict=False, description="later messages, in order")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        _check_status(self.nested_status, self.set_call_status)
        if self.nested_status and self.fault == "missing_content":
            raise misfit("there is no `content` to put the status into", "nested_status")
        for at in _not_json(self.body):
            raise misfit("JSON has no infinity and no NaN", "body", *at)
        if self.body is not None and (self.says is not None or self.set_call_status is not None):
            raise misfit("it is the whole answer: says and set_call_status cannot stand beside it", "body")
        if self.fault is None:
            return self
        if self.says is not None or self.body is not None:
            raise misfit(f"{self.fault} gives no answer, so says and body cannot stand beside it", "fault")
        if self.set_call_status is not None and self.fault != "missing_content":
            raise misfit(f"{self.fault} gives no answer, so set_call_status cannot stand beside it", "fault")
        if self.then_pushes and self.fault in ("no_answer", "refused"):
            raise misfit(f"they count from the answer, and fault: {self.fault} never answers", "then_pushes")
        return self


Ai = tuple[Reply, ...]


# --- the whole ----------------------------------------------------------------------------------------------------


def _tag(text: str) -> str:
    if not (text.isascii() and text.isidentifier() and text.islower()):
        raise ValueError(f"a tag consists of lower-case letters, digits and _, not {text!r}")
    return text


def _not_empty(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    if not steps:
        raise ValueError("a scenario needs at least one step")
    return steps


class Scenario(Model):
    """One phone call: who calls, what the AI backend answers, what the caller does and what must happen.

    Of a scenario with several calls it is the first one; `calls` are all of them.
    """

    name: SkipJsonSchema[str] = Field(default="", alias="(name)", exclude=True)
    """The file's name without its suffix. Set by the loader; not a key of a scenario."""
    folder: SkipJsonSchema[Path | None] = Field(default=None, alias="(folder)", exclude=True)
    """The folder of the file, to which `say: {file: …}` is relative. Set by the loader; not a key of a scenario."""

    written: SkipJsonSchema[Written] = Field(default=Written(), alias="(written)", exclude=True)
    """Line and column of each part in the file. Set by the loader; not a key of a scenario."""

    cell: SkipJsonSchema[Mapping[str, str]] = Field(default={}, alias="(cell)", exclude=True)
    """The variables of `for_each` with short texts for their values in this call. Set by the loader; no key."""
    parts: SkipJsonSchema[tuple[Path, ...]] = Field(default=(), alias="(parts)", exclude=True)
    """The files that belong to it beside its own: included steps, defaults. Set by the loader; no key."""

    made_calls: SkipJsonSchema[tuple[Any, ...]] = Field(default=(), alias="(calls)", exclude=True)
    """The calls of a scenario with `callers` or `then`. Set by the loader; no key."""
    caller: SkipJsonSchema[CallerPlace] = Field(default=CallerPlace(), alias="(caller)", exclude=True)
    """Which of several calls this is. Set by the loader; no key."""

    summary: Words = Field(description="the point of this call, in a sentence")
    for_each: dict[str, tuple[Any, ...]] = Field(
        default_factory=dict,
        strict=False,
        description="names with lists of values: one call for each combination, in which ${name} is the value",
    )
    runs: int = Field(
        default=1, ge=1, le=1000, description="how many calls, each with other seeds, must all pass for it to pass"
    )
    tags: tuple[Annotated[str, AfterValidator(_tag)], ...] = Field(
        default=(), strict=False, description="words to choose scenarios by: pytest -m"
    )
    asterisk: Annotated[AsteriskPeer, Shorthand("version")] = Field(
        default=AsteriskPeer(), description="a version in quotes, or a mapping"
    )
    line: Line = Field(default=Line(), description="what happens to sound")
    network: Network = Field(default=Network(), description="what happens to bytes")
    server: dict[str, Any] = Field(
        default_factory=dict, description="settings of the server under test; needs a target that takes overrides"
    )
    cassette: SkipJsonSchema[tuple[RawExchange, ...]] = Field(default=(), alias="(cassette)", exclude=True)
    """The content of `ai_cassette`. Set by the loader; not a key of a scenario."""

    ai: Ai = Field(default=(), strict=False, description="what the AI backend answers")
    ai_cassette: str | None = Field(
        default=None, description="a captured backend of any protocol, instead of ai: its cassette beside the scenario"
    )
    quality: Quality = Field(default=Quality(), description="which defects of the bot's sound fail the call")
    turn_taking: TurnLimits = Field(default=TurnLimits(), description="limits on what is measured of turn-taking")
    ear: Annotated[CallerEar, Shorthand("model")] = Field(
        default=CallerEar(), description="the caller's phone: when it plays what comes, and what it loses"
    )
    reader: Annotated[Reader, Shorthand("use")] | None = Field(
        default=None, description="who reads the words of a voice that no phrase book knows: local, or module:callable"
    )
    before: Annotated[tuple[Hook, ...], OneOrMore()] = Field(
        default=(), max_length=100, description="what is done when the target has started, before the call"
    )
    after: Annotated[tuple[Hook, ...], OneOrMore()] = Field(
        default=(), max_length=100, description="what is done after the call, before the target is stopped"
    )
    reaction: DurationMs = Field(default=700, description="how long after the bot fell silent the caller speaks")
    max_duration: PositiveMs = Field(default=300_000, description="past it the scenario fails")
    voice: str | None = Field(default=None, description="which speaks the texts of `say` that name no voice themselves")
    callers: Any = Field(
        default=None, description="several callers at a time: a list of them, or how many that are alike"
    )
    then: Any = Field(default=None, description="who calls next, in the same process of the bot: one, or a list")
    steps: Annotated[tuple[Step, ...], AfterValidator(_not_empty)] = Field(
        strict=False, description="what the caller does and expects"
    )

    @property
    def calls(self) -> "tuple[Scenario, ...]":
        """All calls that it makes, each as a scenario of its own: one, or those of `callers` and `then`."""
        return self.made_calls or (self,)

    @property
    def has_several_calls(self) -> bool:
        """Whether it has `callers` or `then`."""
        return bool(self.made_calls)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.callers is not None or self.then is not None:
            raise misfit("is taken apart by `load`", "then" if self.callers is None else "callers")
        if self.ai and self.ai_cassette is not None:
            raise misfit("the cassette has all answers: ai cannot stand beside it", "ai_cassette")
        for index, reply in enumerate(self.ai):
            if reply.fault == "refused" and len(self.ai) > 1:
                raise misfit("a backend that refuses connections gives no other reply", "ai", index, "fault")
        if self.line.echo is not None and self.asterisk.rate_hz != 8000:
            raise misfit("the line's echo is 8 kHz only: it does not go with asterisk.rate_hz", "line", "echo")
        check_nesting(self.steps)
        if self.line.codec == "gsm" and self.asterisk.rate_hz != 8000:
            raise misfit("gsm is 8 kHz only: it does not go with asterisk.rate_hz", "line", "codec")
        if self.line.codec == "gsm" and self.asterisk.packet_time % 20:
            raise misfit("gsm: its frames are 20 ms long: asterisk.packet_time: 20ms, 40ms or 60ms", "line", "codec")
        check_hang_up(self.steps, self.asterisk)
        _check_anchors(self.steps)
        return self


def check_hang_up(steps: Sequence[Step], asterisk: AsteriskPeer) -> None:
    """Raise a `misfit` for a hang-up that is not possible at its place, and for a step that cannot follow a hang-up."""
    _hangs_up(steps, asterisk, ("steps",), over=False)


def _hangs_up(steps: Sequence[Step], asterisk: AsteriskPeer, path: KeyPath, *, over: bool) -> bool:
    """Return whether the caller has hung up after these steps, by one branch at least. Raises a `misfit`."""
    for index, step in enumerate(steps):
        here = (*path, index)
        if isinstance(step, BlockStep):
            rounds = 2 if isinstance(step, RepeatStep) and step.repeat.times > 1 else 1
            for _ in range(rounds):
                after = [_hangs_up(inner, asterisk, (*here, *at), over=over) for at, inner in blocks_of(step)]
                over = any(after)
            continue
        if over and not isinstance(step, ExpectStep | NeverStep | WaitStep):
            raise misfit("after hang_up only expect, never and wait can follow", *here)
        if isinstance(step, HangUpStep):
            over = True
            _check_before_uuid(step, asterisk, here)
    return over


def _check_before_uuid(step: HangUpStep, asterisk: AsteriskPeer, path: KeyPath) -> None:
    at = (*path, "hang_up", "before_uuid")
    if not step.hang_up.before_uuid:
        return
    if path != ("steps", 0):
        raise misfit("only the first step can come before the UUID", *at)
    if step.at is not None:
        raise misfit("before the UUID nothing can be heard", "steps", 0, "at")
    if asterisk.attach == "app" and asterisk.connect_pause == 0:
        raise misfit("needs asterisk: {attach: chan} or a connect_pause, since the app sends the UUID at once", *at)


def _check_anchors(steps: Sequence[Step]) -> None:
    """Raise a `misfit` for a step that counts from words of a caller who cannot have spoken before it."""
    has_spoken = False
    for path, step in all_steps(steps):
        if step.at is not None and step.at.after in ("caller_starts", "caller_stops") and not has_spoken:
            raise misfit(f"{step.at.after}: no step before this one lets the caller speak (say)", *path, "at", "after")
        has_spoken = has_spoken or isinstance(step, SayStep)
