"""An echo in audio that waits for that of other calls is no older than in audio that does not wait."""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import cast

import pytest
from audiosocket_server.call.caller_input import CallerInput
from audiosocket_server.detectors import Detectors
from audiosocket_server.endpointing import EndpointingFact, GradedVad, UtteranceOpened, WebRtcVad
from audiosocket_server.settings.settings import Settings
from helpers.call_bench import ROOT

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import frames, silence
from audiosocket_sim.phone.line import LineModel
from audiosocket_sim.phone.line_echo import LineEcho

SLIN = 0x10
BOT = b"".join(
    p.pcm for p in PhraseBook.load(ROOT / "audio" / "prompts").phrases if p.name.startswith("pt-br/desculpe")
)


class Waits:
    """Lets a part of the frames wait, as `Gathering` does."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.frames = 0
        self.take: Callable[[], None] | None = None

    def add(self, vad: GradedVad | None, frame: bytes, take: Callable[[], None]) -> bool:
        self.frames += 1
        waits = self.pattern[self.frames % len(self.pattern)] == "w"
        self.take = take if waits else None
        return waits


def onsets(pattern: str, echo: LineEcho, noise_dbfs: float) -> int:
    """How many utterances would begin while the bot speaks and only its echo is heard; each is given up at once."""
    opened: list[EndpointingFact] = []
    waits = Waits(pattern)

    def hear(facts: Sequence[EndpointingFact] | None) -> None:
        found = [fact for fact in facts or () if isinstance(fact, UtteranceOpened)]
        opened.extend(found)
        if found:
            caller.listen(False)
            caller.listen(True)

    settings = Settings.from_overrides({"endpointing": {"engine": "webrtc", "echo_guard": True}})
    detectors = SimpleNamespace(gathering=waits, take=lambda *, again: WebRtcVad(2))
    caller = CallerInput(settings, cast(Detectors, detectors), lambda _: None, lambda take: hear(take()))
    line = LineModel("ulaw", noise_dbfs, echo=echo)
    for number, sent in enumerate(frames(silence(2000) + BOT, 320)):
        if number == 100:
            caller.listen(True)
        caller.played(sent)
        if waits.take is not None:
            waits.take()  # its wait is over only after the tick
            waits.take = None
        line.receive(sent, number * 0.02)
        hear(caller.hear(SLIN, line.send(bytes(320), at=(number + 1) * 0.02), number * 0.02 + 0.015))
    return len(opened)


@pytest.mark.parametrize(
    ("echo", "noise_dbfs"), [(LineEcho(200, -24, 8, seed=200), -52), (LineEcho(60, -16, 20, seed=60), -45)]
)
def test_an_echo_is_known_though_some_frames_are_judged_after_the_next_tick(echo: LineEcho, noise_dbfs: float) -> None:
    assert onsets(".", echo, noise_dbfs) == 0
    assert onsets("ww.w.ww.", echo, noise_dbfs) == 0
