"""The counters of a server over all its calls, and their text as Prometheus metrics (docs/server.md, Metrics).

Counting takes a few additions per event; all times come from the events. The text is made on request, by the
Prometheus library, which is imported then. Labels are bounded: outcomes and stages, never an id or a text.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

from audiosocket_core.pacing import Lateness
from audiosocket_server.events import (
    BackendFailedEvent,
    CallEndedEvent,
    CallEvent,
    CallState,
    LatencyStage,
    PlaybackFinishedEvent,
    StageTookEvent,
    StateChangedEvent,
    SynthesisFailedEvent,
    TranscriptFinalEvent,
)
from audiosocket_server.turns import vocabulary as t

if TYPE_CHECKING:
    from prometheus_client.core import Metric

__all__ = ["LATENCY_BUCKETS", "OUTCOMES", "CallMetrics", "Histogram", "Snapshot", "as_text", "outcome_of"]

LATENCY_BUCKETS = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0, 3.0, 5.0)
DURATION_BUCKETS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
LATENESS_BUCKETS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05)

_BY_REASON = {
    t.CONVERSATION_OVER: "completed",
    t.CALLER_SILENT: "caller_silent",
    t.TIME_LIMIT: "time_limit",
    t.ASKED_TO: "hung_up_by_api",
    t.SERVER_STOPS: "server_stopped",
}
_BY_WHOM = {"caller": "caller_hung_up", "server": "server_closed"}
OUTCOMES = (*_BY_REASON.values(), *_BY_WHOM.values(), "error")
FAILURES = ("recognition", "backend_http_error", "backend_unreachable", "synthesis")


def outcome_of(ended: CallEndedEvent) -> str:
    """Return the outcome of a call: one of `OUTCOMES`."""
    return _BY_REASON.get(ended.reason) or _BY_WHOM.get(ended.by, "error")


def _cut_off(event: CallEvent | None) -> bool:
    """Whether a message was stopped: where the caller's turn follows at once, he stopped it."""
    return isinstance(event, PlaybackFinishedEvent) and not event.complete


class Histogram:
    """A histogram of observations in seconds. `bounds`: the upper bounds of its buckets, rising."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Add one observation."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds

    def frozen(self) -> "Distribution":
        """Return the present state as data."""
        return Distribution(tuple(self.bounds), tuple(accumulate(self.counts)), self.total)


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram at one moment.

    `up_to[i]`: how many observations were at most `bounds[i]` seconds; the last element counts all observations.
    `total`: their sum in seconds.
    """

    bounds: tuple[float, ...]
    up_to: tuple[int, ...]
    total: float

    @classmethod
    def of_lateness(cls, lateness: Lateness) -> "Distribution":
        """Return the lateness of the 20 ms clock as a distribution."""
        counts = [lateness.at_most(bound) for bound in LATENESS_BUCKETS]
        return cls(LATENESS_BUCKETS, (*counts, lateness.count), lateness.total)


@dataclass(slots=True)
class CallMetrics:
    """The counters of one server. Call `count(event, previous)` for each event of each call."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    durations: dict[str, Histogram] = field(default_factory=lambda: _each(OUTCOMES, DURATION_BUCKETS))
    response: Histogram = field(default_factory=lambda: Histogram(LATENCY_BUCKETS))
    stages: dict[str, Histogram] = field(default_factory=lambda: _each(LatencyStage, LATENCY_BUCKETS))
    interruptions: int = 0
    refused: int = 0
    dropped_messages: int = 0  # of calls that have ended

    def count(self, event: CallEvent, previous: CallEvent | None) -> None:
        """Count an event. `previous`: the event before it in the same call, None for the first one."""
        match event:
            case StageTookEvent(stage, duration_ms, since_last_word_ms):
                self.stages[stage].observe(duration_ms / 1000)
                if stage is LatencyStage.FIRST_AUDIO and since_last_word_ms is not None:
                    self.response.observe(since_last_word_ms / 1000)
            case StateChangedEvent(CallState.IA_TURN, CallState.USER_TURN) if _cut_off(previous):
                self.interruptions += 1
            case TranscriptFinalEvent(failed=True):
                self.failures["recognition"] += 1
            case BackendFailedEvent(kind):
                self.failures[f"backend_{kind}"] += 1
            case SynthesisFailedEvent():
                self.failures["synthesis"] += 1
            case CallEndedEvent(duration_ms=duration_ms):
                outcome = outcome_of(event)
                self.outcomes[outcome] += 1
                self.durations[outcome].observe(duration_ms / 1000)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All metrics of a server at one moment."""

    live: int
    outcomes: Mapping[str, int]
    failures: Mapping[str, int]
    durations: Mapping[str, Distribution]
    response: Distribution
    stages: Mapping[str, Distribution]
    interruptions: int
    refused: int
    dropped: int
    lateness: Distribution
    skipped: int

    @classmethod
    def of(cls, metrics: CallMetrics, live: int, live_dropped: int, lateness: Lateness, skipped: int) -> "Snapshot":
        """Take a snapshot.

        `live`: the number of live calls; `live_dropped`: the messages that they dropped; `lateness` and `skipped`: of
        the 20 ms clock (`Ticker`).
        """
        return cls(
            live,
            {outcome: metrics.outcomes[outcome] for outcome in OUTCOMES},
            {kind: metrics.failures[kind] for kind in FAILURES},
            {outcome: histogram.frozen() for outcome, histogram in metrics.durations.items()},
            metrics.response.frozen(),
            {stage: histogram.frozen() for stage, histogram in metrics.stages.items()},
            metrics.interruptions,
            metrics.refused,
            metrics.dropped_messages + live_dropped,
            Distribution.of_lateness(lateness),
            skipped,
        )


def _each(labels: Iterable[str], bounds: Sequence[float]) -> dict[str, Histogram]:
    return {label: Histogram(bounds) for label in labels}


# --- the text -----------------------------------------------------------------------------------------------------


def as_text(snapshot: Snapshot) -> tuple[bytes, str]:
    """Return the metrics in Prometheus' text format, and its media type.

    Call it in the executor: the first call imports the library.
    """
    from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
    from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

    class Collector:
        def collect(self) -> "Iterable[Metric]":
            return _families(snapshot)

    registry = CollectorRegistry(auto_describe=False)
    registry.register(Collector())
    ProcessCollector(registry=registry)
    return generate_latest(registry), CONTENT_TYPE_PLAIN_0_0_4


def _families(snapshot: Snapshot) -> "Iterable[Metric]":
    from prometheus_client.core import GaugeMetricFamily

    yield GaugeMetricFamily("voicebot_calls_active", "Calls that are live.", value=snapshot.live)
    yield _counter("calls", "Calls that have ended.", snapshot.outcomes, "outcome")
    yield _histogram("call_duration_seconds", "From the UUID to the end.", snapshot.durations, "outcome")
    yield _histogram(
        "response_latency_seconds", "From the caller's last word to the first frame of the answer.", snapshot.response
    )
    yield _histogram("response_stage_seconds", "The stages of that, one after the other.", snapshot.stages, "stage")
    yield _counter(
        "interruptions", "Messages that a caller spoke over and so stopped.", {"caller": snapshot.interruptions}, "by"
    )
    yield _counter("failures", "What failed while the call went on.", snapshot.failures, "kind")
    yield _histogram("frame_send_lateness_seconds", "How late the 20 ms clock woke up.", snapshot.lateness)
    yield _counter("frames_skipped", "Frames never sent, since they were due too long ago.", snapshot.skipped)
    yield _counter("frames_dropped", "Frames not sent, since the caller's side does not read.", snapshot.dropped)
    yield _counter("connections_refused", "Connections beyond limits.calls.", snapshot.refused)


def _counter(name: str, what: str, values: Mapping[str, int] | int, label: str = "") -> "Metric":
    from prometheus_client.core import CounterMetricFamily

    if isinstance(values, int):
        return CounterMetricFamily(f"voicebot_{name}", what, value=values)
    family = CounterMetricFamily(f"voicebot_{name}", what, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _histogram(name: str, what: str, values: Mapping[str, Distribution] | Distribution, label: str = "") -> "Metric":
    from prometheus_client.core import HistogramMetricFamily

    family = HistogramMetricFamily(f"voicebot_{name}", what, labels=[label] if label else None)
    for key, distribution in values.items() if isinstance(values, Mapping) else [("", values)]:
        bounds = [*(str(bound) for bound in distribution.bounds), "+Inf"]
        buckets = [(bound, float(count)) for bound, count in zip(bounds, distribution.up_to, strict=True)]
        family.add_metric([key] if label else [], buckets, distribution.total)
    return family
