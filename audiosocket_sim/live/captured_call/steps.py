"""Write the steps of the scenario that replays a captured call. Pure; times are ms since the UUID.

Every step is timed from the completion of the step before it, as the runner counts: a `say` comes so long after the
bot's sentence. So a bot that is a little slower than in the live call still gets the same call.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from audiosocket_sim.live.captured_call.bot_hearing import HoldStretch, Sentence
from audiosocket_sim.live.captured_call.caller_actions import Action, KeyPresses, Muted, Spoke
from audiosocket_sim.live.captured_call.model import Ending
from audiosocket_sim.scenario import format_duration

__all__ = ["WrittenStep", "steps_of"]

KNOWN_LATE_MS = 260
"""How long after its end a sentence is recognised. A caller who answers sooner reacts to the voice, not the words."""
_PACKET_MS = 20
_ENOUGH_OF_A_VOICE_MS = 500
_SILENCE_MS = 600
_SHORTEST_ANCHOR_MS = 100
_SAME_KEYS_MS = 1_000
_EVEN_MS = 60


@dataclass(frozen=True, slots=True)
class WrittenStep:
    """One step as it is written: its key and value, further keys `beside` it, and a comment for the line above."""

    key: str
    value: Any
    beside: Mapping[str, str] = field(default_factory=dict)
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class _Sentences:
    """One recognised sentence with its `text`; or, with None, adjoining sentences that were not recognised."""

    start_ms: int
    end_ms: int
    text: str | None


_Event = Action | _Sentences | HoldStretch


def steps_of(
    actions: Sequence[Action],
    sentences: Sequence[Sentence],
    holds: Sequence[HoldStretch],
    ending: Ending,
    *,
    apart: Sequence[int] = (),
    files: str,
    hints: Mapping[int, str] | None = None,
    into_a_voice_ms: int = 1_000,
    without_text: str = "not recognised",
) -> list[WrittenStep]:
    """Return all steps of the call.

    apart: times of answers and pushes; sentences before and after one of these are never joined.
    files: the folder of the utterances, relative to the scenario.
    hints: the backend's text before a sentence, by the sentence's start.
    into_a_voice_ms: how long at most the caller listens to a sentence that was not recognised before he talks over it;
    a replay in another voice or in other words may be shorter.
    without_text: the comment above an utterance that has no text.
    """
    events: list[_Event] = [*actions, *_merged(sentences, apart), *holds]
    events.sort(key=lambda event: event.start_ms)
    writer = _Writer(ending, files, hints or {}, into_a_voice_ms, without_text)
    index = 0
    while index < len(events):
        index += writer.write(events, index)
    writer.finish()
    return writer.steps


def _merged(sentences: Sequence[Sentence], apart: Sequence[int]) -> list[_Sentences]:
    merged: list[_Sentences] = []
    for sentence in sentences:
        last = merged[-1] if merged else None
        new = _Sentences(sentence.start_ms, sentence.end_ms, sentence.text)
        goes_on = last is not None and last.text is None and new.text is None and new.start_ms - last.end_ms < 1500
        if last is not None and goes_on and not any(last.start_ms < at <= new.start_ms for at in apart):
            merged[-1] = _Sentences(last.start_ms, new.end_ms, None)
        else:
            merged.append(new)
    return merged


class _Writer:
    """Writes step after step. `_completed` is the time from which the runner will count the next step."""

    def __init__(
        self, ending: Ending, files: str, hints: Mapping[int, str], into_a_voice_ms: int, without_text: str
    ) -> None:
        self._into_a_voice_ms = into_a_voice_ms
        self._without_text = without_text
        self.steps: list[WrittenStep] = []
        self._ending = ending
        self._files = files
        self._hints = hints
        self._completed = 0
        self._muted_until: int | None = None

    def write(self, events: Sequence[_Event], index: int) -> int:
        """Write the event at `index`, and return how many events the step covers."""
        event = events[index]
        following = events[index + 1] if index + 1 < len(events) else None
        self._unmute(event.start_ms)
        match event:
            case _Sentences():
                self._sentence(event, following, _next_action(events, index))
            case HoldStretch():
                self._hold(event)
            case Spoke():
                self._spoke(event, following)
            case KeyPresses():
                return self._keys(events, index)
            case Muted():
                self._mute(event, following)
        return 1

    def finish(self) -> None:
        """Write how the call ended."""
        self._unmute(self._ending.at_ms)
        who, how = self._ending.who, self._ending.how
        if who == "nobody":  # the capture ended before the call
            rest_ms = self._ending.at_ms - self._completed
            if rest_ms > 0 or not self.steps:
                self.steps.append(WrittenStep("wait", format_duration(max(0, rest_ms))))
            return
        if who == "caller":
            close = how if how in ("reset", "mid_frame") else "close"
            self._add("hang_up", close, at=self._ending.at_ms + _PACKET_MS // 2)  # after anything at the same time
            self._expect({"hangs_up": "caller"}, 1000)
            return
        expected = {"who": who, "how": how} if how in ("hangup_message", "fin", "reset") else who
        self._expect({"hangs_up": expected}, _within(self._ending.at_ms - self._completed, 2_500))

    # --- what the bot did

    def _sentence(self, bot: _Sentences, following: _Event | None, action: Action | None) -> None:
        hint = self._hints.get(bot.start_ms)
        if bot.start_ms < self._completed - _PACKET_MS:
            return  # it began before the last step completed: a later step cannot expect it
        within = _within(bot.start_ms - self._completed)
        if action is not None and action.start_ms < bot.end_ms + KNOWN_LATE_MS:
            into_ms = action.start_ms - bot.start_ms
            if into_ms >= _SHORTEST_ANCHOR_MS:
                heard_ms = min(into_ms, max(_SHORTEST_ANCHOR_MS, bot.end_ms - bot.start_ms - _SHORTEST_ANCHOR_MS))
                if bot.text is None:
                    heard_ms = min(heard_ms, self._into_a_voice_ms)
                self._speaks(bot, heard_ms, within, hint)
        elif bot.text is not None:
            self._expect({"bot_says": bot.text}, within)
            self._completed = bot.end_ms
        else:
            self._speaks(bot, _enough(bot), within, hint)
            if following is not None and not isinstance(following, HoldStretch):
                self._silence(bot, following)

    def _speaks(self, bot: _Sentences, heard_ms: int, within: int, hint: str | None) -> None:
        comment = None if hint is None or bot.text is not None else f"the backend had said: {hint}"
        self._expect({"bot_speaks": {"at_least": format_duration(heard_ms)}}, within, comment)
        self._completed = bot.start_ms + heard_ms

    def _silence(self, bot: _Sentences, following: _Event) -> None:
        """Write a wait for the bot's silence, however long the replayed sentence is."""
        silent_ms = min(_SILENCE_MS, following.start_ms - bot.end_ms - _PACKET_MS)
        self._expect(
            {"bot_silent": {"at_least": format_duration(silent_ms)}}, _within(bot.end_ms - bot.start_ms, 4_000)
        )
        self._completed = bot.end_ms + silent_ms

    def _hold(self, hold: HoldStretch) -> None:
        if hold.end_ms <= self._completed:
            return
        self._expect({"hold_audio": "playing"}, _within(hold.start_ms - self._completed))
        self._completed = max(self._completed, hold.start_ms)

    # --- what the caller did

    def _spoke(self, spoke: Spoke, following: _Event | None) -> None:
        said = spoke.utterance
        value: dict[str, Any] = {"file": f"{self._files}/utterance_{spoke.number}.wav"}
        if said.text is not None:
            value["text"] = said.text
        busy = following is not None and following.start_ms < spoke.end_ms
        if busy:
            value["blocks"] = False
        comment = self._without_text if said.text is None else None
        self._add("say", value, at=spoke.start_ms, comment=comment)
        self._completed = spoke.start_ms if busy else spoke.end_ms

    def _keys(self, events: Sequence[_Event], index: int) -> int:
        keys = _typed(events, index)
        after = events[index + len(keys)] if index + len(keys) < len(events) else None
        if len(keys) > 1 and after is not None and after.start_ms - keys[-1].end_ms < keys[1].start_ms - keys[0].end_ms:
            keys = keys[:-1]  # the step waits as long after its last key: another step, with a shorter gap
        first, last = keys[0], keys[-1]
        tone_ms = round(sum(key.end_ms - key.start_ms for key in keys) / len(keys) / 10) * 10
        gaps = [b.start_ms - a.end_ms for a, b in itertools.pairwise(keys)]
        after = events[index + len(keys)] if index + len(keys) < len(events) else None
        free_ms = (self._ending.at_ms if after is None else after.start_ms) - last.end_ms
        gap_ms = round(sum(gaps) / len(gaps) / 10) * 10 if gaps else max(0, min(100, free_ms - _PACKET_MS))
        beside = {} if tone_ms == 100 else {"tone": format_duration(tone_ms)}
        beside |= {} if gap_ms == 100 else {"gap": format_duration(gap_ms)}
        self._add("dtmf", "".join(key.digit for key in keys), at=first.start_ms, beside=beside)
        self._completed = first.start_ms + len(keys) * (tone_ms + gap_ms)
        return len(keys)

    def _mute(self, muted: Muted, following: _Event | None) -> None:
        ends = self._ending.at_ms if muted.end_ms is None else muted.end_ms
        if muted.end_ms is not None and (following is None or following.start_ms >= ends):
            self._add("mute", format_duration(ends - muted.start_ms), at=muted.start_ms)
            self._completed = ends
            return
        self._add("mute", "on", at=muted.start_ms)
        self._completed = max(self._completed, muted.start_ms)
        self._muted_until = muted.end_ms

    def _unmute(self, now_ms: int) -> None:
        until = self._muted_until
        if until is not None and until <= now_ms:
            self._muted_until = None
            self._add("mute", "off", at=until)
            self._completed = max(self._completed, until)

    # --- writing

    def _add(
        self, key: str, value: Any, *, at: int, beside: Mapping[str, str] | None = None, comment: str | None = None
    ) -> None:
        """Add a step of the caller's. It is timed half a packet early, so that the same packet carries it again."""
        early_ms = 0 if key in ("hang_up", "dtmf") else _PACKET_MS // 2
        after = format_duration(max(0, at - self._completed - early_ms))
        self.steps.append(WrittenStep(key, value, {**(beside or {}), "after": after}, comment))

    def _expect(self, expectation: Mapping[str, Any], within_ms: int, comment: str | None = None) -> None:
        value = {**expectation, "within": format_duration(within_ms)}
        self.steps.append(WrittenStep("expect", value, comment=comment))


def _within(actual_ms: int, slack_ms: int = 1_500) -> int:
    """Return how long to wait for an event that took `actual_ms`: a quarter more plus the slack, in half seconds."""
    return max(2_000, -(-(actual_ms * 5 // 4 + slack_ms) // 500) * 500)


def _enough(bot: _Sentences) -> int:
    """Return how much of an unrecognised voice must be heard: 60 %, since a replay may be spoken faster."""
    return max(_SHORTEST_ANCHOR_MS, min(_ENOUGH_OF_A_VOICE_MS, (bot.end_ms - bot.start_ms) * 6 // 10))


def _next_action(events: Sequence[_Event], index: int) -> Action | None:
    later = (event for event in events[index + 1 :] if isinstance(event, Spoke | KeyPresses | Muted))
    return next(later, None)


def _typed(events: Sequence[_Event], index: int) -> list[KeyPresses]:
    """Return the keys from `index` on that fit into one step: pressed evenly, with no other event between them."""
    first = events[index]
    assert isinstance(first, KeyPresses)
    keys = [first]
    for event in events[index + 1 :]:
        if not isinstance(event, KeyPresses):
            break
        gap_ms = event.start_ms - keys[-1].end_ms
        first_gap_ms = keys[1].start_ms - keys[0].end_ms if len(keys) > 1 else gap_ms
        held_alike = abs((event.end_ms - event.start_ms) - (first.end_ms - first.start_ms)) <= _EVEN_MS
        if not 0 <= gap_ms <= _SAME_KEYS_MS or abs(gap_ms - first_gap_ms) > _EVEN_MS or not held_alike:
            break
        keys.append(event)
    return keys
