"""What one caller sends, heard: audio, and audio that is missing, in; utterances out. No task, and `now` is given.

The way of a frame: to SLIN of 8 kHz (`inbound`), to the recognition that is open while an utterance lasts, and to the
`endpointing`. What follows from an utterance is decided elsewhere (`turns`); the call begins and ends recognition.
"""

from collections.abc import Callable, Sequence

from audiosocket_server.call.inbound import Inbound
from audiosocket_server.detectors import Detectors
from audiosocket_server.endpointing import Endpointer, EndpointingFact, LineEchoGuard, Vad, WebRtcVad
from audiosocket_server.settings.settings import Settings
from audiosocket_server.speech.base import Recognition
from audiosocket_server.turns.machine import SPARE_SECONDS

__all__ = ["CallerInput"]

LATE_SECONDS = 0.02  # a tick that comes so late was held up, and so were the sockets


class CallerInput:
    """One call's. `warn` is called with one line when something is off with the audio."""

    def __init__(self, settings: Settings, detectors: Detectors, warn: Callable[[str], None]) -> None:
        ep = settings.endpointing
        self.audio_at = 0.0
        """When the newest audio came, or the call began."""
        self.gap_seconds = ep.missing_audio_ms / 1000 + SPARE_SECONDS
        """Without audio for longer than this, `missing` has something to do."""
        self.recognition: Recognition | None = None
        """Who is given the audio of an utterance as it comes."""
        self._inbound = Inbound(warn, settings.audio.caller_sample_rate)
        self._plain_kind = self._inbound.plain_kind
        echo = LineEchoGuard()
        self.played = echo.played
        """To be told each frame that is sent to the caller, when it is sent."""
        self._endpointer = Endpointer(
            WebRtcVad(ep.aggressiveness),
            silence_ms=round(settings.system.silence_threshold_seconds * 1000),
            longest_ms=round(ep.longest_utterance_seconds * 1000),
            pre_roll_ms=ep.pre_roll_ms,
            minimum_speech_ms=ep.minimum_speech_ms,
            guards=(echo.is_echo,) if ep.echo_guard else (),
        )
        self._detectors = detectors
        self._detector: Vad | None = None  # lent by `detectors`
        self._missed_until = 0.0  # up to when missing audio has been counted as silence
        self._hole_since = -1.0  # the newest audio before the hole that the ticks see
        self._hole_sure_after = 0.0  # ticks that were due later know that there is a hole

    def hear(self, kind: int, payload: bytes, now: float) -> Sequence[EndpointingFact] | None:
        """An audio message came. None: nothing happened, which is nearly always."""
        self.audio_at = now
        if self._inbound.probing:
            self._inbound.probe(kind, len(payload), now)
        pcm = payload if kind == self._plain_kind and not len(payload) & 1 else self._inbound.slin8(kind, payload)
        endpointer = self._endpointer
        if endpointer.in_utterance and self.recognition is not None:
            self.recognition.feed(pcm)
        return endpointer.audio(pcm)

    def missing(self, due: float, clock: float) -> Sequence[EndpointingFact] | None:
        """A tick that was `due` found no audio for over `gap_seconds`; `clock`: the loop's time now.

        A muted phone sends nothing: that is silence too, from the newest audio on. But after a stall of our own the
        clock may be served before the socket, in which the audio lies: the tick that first sees a hole, and one that is
        late itself, count nothing yet; the next one does, with all that is missing.
        """
        if self._hole_since != self.audio_at or clock - due > LATE_SECONDS:
            self._hole_since, self._hole_sure_after = self.audio_at, clock
        if due <= self._hole_sure_after:
            return None
        since = max(self.audio_at, self._missed_until)
        missing_ms = round((due - since) * 1000)
        if missing_ms <= 0:
            return None
        self._missed_until = due
        return self._endpointer.missing(missing_ms)

    def forgive_missing(self, now: float) -> None:
        """The audio that was missing up to now was no silence: the caller pressed a key (docs/protocol.md, DTMF)."""
        self._endpointer.forgive_missing()
        self.audio_at = now

    def listen(self, on: bool) -> None:
        """Let utterances count, or not."""
        if on and self._detector is None:
            self._detector = self._detectors.take()
            if self._detector is not None:
                self._endpointer.use(self._detector)
        self._endpointer.listen(on)

    def newest(self, ms: int, now: float) -> bytes:
        """What came in the last `ms`, as far as it is kept; nothing from a muted phone. SLIN, 8 kHz."""
        return b"" if now - self.audio_at > self.gap_seconds else self._endpointer.newest(ms)

    def forget(self) -> None:
        """Nothing heard so far may become part of an utterance: it may be the bot's own echo."""
        self._endpointer.forget()

    def close(self) -> Vad | None:
        """Stop listening, for good; the detector that was lent to this call, to be given back."""
        self._endpointer.listen(False)  # the detector is not asked any more
        return self._detector
