"""List the sound devices, and open a microphone and a loudspeaker. The only file that uses PyAudio (PortAudio).

Its callbacks run in PortAudio's own threads. They only hand sound over, fetch sound, and count the losses that the card
reports: they never wait, lock or print. It knows neither calls nor AudioSocket.
"""

import contextlib
import ctypes
import os
import sys
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self

import numpy as np

from audiosocket_sim.live.mic.devices import Device, DeviceError

__all__ = ["MicrophoneExtraMissing", "SoundCard", "SoundSystem", "quiet_libraries"]

_BLOCKS_PER_SECOND = 100


class MicrophoneExtraMissing(Exception):
    """PyAudio or its library is not installed. One line that says what to install."""


class SoundSystem:
    """PortAudio, open as long as the `with` block lasts. Raises MicrophoneExtraMissing if it is not installed."""

    def __init__(self) -> None:
        try:
            import pyaudio  # the extra [mic]
        except ImportError as error:
            raise MicrophoneExtraMissing(
                f"the microphone needs PyAudio ({error}): pip install 'audiosocket-sim[mic]'; on Debian first "
                "apt install portaudio19-dev gcc, on macOS brew install portaudio (docs/mic.md)"
            ) from error
        self._pyaudio = pyaudio
        _silence_alsa()
        with _no_stderr():
            self._audio = pyaudio.PyAudio()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with _no_stderr():
            self._audio.terminate()

    def devices(self) -> list[Device]:
        """Return all sound devices, with the system's defaults marked."""
        audio = self._audio
        default_input, default_output = (
            self._default(find) for find in (audio.get_default_input_device_info, audio.get_default_output_device_info)
        )
        found = []
        for number in range(audio.get_device_count()):
            info = audio.get_device_info_by_index(number)
            found.append(
                Device(
                    number,
                    str(info["name"]),
                    str(audio.get_host_api_info_by_index(info["hostApi"])["name"]),
                    int(info["maxInputChannels"]),
                    int(info["maxOutputChannels"]),
                    round(float(info["defaultSampleRate"])),
                    default_input == number,
                    default_output == number,
                )
            )
        return found

    @staticmethod
    def _default(find: Callable[[], Any]) -> int | None:
        try:
            return int(find()["index"])
        except OSError:
            return None

    def open(
        self,
        microphone: Device,
        loudspeaker: Device,
        on_captured: Callable[[bytes], None],
        pull: Callable[[int], bytes],
    ) -> "SoundCard":
        """Open both devices at their own rates and start them. Sound is 16-bit mono. Raises DeviceError.

        on_captured: called with the sound of the microphone. pull: called with a number of samples, returns the sound
        to play. Both are called in PortAudio's threads.
        """
        return SoundCard(self._pyaudio, self._audio, microphone, loudspeaker, on_captured, pull)


class SoundCard:
    """An open microphone and an open loudspeaker, until `close`."""

    def __init__(
        self,
        pyaudio: Any,
        audio: Any,
        microphone: Device,
        loudspeaker: Device,
        on_captured: Callable[[bytes], None],
        pull: Callable[[int], bytes],
    ) -> None:
        self._pyaudio = pyaudio
        self._on_captured = on_captured
        self._pull = pull
        self.overruns = 0
        """How often the card discarded sound of the microphone because this process was late."""
        self.underruns = 0
        """How often the loudspeaker had nothing to play because this process was late."""
        self._streams: list[Any] = []
        with _no_stderr():
            try:
                self._in_channels, into = self._open(
                    audio, microphone, input=True, input_device_index=microphone.number, stream_callback=self._captured
                )
                self._out_channels, out = self._open(
                    audio,
                    loudspeaker,
                    output=True,
                    output_device_index=loudspeaker.number,
                    stream_callback=self._wanted,
                )
                out.start_stream()
                into.start_stream()
            except BaseException:
                self.close()
                raise
        self.latency_ms = round(1000 * (into.get_input_latency() + out.get_output_latency()))
        """The latency of both devices together, as the system reports it."""

    def _open(self, audio: Any, device: Device, **how: Any) -> tuple[int, Any]:
        """Open a device in mono, or in stereo if it has no mono; return the number of channels and the stream."""
        problem: Exception | None = None
        for channels in (1, 2):
            try:
                stream = audio.open(
                    rate=device.rate_hz,
                    channels=channels,
                    format=self._pyaudio.paInt16,
                    frames_per_buffer=device.rate_hz // _BLOCKS_PER_SECOND,
                    start=False,
                    **how,
                )
            except (OSError, ValueError) as error:
                problem = problem or error
            else:
                self._streams.append(stream)
                return channels, stream
        raise DeviceError(f"{device} cannot be opened at {device.rate_hz} Hz: {problem}") from problem

    def close(self) -> None:
        """Stop and close both devices."""
        streams, self._streams = self._streams, []
        for stream in reversed(streams):
            with contextlib.suppress(OSError):  # the device was unplugged
                stream.close()

    # --- in PortAudio's threads

    def _captured(self, pcm: bytes, n_frames: int, timing: Any, status: int) -> tuple[None, int]:
        if status & self._pyaudio.paInputOverflow:
            self.overruns += 1
        if self._in_channels == 2:
            pcm = np.frombuffer(pcm, "<i2").reshape(-1, 2).mean(axis=1).astype("<i2").tobytes()
        self._on_captured(pcm)
        return None, self._pyaudio.paContinue

    def _wanted(self, nothing: None, n_frames: int, timing: Any, status: int) -> tuple[bytes, int]:
        if status & self._pyaudio.paOutputUnderflow:
            self.underruns += 1
        pcm = self._pull(n_frames)
        if self._out_channels == 2:
            pcm = np.repeat(np.frombuffer(pcm, "<i2"), 2).tobytes()
        return pcm, self._pyaudio.paContinue


_HANDLER = ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p)
_SAY_NOTHING = _HANDLER(lambda file, line, function, error, text: None)
"""Replaces ALSA's handler, which prints a line for each late block; `SoundCard` counts these. ALSA keeps its address,
so the object must live as long as the process."""


def _silence_alsa() -> None:
    """Silence ALSA's messages for the whole process: it has one handler, and calls it during the call too."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL("libasound.so.2").snd_lib_error_set_handler(_SAY_NOTHING)


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Discard what PortAudio prints to file descriptor 2, in the midst of the drawing, when a device goes away.

    What Python writes to `sys.stderr` is still shown.
    """
    try:
        kept = os.dup(2)
    except OSError:  # closed
        yield
        return
    before = sys.stderr
    with open(kept, "w", encoding="utf-8", errors="backslashreplace", buffering=1) as ours:
        sys.stderr = ours
        try:
            with _no_stderr():
                yield
        finally:
            sys.stderr = before


@contextlib.contextmanager
def _no_stderr() -> Iterator[None]:
    """Discard what ALSA and JACK print to file descriptor 2 while PortAudio works; real errors are still raised."""
    try:
        kept = os.dup(2)
    except OSError:  # closed
        yield
        return
    sys.stderr.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
