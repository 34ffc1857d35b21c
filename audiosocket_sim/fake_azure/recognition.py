"""One recognition turn as a state machine: audio in, messages out, in the order in which the service sends them. Pure.

It finds phrases by their energy (`speech_detector`), feeds each to a recogniser, and reports the results. It knows no
socket, no event loop and no clock. Of the planned faults it knows only the status of phrases. The recogniser runs
inside `audio`, so call that in an executor.

Mode once: startDetected, hypotheses, endDetected, phrase and turn.end, for the first phrase.
Mode continuous: startDetected, hypotheses and phrase for each phrase; at the end of the audio endDetected, a phrase
with the status EndOfDictation, and turn.end.
"""

from collections.abc import Iterator

from audiosocket_core.resampling import SlinResampler
from audiosocket_sim.fake_azure.audio_formats import InputFormat, read_riff
from audiosocket_sim.fake_azure.client_requests import RecognitionRequest
from audiosocket_sim.fake_azure.messages import (
    Hypothesis,
    ServiceMessage,
    SpeechEndDetected,
    SpeechPhrase,
    SpeechStartDetected,
    Status,
    TurnEnded,
    TurnStarted,
)
from audiosocket_sim.fake_azure.recognisers import Hearing, Recogniser
from audiosocket_sim.fake_azure.speech_detector import PhraseEnded, PhraseStarted, SpeechDetector

__all__ = ["RecognitionTurn"]

_RATE_HZ = 8_000  # of the detector
_PRE_ROLL_MS = 400
_STEP_MS = 100  # a client's usual block of audio; larger blocks are split, so that two phrases stay separate
_LONGEST_PHRASE_MS = 60_000
_LARGEST_HEADER_BYTES = 4096


class RecognitionTurn:
    """One turn. Call `begin`, then `audio` for each block of audio and b"" at its end, until `over` is True.

    tag: the service tag of the turn. status: overrides the status of every phrase; None for the true one.
    """

    def __init__(
        self, asked: RecognitionRequest, recogniser: Recogniser, tag: str, status: Status | None = None
    ) -> None:
        self._asked = asked
        self._recogniser = recogniser
        self._tag = tag
        self._status = status
        self._format: InputFormat | None = None
        self._header = bytearray()
        self._sound: _Sound | None = None
        self._detector = SpeechDetector(asked.segmentation_ms)
        self._hearing: Hearing | None = None
        self._started_ms = 0
        self._phrases = 0
        self.over = False
        self.texts: list[str] = []
        """The texts of the phrases that were recognised."""
        self.last_status: Status | None = None
        """The status of the last phrase, None before the first one."""

    @property
    def heard_ms(self) -> int:
        """How much audio has arrived, in ms."""
        return self._sound.now_ms if self._sound is not None else 0

    def begin(self) -> Iterator[ServiceMessage]:
        """Yield the first message of the turn."""
        yield TurnStarted(self._tag)

    def audio(self, payload: bytes) -> Iterator[ServiceMessage]:
        """Take a block of the client's audio, and yield the messages that follow from it.

        The audio begins with a RIFF header; an empty block ends it. Blocks in the recogniser. Raises InvalidRequest.
        """
        if self.over:
            return
        if not payload:
            yield from self._end()
            return
        sound = self._sound
        if sound is None:
            opened = self._open(payload)
            if opened is None:
                return
            sound, payload = opened
            self._sound = sound
        size = sound.bytes_of(_STEP_MS)
        for at in range(0, len(payload), size):
            for found in self._detector.feed(sound.take(payload[at : at + size])):
                yield from self._found(found, sound)
                if self._is_over():
                    return
            yield from self._listen(sound)
        if not self._phrases and self._hearing is None and sound.now_ms >= self._asked.initial_silence_ms:
            yield self._phrase("InitialSilenceTimeout", "", 0, sound.now_ms)
            yield from self._close()

    def commit(self) -> Iterator[ServiceMessage]:
        """End the current phrase now, as the client demands, and yield its result."""
        if self._hearing is not None and self._sound is not None:
            self._detector.end_phrase()
            yield from self._finish_phrase(self._sound, self._sound.now_ms)

    # --- beginning and end of the audio

    def _open(self, payload: bytes) -> "tuple[_Sound, bytes] | None":
        """Return the sound and the bytes after the header; None while the header, which may be split, is incomplete."""
        self._header += payload
        data_at = self._header.find(b"data")
        is_whole = 0 <= data_at <= len(self._header) - 8 or len(self._header) > _LARGEST_HEADER_BYTES
        if not is_whole and b"RIFF".startswith(self._header[:4]):
            return None
        form, rest = read_riff(bytes(self._header))
        return _Sound(form, self._recogniser.rate_hz), rest

    def _end(self) -> Iterator[ServiceMessage]:
        if self._sound is not None:
            for found in self._detector.feed(self._sound.flush()):
                yield from self._found(found, self._sound)
        if self._hearing is not None and self._sound is not None:
            yield from self._listen(self._sound)
            yield from self._finish_phrase(self._sound, self._detector.last_loud_ms)
        elif not self._phrases and self.heard_ms:
            yield self._phrase("InitialSilenceTimeout", "", 0, self.heard_ms)
        if not self.over:
            if not self._asked.once:
                yield SpeechEndDetected(self.heard_ms)
                # Without it the SDK opens another turn for the audio after the last phrase.
                yield SpeechPhrase("EndOfDictation", "", self.heard_ms, 0)
            yield from self._close()

    def _is_over(self) -> bool:
        return self.over

    def _close(self) -> Iterator[ServiceMessage]:
        self.over = True
        yield TurnEnded()

    # --- phrases

    def _found(self, found: PhraseStarted | PhraseEnded, sound: "_Sound") -> Iterator[ServiceMessage]:
        match found:
            case PhraseStarted(at_ms):
                self._started_ms = at_ms
                self._hearing = self._recogniser.listen(self._asked.language, sound.rate_hz)
                yield SpeechStartDetected(at_ms)
            case PhraseEnded(at_ms):
                yield from self._listen(sound)
                yield from self._finish_phrase(sound, at_ms)

    def _listen(self, sound: "_Sound") -> Iterator[ServiceMessage]:
        """Feed new sound to the recogniser. In silence keep the last 400 ms, in which a phrase may already begin."""
        if self._hearing is None:
            sound.forget_all_but(_PRE_ROLL_MS)
            return
        text = self._hearing.feed(sound.take_new())
        if text:
            yield Hypothesis(text, self._started_ms, sound.now_ms - self._started_ms)
        if sound.now_ms - self._started_ms >= _LONGEST_PHRASE_MS:
            self._detector.end_phrase()
            yield from self._finish_phrase(sound, sound.now_ms)

    def _finish_phrase(self, sound: "_Sound", ended_ms: int) -> Iterator[ServiceMessage]:
        hearing, self._hearing = self._hearing, None
        if hearing is None:
            return
        text = hearing.finish().strip()
        if self._asked.once:
            yield SpeechEndDetected(ended_ms)
        yield self._phrase("Success" if text else "NoMatch", text, self._started_ms, ended_ms - self._started_ms)
        if self._asked.once:
            yield from self._close()

    def _phrase(self, status: Status, text: str, offset_ms: int, duration_ms: int) -> SpeechPhrase:
        self._phrases += 1
        said: Status = self._status or status
        self.last_status = said
        if said != "Success":
            text = ""
        elif text:
            self.texts.append(text)
        return SpeechPhrase(said, text, offset_ms, max(duration_ms, 0), self._asked.detailed)


class _Sound:
    """The turn's sound at the rate that the recogniser expects; holds the part that it has not heard yet."""

    def __init__(self, form: InputFormat, wanted_hz: int | None) -> None:
        self._format = form
        self._down = SlinResampler(form.rate_hz, _RATE_HZ)
        self._odd = b""
        self._as_it_came = wanted_hz is None
        self.rate_hz = form.rate_hz if wanted_hz is None else wanted_hz
        self._new = bytearray()
        self._samples = 0

    @property
    def now_ms(self) -> int:
        return self._samples * 1000 // self._format.rate_hz

    def take(self, data: bytes) -> bytes:
        """Keep the client's audio, and return it as 8 kHz SLIN for the detector."""
        if self._format.coding == "pcm":
            data = self._odd + data
            whole = len(data) // 2 * 2
            data, self._odd = data[:whole], data[whole:]
        pcm = self._format.decode(data)
        self._samples += len(pcm) // 2
        narrow = self._down.feed(pcm)
        self._new += pcm if self._as_it_came else narrow
        return narrow

    def bytes_of(self, ms: int) -> int:
        return self._format.bytes_per_second * ms // 1000

    def flush(self) -> bytes:
        """What still lay in the filter, as SLIN of 8 kHz."""
        narrow = self._down.feed(b"", last=True)
        if not self._as_it_came:
            self._new += narrow
        return narrow

    def take_new(self) -> bytes:
        new = bytes(self._new)
        self._new.clear()
        return new

    def forget_all_but(self, ms: int) -> None:
        keep = 2 * self.rate_hz * ms // 1000
        del self._new[: max(0, len(self._new) - keep)]
