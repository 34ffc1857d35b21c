"""Playback queue: which 20 ms are sent next, speech, hold audio or silence? Pure: each `next_frame` is 20 ms.

Speech takes precedence over hold audio, which ends with the first frame of speech; hold audio takes precedence over
silence. What happened to the speech is reported in `news`, which the session reads after each frame. What is said is
decided in `turns`. A message can be paused, and goes on a little before or behind the place where it was paused.
"""

from collections import deque
from dataclasses import dataclass

from audiosocket_server.call.audible import silent_end_bytes

__all__ = [
    "FRAME_BYTES",
    "FRAME_MS",
    "HoldBegan",
    "HoldEnded",
    "News",
    "Playback",
    "SpeechBegan",
    "SpeechEnded",
    "SpeechNearlyOver",
]

FRAME_MS = 20
FRAME_BYTES = 320
SILENT_FRAME = bytes(FRAME_BYTES)
KEPT_FRAMES = 15  # of the message, 300 ms, to go back to


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """The first frame of message `job` was returned by `next_frame`."""

    job: int


@dataclass(frozen=True, slots=True)
class SpeechNearlyOver:
    """What is left of message `job` to be heard is as short as the playback was asked to say."""

    job: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """Playback of message `job` ended: the 20 ms of its last frame have passed. `complete`: all of it was played."""

    job: int
    played_ms: int
    complete: bool
    of_ms: int | None = None
    """How long all of it lasts; None if not all of its sound had arrived."""


@dataclass(frozen=True, slots=True)
class HoldBegan:
    """The first frame of hold audio was returned by `next_frame`."""


@dataclass(frozen=True, slots=True)
class HoldEnded:
    """Hold audio ended after `duration_ms`."""

    duration_ms: int


News = SpeechBegan | SpeechNearlyOver | SpeechEnded | HoldBegan | HoldEnded


class Playback:
    """The playback queue of one call. Audio is SLIN: 16-bit little-endian, 8 kHz, mono.

    `hold_pcm` is looped without a seam, and starts from its beginning each time; if empty, hold is silence.
    `longest_stall_ms`: a message ends, incomplete, when its audio has stopped arriving for this long. `nearly_over_ms`:
    how long before the last of a message that can be heard `SpeechNearlyOver` comes; not while it is still being made.
    """

    def __init__(self, hold_pcm: bytes = b"", *, longest_stall_ms: int = 5000, nearly_over_ms: int = 0) -> None:
        self.news: list[News] = []
        """What happened since the reader last emptied this list, in order."""
        self._hold_pcm = hold_pcm
        self._longest_stall_frames = longest_stall_ms // FRAME_MS
        self._nearly_over_bytes = nearly_over_ms // FRAME_MS * FRAME_BYTES
        self._nearly_over_at = -1  # bytes in the queue, when that is to be reported
        self._hold_wanted = False
        self._hold_at = 0
        self._hold_frames = 0
        self._job: int | None = None
        self._released = False
        self._began = False
        self._paused = False
        self._newest: deque[bytes] = deque(maxlen=KEPT_FRAMES)
        self._whole = False  # all audio of the message has arrived
        self._chunks: deque[bytes] = deque()
        self._head = b""  # the chunk being played; `_at` is the next byte
        self._at = 0
        self._queued = 0
        self._fed = 0  # bytes of the message so far, also of those that were played
        self._played_frames = 0
        self._stalled_frames = 0  # frames of silence since the audio of the message ran dry

    # --- speech -------------------------------------------------------------------------------------------------------

    @property
    def job(self) -> int | None:
        """The number of the message that is being played or prepared; None if there is none."""
        return self._job

    @property
    def queued_ms(self) -> int:
        """Duration of the speech in the queue."""
        return self._queued // (FRAME_BYTES // FRAME_MS)

    @property
    def played_ms(self) -> int:
        """How much of the message has been played."""
        return (self._played_frames - self._stalled_frames) * FRAME_MS

    @property
    def position_ms(self) -> int:
        """How far playback is in the sound of the message."""
        return (self._fed - self._queued) // (FRAME_BYTES // FRAME_MS)

    @property
    def left_ms(self) -> int | None:
        """How much of the message is left to play; None if there is none, or if not all of its audio has arrived."""
        return self.queued_ms if self._began and self._whole else None

    def begin(self, job: int, *, held: bool = False) -> None:
        """Prepare for message `job`; the rest of another message is dropped. `held`: play nothing until `release`."""
        self.flush()
        self._job, self._released = job, not held

    def release(self) -> None:
        """Let a held message play as soon as it has audio."""
        self._released = True

    def feed(self, chunk: bytes) -> None:
        """Append audio of the message. The last byte of an odd length is dropped."""
        if len(chunk) & 1:
            chunk = chunk[:-1]
        if chunk and self._job is not None and not self._whole:
            self._chunks.append(chunk)
            self._queued += len(chunk)
            self._fed += len(chunk)

    def finish(self) -> None:
        """Mark the audio of the message as complete; what is queued is still played."""
        self._whole = True
        self._nearly_over_at = self._nearly_over_bytes + silent_end_bytes([self._head[self._at :], *self._chunks])

    def pause(self) -> None:
        """Play silence from the next frame on, until `resume`."""
        self._paused = True

    def resume(self, at_ms: int) -> None:
        """Play on from `at_ms` of the message: at most 300 ms before where it was paused, or behind it."""
        self._paused = False
        steps = (at_ms - self.position_ms) // FRAME_MS
        for _ in range(min(steps, self._queued // FRAME_BYTES)):
            self._take()
            self._played_frames += 1
        back = min(-steps, len(self._newest))
        if back <= 0:
            return
        again = b"".join(list(self._newest)[-back:])
        for _ in range(back):
            self._newest.pop()
        self._chunks.extendleft([self._head[self._at :], again])
        self._head, self._at = b"", 0
        self._queued += len(again)
        self._played_frames -= back

    def flush(self) -> None:
        """Drop the message at once. If it had begun, its end is reported as incomplete."""
        if self._began and self._job is not None:
            self._end_speech(self._job, complete=False)
        self._forget_speech()

    def _end_speech(self, job: int, *, complete: bool) -> None:
        of_ms = self._fed * FRAME_MS // FRAME_BYTES if self._whole else None
        self.news.append(SpeechEnded(job, self.played_ms, complete, of_ms))
        self._forget_speech()

    def _forget_speech(self) -> None:
        self._job, self._released, self._began, self._whole = None, False, False, False
        self._chunks.clear()
        self._head, self._at, self._queued, self._fed = b"", 0, 0, 0
        self._nearly_over_at = -1
        self._played_frames = self._stalled_frames = 0
        self._paused = False
        self._newest.clear()

    # --- hold audio ---------------------------------------------------------------------------------------------------

    def start_hold(self) -> None:
        """Play hold audio, from the next frame on that is not speech."""
        if not self._hold_wanted:
            self._hold_wanted, self._hold_at = True, 0

    def stop_hold(self) -> None:
        """Stop hold audio from the next frame on. Its end is reported if any of it was heard."""
        self._hold_wanted = False
        if self._hold_frames:
            self.news.append(HoldEnded(self._hold_frames * FRAME_MS))
            self._hold_frames = 0

    # --- for level meters ---------------------------------------------------------------------------------------------

    def newest(self, ms: int) -> bytes:
        """Return the last `ms` of the speech or hold audio sent, or less if less is kept; empty in silence."""
        n_bytes = ms * (FRAME_BYTES // FRAME_MS)
        if self._began:
            return self._head[max(0, self._at - n_bytes) : self._at]
        if self._hold_frames:
            return self._hold_pcm[max(0, self._hold_at - n_bytes) : self._hold_at]
        return b""

    # --- the frame ----------------------------------------------------------------------------------------------------

    def next_frame(self) -> bytes:
        """Return the next 20 ms: always 320 bytes."""
        if self._paused:
            return SILENT_FRAME
        if self._released and self._job is not None and (self._queued or self._began):
            frame = self._speech_frame(self._job)
            if frame is not None:
                return frame
        if self._hold_wanted and self._hold_pcm:
            return self._hold_frame()
        return SILENT_FRAME

    def _speech_frame(self, job: int) -> bytes | None:
        """Return a frame of speech, or of silence if the speech is late; None if the message is over or not ready."""
        if not self._began:
            if self._queued < FRAME_BYTES and not self._whole:
                return None
            self.stop_hold()
            self._began = True
            self.news.append(SpeechBegan(job))
        if self._queued >= FRAME_BYTES or (self._queued and self._whole):
            self._played_frames += 1
            self._stalled_frames = 0
            if self._queued <= self._nearly_over_at:
                self._nearly_over_at = -1
                self.news.append(SpeechNearlyOver(job))
            frame = self._take()
            self._newest.append(frame)
            return frame
        if not self._whole and self._stalled_frames < self._longest_stall_frames:
            self._stalled_frames += 1
            self._played_frames += 1
            return SILENT_FRAME
        self._end_speech(job, complete=self._whole)
        return None

    def _take(self) -> bytes:
        """Take one frame from the queue; the last one is filled up with silence."""
        at, end = self._at, self._at + FRAME_BYTES
        if end <= len(self._head):
            self._at = end
            self._queued -= FRAME_BYTES
            return self._head[at:end]
        frame = self._head[at:]
        while len(frame) < FRAME_BYTES and self._chunks:
            self._head = self._chunks.popleft()
            self._at = FRAME_BYTES - len(frame)
            frame += self._head[: self._at]
        self._queued -= len(frame)
        if not self._queued:
            self._head, self._at = b"", 0
        return frame.ljust(FRAME_BYTES, b"\0")

    def _hold_frame(self) -> bytes:
        if not self._hold_frames:
            self.news.append(HoldBegan())
        self._hold_frames += 1
        at, end = self._hold_at, self._hold_at + FRAME_BYTES
        frame = self._hold_pcm[at:end]
        while len(frame) < FRAME_BYTES:
            end = FRAME_BYTES - len(frame)
            frame += self._hold_pcm[:end]
        self._hold_at = end
        return frame
