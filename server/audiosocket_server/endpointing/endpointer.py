"""When does the caller speak: voice activity per 20 ms -> an utterance began, an utterance ended. Pure arithmetic.

A detector that adapts to the line runs on all audio, in every state of the call; its verdict counts only while
`listening`. One that does not is asked while `listening` only, and about the pre-roll when that begins. Time is the
amount of audio (and of missing audio, `missing`), never a clock. What is done about an utterance is decided elsewhere
(`turns`).

An utterance begins with three voiced frames among five: one or two are a click; and unless one of the guards knows the
sound for something other than a caller's voice, when it takes three new ones. After a silence within it speech goes on
by the same rule: a click there, or a burst of noise, lets the silence count on. Its audio begins `pre_roll_ms` before
the first of them, so that the onset of the first word, which no detector hears, is not lost; but never before `forget`,
which the call says when the bot falls silent: the pre-roll must not hold the bot's own echo.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audiosocket_server.endpointing.vad import FRAME_BYTES, FRAME_MS, Vad

__all__ = ["Endpointer", "EndpointingFact", "IsEcho", "UtteranceClosed", "UtteranceOpened"]

ONSET_VOICED = 3
ONSET_WINDOW = 0b11111  # five frames


@dataclass(frozen=True, slots=True)
class UtteranceOpened:
    """The caller speaks. `pcm`: the pre-roll and all audio since, to the end of the piece that was fed."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class UtteranceClosed:
    """The utterance is over. `reason`: silence, longest or too_short; `duration_ms`: to the last voiced frame, since
    when `silence_ms` have gone by."""

    reason: str
    duration_ms: int
    silence_ms: int


EndpointingFact = UtteranceOpened | UtteranceClosed

IsEcho = Callable[[bytes], bool]
"""Is the newest that was heard (the end of this SLIN, 8 kHz), which the detector takes for speech, no caller's?"""


class Endpointer:
    """One call's. Feed it with `audio` and `missing`; each answers with what it brought about, mostly nothing."""

    def __init__(
        self,
        vad: Vad,
        *,
        silence_ms: int,
        longest_ms: int,
        pre_roll_ms: int = 300,
        minimum_speech_ms: int = 240,
        guards: Sequence[IsEcho] = (),
    ) -> None:
        self.in_utterance = False
        self._vad = self._next_vad = vad
        self._is_speech = vad.is_speech
        self._asleep = not vad.adapts  # the detector is not asked
        self._unjudged = 0  # newest frames of `_recent` that it was not asked about
        self._silence_limit_ms = silence_ms
        self._longest_ms = longest_ms
        self._minimum_speech_ms = minimum_speech_ms
        self._guards = guards
        self._listening = False
        self._rest = b""  # less than a frame
        self._recent: deque[bytes] = deque(maxlen=pre_roll_ms // FRAME_MS + ONSET_VOICED)
        self._recent_mask = (1 << (pre_roll_ms // FRAME_MS + ONSET_VOICED)) - 1
        self._flags = 0  # of `_recent`: voiced or not, a bit a frame, the newest lowest
        # of the utterance:
        self._whole_ms = self._silent_ms = self._voiced_ms = 0
        self._missing_ms = 0  # of the silence: missing audio since the last frame

    @property
    def listening(self) -> bool:
        return self._listening

    def use(self, vad: Vad) -> None:
        """Take another detector, from the next `listen` on."""
        self._next_vad = vad

    def listen(self, on: bool) -> None:
        """Let the verdict count, or not; an utterance in progress is given up when it no longer counts."""
        was, self._listening = self._listening, on
        if not on:
            self.in_utterance = False
            self._sleep()
        elif not was:
            self._wake()

    def _sleep(self) -> None:
        if not self._vad.adapts:
            self._asleep, self._unjudged = True, 0

    def _wake(self) -> None:
        """From now on the detector is asked; one that slept also about what the pre-roll may hold."""
        if self._vad is not self._next_vad:
            self._vad, self._is_speech = self._next_vad, self._next_vad.is_speech
            self._asleep, self._unjudged = True, len(self._recent)
        if not self._asleep:
            return
        self._asleep = False
        self._vad.reset()
        self._flags = 0
        known = max(0, len(self._recent) - self._unjudged)
        for frame in list(self._recent)[known:]:
            self._flags = self._flags << 1 | self._is_speech(frame)

    def forget(self) -> None:
        """Nothing heard so far may become part of an utterance: the bot spoke until now."""
        self._recent.clear()
        self._rest = b""
        self._flags = self._unjudged = 0

    def newest(self, ms: int) -> bytes:
        """The last `ms` of audio, or what of it is kept. SLIN, 8 kHz."""
        return b"".join(list(self._recent)[-(ms // FRAME_MS) :])

    def audio(self, pcm: bytes) -> list[EndpointingFact] | None:
        """Caller audio: SLIN, 8 kHz, any even length. None: nothing happened, which is nearly always."""
        if not self._rest and len(pcm) == FRAME_BYTES:
            return self._frame(pcm, b"")
        pcm = self._rest + pcm
        facts: list[EndpointingFact] = []
        at = 0
        for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
            facts += self._frame(pcm[at : at + FRAME_BYTES], pcm[at + FRAME_BYTES :]) or ()
        self._rest = pcm[len(pcm) // FRAME_BYTES * FRAME_BYTES :]
        return facts or None

    def missing(self, ms: int) -> list[EndpointingFact] | None:
        """No audio came for `ms` more milliseconds: silence."""
        self._flags = self._unjudged = 0
        if not self.in_utterance:
            return None
        self._missing_ms += ms
        return self._went_on(ms, voiced=False)

    def forgive_missing(self) -> None:
        """The audio that is missing since the last frame was no silence: the caller pressed a key."""
        self._silent_ms -= self._missing_ms
        self._whole_ms -= self._missing_ms
        self._missing_ms = 0

    def _frame(self, frame: bytes, behind: bytes) -> list[EndpointingFact] | None:
        self._recent.append(frame)
        if self._asleep:
            self._unjudged += 1
            return None
        voiced = self._is_speech(frame)
        self._flags = flags = (self._flags << 1 | voiced) & self._recent_mask
        if self.in_utterance:
            self._missing_ms = 0
            return self._went_on(FRAME_MS, voiced=voiced)
        if voiced and self._listening and self._is_onset():
            if self._guards and self._is_guarded():
                self._flags = 0
                return None
            self.in_utterance = True
            # What was said in the pre-roll was said: nobody may have listened yet.
            self._whole_ms, self._voiced_ms = flags.bit_length() * FRAME_MS, flags.bit_count() * FRAME_MS
            self._silent_ms = self._missing_ms = 0
            return [UtteranceOpened(b"".join(self._recent) + behind)]
        return None

    def _is_onset(self) -> bool:
        return (self._flags & ONSET_WINDOW).bit_count() >= ONSET_VOICED

    def _is_guarded(self) -> bool:
        heard = b"".join(self._recent)
        return any(guard(heard) for guard in self._guards)

    def _went_on(self, ms: int, *, voiced: bool) -> list[EndpointingFact] | None:
        self._whole_ms += ms
        if voiced:
            self._voiced_ms += ms
        if voiced and (not self._silent_ms or self._is_onset()):
            self._silent_ms = 0
        else:
            self._silent_ms += ms
        if not voiced and self._silent_ms >= self._silence_limit_ms:
            short = self._voiced_ms < self._minimum_speech_ms
            return [self._end("too_short" if short else "silence")]
        if self._whole_ms >= self._longest_ms:
            return [self._end("longest")]
        return None

    def _end(self, reason: str) -> UtteranceClosed:
        """After an utterance the caller's turn is over: deaf until `listen`. A noise leaves it as it was."""
        self.in_utterance = False
        self._listening = reason == "too_short"
        self._flags = 0
        if not self._listening:
            self._sleep()
        return UtteranceClosed(reason, self._whole_ms - self._silent_ms, self._silent_ms)
