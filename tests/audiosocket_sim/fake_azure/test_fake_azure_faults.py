"""Each planned fault against the unmodified SDK: the error that the client gets, or that it gets none."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest
from helpers import sdk_client
from helpers.fake_azure_needs import QUERO, SDK, prompt, quero, recording

from audiosocket_core.slin import silence
from audiosocket_sim.fake_azure import FakeAzure

pytestmark = [*SDK]

IMPATIENT = {"SpeechSynthesis_FirstChunkTimeoutMs": "400", "SpeechSynthesis_FrameTimeoutInterval": "400"}

Step = dict[str, Any]
T = TypeVar("T")

# What the SDK makes of it: docs/speech.md, A fake Azure Speech service.
CANCELLED: dict[str, tuple[Step, str]] = {
    "refused 400": ({"refuse": 400}, "BadRequest"),
    "refused 401": ({"refuse": 401}, "AuthenticationFailure"),
    "refused 403": ({"refuse": 403}, "AuthenticationFailure"),
    "refused 408": ({"refuse": 408}, "ServiceTimeout"),
    "refused 429": ({"refuse": 429}, "TooManyRequests"),
    "refused 500": ({"refuse": 500}, "ServiceError"),
    "refused 503": ({"refuse": 503}, "ServiceUnavailable"),
    "reset before the upgrade": ({"drop": {"before": "upgrade"}}, "ConnectionFailure"),
    "closed 1002": ({"drop": 1002}, "ConnectionFailure"),
    "closed 1007": ({"drop": 1007}, "BadRequest"),
    "closed 4429": ({"drop": 4429}, "TooManyRequests"),
    "closed 1011 after audio": ({"drop": {"with": 1011, "after_audio": "1s"}}, "ServiceError"),
    "closed 1001": ({"drop": {"with": 1001, "after": "turn.start"}}, "ConnectionFailure"),
    "reset before the phrase": ({"drop": {"before": "speech.phrase"}}, "ConnectionFailure"),
    "phrase Error": ({"status": "Error"}, "ServiceError"),
    "phrase TooManyRequests": ({"status": "TooManyRequests"}, "TooManyRequests"),
    "phrase BadRequest": ({"status": "BadRequest"}, "BadRequest"),
    "phrase Forbidden": ({"status": "Forbidden"}, "Forbidden"),
    "phrase ServiceUnavailable": ({"status": "ServiceUnavailable"}, "ServiceUnavailable"),
}
SILENT: dict[str, Step] = {
    "mute": {"stall": {}},
    "no answer to the upgrade": {"stall": {"before": "upgrade"}},
    "no final text": {"stall": {"before": "speech.phrase"}},
    "a late final text": {"pace": {"final": "5s"}},
    "closed 1000 each time": {"drop": 1000},
}
SYNTHESIS: dict[str, tuple[Step, str]] = {
    "refused 403": ({"refuse": 403}, "AuthenticationFailure"),
    "refused 429": ({"refuse": 429}, "TooManyRequests"),
    "refused 503": ({"refuse": 503}, "ServiceUnavailable"),
    "closed 1011": ({"drop": 1011}, "ServiceError"),
    "mute": ({"stall": {}}, "ServiceTimeout"),
    "no answer to the upgrade": ({"stall": {"before": "upgrade"}}, "ServiceTimeout"),
}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeAzure]:
    with FakeAzure.in_thread() as fake:
        yield fake


def recognise(fake: FakeAzure, *plan: Step, audio: bytes | None = None, **options: Any) -> sdk_client.Heard:
    fake.script({"keys": {"planned": list(plan)}})
    made = sdk_client.config(fake.endpoint, "planned")
    return sdk_client.recognise(made, quero() if audio is None else audio, **options)


def synthesise(fake: FakeAzure, *plan: Step, times: int = 1) -> list[sdk_client.Spoken]:
    fake.script({"keys": {"planned": list(plan)}})
    made = sdk_client.config(fake.endpoint, "planned", **IMPATIENT)
    return sdk_client.synthesise(made, *["Pode subir."] * times)


def all_at_once(plans: Mapping[str, Step], work: Callable[[Any], T]) -> dict[str, T]:
    """Run all plans at the same time, each with a key of its own: each takes seconds, most of them waiting."""
    keys = {name: [step] for name, step in plans.items()}
    with FakeAzure.in_thread({"keys": keys}) as fake, ThreadPoolExecutor(len(plans)) as pool:
        return dict(
            zip(
                plans,
                pool.map(lambda name: work(sdk_client.config(fake.endpoint, name, **IMPATIENT)), plans),
                strict=True,
            )
        )


# Each of these is one test for all: with a test a case, each worker of a test run would make all the calls again.


def test_recognition_is_cancelled() -> None:
    plans = {name: step for name, (step, _) in CANCELLED.items()}
    heard = all_at_once(plans, lambda made: sdk_client.recognise(made, quero()))
    told = {name: one.of("canceled") for name, one in heard.items()}
    assert told == {name: [code] for name, (_, code) in CANCELLED.items()}
    assert [name for name, one in heard.items() if one.finals or not one.ended] == []


def test_a_silent_service_reports_nothing() -> None:
    heard = all_at_once(SILENT, lambda made: sdk_client.recognise(made, quero(), until=1.5))
    assert [name for name, one in heard.items() if one.ended or one.finals or one.of("canceled")] == []


def test_synthesis_is_cancelled() -> None:
    plans = {name: step for name, (step, _) in SYNTHESIS.items()}
    spoken = all_at_once(plans, lambda made: sdk_client.synthesise(made, "Pode subir.")[0])
    told = {name: (one.reason, one.error, one.audio) for name, one in spoken.items()}
    assert told == {name: ("Canceled", code, b"") for name, (_, code) in SYNTHESIS.items()}


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("NoMatch", "NotRecognized"),
        ("InitialSilenceTimeout", "InitialSilenceTimeout"),
        ("BabbleTimeout", "InitialBabbleTimeout"),
    ],
)
def test_nothing_was_recognised(fake: FakeAzure, status: str, reason: str) -> None:
    heard = recognise(fake, {"status": status})
    assert heard.finals == [reason]
    assert heard.of("canceled") == ["NoError"]
    assert fake.requests[-1].outcome == status


@pytest.mark.parametrize("how", ["reset", 1001, 1011])
def test_a_drop_in_mid_turn_is_healed_with_nothing_lost(how: str | int, fake: FakeAzure) -> None:
    """The SDK connects again and says where it continues; offsets count from the beginning of the session."""
    before = len(fake.requests)
    audio = quero() + silence(800) + recording("sim") + silence(700)
    heard = recognise(fake, {"drop": {"with": how, "after": "speech.phrase"}}, {}, audio=audio)
    assert heard.finals == [QUERO, "Sim."]
    assert heard.of("canceled") == ["NoError"]
    dropped, healed = fake.requests[before:]
    assert dropped.outcome == ("reset by the plan" if how == "reset" else f"closed with {how} by the plan")
    assert (dropped.continued, healed.continued, healed.outcome) == (False, True, "Success")
    assert heard.offsets[1][0] == pytest.approx(4.81, abs=0.1)


def test_a_drop_before_the_phrase_has_its_audio_sent_again(fake: FakeAzure) -> None:
    heard = recognise(fake, {"drop": {"after_audio": "2s"}}, {})
    assert heard.finals == [QUERO]
    assert heard.of("canceled") == ["NoError"]


def test_a_drop_after_every_phrase_leaves_a_session_that_never_ends(fake: FakeAzure) -> None:
    heard = recognise(fake, {"drop": {"after": "speech.phrase"}}, until=2.5)
    assert heard.finals[:1] == [QUERO]
    assert not heard.ended


def test_a_stall_that_passes(fake: FakeAzure) -> None:
    heard = recognise(fake, {"stall": {"after_audio": "500ms", "for": "300ms"}})
    assert heard.finals == [QUERO]


# --- synthesis


@pytest.mark.parametrize("what", ["drop", "stall"])
def test_audio_that_breaks_off(fake: FakeAzure, what: str) -> None:
    fake.script({"keys": {"planned": [{what: {"after_audio": "300ms"}}]}})
    made = sdk_client.config(fake.endpoint, "planned", **IMPATIENT)
    _, ended = sdk_client.synthesise_streamed(made, "Pode subir.")
    assert ended.reason == "Canceled"
    assert ended.audio == prompt("Pode subir.")[:4800]


def test_no_audio(fake: FakeAzure) -> None:
    (spoken,) = synthesise(fake, {"no_audio": True})
    assert (spoken.reason, spoken.audio) == ("SynthesizingAudioCompleted", b"")


def test_one_drop_before_the_audio_is_healed(fake: FakeAzure) -> None:
    (spoken,) = synthesise(fake, {"drop": {"before": "audio"}}, {})
    assert spoken.audio == prompt("Pode subir.")


def test_a_step_about_the_upgrade_ends_the_connection_that_is_open(fake: FakeAzure) -> None:
    first, second = synthesise(fake, {}, {"refuse": 401}, times=2)
    assert first.audio == prompt("Pode subir.")
    assert (second.reason, second.error) == ("Canceled", "AuthenticationFailure")


def test_the_services_have_plans_of_their_own(fake: FakeAzure) -> None:
    plan = [{"only": "synthesis", "refuse": 401}, {"only": "recognition", "status": "NoMatch"}]
    assert recognise(fake, *plan).finals == ["NotRecognized"]
    (spoken,) = synthesise(fake, *plan)
    assert spoken.error == "AuthenticationFailure"
