"""Which 20 ms leave next: speech, hold audio or silence. Pure: no clock, no I/O; one call of `next_frame` is 20 ms.

Speech wins over hold audio, which ends in the very frame in which speech begins; hold audio wins over silence. What
became of the speech is told as news, which the call takes after the frame. Does not decide what is said: `turns` does.
"""

from collections import deque
from dataclasses import dataclass

__all__ = ["FRAME_BYTES", "FRAME_MS", "HoldBegan", "HoldEnded", "News", "Playback", "SpeechBegan", "SpeechEnded"]

FRAME_MS = 20
FRAME_BYTES = 320
SILENT_FRAME = bytes(FRAME_BYTES)


@dataclass(frozen=True, slots=True)
class SpeechBegan:
    """The first frame of message `job` has left."""

    job: int


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """Message `job` is over: its last frame has been out for its 20 ms. `complete`: all of it was played."""

    job: int
    played_ms: int
    complete: bool


@dataclass(frozen=True, slots=True)
class HoldBegan:
    """The first frame of hold audio has left."""


@dataclass(frozen=True, slots=True)
class HoldEnded:
    """Hold audio was heard for so long."""

    duration_ms: int


News = SpeechBegan | SpeechEnded | HoldBegan | HoldEnded


class Playback:
    """The queue of one call. SLIN, 16-bit little-endian, 8 kHz, mono, in pieces of any even length.

    `hold_pcm` is looped without a seam, and starts from its beginning each time; empty: hold is silence.
    `longest_stall_ms`: a message whose audio stops coming for so long is over, however much of it was to come.
    """

    def __init__(self, hold_pcm: bytes = b"", *, longest_stall_ms: int = 5000) -> None:
        self.news: list[News] = []
        self._hold_pcm = hold_pcm
        self._longest_stall_frames = longest_stall_ms // FRAME_MS
        self._hold_wanted = False
        self._hold_at = 0
        self._hold_frames = 0
        self._job: int | None = None
        self._released = False
        self._began = False
        self._whole = False  # no more chunks come
        self._chunks: deque[bytes] = deque()
        self._head = b""  # the chunk being played, from `_at` on
        self._at = 0
        self._queued = 0
        self._played_frames = 0
        self._stalled_frames = 0  # frames of silence since the audio of the message ran dry

    # --- speech -------------------------------------------------------------------------------------------------------

    @property
    def job(self) -> int | None:
        """The message that is being played or made ready."""
        return self._job

    @property
    def queued_ms(self) -> int:
        """Speech that waits here."""
        return self._queued // (FRAME_BYTES // FRAME_MS)

    def begin(self, job: int, *, held: bool = False) -> None:
        """Make ready for message `job`; what was left of another is dropped. `held`: play nothing until `release`."""
        self.flush()
        self._job, self._released = job, not held

    def release(self) -> None:
        """Let a held message go out as soon as its audio is there."""
        self._released = True

    def feed(self, chunk: bytes) -> None:
        """Append audio of the message; the odd byte of an odd length is dropped."""
        if len(chunk) & 1:
            chunk = chunk[:-1]
        if chunk and self._job is not None and not self._whole:
            self._chunks.append(chunk)
            self._queued += len(chunk)

    def finish(self) -> None:
        """No more audio of this message comes; what is queued plays out."""
        self._whole = True

    def flush(self) -> None:
        """Drop the message at once. News of its end, incomplete, where it had begun."""
        if self._began and self._job is not None:
            self._end_speech(self._job, complete=False)
        self._forget_speech()

    def _end_speech(self, job: int, *, complete: bool) -> None:
        played_ms = (self._played_frames - self._stalled_frames) * FRAME_MS
        self.news.append(SpeechEnded(job, played_ms, complete))
        self._forget_speech()

    def _forget_speech(self) -> None:
        self._job, self._released, self._began, self._whole = None, False, False, False
        self._chunks.clear()
        self._head, self._at, self._queued = b"", 0, 0
        self._played_frames = self._stalled_frames = 0

    # --- hold audio ---------------------------------------------------------------------------------------------------

    def start_hold(self) -> None:
        """From the next frame on that is not speech."""
        if not self._hold_wanted:
            self._hold_wanted, self._hold_at = True, 0

    def stop_hold(self) -> None:
        """From the next frame on. News of its end where it was heard."""
        self._hold_wanted = False
        if self._hold_frames:
            self.news.append(HoldEnded(self._hold_frames * FRAME_MS))
            self._hold_frames = 0

    # --- for who watches ----------------------------------------------------------------------------------------------

    def newest(self, ms: int) -> bytes:
        """The last `ms` of what left, speech or hold audio, or what of it is still held; empty in silence."""
        n_bytes = ms * (FRAME_BYTES // FRAME_MS)
        if self._began:
            return self._head[max(0, self._at - n_bytes) : self._at]
        if self._hold_frames:
            return self._hold_pcm[max(0, self._hold_at - n_bytes) : self._hold_at]
        return b""

    # --- the frame ----------------------------------------------------------------------------------------------------

    def next_frame(self) -> bytes:
        """The next 20 ms: always 320 bytes."""
        if self._released and self._job is not None and (self._queued or self._began):
            frame = self._speech_frame(self._job)
            if frame is not None:
                return frame
        if self._hold_wanted and self._hold_pcm:
            return self._hold_frame()
        return SILENT_FRAME

    def _speech_frame(self, job: int) -> bytes | None:
        """Speech, silence where its audio is late, or None: the message is over and the frame is somebody else's."""
        if not self._began:
            if self._queued < FRAME_BYTES and not self._whole:
                return None
            self.stop_hold()
            self._began = True
            self.news.append(SpeechBegan(job))
        if self._queued >= FRAME_BYTES or (self._queued and self._whole):
            self._played_frames += 1
            self._stalled_frames = 0
            return self._take()
        if not self._whole and self._stalled_frames < self._longest_stall_frames:
            self._stalled_frames += 1
            self._played_frames += 1
            return SILENT_FRAME
        self._end_speech(job, complete=self._whole)
        return None

    def _take(self) -> bytes:
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
