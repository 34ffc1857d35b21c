"""The caller's side of a call beside a voice that never falls silent: a detector that takes every sound for speech."""

from typing import cast

import pytest
from audiosocket_server.call.caller_input import CallerInput
from audiosocket_server.detectors import Detectors
from audiosocket_server.endpointing import UtteranceOpened
from audiosocket_server.settings.settings import Settings

from audiosocket_sim.phone.line import noise

SLIN = 0x10


class AllIsSpeech:
    adapts = False
    likelihood = 0.9

    def is_speech(self, frame: bytes) -> bool:
        return True

    def reset(self) -> None:
        pass


class OneDetector:
    gathering = None

    def take(self, *, again: bool = False) -> AllIsSpeech:
        return AllIsSpeech()


class Caller:
    def __init__(self, **endpointing: object) -> None:
        settings = Settings.from_overrides({"endpointing": {"engine": "silero", **endpointing}})
        self.input = CallerInput(settings, cast(Detectors, OneDetector()), lambda _: None, lambda _: None)
        self.frames = 0

    def hears(self, dbfs: float, frames: int) -> list[object]:
        """The frames of one sound, while the bot is silent. Returns what happened."""
        happened: list[object] = []
        pcm = noise(frames * 20, dbfs, "white", self.frames)
        for at in range(0, len(pcm), 320):
            self.frames += 1
            self.input.played(bytes(320))
            happened += self.input.hear(SLIN, pcm[at : at + 320], self.frames * 0.02) or ()
        return happened


@pytest.mark.parametrize(("nearest_voice", "opens"), [(True, False), (False, True)])
def test_babble_opens_no_turn_and_the_caller_does(nearest_voice: bool, opens: bool) -> None:
    caller = Caller(nearest_voice=nearest_voice)
    caller.hears(-32, 150)
    caller.input.listen(True)
    assert any(isinstance(fact, UtteranceOpened) for fact in caller.hears(-32, 50)) is opens
    if not opens:
        assert any(isinstance(fact, UtteranceOpened) for fact in caller.hears(-22, 10))


def test_the_turn_ends_though_babble_goes_on() -> None:
    caller = Caller()
    caller.hears(-32, 150)
    caller.input.listen(True)
    caller.hears(-32, 20)
    caller.hears(-22, 50)
    [closed] = caller.hears(-32, 110)
    assert closed.reason == "silence"  # type: ignore[attr-defined]
