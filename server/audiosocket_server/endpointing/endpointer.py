"""Endpointer: turns the VAD's verdict on each 20 ms frame into the beginning and the end of utterances. Pure.

A VAD that adapts to the line runs on all audio, in every state of the call; its verdicts count only while `listening`.
A VAD that does not adapt runs only while `listening`; when that begins, it also judges the pre-roll. Time is the amount
of audio (and of missing audio, `missing`), never a clock. What follows from an utterance is decided in `turns`.

An utterance begins with three voiced frames among five, since one or two are a click. If a guard knows the sound for
something else than the caller's voice, three new voiced frames are needed. After a silence within an utterance, speech
goes on by the same rule: a click or a burst of noise does not end the silence. The audio of an utterance begins
`pre_roll_ms` before its first voiced frame, so that the onset of the first word, which no VAD detects, is not lost. It
never begins before `forget`, nor in what `leading_echo` finds: the pre-roll must not hold the bot's echo.

While the bot speaks (`over_speech`) two voiced frames are an onset: the bot only pauses for it, and a caller notices
each frame that it speaks on. A frame counts as voiced there, too, if it is as loud as the caller's own voice and has
a pitch (`periodicity`): detectors find a short first syllable («Es-cuta») up to 0.4 s late. What is far softer than
his own voice (`levels`) is none, and within an utterance it is silence. A silence of `short_silence_ms` is reported
there, and speech after it.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from audiosocket_server.endpointing.lasting import LastingVoice
from audiosocket_server.endpointing.levels import VoiceLevels
from audiosocket_server.endpointing.nearest_voice import NearestVoice
from audiosocket_server.endpointing.periodicity import PERIODIC_MS, is_periodic
from audiosocket_server.endpointing.vad import FRAME_BYTES, FRAME_MS, Vad

__all__ = [
    "Endpointer",
    "EndpointingFact",
    "IsEcho",
    "LeadingEcho",
    "SpeechPaused",
    "SpeechWentOn",
    "UtteranceClosed",
    "UtteranceOpened",
]

ONSET_VOICED = 3
QUICK_ONSET_VOICED = 2
ONSET_FRAMES = 5
SURE_UNGUARDED = 3
"""So often no guard may know a voice that lasts: one comparison with what was played may fail."""


@dataclass(frozen=True, slots=True)
class UtteranceOpened:
    """The caller started to speak. `pcm` (SLIN, 8 kHz): the pre-roll and all audio fed since."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class UtteranceClosed:
    """The utterance is over.

    `reason`: silence, longest (time limit) or too_short (a noise). `duration_ms`: from the first to the last voiced
    frame. `silence_ms`: the time since the last voiced frame.
    """

    reason: str
    duration_ms: int
    silence_ms: int


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """The caller has been silent for `short_silence_ms` within the utterance. `too_short`: so far it is a noise."""

    too_short: bool


@dataclass(frozen=True, slots=True)
class SpeechWentOn:
    """The caller speaks again after `SpeechPaused`."""


EndpointingFact = UtteranceOpened | UtteranceClosed | SpeechPaused | SpeechWentOn

IsEcho = Callable[[bytes], bool]
"""Returns True if the last frames of `pcm` (8 kHz SLIN), which the VAD flagged as speech, are known not to be the
caller's voice."""

LeadingEcho = Callable[[bytes], int]
"""Returns how many bytes at the beginning of `pcm` (8 kHz SLIN, up to the newest frame) are an echo, whole frames."""


class Endpointer:
    """The endpointer of one call. Feed it with `audio` and `missing`; both return what happened, usually None.

    `silence_ms`: silence that ends an utterance. `longest_ms`: an utterance ends after this time in any case.
    `minimum_speech_ms`: an utterance with less voiced audio is too short. `guards`: asked at each onset.
    `leading_echo`: asked when an utterance begins.
    `short_silence_ms`: a silence that is reported within an utterance; 0: none is.
    `levels`, `lasting`: get each judged frame.
    """

    def __init__(
        self,
        vad: Vad,
        *,
        silence_ms: int,
        longest_ms: int,
        pre_roll_ms: int = 300,
        minimum_speech_ms: int = 240,
        guards: Sequence[IsEcho] = (),
        leading_echo: LeadingEcho | None = None,
        short_silence_ms: int = 0,
        levels: VoiceLevels | None = None,
        lasting: LastingVoice | None = None,
    ) -> None:
        self.in_utterance = False
        self.over_speech = False
        """Set this while the bot speaks: then an onset is found sooner."""
        self._vad = self._next_vad = vad
        self._is_speech = vad.is_speech
        self._silence_limit_ms = silence_ms
        self._longest_ms = longest_ms
        self._minimum_speech_ms = minimum_speech_ms
        self._guards = guards
        self._leading_echo = leading_echo
        self._short_silence_ms = short_silence_ms
        self._levels = levels
        self._lasting = lasting
        self._listening = False
        self._rest = b""  # audio of less than a frame
        kept_frames = pre_roll_ms // FRAME_MS + ONSET_VOICED
        self._recent: deque[bytes] = deque(maxlen=kept_frames)
        self._verdicts: deque[bool] = deque(maxlen=kept_frames)  # of the VAD, on the newest frames since a reset
        self._vad_runs = vad.adapts
        self._unjudged = 0  # newest frames that came while the VAD did not run
        # Of the current utterance:
        self._whole_ms = self._silent_ms = self._voiced_ms = 0
        self._pause_reported = False
        self._unguarded = 0  # frames, of a voice that lasts
        self._missing_ms = 0  # the part of the silence that is missing audio since the last frame

    @property
    def voiced_ms(self) -> int:
        """How much voice the current utterance has."""
        return self._voiced_ms

    @property
    def listening(self) -> bool:
        """True while utterances of the caller count."""
        return self._listening

    @property
    def judges_next(self) -> bool:
        """True if the VAD will judge the next frame as it comes."""
        return self._vad_runs and not self._rest

    @property
    def pauses(self) -> bool:
        """True if no utterance is in progress, or after `SpeechPaused`."""
        return not self.in_utterance or self._pause_reported

    @property
    def stirs(self) -> bool:
        """True if the newest frame is voiced: after a silence a sound may be beginning."""
        return bool(self._verdicts) and self._verdicts[-1]

    @property
    def utterance_ms(self) -> int:
        """How long the utterance in progress, or the last one, lasts from its first to its last voiced frame."""
        return self._whole_ms - self._silent_ms

    def lasts(self) -> bool:
        """Return whether the utterance is a voice that has lasted up to now (`lasting`).

        While the bot speaks, what a guard knows for its echo is none, and counts anew; no guard may know it in three
        frames. Ask it once a frame.
        """
        if self._lasting is None or not self._lasting.lasts():
            return False
        if not self.over_speech:
            return True
        if self._is_guarded():
            self._lasting.begin(0)
            self._unguarded = 0
            return False
        self._unguarded += 1
        return self._unguarded >= SURE_UNGUARDED

    def use(self, vad: Vad) -> None:
        """Use another VAD, from the next `listen` on."""
        self._next_vad = vad

    def listen(self, on: bool) -> None:
        """Let utterances count, or not. Turning it off drops an utterance in progress."""
        was, self._listening = self._listening, on
        if not on:
            self.in_utterance = False
            self._pause_vad()
        elif not was:
            self._resume_vad()

    def drop(self) -> None:
        """Forget the utterance in progress, or that has just ended; listening goes on."""
        self.in_utterance = False
        self._verdicts.clear()
        self.listen(True)

    def _pause_vad(self) -> None:
        if not self._vad.adapts:
            self._vad_runs, self._unjudged = False, 0

    def _resume_vad(self) -> None:
        """Let the VAD run again. It first judges the frames that came while it did not run."""
        if self._vad is not self._next_vad:
            self._vad, self._is_speech = self._next_vad, self._next_vad.is_speech
            self._vad_runs, self._unjudged = False, len(self._recent)
        if self._vad_runs:
            return
        self._vad_runs = True
        self._vad.reset()
        self._verdicts.clear()
        judged = max(0, len(self._recent) - self._unjudged)
        for frame in list(self._recent)[judged:]:
            self._verdicts.append(self._is_speech(frame))

    def forget(self) -> None:
        """Discard all audio heard so far: none of it may become part of an utterance."""
        self._recent.clear()
        self._rest = b""
        self._verdicts.clear()
        self._unjudged = 0

    def newest(self, ms: int) -> bytes:
        """Return the last `ms` of audio (SLIN, 8 kHz), or less if less is kept."""
        return b"".join(list(self._recent)[-(ms // FRAME_MS) :])

    def audio(self, pcm: bytes) -> list[EndpointingFact] | None:
        """Take caller audio: SLIN, 8 kHz, any even length. Returns what happened; None, nearly always, for nothing."""
        if not self._rest and len(pcm) == FRAME_BYTES:
            return self._frame(pcm, b"")
        pcm = self._rest + pcm
        facts: list[EndpointingFact] = []
        for at in range(0, len(pcm) - FRAME_BYTES + 1, FRAME_BYTES):
            facts += self._frame(pcm[at : at + FRAME_BYTES], pcm[at + FRAME_BYTES :]) or ()
        self._rest = pcm[len(pcm) // FRAME_BYTES * FRAME_BYTES :]
        return facts or None

    def missing(self, ms: int) -> list[EndpointingFact] | None:
        """Count `ms` more milliseconds without audio as silence. Returns what happened, or None."""
        self._verdicts.clear()
        self._unjudged = 0
        if not self.in_utterance:
            return None
        self._missing_ms += ms
        return self._continue(ms, voiced=False)

    def forgive_missing(self) -> None:
        """Take back the missing audio since the last frame: it was no silence, because the caller pressed a key."""
        self._silent_ms -= self._missing_ms
        self._whole_ms -= self._missing_ms
        self._missing_ms = 0

    def _frame(self, frame: bytes, behind: bytes) -> list[EndpointingFact] | None:
        """Take one frame; `behind`: audio of the same piece after it, which belongs to an utterance that opens."""
        self._recent.append(frame)
        if not self._vad_runs:
            self._unjudged += 1
            return None
        voiced = self._is_speech(frame)
        if self._levels is not None:
            self._levels.take(frame, voiced=voiced, quiet=not (self.in_utterance or self.over_speech))
        begins = voiced or self._may_be_missed()
        self._verdicts.append(begins)
        if self._lasting is not None:
            self._lasting.take(frame, voiced=voiced)
        if self.in_utterance:
            self._missing_ms = 0
            return self._continue(FRAME_MS, voiced=voiced and not self._is_faint())
        if begins and self._listening and self._is_onset() and not self._is_faint():
            if self._guards and self._is_guarded():
                self._verdicts.clear()
                return None
            self._open()
            return [UtteranceOpened(self._pre_roll() + behind)]
        return None

    def _open(self) -> None:
        """Begin an utterance with the first voiced frame of the pre-roll, where the caller may have begun to speak."""
        self.in_utterance = True
        self._whole_ms = (len(self._verdicts) - self._verdicts.index(True)) * FRAME_MS
        self._voiced_ms = self._verdicts.count(True) * FRAME_MS
        self._silent_ms = self._missing_ms = 0
        self._pause_reported = False
        self._unguarded = 0
        frames = min(ONSET_FRAMES, self._whole_ms // FRAME_MS)  # what is older may be an echo
        if self._levels is not None:
            self._levels.begin(frames, over_speech=self.over_speech)
        if self._lasting is not None:
            self._lasting.begin(frames)

    def _pre_roll(self) -> bytes:
        heard = b"".join(self._recent)
        return heard if self._leading_echo is None else heard[self._leading_echo(heard) :]

    def _is_onset(self) -> bool:
        needed = QUICK_ONSET_VOICED if self.over_speech else ONSET_VOICED
        return list(self._verdicts)[-ONSET_FRAMES:].count(True) >= needed

    def _is_faint(self) -> bool:
        """Whether a sound over the bot's speech is too faint to be the caller."""
        return self.over_speech and self._levels is not None and self._levels.is_faint()

    def _may_be_missed(self) -> bool:
        """Whether the caller seems to begin over the bot, though the detector has not found him yet."""
        if not self.over_speech or self.in_utterance or self._levels is None:
            return False
        if isinstance(self._vad, NearestVoice) and self._vad.refuses:
            return False
        return self._levels.is_loud() and is_periodic(self.newest(PERIODIC_MS))

    def _is_guarded(self) -> bool:
        heard = b"".join(self._recent)
        return any(guard(heard) for guard in self._guards)

    def _continue(self, ms: int, *, voiced: bool) -> list[EndpointingFact] | None:
        """Count `ms` more of the utterance, and close it if its silence or its length has reached the limit."""
        self._whole_ms += ms
        if voiced:
            self._voiced_ms += ms
        if voiced and (not self._silent_ms or self._is_onset()):
            self._silent_ms = 0
        else:
            self._silent_ms += ms
        short = self._voiced_ms < self._minimum_speech_ms
        if not voiced and self._silent_ms >= self._silence_limit_ms:
            return [self._close("too_short" if short else "silence")]
        if self._whole_ms >= self._longest_ms:
            return [self._close("longest")]
        if self._pause_reported is (self._silent_ms < self._short_silence_ms) and self._short_silence_ms:
            return self._report_pause(too_short=short)
        return None

    def _report_pause(self, *, too_short: bool) -> list[EndpointingFact] | None:
        """Report that the short silence is reached, or that the caller speaks again after it."""
        if not self._pause_reported:
            self._pause_reported = True
            return [SpeechPaused(too_short)]
        if self._silent_ms:
            return None
        self._pause_reported = False
        return [SpeechWentOn()]

    def _close(self, reason: str) -> UtteranceClosed:
        """End the utterance. Listening ends with it, until the next `listen`, unless it was only a noise."""
        self.in_utterance = False
        self._listening = reason == "too_short"
        self._verdicts.clear()
        if not self._listening:
            self._pause_vad()
        return UtteranceClosed(reason, self.utterance_ms, self._silent_ms)
