"""The caller's side of one call. Input: audio, and the absence of audio. Output: utterances that begin and end.

Each frame is converted to 8 kHz SLIN (`inbound`), given to the recognition while an utterance lasts, and given to the
endpointer. What follows from an utterance is decided in `turns`; the session starts and ends recognition. No task, and
no clock: the time is an argument.
"""

from collections.abc import Callable, Sequence

from audiosocket_server.call.early_speech import EarlySpeech
from audiosocket_server.call.inbound import Inbound
from audiosocket_server.detectors import Detectors
from audiosocket_server.endpointing import (
    Endpointer,
    EndpointingFact,
    GradedVad,
    LastingVoice,
    LineEchoGuard,
    NearestVoice,
    Surroundings,
    VoiceLevels,
    WebRtcVad,
)
from audiosocket_server.gathering import Gathering
from audiosocket_server.settings.settings import Settings
from audiosocket_server.speech.base import Recognition
from audiosocket_server.turns.machine import SPARE_SECONDS

__all__ = ["CallerInput"]

MOST_AHEAD_SECONDS = 30.0
"""How far the caller's audio may run ahead of the clock. A phone cannot speak faster than time passes."""
MOST_BEHIND_SECONDS = 60.0
"""What has not come for so long does not come any more, so that its time is not made up for."""
TOO_FAST = f"the caller's audio is faster than real time: what is over {MOST_AHEAD_SECONDS:g} s ahead is dropped"
_BYTES_A_SECOND = 16_000
LEARNT_MS = 360  # of the caller's audio before the bot's last word, which is searched for an echo

LATE_SECONDS = 0.02  # a tick that comes this late was held up, and reading from the sockets was held up with it


class CallerInput:
    """The caller's audio of one call. `warn` is called with one line if something is wrong with the audio.

    `take_late` is called with what takes audio that `hear` has let wait: call it, and deal with what happened.
    """

    def __init__(
        self,
        settings: Settings,
        detectors: Detectors,
        warn: Callable[[str], None],
        take_late: Callable[[Callable[[], Sequence[EndpointingFact] | None]], None],
    ) -> None:
        ep = settings.endpointing
        self.audio_at = 0.0
        """When the newest audio arrived, or the call began; seconds of the loop's clock."""
        self.gap_seconds = ep.missing_audio_ms / 1000 + SPARE_SECONDS
        """Call `missing` when no audio has arrived for longer than this."""
        self.recognition: Recognition | None = None
        """The recognition that gets the audio of the current utterance as it arrives."""
        self._so_far: bytearray | None = None  # of the utterance, while that is asked for
        self._inbound = Inbound(warn, settings.audio.caller_sample_rate)
        self._plain_kind = self._inbound.plain_kind
        echo = LineEchoGuard()
        self._learn_echo = echo.learn
        self._echo_played = echo.played
        self._surroundings = Surroundings() if ep.nearest_voice and ep.engine != "webrtc" else None
        self._levels = VoiceLevels(ep.other_voice_db) if settings.system.barge_in else None
        self._endpointer = Endpointer(
            WebRtcVad(ep.aggressiveness),
            silence_ms=round(settings.system.silence_threshold_seconds * 1000),
            longest_ms=round(ep.longest_utterance_seconds * 1000),
            pre_roll_ms=ep.pre_roll_ms,
            minimum_speech_ms=ep.minimum_speech_ms,
            guards=(echo.is_echo,) if ep.echo_guard else (),
            leading_echo=echo.leading_echo if ep.echo_guard else None,
            short_silence_ms=ep.short_silence_ms if settings.system.barge_in else 0,
            levels=self._levels,
            lasting=LastingVoice() if settings.system.barge_in else None,
        )
        self._minimum_speech_ms = ep.minimum_speech_ms
        self._gathering = detectors.gathering
        self._waiting = b""  # the newest frame, while it is gathered with those of other calls
        self._played_since: list[bytes] = []  # since it came: an echo in it is not of these
        self._take_late = take_late
        self._may_be_echo = not ep.echo_guard
        self._ahead: EarlySpeech | None = None
        self._detectors = detectors
        self._detector: GradedVad | None = None  # on loan from `detectors`
        self._missed_until = 0.0  # missing audio has been counted as silence up to this time
        self._gap_since = -1.0  # time of the newest audio before the current gap
        self._heard_until = float("-inf")  # the time that the caller's audio has filled so far
        self._warn = warn
        self._is_too_fast = False
        self.has_unheard: Callable[[], bool] = lambda: False
        """Set this to what tells whether messages have arrived that `hear` was not called with yet."""
        self._gap_certain_after = 0.0  # ticks due later than this can be sure that there is a gap

    def hear(self, kind: int, payload: bytes, now: float) -> Sequence[EndpointingFact] | None:
        """Take an audio message that arrived at `now`. Returns what happened; None, nearly always, for nothing.

        It may wait a little, to be judged with the audio of other calls: then `take_late` is called.
        """
        self.audio_at = now
        if self._inbound.probing:
            self._inbound.probe(kind, len(payload), now)
        pcm = payload if kind == self._plain_kind and not len(payload) & 1 else self._inbound.slin8(kind, payload)
        ahead = self._heard_until - now
        if not -MOST_BEHIND_SECONDS < ahead < MOST_AHEAD_SECONDS and self._is_dropped(ahead, now):
            return None
        self._heard_until += len(pcm) / _BYTES_A_SECOND
        if self._gathering is not None and self._waits(self._gathering, pcm):
            return None
        return self._take(pcm)

    def _waits(self, gathering: Gathering, pcm: bytes) -> bool:
        """Let audio wait for that of other calls, if that is worth while. It comes to `_take_waiting`."""
        if self._waiting:
            self._end_wait()
        if not self._endpointer.judges_next or not gathering.add(self._detector, pcm, self._end_wait):
            return False
        self._waiting = pcm
        return True

    def _end_wait(self) -> None:
        if self._waiting:
            self._take_late(self._take_waiting)

    def _take_waiting(self) -> Sequence[EndpointingFact] | None:
        pcm, self._waiting = self._waiting, b""
        facts = self._take(pcm)
        played, self._played_since = self._played_since, []
        for frame in played:
            self.played(frame)
        return facts

    def _take(self, pcm: bytes) -> Sequence[EndpointingFact] | None:
        endpointer = self._endpointer
        if endpointer.in_utterance and self.recognition is not None:
            self.recognition.feed(pcm)
            if self._so_far is not None:
                self._so_far += pcm
        if self._surroundings is not None:
            self._surroundings.heard(pcm, in_turn=endpointer.in_utterance)
        facts = endpointer.audio(pcm)
        return facts if self._ahead is None else self._let_through(self._ahead, facts, pcm)

    def _let_through(
        self, ahead: EarlySpeech, facts: Sequence[EndpointingFact] | None, pcm: bytes
    ) -> Sequence[EndpointingFact] | None:
        facts = ahead.take(facts, pcm, self._endpointer.voiced_ms)
        if ahead.over:
            self._ahead = None
        return facts

    def played(self, frame: bytes) -> None:
        """Take each frame that is sent to the caller, at the time it is sent."""
        if self._waiting:
            self._played_since.append(frame)
            return
        self._echo_played(frame)
        if self._surroundings is not None:
            self._surroundings.played(frame)

    def _is_dropped(self, ahead: float, now: float) -> bool:
        """Return whether audio is dropped because it is too far ahead; what is too far behind begins anew."""
        if ahead <= 0:
            self._heard_until = now - MOST_BEHIND_SECONDS
            return False
        if not self._is_too_fast:
            self._is_too_fast = True
            self._warn(TOO_FAST)
        return True

    def missing(self, due: float, clock: float) -> Sequence[EndpointingFact] | None:
        """Count missing audio as silence; for a tick that finds no audio for over `gap_seconds`. Returns what happened.

        `due`: the deadline of the tick; `clock`: the loop's time now. A muted phone sends nothing, and that is silence
        from the newest audio on. But beside floods the audio may wait in this process for its share of the loop, and
        after a stall of this process the tick may run before the socket is read, where the audio waits. So nothing is
        counted while `has_unheard`; the first tick that sees a gap counts nothing, nor does a tick that is itself late,
        or far ahead of the clock (uvloop's is read once in each turn, and is that of before a stall in its midst); the
        next tick counts all that is missing.
        """
        if self._gap_since != self.audio_at or abs(clock - due) > LATE_SECONDS or self.has_unheard():
            self._gap_since, self._gap_certain_after = self.audio_at, max(clock, due)
        if due <= self._gap_certain_after:
            return None
        since = max(self.audio_at, self._missed_until)
        missing_ms = round((due - since) * 1000)
        if missing_ms <= 0:
            return None
        self._missed_until = due
        facts = self._endpointer.missing(missing_ms)
        return facts if self._ahead is None else self._let_through(self._ahead, facts, b"")

    def forgive_missing(self, now: float) -> None:
        """Take back the silence of the audio missing up to `now`: the caller pressed a key (docs/protocol.md, DTMF)."""
        self._endpointer.forgive_missing()
        self.audio_at = now

    def listen(self, on: bool) -> None:
        """Let utterances count, or not. A detector is taken from the pool, once one is ready."""
        ahead, self._ahead = self._ahead, None
        if on and ahead is not None:
            ahead.release()
            self._ahead = None if ahead.over else ahead
        else:
            self._hear_callers(on, again=False)

    def listen_ahead(self, *, if_proven: bool) -> None:
        """Let utterances begin, but hold them back until `listen`; or, `if_proven`, until they are no noise."""
        self._ahead = EarlySpeech(self._minimum_speech_ms if if_proven else None)
        if not if_proven:
            self._learn_echo(self._endpointer.newest(LEARNT_MS))
        self._hear_callers(True, again=True)

    def _hear_callers(self, on: bool, *, again: bool) -> None:
        if on and self._detector is None:
            self._detector = self._detectors.take(again=again)
            if self._detector is not None:
                around = self._surroundings
                self._endpointer.use(self._detector if around is None else NearestVoice(self._detector, around))
        self._endpointer.listen(on)

    def bot_speaks(self, on: bool) -> None:
        """The bot begins to speak, or has ended: over its speech an onset is found sooner."""
        self._endpointer.over_speech = on

    def is_soft(self, *, over: bool, may_wait: bool) -> bool | None:
        """Return whether the utterance is softer than the caller's own voice; None: it is too early to say.

        `over`: it has ended, or pauses. `may_wait`: nothing follows yet, so it may be said later.
        """
        return False if self._levels is None else self._levels.is_soft(over=over, may_wait=may_wait)

    def likeness(self) -> tuple[bool, bool]:
        """Return whether the utterance that `is_soft` found too soft, and over, sounds just like the caller, and
        whether it may be his by its sound."""
        return (False, False) if self._levels is None else (self._levels.is_alike, self._levels.may_be_own)

    def lasts(self) -> bool:
        """Return whether the utterance is a voice that has lasted for longer than a back-channel.

        Always False without a detector that tells a voice from noise.
        """
        return self._detector is not None and self._endpointer.lasts()

    def was_the_caller(self) -> None:
        """What the caller said in the last utterance was understood: his voice is as loud as this."""
        if self._levels is not None:
            self._levels.accept()

    def keep(self, heard: bytes) -> None:
        """Keep the utterance that has begun with `heard`, for `utterance_so_far`, until `keep_no_more`."""
        self._so_far = bytearray(heard)

    def keep_no_more(self) -> None:
        """Forget what `keep` keeps."""
        self._so_far = None

    def utterance_so_far(self) -> bytes:
        """Return the audio that is kept of the current utterance (SLIN, 8 kHz)."""
        return bytes(self._so_far or b"")

    @property
    def in_utterance(self) -> bool:
        """True while an utterance is in progress."""
        return self._endpointer.in_utterance

    @property
    def pauses(self) -> bool:
        """True if no utterance is in progress, or its speaker has been silent for `endpointing.short_silence_ms`."""
        return self._endpointer.pauses

    @property
    def stirs(self) -> bool:
        """True if somebody who was silent may just be beginning to speak again."""
        return self._endpointer.pauses and self._endpointer.stirs

    @property
    def utterance_ms(self) -> int:
        """How long the utterance in progress, or the last one, lasts from its first to its last voiced frame."""
        return self._endpointer.utterance_ms

    def drop(self) -> None:
        """Forget the utterance in progress; listening goes on."""
        self._endpointer.drop()

    def newest(self, ms: int, now: float) -> bytes:
        """Return the audio of the last `ms` (SLIN, 8 kHz), or less if less is kept; empty if the phone is muted."""
        return b"" if now - self.audio_at > self.gap_seconds else self._endpointer.newest(ms)

    def bot_fell_silent(self) -> None:
        """Discard the audio heard so far if it may be the bot's own echo, since no guard looks for that."""
        if self._may_be_echo:
            self._endpointer.forget()

    def close(self) -> GradedVad | None:
        """Stop listening for good. Returns the detector on loan, if any, for the caller to give back."""
        self._endpointer.listen(False)  # the detector does not run any more
        return self._detector
