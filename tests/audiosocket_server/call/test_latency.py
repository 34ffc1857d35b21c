"""The stages of an answer: arithmetic."""

from audiosocket_server.call.latency import AnswerClock
from audiosocket_server.events import LatencyStage, StageTookEvent


def test_each_stage_begins_where_the_one_before_it_ended() -> None:
    clock = AnswerClock()
    assert clock.endpoint(10.0, silence_ms=700) == StageTookEvent(LatencyStage.ENDPOINT, 700, 700)
    assert clock.recognised(10.2) == StageTookEvent(LatencyStage.RECOGNITION, 200, 900)
    assert clock.answered(11.4) == StageTookEvent(LatencyStage.BACKEND, 1200, 2100)
    clock.message(11.4)
    assert clock.first_audio(11.55) == StageTookEvent(LatencyStage.FIRST_AUDIO, 150, 2250)


def test_a_pushed_message_answers_no_word_of_the_callers() -> None:
    clock = AnswerClock()
    clock.endpoint(10.0, silence_ms=700)
    clock.message(11.0)
    clock.first_audio(11.1)
    clock.message(20.0)
    assert clock.first_audio(20.3) == StageTookEvent(LatencyStage.FIRST_AUDIO, 300, None)


def test_an_utterance_that_never_fell_silent_waited_for_nothing() -> None:
    assert AnswerClock().endpoint(15.0, silence_ms=0) == StageTookEvent(LatencyStage.ENDPOINT, 0, 0)
