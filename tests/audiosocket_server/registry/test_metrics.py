"""What is counted, of which events; and that a reader of Prometheus' format takes it."""

import pytest
from audiosocket_server.events import (
    BackendFailedEvent,
    CallEndedEvent,
    CallEvent,
    CallState,
    LatencyStage,
    PlaybackFinishedEvent,
    PlaybackPausedEvent,
    SpeechStartedEvent,
    StageTookEvent,
    StateChangedEvent,
    SynthesisFailedEvent,
    TranscriptFinalEvent,
    TranscriptInterimEvent,
)
from audiosocket_server.registry.calls import Calls
from audiosocket_server.registry.metrics import CallMetrics, Snapshot, as_text, outcome_of
from audiosocket_server.registry.vitals import Vitals
from audiosocket_server.turns import vocabulary as t
from prometheus_client.parser import text_string_to_metric_families

from audiosocket_core.pacing import Lateness


def values(metrics: CallMetrics, lateness: Lateness | None = None, live: int = 0, dropped: int = 0) -> dict[str, float]:
    """Every sample, by its name and labels."""
    text, media_type = as_text(Snapshot.of(metrics, live, dropped, lateness or Lateness(), 7))
    assert media_type.startswith("text/plain; version=0.0.4")
    return {
        ",".join([sample.name, *(f"{key}={value}" for key, value in sorted(sample.labels.items()))]): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def counted(*events: CallEvent) -> CallMetrics:
    metrics = CallMetrics()
    for before, event in zip((None, *events), events, strict=False):
        metrics.count(event, before)
    return metrics


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("by", "reason", "outcome"),
    [
        ("server", t.CONVERSATION_OVER, "completed"),
        ("server", t.CALLER_SILENT, "caller_silent"),
        ("server", t.TIME_LIMIT, "time_limit"),
        ("server", t.ASKED_TO, "hung_up_by_api"),
        ("server", t.SERVER_STOPS, "server_stopped"),
        ("server", "closed by the server", "server_closed"),
        ("caller", "the caller hung up (connection reset)", "caller_hung_up"),
        ("error", "internal error: ValueError", "error"),
        ("nobody knows", "", "error"),
    ],
)
def test_ends_are_counted_by_their_cause(by: str, reason: str, outcome: str) -> None:
    ended = CallEndedEvent(by, reason, 12_500)
    assert outcome_of(ended) == outcome
    told = values(counted(ended))
    assert told[f"voicebot_calls_total,outcome={outcome}"] == 1
    assert sum(value for name, value in told.items() if name.startswith("voicebot_calls_total")) == 1
    assert told[f"voicebot_call_duration_seconds_bucket,le=5.0,outcome={outcome}"] == 0
    assert told[f"voicebot_call_duration_seconds_bucket,le=15.0,outcome={outcome}"] == 1
    assert told[f"voicebot_call_duration_seconds_sum,outcome={outcome}"] == 12.5


def test_stages_and_the_whole_wait() -> None:
    told = values(
        counted(
            StageTookEvent(LatencyStage.ENDPOINT, 1000, 1000),
            StageTookEvent(LatencyStage.RECOGNITION, 250, 1250),
            StageTookEvent(LatencyStage.BACKEND, 800, 2050),
            StageTookEvent(LatencyStage.FIRST_AUDIO, 50, 2100),
            StageTookEvent(LatencyStage.FIRST_AUDIO, 40, None),  # a push answers no word
        )
    )
    assert told["voicebot_response_latency_seconds_count"] == 1
    assert told["voicebot_response_latency_seconds_sum"] == pytest.approx(2.1)
    assert told["voicebot_response_latency_seconds_bucket,le=2.0"] == 0
    assert told["voicebot_response_latency_seconds_bucket,le=3.0"] == 1
    assert told["voicebot_response_stage_seconds_count,stage=first_audio"] == 2
    assert told["voicebot_response_stage_seconds_bucket,le=0.8,stage=backend"] == 1  # an upper bound is included
    assert told["voicebot_response_stage_seconds_bucket,le=0.5,stage=backend"] == 0


def test_failures_and_interruptions() -> None:
    told = values(
        counted(
            TranscriptFinalEvent("", failed=True),
            TranscriptFinalEvent(""),
            BackendFailedEvent("http_error", ""),
            BackendFailedEvent("unreachable", ""),
            SynthesisFailedEvent(""),
            PlaybackFinishedEvent(500, complete=False),  # cut by the end
            StateChangedEvent(CallState.IA_TURN, CallState.STANDBY),
            SpeechStartedEvent(),
            PlaybackPausedEvent(500),
            TranscriptInterimEvent("espera"),
            PlaybackFinishedEvent(500, complete=False),  # cut by the caller
            StateChangedEvent(CallState.IA_TURN, CallState.USER_TURN),
            PlaybackFinishedEvent(500, complete=False),  # its audio stopped coming
            SynthesisFailedEvent(""),
            StateChangedEvent(CallState.IA_TURN, CallState.USER_TURN),
            SpeechStartedEvent(),
            PlaybackFinishedEvent(500, complete=True),
            StateChangedEvent(CallState.IA_TURN, CallState.USER_TURN),
        )
    )
    kinds = ("recognition", "backend_http_error", "backend_unreachable", "synthesis")
    assert [told[f"voicebot_failures_total,kind={kind}"] for kind in kinds] == [1, 1, 1, 2]
    assert told["voicebot_interruptions_total,by=caller"] == 1


def test_own_lateness() -> None:
    lateness = Lateness()
    for seconds in (0.0, 0.0004, 0.0011, 0.015, 0.2):
        lateness.add(seconds)
    told = values(CallMetrics(), lateness)
    bounds = ("0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "+Inf")
    counts = [told[f"voicebot_frame_send_lateness_seconds_bucket,le={bound}"] for bound in bounds]
    assert counts == [2, 3, 3, 3, 4, 4, 5]
    assert told["voicebot_frame_send_lateness_seconds_sum"] == pytest.approx(0.2165)
    assert told["voicebot_frames_skipped_total"] == 7


def test_what_calls_dropped_is_kept_when_they_end() -> None:
    calls = Calls()
    call = calls.open("a", "", lambda _: True, vitals=lambda: Vitals(-120, -120, 3))
    assert values(calls.metrics, live=1, dropped=3)["voicebot_frames_dropped_total"] == 3
    call.record(CallEndedEvent("caller", "gone", 1), 1.0)
    told = values(calls.metrics)
    assert told["voicebot_frames_dropped_total"] == 3
    assert told["voicebot_calls_active"] == 0
    assert call.vitals().dropped_messages == 0
    assert told["process_resident_memory_bytes"] > 0
