"""The check of an engine before the first call: what keeps the server from starting, and what is only a warning."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from audiosocket_server.__main__ import main
from audiosocket_server.listener import serve
from audiosocket_server.settings.settings import Settings
from audiosocket_server.speech import checking
from audiosocket_server.speech.base import SpeechError, SpeechUnavailable
from helpers.call_bench import Engine, virtual


@dataclass
class Tried(Engine):
    """A check that ends so: with a word, with a fault, or (None) never."""

    outcome: str | Exception | None = "spoke a word"
    closed: bool = False

    async def check(self) -> str:
        if isinstance(self.outcome, Exception):
            raise self.outcome
        if self.outcome is None:
            await asyncio.Event().wait()
        return self.outcome or ""

    async def aclose(self) -> None:
        self.closed = True


def works(settings: Settings) -> Tried:
    return Tried()


def refused(settings: Settings) -> Tried:
    return Tried(outcome=SpeechError("the key is refused: set AZURE_SPEECH_KEY"))


def away(settings: Settings) -> Tried:
    return Tried(outcome=SpeechUnavailable("nobody answers"))


def named(make: Callable[[Settings], Tried]) -> dict[str, dict[str, str]]:
    return {"speech": {"engine": f"{__name__}:{make.__name__}"}}


@virtual
async def test_a_fault_of_the_set_up_keeps_the_server_from_starting() -> None:
    with pytest.raises(SpeechError, match="the key is refused"):
        await serve(settings=named(refused), check=True)


@virtual
async def test_a_service_that_is_away_does_not(caplog: pytest.LogCaptureFixture) -> None:
    server = await serve(settings=named(away), check=True)
    await server.close()
    assert "nobody answers; the server starts nevertheless" in caplog.text


@virtual
async def test_only_the_live_server_asks() -> None:
    server = await serve(settings=named(refused))
    await server.close()


@virtual
async def test_a_check_that_never_ends_is_a_service_that_is_away() -> None:
    with pytest.raises(SpeechUnavailable, match="30 s"):
        await checking.check_engine(Tried(outcome=None))


@virtual
async def test_an_engine_that_cannot_be_tried_says_so() -> None:
    assert "it has no check to run" in await checking.check_engine(Engine())


@pytest.mark.parametrize(("make", "code"), [(works, 0), (refused, 3), (away, 3)])
def test_the_flag_says_what_was_tried(
    make: Callable[[Settings], Tried],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)
    name = named(make)["speech"]["engine"]
    monkeypatch.setenv("SPEECH_ENGINE", name)
    assert main(["--check", "--loop", "asyncio"]) == code
    out, err = capfd.readouterr()
    assert out.startswith(f"speech engine: {name} (set by speech.engine)\n")
    if code:
        assert err.startswith("server: ")
        assert err.count("\n") == 1
    else:
        detector = "voice activity detector: silero (the default of endpointing.engine)"
        assert f"tried: spoke a word\n{detector}\nit works (" in out
