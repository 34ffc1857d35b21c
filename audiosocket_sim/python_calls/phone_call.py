"""A call for tests in Python: one method for each kind of step and of expectation. docs/calls-in-python.md.

Each method makes the same model of a step as YAML does, and passes it to the same executor.
"""

from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any, Generic, Literal, Self, TypeVar

from audiosocket_sim.python_calls import happened
from audiosocket_sim.python_calls.arguments import anchor_of, duration, step_of, steps_of
from audiosocket_sim.python_calls.errors import CallMisuse
from audiosocket_sim.python_calls.happened import (
    BackendRequest,
    BranchTaken,
    CallEnd,
    HoldHeard,
    Lasted,
    SpeechHeard,
    StateSeen,
    StepDone,
    TurnMeasured,
)
from audiosocket_sim.python_calls.place import CodePlace, calling_place
from audiosocket_sim.python_calls.session import CallPlan, CallSession
from audiosocket_sim.running.progress import CarriedOut
from audiosocket_sim.running.result import Result
from audiosocket_sim.scenario import Anchor, Step

__all__ = ["CallTime", "PhoneCall", "StepToAwait", "event"]

CallTime = float | str
"""A length of time: a number of seconds, or a text with a unit as in YAML, such as `300ms`."""

WhoSpeaks = Literal["caller_speaks", "bot_speaks"]
_T = TypeVar("_T")


class StepToAwait(Awaitable[_T], Generic[_T]):
    """A step that is carried out when it is awaited: `await call.say(…)`. It can be awaited once."""

    def __init__(self, start: Callable[[], Generator[Any, None, _T]]) -> None:
        self._start: Callable[[], Generator[Any, None, _T]] | None = start

    def __await__(self) -> Generator[Any, None, _T]:
        start, self._start = self._start, None
        if start is None:
            raise CallMisuse("this step was awaited before: write it again to carry it out again")
        return start()


def event(name: str, by: CallTime = 0, *, within: CallTime = 10) -> Anchor:
    """Return an event of the call for the argument `after` of a step, which then counts from it: `by` so long after it.

    `name`: bot_starts, bot_stops, hold_starts, hold_stops, caller_starts, caller_stops, backend_asked, backend_answers,
    or a state of the bot, such as WAITING. `within`: how long to wait for it. Raises CallArgumentError.
    """
    what: Any = {"state": name} if name.isupper() else name
    times = {"by": duration(by, name="event: by"), "within": duration(within, name="event: within")}
    return anchor_of({"after": what, **times})


class PhoneCall:
    """One phone call, step by step. The first step dials; `async with` ends the call and judges it.

    Lengths of time are seconds (`4`, `0.3`) or texts with a unit (`"300ms"`). Every step counts from the completion of
    the step before, as in YAML, and takes `after`: a pause before it, or an event of the call from which it counts
    (`event("bot_starts", 0.3)`). A step that fails raises CallFailed and ends the call; CallNotJudged means that
    something other than the bot is at fault.
    """

    def __init__(self, plan: CallPlan, *, own_file: str | None = None) -> None:
        self.plan = plan
        """The call's scenario, options and place in the code."""
        self._session = CallSession(plan)
        self._folder = plan.scenario.folder
        self._own_file = own_file

    @property
    def result(self) -> Result:
        """The result of the call. Raises CallMisuse before the end of the call."""
        return self._session.result

    async def __aenter__(self) -> Self:
        self._session.enter()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Hang up if nobody has, judge every `never_…` and the AI's script, and write the files.

        Raises CallFailed or CallNotJudged, unless the body raised an error itself.
        """
        await self._session.end(error)

    # --- what the caller does

    def say(
        self,
        recording: str | None = None,
        *,
        text: str | None = None,
        file: str | None = None,
        gain_db: float | None = None,
        start: CallTime | None = None,
        lasting: CallTime | None = None,
        blocks: bool | None = None,
        voice: str | None = None,
        kind: Literal["turn", "backchannel", "vocal_tic", "non_directed"] | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """The caller speaks, once the bot has been silent for the reaction time.

        Exactly one of: `recording`, a name in recordings/ such as `pt-br/sim`; `file`, an audio file beside the test;
        `text`, spoken in `voice` or in the synthetic one. Beside `file`, `text` gives its words. `start` and `lasting`
        select a part. With `blocks=False` the next step begins while the caller speaks. `kind`: what it is where no
        manifest says so: a `turn`, or a sound for which the bot goes on.
        """
        say = _given(
            recording=recording,
            file=file,
            text=text,
            gain_db=gain_db,
            start=duration(start, name="say: start"),
            blocks=blocks,
            voice=voice,
            kind=kind,
            **{"for": duration(lasting, name="say: lasting")},
        )
        return self._do("say", {"say": say}, after)

    def wait(self, seconds: CallTime, *, after: CallTime | Anchor | None = None) -> StepToAwait[StepDone]:
        """Let time pass; the phone sends the line's own noise, or silence."""
        return self._do("wait", {"wait": duration(seconds, name="wait: seconds")}, after)

    def dtmf(
        self,
        keys: str,
        *,
        tone: CallTime | None = None,
        gap: CallTime | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """The caller presses keys (`"202#"`): each for `tone` (0.1 s), with `gap` (0.1 s) between them."""
        more = _given(tone=duration(tone, name="dtmf: tone"), gap=duration(gap, name="dtmf: gap"))
        return self._do("dtmf", {"dtmf": keys, **more}, after)

    def noise(
        self,
        lasting: CallTime,
        *,
        dbfs: float | None = None,
        color: Literal["white", "pink"] | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """Noise at the caller's mouth: RMS level in dBFS (−25), `white` or `pink`."""
        noise = _given(dbfs=dbfs, color=color, **{"for": duration(lasting, name="noise: lasting")})
        return self._do("noise", {"noise": noise}, after)

    def tone(
        self,
        lasting: CallTime,
        *,
        hz: float | None = None,
        dbfs: float | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """A sine tone at the caller's mouth: frequency in Hz (425), RMS level in dBFS (−20)."""
        tone = _given(hz=hz, dbfs=dbfs, **{"for": duration(lasting, name="tone: lasting")})
        return self._do("tone", {"tone": tone}, after)

    def silence(self, lasting: CallTime, *, after: CallTime | Anchor | None = None) -> StepToAwait[StepDone]:
        """The phone sends digital silence: zeros, without line noise."""
        return self._do("silence", {"silence": duration(lasting, name="silence: lasting")}, after)

    def mute(self, lasting: CallTime | None = None, *, after: CallTime | Anchor | None = None) -> StepToAwait[StepDone]:
        """The phone sends nothing at all: for a time, or until `unmute()`."""
        how = "on" if lasting is None else duration(lasting, name="mute: lasting")
        return self._do("mute", {"mute": how}, after)

    def unmute(self, *, after: CallTime | Anchor | None = None) -> StepToAwait[StepDone]:
        """The phone sends again."""
        return self._do("unmute", {"mute": "off"}, after)

    def hang_up(
        self,
        how: Literal["close", "reset", "mid_frame"] | None = None,
        *,
        before_uuid: bool | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """The caller hangs up: `close` (as Asterisk does), `reset`, or `mid_frame`, in the middle of a message.

        `before_uuid`, only as the first step: the connection ends without a byte.
        """
        return self._do("hang_up", {"hang_up": _given(how=how, before_uuid=before_uuid)}, after)

    # --- what must happen

    def expect_says(
        self,
        text: str | None = None,
        *,
        part: bool | None = None,
        words: float | None = None,
        any_of: Sequence[str] | None = None,
        pattern: str | None = None,
        within: CallTime | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[SpeechHeard]:
        """The bot says `text`, uncut, beginning within 5 s or `within`. Case, accents and punctuation do not count.

        The bot may say more than `text`; with `part=False` it must say exactly this text, which is YAML's default.
        `words`: the share of the words that must be right, such as 0.8. `any_of`: several texts, of which it says one;
        `pattern`: a regular expression that is found in its words; each in the place of `text`.
        """
        says = _says(text, part, words, any_of, pattern)
        return self._expect("expect_says", "bot_says", says, within, after, happened.speech_heard)

    def expect_speaks(
        self,
        at_least: CallTime | None = None,
        *,
        within: CallTime | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[Lasted]:
        """The bot speaks for `at_least` (0.2 s), in any words and any voice."""
        speaks = _given(at_least=duration(at_least, name="expect_speaks: at_least"))
        return self._expect("expect_speaks", "bot_speaks", speaks, within, after, happened.lasted)

    def expect_silent(
        self,
        at_least: CallTime | None = None,
        *,
        within: CallTime | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[Lasted]:
        """The caller hears no speech of the bot for `at_least` (0.5 s)."""
        silent = _given(at_least=duration(at_least, name="expect_silent: at_least"))
        return self._expect("expect_silent", "bot_silent", silent, within, after, happened.lasted)

    def expect_hold(
        self,
        is_: Literal["playing", "stopped"] = "playing",
        *,
        file: str | None = None,
        within: CallTime | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[HoldHeard]:
        """Hold audio plays, or has stopped since the step before.

        `file`: the music, an audio file beside the test; without it the nearest `audio/waiting.slin`, and any music or
        tone of 2 s and more. The ear knows a file from its first step on: of music that plays by then
        it knows the name within a second.
        """
        hold = {"is": is_, **_given(file=file)}
        return self._expect("expect_hold", "hold_audio", hold, within, after, happened.hold_heard)

    def expect_state(
        self,
        state: Literal["STANDBY", "USER_TURN", "WAITING", "IA_TURN"],
        *,
        when_told: bool | None = None,
        within: CallTime | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StateSeen]:
        """The bot is in the state, or enters it. With `when_told` the step is passed over if the target reports no
        states; without it that is an error."""

        def seen(done: CarriedOut) -> StateSeen:
            return happened.state_seen(done, state)

        return self._expect("expect_state", "state", _given(when_told=when_told, **{"is": state}), within, after, seen)

    def expect_backend_asked(
        self, content: str, *, within: CallTime | None = None, after: CallTime | Anchor | None = None
    ) -> StepToAwait[BackendRequest]:
        """The AI backend is asked a text that contains `content`: what the bot understood."""
        asked = {"content": content}
        return self._expect("expect_backend_asked", "backend_asked", asked, within, after, happened.backend_request)

    def expect_hangs_up(
        self,
        who: Literal["server", "caller", "asterisk"] = "server",
        *,
        how: str | None = None,
        dialplan: str | None = None,
        last_word: Literal["heard"] | None = None,
        within: CallTime | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[CallEnd]:
        """The call ends: `who` ends it, `how` on the wire, and what the `dialplan` does then (docs/scenarios.md).

        `last_word="heard"`: the bot has spoken, and all that it had sent was played before the end.
        """
        ends = _given(who=who, how=how, dialplan=dialplan, last_word=last_word)
        return self._expect("expect_hangs_up", "hangs_up", ends, within, after, happened.call_end)

    def expect_responds(
        self, within: CallTime | None = None, *, after: CallTime | Anchor | None = None
    ) -> StepToAwait[TurnMeasured]:
        """The bot answers the caller `within` a time, 5 s by default, from the end of his last word to its first sound.

        In any words and any voice; hold audio is no answer.
        """
        return self._measure("expect_responds", "responds", after, within=within)

    def expect_stops(
        self, within: CallTime | None = None, *, after: CallTime | Anchor | None = None
    ) -> StepToAwait[TurnMeasured]:
        """The bot stops `within` a time, 2 s by default, from the first sound of a caller who speaks over it."""
        return self._measure("expect_stops", "bot_stops", after, within=within)

    def expect_goes_on(
        self, pause: CallTime | None = None, *, after: CallTime | Anchor | None = None
    ) -> StepToAwait[TurnMeasured]:
        """The bot speaks on for 2 s after the caller's last sound has begun over its speech, or to its sentence's end.

        It may fall silent for `pause` (0.9 s) and then go on where it had stopped.
        """
        return self._measure("expect_goes_on", "bot_goes_on", after, pause=pause)

    def expect_resumes(
        self, within: CallTime | None = None, *, after: CallTime | Anchor | None = None
    ) -> StepToAwait[TurnMeasured]:
        """The bot goes on `within` a time, 2 s by default, after the caller's last sound has made it stop."""
        return self._measure("expect_resumes", "resumes", after, within=within)

    def expect_asks_again(
        self, within: CallTime | None = None, *, after: CallTime | Anchor | None = None
    ) -> StepToAwait[TurnMeasured]:
        """The bot speaks again `within` a time, 10 s by default, from the last that was heard of either."""
        return self._measure("expect_asks_again", "asks_again", after, within=within)

    # --- what must not happen: from here on until the end of the call, or `during` a time, which is waited for;
    # `while_`: only while the one or the other speaks

    def never_says(
        self,
        text: str | None = None,
        *,
        part: bool | None = None,
        words: float | None = None,
        any_of: Sequence[str] | None = None,
        pattern: str | None = None,
        during: CallTime | None = None,
        while_: WhoSpeaks | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """The bot must not say `text` or, unless `part=False`, anything that contains these words.

        `words`, `any_of` and `pattern`: as for `expect_says`.
        """
        says = _says(text, part, words, any_of, pattern)
        return self._never("never_says", "bot_says", says, during, after, while_)

    def never_speaks(
        self,
        at_least: CallTime | None = None,
        *,
        during: CallTime | None = None,
        while_: WhoSpeaks | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """The bot must not speak for `at_least` (0.2 s)."""
        speaks = _given(at_least=duration(at_least, name="never_speaks: at_least"))
        return self._never("never_speaks", "bot_speaks", speaks, during, after, while_)

    def never_silent(
        self,
        at_least: CallTime | None = None,
        *,
        during: CallTime | None = None,
        while_: WhoSpeaks | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """There must be no gap of `at_least` (0.5 s) in which the caller hears no speech."""
        silent = _given(at_least=duration(at_least, name="never_silent: at_least"))
        return self._never("never_silent", "bot_silent", silent, during, after, while_)

    def never_hold(
        self,
        is_: Literal["playing", "stopped"] = "playing",
        *,
        file: str | None = None,
        during: CallTime | None = None,
        while_: WhoSpeaks | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """Hold audio must not play, or must not stop. `file`: as in `expect_hold`."""
        hold = {"is": is_, **_given(file=file)}
        return self._never("never_hold", "hold_audio", hold, during, after, while_)

    def never_state(
        self,
        state: Literal["STANDBY", "USER_TURN", "WAITING", "IA_TURN"],
        *,
        when_told: bool | None = None,
        during: CallTime | None = None,
        while_: WhoSpeaks | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """The bot must not be in the state. `when_told`: see `expect_state`."""
        return self._never("never_state", "state", _given(when_told=when_told, **{"is": state}), during, after, while_)

    def never_backend_asked(
        self,
        content: str,
        *,
        during: CallTime | None = None,
        while_: WhoSpeaks | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """The AI backend must not be asked a text that contains `content`."""
        return self._never("never_backend_asked", "backend_asked", {"content": content}, during, after, while_)

    def never_hangs_up(
        self,
        who: Literal["server", "caller", "asterisk"] = "server",
        *,
        how: str | None = None,
        dialplan: str | None = None,
        during: CallTime | None = None,
        while_: WhoSpeaks | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """The call must not end in this way; the arguments are those of `expect_hangs_up`."""
        ends = _given(who=who, how=how, dialplan=dialplan)
        return self._never("never_hangs_up", "hangs_up", ends, during, after, while_)

    def never_talk_over(
        self,
        at_least: CallTime | None = None,
        *,
        during: CallTime | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """Caller and bot must not speak at once for `at_least` (0.1 s), whoever began."""
        both = _given(at_least=duration(at_least, name="never_talk_over: at_least"))
        return self._never("never_talk_over", "talk_over", both, during, after)

    def never_dead_air(
        self,
        at_least: CallTime | None = None,
        *,
        during: CallTime | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """There must be no `at_least` (3 s) in which nobody is heard while it is the bot's turn."""
        quiet = _given(at_least=duration(at_least, name="never_dead_air: at_least"))
        return self._never("never_dead_air", "dead_air", quiet, during, after)

    def never_holes(
        self, at_least: CallTime, *, during: CallTime | None = None, after: CallTime | Anchor | None = None
    ) -> StepToAwait[StepDone]:
        """No stretch of the bot's speech may have holes of more than this, in all."""
        limit = duration(at_least, name="never_holes: at_least")
        return self._never("never_holes", "holes", limit, during, after)

    def never_ahead(
        self, at_least: CallTime, *, during: CallTime | None = None, after: CallTime | Anchor | None = None
    ) -> StepToAwait[StepDone]:
        """The bot must not send its sound more than this ahead of what is playing."""
        limit = duration(at_least, name="never_ahead: at_least")
        return self._never("never_ahead", "ahead", limit, during, after)

    def never_outside_level(
        self,
        low_dbfs: float,
        high_dbfs: float,
        *,
        during: CallTime | None = None,
        after: CallTime | Anchor | None = None,
    ) -> StepToAwait[StepDone]:
        """No stretch of the bot's speech may be softer than `low_dbfs`, or louder than `high_dbfs`."""
        return self._never("never_outside_level", "level_dbfs", [low_dbfs, high_dbfs], during, after)

    def never_damaged(
        self, *, during: CallTime | None = None, after: CallTime | Anchor | None = None
    ) -> StepToAwait[StepDone]:
        """The bot's sound must not be damaged in any way."""
        return self._never("never_damaged", "damage", "any", during, after)

    def never_premature(
        self, *, during: CallTime | None = None, after: CallTime | Anchor | None = None
    ) -> StepToAwait[StepDone]:
        """The bot must not begin to speak in the midst of the caller's sentence."""
        return self._never("never_premature", "premature", "any", during, after)

    # --- what may happen

    def any_of(
        self, *expectations: Mapping[str, Any], after: CallTime | Anchor | None = None
    ) -> StepToAwait[BranchTaken]:
        """One of several things happens, each as below `expect` in YAML: `{"bot_says": "Sim.", "within": "4s"}`.

        Gives back the `index` of the first that is met, from 0.
        """
        branches = [{"expect": one} for one in expectations]
        return self._step("any_of", {"any_of": branches}, after, happened.branch_taken)

    def happens(
        self, expectation: Mapping[str, Any], *, after: CallTime | Anchor | None = None
    ) -> StepToAwait[StepDone | None]:
        """Something may happen or not, as below `expect` in YAML. Gives back None if it has not happened in time."""
        return self._step("happens", {"optional": {"expect": expectation}}, after, happened.if_it_happened)

    # --- steps as data

    def play(self, steps: Iterable[Mapping[str, Any]]) -> StepToAwait[None]:
        """Carry out steps in the form of YAML: `[{"say": "pt-br/sim"}, {"expect": {"hangs_up": "server"}}]`."""
        checked, place = steps_of("play", steps, self._folder), self._place()

        async def carry_out() -> None:
            for number, step in enumerate(checked, 1):
                await self._session.carry_out(f"play: step {number}", step, place)

        return self._to_await("play", place, lambda: carry_out().__await__())

    # --- one way for all of them

    def _measure(
        self, what: str, key: str, after: CallTime | Anchor | None, **limit: CallTime | None
    ) -> StepToAwait[TurnMeasured]:
        """An expectation of turn-taking; `limit`: its main key, a time."""
        given = _given(**{name: duration(time, name=f"{what}: {name}") for name, time in limit.items()})
        return self._expect(what, key, given, None, after, happened.turn_measured)

    def _expect(
        self,
        what: str,
        key: str,
        expectation: dict[str, Any],
        within: CallTime | None,
        after: CallTime | Anchor | None,
        then: Callable[[CarriedOut], _T],
    ) -> StepToAwait[_T]:
        limit = _given(within=duration(within, name=f"{what}: within"))
        return self._step(what, {"expect": {key: expectation, **limit}}, after, then)

    def _never(
        self,
        what: str,
        key: str,
        expectation: Any,
        during: CallTime | None,
        after: CallTime | Anchor | None,
        while_: WhoSpeaks | None = None,
    ) -> StepToAwait[StepDone]:
        window = _given(**{"for": duration(during, name=f"{what}: during"), "while": while_})
        return self._do(what, {"never": {key: expectation, **window}}, after)

    def _do(self, what: str, data: dict[str, Any], after: CallTime | Anchor | None) -> StepToAwait[StepDone]:
        return self._step(what, data, after, happened.step_done)

    def _step(
        self, what: str, data: dict[str, Any], after: CallTime | Anchor | None, then: Callable[[CarriedOut], _T]
    ) -> StepToAwait[_T]:
        if isinstance(after, Anchor):
            pause: dict[str, Any] = {"at": after}
        else:
            pause = _given(after=duration(after, name=f"{what}: after"))
        step: Step = step_of(what, {**data, **pause}, self._folder)
        place = self._place()

        async def carry_out() -> _T:
            return then(await self._session.carry_out(what, step, place))

        return self._to_await(what, place, lambda: carry_out().__await__())

    def _to_await(self, what: str, place: CodePlace, start: Callable[[], Generator[Any, None, _T]]) -> StepToAwait[_T]:
        def begin() -> Generator[Any, None, _T]:
            with self._session.begun(number, step):
                return (yield from start())

        step = f"{what} at {place}"
        number = self._session.announce(step)
        return StepToAwait(begin)

    def _require_passed(self) -> None:
        """For `driving.require_passed`: each public method is a step."""
        self._session.require_passed()

    def _place(self) -> CodePlace:
        return calling_place(self._own_file)


def _says(
    text: str | None, part: bool | None, words: float | None, any_of: Sequence[str] | None, pattern: str | None
) -> dict[str, Any]:
    """The words of `expect_says` and `never_says`, in the form of YAML: a part of what the bot says is enough."""
    part = pattern is None if part is None else part
    return _given(text=text, part=part or None, words=words, any_of=any_of, pattern=pattern)


def _given(**arguments: Any) -> dict[str, Any]:
    """Those that are not None: the others keep the model's defaults."""
    return {key: value for key, value in arguments.items() if value is not None}
