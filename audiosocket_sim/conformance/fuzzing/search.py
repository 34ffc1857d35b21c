"""Searches for streams that harm a server: draws, tries, finds out which one it was, repeats it, makes it small.

The order of all that is tried follows from the seed and from what the server does. The clock decides when it ends.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from audiosocket_sim.conformance.case import Statement
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.fuzzing.findings import FuzzFinding, FuzzResult
from audiosocket_sim.conformance.fuzzing.grammar import draw
from audiosocket_sim.conformance.fuzzing.harms import Harm, Observation, SeenRound, growth, observations, worst
from audiosocket_sim.conformance.fuzzing.odd_stream import Actions, OddStream, has_key, is_well_formed
from audiosocket_sim.conformance.fuzzing.rounds import (
    SIGN_SECONDS,
    Lanes,
    are_full,
    good_call,
    in_lanes,
    new_call,
    plain_call,
    script_of,
    seconds_of_lanes,
)
from audiosocket_sim.conformance.fuzzing.shrinking import shrink
from audiosocket_sim.conformance.script import Script

__all__ = ["Limits", "Search", "ServerStaysAway", "TriedServer"]


class ServerStaysAway(Exception):
    """A server that runs elsewhere takes no calls any more, so that nothing can be tried again."""


class TriedServer(Protocol):
    """What a search needs of a server."""

    features: Features
    n_calls: int

    def play(self, lanes: Lanes, *, beside: Script | None = None, after: Script | None = None) -> SeenRound:
        """Make the calls of the lanes, with one beside them, and one after them."""

    def renew(self) -> None:
        """Put a fresh server in its place. Raises ServerStaysAway if that cannot be done."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a search goes. `at_once`: streams beside one another; `round_seconds`: how long a round lasts, about.

    `shrink_seconds`: of the clock, for one finding.
    """

    at_once: int = 16
    round_seconds: float = 3.0
    most_streams: int | None = None
    most_findings: int = 6
    most_of_a_kind: int = 2
    shrink_tries: int = 300
    shrink_seconds: float = 60.0


_REPEATS = 2
_LEAK_TIMES = 5
_LEAST_GROWTH, _GROWING_ROUNDS = 3, 3
_MOST_SUSPECTS = 6
_LONGEST_ROUND = 400


@dataclass
class Search:
    """One search. `clock`: seconds, of which differences count."""

    server: TriedServer
    seed: int
    clock: Callable[[], float]
    on_finding: Callable[[FuzzFinding], FuzzFinding]
    on_round: Callable[[int], None] = lambda streams: None
    limits: Limits = Limits()
    _at_once: int = 1
    _has_good: bool = False
    _keys: bool = True
    _not_judged: frozenset[Harm] = frozenset()
    _findings: list[FuzzFinding] = field(default_factory=list)
    _not_repeated: list[str] = field(default_factory=list)
    _more: "Counter[Harm]" = field(default_factory=Counter)
    _held: SeenRound | None = None
    _growing: int = 0
    """In how many rounds, one after another, the program has held more than in the one before."""

    def run(self, seconds: float) -> FuzzResult:
        """Search for so many seconds of the clock, or until the limits are reached."""
        self._try_plain_calls()
        began, tried = self.clock(), 0
        while self.clock() - began < seconds and len(self._findings) < self.limits.most_findings:
            streams = self._next_round(tried)
            if not streams:
                break
            tried += len(streams)
            suspects: list[OddStream] = list(streams)
            try:
                self._try_round(suspects)
            except ServerStaysAway as away:
                self._keep(
                    FuzzFinding(Harm.GONE, suspects[0], suspects[0].actions, f"goes on listening, but {away}", 0)
                )
                break
            self.on_round(tried)
        return FuzzResult(
            seed=self.seed,
            findings=tuple(self._findings),
            not_repeated=tuple(self._not_repeated),
            not_judged=tuple(one for one in Harm if one in self._not_judged),
            more=self._more.total(),
            n_streams=tried,
            n_calls=self.server.n_calls,
            at_once=self._at_once,
            seconds=self.clock() - began,
            features=self.server.features,
        )

    # --- what this server does where nothing is odd

    def _try_plain_calls(self) -> None:
        """Find out how many calls it serves at once, and what it does in plain calls that would be a harm."""
        at_once = 1 if self.server.features.two_calls is False else self.limits.at_once
        has_good = at_once > 1
        while True:
            calls = tuple(map(plain_call, range(max(2, at_once))))
            lanes: Lanes = (calls,) if at_once == 1 else tuple((call,) for call in calls)
            shown = self._plain(lanes, has_good)
            without_key = [one for one in shown if "with a key" not in one.call]
            if not without_key or (at_once == 1 and not has_good):
                break
            at_once, has_good = (at_once // 2, True) if at_once > 1 else (1, False)
        self._at_once, self._has_good = at_once, has_good
        self._keys = len(shown) == len(without_key)
        self._not_judged = frozenset(one.harm for one in without_key)
        if not has_good:
            self._not_judged |= {one for one in Harm if one.is_of_another_call}

    def _plain(self, lanes: Lanes, has_good: bool) -> list[Observation]:
        seen = self.server.play(lanes, beside=good_call(2.0) if has_good else None, after=new_call())
        self._held = seen
        return [one for one in observations(seen) if one.shows]

    # --- a round

    def _next_round(self, tried: int) -> list[OddStream]:
        most = _LONGEST_ROUND if self.limits.most_streams is None else self.limits.most_streams - tried
        streams: list[OddStream] = []
        while len(streams) < most:
            streams.append(draw(f"{self.seed}/{tried + len(streams) + 1}"))
            if are_full(in_lanes(streams, self._at_once), self._at_once, self.limits.round_seconds):
                break
        return streams

    def _try_round(self, streams: list[OddStream]) -> None:
        """Try all of them. `streams` is put in the order of suspicion if the server goes down."""
        lanes = in_lanes(streams, self._at_once)
        seen = self.server.play(lanes, beside=self._good(lanes, sign=True), after=new_call())
        by_name = {script_of(stream).name: stream for stream in streams}
        found = self._judged(seen, by_name)
        if not found:
            self._watch_growth(streams, seen)
        for harm in dict.fromkeys(one.harm for one in found):
            of_it = [one for one in found if one.harm is harm]
            if self._has_enough(harm):
                self._more[harm] += len(of_it)
            elif harm.is_of_one_call:
                for one in of_it[: self.limits.most_of_a_kind]:
                    self._confirm(harm, by_name[one.call], one.statement.says)
            else:
                streams.sort(key=_distance(seen, of_it[0]))
                self._renew_after(harm)
                self._blame(harm, streams, of_it[0].statement.says)

    def _watch_growth(self, streams: list[OddStream], seen: SeenRound) -> None:
        """Look for what a program keeps. One that only warms up stops growing; a leak grows round by round."""
        held, self._held = self._held, seen
        more = "" if held is None else growth(held.seen.after, seen.seen.after, _LEAST_GROWTH)
        self._growing = self._growing + 1 if more else 0
        if self._growing == _GROWING_ROUNDS and Harm.GROWS not in self._not_judged:
            self._growing = 0
            if not self._has_enough(Harm.GROWS):
                self._blame(Harm.GROWS, streams, f"keeps nothing of a call that is over, but keeps {more}")

    def _judged(self, seen: SeenRound, by_name: "dict[str, OddStream]") -> list[Observation]:
        return worst(
            one
            for one in observations(seen)
            if one.harm not in self._not_judged
            and (self._keys or one.call not in by_name or not has_key(by_name[one.call].actions))
        )

    def _good(self, lanes: Lanes, *, sign: bool) -> Script | None:
        lasts = seconds_of_lanes(lanes) - (SIGN_SECONDS if sign else 0.0)
        return good_call(max(1.0, lasts), sign=sign) if self._has_good else None

    # --- which one it was

    def _blame(self, harm: Harm, streams: Sequence[OddStream], says: str) -> None:
        """Find the stream that does it by itself: the first suspects singly, then all by halves."""
        for stream in [] if harm is Harm.GROWS else streams[:_MOST_SUSPECTS]:
            if self._shows(harm, [stream]):
                self._confirm(harm, stream, says)
                return
        group = list(streams)
        while len(group) > 1:
            half = len(group) // 2
            halves = (group[:half], group[half:])
            group = next((part for part in halves if self._shows(harm, part)), [])
        if group and (len(streams) > 1 or harm is Harm.GROWS):
            self._confirm(harm, group[0], says)
        else:
            seeds = ", ".join(stream.seed for stream in streams[:3])
            self._not_repeated.append(
                f"{harm.title}: seen once, after {len(streams)} streams ({seeds} …), and not again"
            )

    def _shows(self, harm: Harm, streams: Sequence[OddStream]) -> Observation | None:
        """Try these streams and nothing else; return the observation if the harm is there."""
        lanes = in_lanes(streams, self._at_once)
        if harm is Harm.GROWS:
            return self._grows(lanes)
        beside = self._good(lanes, sign=harm is Harm.OTHER_UNANSWERED) if harm.is_of_another_call else None
        seen = self.server.play(lanes, beside=beside, after=None if harm.is_of_one_call else new_call())
        found = next((one for one in observations(seen) if one.shows and one.harm is harm), None)
        if found is not None:
            self._renew_after(harm)
        return found

    def _grows(self, lanes: Lanes) -> Observation | None:
        before = self.server.play((), after=new_call())
        for _ in range(_LEAK_TIMES):
            seen = self.server.play(lanes, after=new_call())
        more = growth(before.seen.after, seen.seen.after, _LEAK_TIMES)
        return _grown(more) if more else None

    def _renew_after(self, harm: Harm) -> None:
        if not harm.is_of_one_call and harm is not Harm.GROWS:
            self.server.renew()

    # --- a finding

    def _confirm(self, harm: Harm, stream: OddStream, says: str) -> None:
        for repeat in range(_REPEATS):
            found = self._shows(harm, [stream])
            if found is None:
                self._not_repeated.append(
                    f"{harm.title}: seen with stream {stream.seed}, not in try {repeat + 2}: {says}"
                )
                return
            says = found.statement.says
        self._make_small(harm, stream, says)

    def _make_small(self, harm: Harm, stream: OddStream, says: str) -> None:
        until = self.clock() + self.limits.shrink_seconds
        at_once = self._at_once if harm.is_of_one_call else 1
        shrunk = shrink(
            stream.actions,
            lambda candidates: self._first_that_shows(harm, candidates),
            at_once=at_once,
            most_tries=self.limits.shrink_tries,
            give_up=lambda: self.clock() > until,
        )
        smallest = OddStream(stream.seed, shrunk.actions)
        last = [self._shows(harm, [smallest]) for _ in range(_REPEATS)]
        if all(last):
            says = last[-1].statement.says if last[-1] is not None else says
        else:  # what is smaller does it now and then: the stream as it was drawn does it each time
            smallest = stream
        if any(one.harm is harm and one.smallest == smallest.actions for one in self._findings):
            self._more[harm] += 1
            return
        self._keep(FuzzFinding(harm, stream, smallest.actions, says, _REPEATS, shrunk.tries, shrunk.cut_short))

    def _first_that_shows(self, harm: Harm, candidates: Sequence[Actions]) -> int | None:
        if harm in (Harm.DROPPED, Harm.UNANSWERED):
            places = [place for place, actions in enumerate(candidates) if is_well_formed(actions)]
        else:
            places = list(range(len(candidates)))
        if not places:
            return None
        if not harm.is_of_one_call:
            return next((n for n in places if self._shows(harm, [OddStream("a smaller one", candidates[n])])), None)
        named = {f"candidate {n}": candidates[n] for n in places}
        lanes = tuple((Script(actions, name=name),) for name, actions in named.items())
        seen = self.server.play(lanes)
        guilty = {one.call for one in observations(seen) if one.shows and one.harm is harm}
        return next((n for n in places if f"candidate {n}" in guilty), None)

    def _keep(self, finding: FuzzFinding) -> None:
        self._findings.append(self.on_finding(finding))

    def _has_enough(self, harm: Harm) -> bool:
        of_it = sum(one.harm is harm for one in self._findings)
        return of_it >= self.limits.most_of_a_kind or (of_it > 0 and self._more[harm] > 0)


def _grown(more: str) -> Observation:
    """Return the observation that the server's program holds more than before."""
    return Observation(
        Harm.GROWS,
        Statement(False, f"keeps nothing of a call that is over, but keeps {more} after {_LEAK_TIMES} of them"),
    )


def _distance(seen: SeenRound, observation: Observation) -> Callable[[OddStream], float]:
    """Return how long before the harm a stream was last heard of: the last one is the first suspect."""
    last_sent = {call.script.name: call.sent[-1].at for call in seen.seen.calls if call.sent}
    harmed_at = observation.statement.at
    if observation.harm in (Harm.GONE, Harm.NO_NEW_CALL):
        ends = [call.end.at for call in seen.seen.calls if call.end.by == "server" and call.end.how == "reset"]
        harmed_at = max(ends, default=harmed_at)

    def distance(stream: OddStream) -> float:
        at = last_sent.get(script_of(stream).name)
        if at is None or harmed_at is None:
            return 1e6
        return harmed_at - at if at <= harmed_at + 0.05 else 1e3 + at - harmed_at

    return distance
