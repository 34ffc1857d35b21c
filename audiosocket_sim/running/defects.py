"""Collects, while a call runs, what says at its end which faults the bot's sound and its wire have. Judges nothing."""

from collections.abc import Callable, Iterator

from audiosocket_core.slin import resample
from audiosocket_sim.call_log.events import BotSpoke, CallLog, DefectFound, Noted
from audiosocket_sim.call_log.recording import caller_track
from audiosocket_sim.checks.premature import CallerSentence, premature_starts
from audiosocket_sim.checks.quality import caller_made_a_sound
from audiosocket_sim.hearing import Ear, HeardHole
from audiosocket_sim.hearing.arrivals import Arrivals, SendingPace
from audiosocket_sim.hearing.loudness import audible_stretches
from audiosocket_sim.hearing.own_voice import LONGEST_ECHO_SECONDS, is_echo
from audiosocket_sim.scenario import Scenario

__all__ = ["DefectCollector"]

_RATE_HZ = 8000
_QUIET_WIRE_MS = 2000
"""The application's limit (FID-12): a wire that is silent for so long is noted."""
_LONGEST_COMPARED_SECONDS = 1.0
_BEFORE_A_PAUSE_MS = 1000
"""A sound that ended, or began behind the caller, longer before a pause of the bot did not make it."""
_SAME_MS = 40
_CLOCK_PERCENT = 10.0
"""Clocks are off by less; who sends faster than that, and runs ahead, does not go by a clock."""


class DefectCollector:
    """The collector of one call. Give it all that arrives, all that the caller says, and holes; then `at_the_end`."""

    def __init__(self, scenario: Scenario, began_behind: Callable[[float, float], bool]) -> None:
        """`began_behind`: whether something began to sound behind the caller between two instants, in loop seconds."""
        self._scenario = scenario
        self._began_behind = began_behind
        limit = scenario.quality.wire_silence
        self._wire_limit_ms = limit if isinstance(limit, int) else None
        self._arrivals = Arrivals((self._wire_limit_ms or _QUIET_WIRE_MS) / 1000)
        self.arrived = self._arrivals.take
        """Called for each message of the bot: `Arrivals.take`."""
        self._sentences: list[tuple[float, str, bytes]] = []
        self._holes: list[HeardHole] = []

    def caller_says(self, at: float, text: str, pcm: bytes, rate_hz: int) -> None:
        """The caller began a sentence at `at`: SLIN of `rate_hz`."""
        self._sentences.append((at, text, pcm if rate_hz == _RATE_HZ else resample(pcm, rate_hz, _RATE_HZ)))

    def hole(self, hole: HeardHole) -> None:
        """Nothing came to be played between two stretches of speech."""
        self._holes.append(hole)

    def heard_something(self, call: CallLog, t0: float, at: float) -> bool:
        """Return whether a pause of the bot, from `at` on, may be for what it heard: the caller, or what began to sound
        behind him; not its own echo, nor noise that goes on. `t0`: the time of the UUID; both in loop seconds."""
        at_ms = round((at - t0) * 1000)
        made = caller_made_a_sound(call.entries, at_ms - _BEFORE_A_PAUSE_MS, at_ms)
        return made or self._began_behind(at - _BEFORE_A_PAUSE_MS / 1000, at)

    def at_the_end(
        self, at: float, t0: float, call: CallLog, ear: Ear, sent: list[tuple[float, bytes]]
    ) -> Iterator[tuple[int, DefectFound | Noted]]:
        """Yield what was found, with its time in ms since the UUID, at `t0`. `sent`: the caller's packets."""
        self._arrivals.close(at)
        yield from self._paces(t0, call)
        yield from self._wire_silence(t0)
        stalls = list(self._stalls(t0, call))
        yield from stalls
        after_a_stall = {at_ms + stall.duration_ms for at_ms, stall in stalls}
        for at_ms, premature in self._premature(t0, call, ear, sent):
            if all(abs(at_ms - end) > _SAME_MS for end in after_a_stall):  # else it only went on
                yield at_ms, premature

    def _paces(self, t0: float, call: CallLog) -> Iterator[tuple[int, DefectFound]]:
        limit = self._scenario.quality.pace_percent
        least = 1.0 if limit == "allowed" else limit
        led = any(isinstance(entry.event, DefectFound) and entry.event.kind == "ahead" for entry in call.entries)
        for pace in self._arrivals.paces:
            rushes = pace.percent < -_CLOCK_PERCENT and led and pace.looks_like_hz is None
            if abs(pace.percent) <= least or rushes:
                continue
            found = DefectFound("pace", _pace(pace), round(pace.percent, 1), round(pace.seconds * 1000))
            yield round((pace.at - t0) * 1000), found

    def _wire_silence(self, t0: float) -> Iterator[tuple[int, DefectFound | Noted]]:
        gaps = self._arrivals.gaps
        if not gaps:
            return
        if self._wire_limit_ms is not None:
            for gap in gaps:
                what = f"nothing at all was sent for {gap.seconds:.2f} s"
                ms = round(gap.seconds * 1000)
                yield round((gap.at - t0) * 1000), DefectFound("wire_silence", what, ms, ms)
            return
        longest = max(gap.seconds for gap in gaps)
        total = "" if len(gaps) == 1 else f", {len(gaps)} times, {sum(gap.seconds for gap in gaps):.2f} s in all"
        what = (
            f"the bot sends nothing at all between its sentences (up to {longest:.2f} s{total}): under the application "
            "Asterisk ends such a call after 2 s if the caller is muted"
        )
        yield round((gaps[0].at - t0) * 1000), Noted(what)

    def _stalls(self, t0: float, call: CallLog) -> Iterator[tuple[int, DefectFound]]:
        for hole in self._holes:
            at_ms = round((hole.at - t0) * 1000)
            if not (hole.in_a_phrase or self._arrivals.sends_silence):
                continue
            if self.heard_something(call, t0, hole.at):
                continue  # he had interrupted, and what came afterwards is something else
            what = f"nothing was sent for {hole.hole_ms / 1000:.2f} s in the midst of speech"
            yield at_ms, DefectFound("holes", what, hole.hole_ms, hole.hole_ms)

    def _premature(
        self, t0: float, call: CallLog, ear: Ear, sent: list[tuple[float, bytes]]
    ) -> Iterator[tuple[int, DefectFound]]:
        spoken = [
            (entry.at_ms, entry.at_ms + entry.event.lasted_ms)
            for entry in call.entries
            if isinstance(entry.event, BotSpoke)
        ]
        sentences = [_sentence(at, text, pcm, t0) for at, text, pcm in self._sentences]
        for start in premature_starts(sentences, spoken):
            until = next(stop for at, stop in spoken if at == start.at_ms)
            if self._is_echo(t0, start.at_ms, until, ear, sent):
                continue
            what = (
                f"the bot began to speak in the midst of the caller's “{start.text}”, "
                f"{start.left_ms / 1000:.2f} s before its end"
            )
            yield start.at_ms, DefectFound("premature", what, start.left_ms)

    def _is_echo(self, t0: float, from_ms: int, to_ms: int, ear: Ear, sent: list[tuple[float, bytes]]) -> bool:
        seconds = min(_LONGEST_COMPARED_SECONDS, (to_ms - from_ms) / 1000)
        begins = from_ms / 1000 - LONGEST_ECHO_SECONDS
        heard = ear.timeline(t0)[from_ms * 16 :][: round(seconds * 8000) * 2]
        said = caller_track(sent, t0, self._scenario.asterisk.rate_hz)
        said = bytes(2 * round(max(0.0, -begins) * 8000)) + said[2 * round(max(0.0, begins) * 8000) :]
        return is_echo(heard, said[: 2 * round((LONGEST_ECHO_SECONDS + seconds) * 8000)])


def _sentence(at: float, text: str, pcm: bytes, t0: float) -> CallerSentence:
    start_ms = (at - t0) * 1000
    return CallerSentence(
        text, tuple((round(start_ms + first / 8), round(start_ms + last / 8)) for first, last in audible_stretches(pcm))
    )


def _pace(pace: SendingPace) -> str:
    how = "slow" if pace.percent > 0 else "fast"
    what = (
        f"{pace.every_ms:.2f} ms for each {pace.message_ms:.0f} ms of sound, over {pace.seconds:.1f} s of continuous "
        f"sending: {abs(pace.percent):.1f} % too {how}"
    )
    if pace.looks_like_hz is None:
        return what
    return f"{what}, as samples of {pace.looks_like_hz / 1000:g} kHz are that are sent as {pace.rate_hz / 1000:g} kHz"
