"""Synthetic speech for texts without a recording, by espeak-ng (extra `[voice]`): SLIN of 8 kHz, cached on disk.

Each text is spoken in a new child process (this module, with the language as its argument; text in, SLIN out). Within
one process, the speech of espeak-ng depends on what it spoke before; and espeak-ng is under the GPL, which this project
is not. Blocking: about 100 ms for a new text, 1 ms for a known one.
"""

import ctypes
import importlib.metadata
import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.kept_files import KeptFiles

__all__ = ["VOICE", "VoiceFailed", "VoiceMissing", "render"]

VOICE = "espeak-ng"
"""The name of this voice, in `Phrase.voice`."""

LEAD_MS, TAIL_MS = 200, 300  # silence around the speech, as in the recorded prompts
LEVEL_DBFS = -22.0  # of the speech, as in the recorded prompts
WORDS_PER_MINUTE = 160

_PACKAGE = "espeakng-loader"
_VERSION = 1  # part of the key in the cache: raise it whenever the same text sounds different
_CHILD_SECONDS = 60
_MOST_BYTES = 100_000_000  # 1 h 44 min
_EDGE_MS = 20  # sound that is kept before and after the speech

# espeak-ng/speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_RATE_PARAMETER = 1
_CHARS_UTF8 = 1
_EE_OK = 0


class VoiceMissing(AudioSocketError):
    """The extra `[voice]` is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "there is no recording of this text, and no synthetic voice: pip install 'audiosocket-sim[voice]'"
        )


class VoiceFailed(AudioSocketError):
    """The synthetic voice did not speak: it lacks the language, or its process failed. The message is one line."""


def render(text: str, language: str = "pt-BR", *, cache: Path) -> bytes:
    """Speak `text`: SLIN, 8 kHz, with 200 ms of silence before the speech and 300 ms after it. Same text, same bytes.

    `cache`: a folder, made if it is missing; processes may share it. Raises VoiceMissing and VoiceFailed.
    """
    if importlib.util.find_spec("espeakng_loader") is None:
        raise VoiceMissing
    kept = KeptFiles(cache, ".slin", most_bytes=_MOST_BYTES)
    key = (f"{_PACKAGE} {importlib.metadata.version(_PACKAGE)}, {_VERSION}", language.casefold(), text)
    pcm = kept.get(*key)
    if pcm is None:
        pcm = _framed(*_spoken(text, language))
        kept.put(pcm, *key)
    return pcm


def _spoken(text: str, language: str) -> tuple[int, bytes]:
    """Run the child: (sample rate in Hz, SLIN). Raises VoiceFailed."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__, language.casefold()],
            input=text.encode(errors="replace"),  # half a character, which JSON and YAML can hold
            capture_output=True,
            cwd=Path(__file__).parents[2],
            timeout=_CHILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise VoiceFailed(f"the synthetic voice did not finish within {_CHILD_SECONDS} s") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise VoiceFailed(f"the synthetic voice failed: {said[-1] if said else f'exit code {done.returncode}'}")
    return int.from_bytes(done.stdout[:4], "little"), done.stdout[4:]


def _framed(rate_hz: int, pcm: bytes) -> bytes:
    """Convert to 8 kHz, as loud as the prompts, with the same silence around the speech."""
    from audiosocket_core import slin  # imported late, like numpy: the child needs neither
    from audiosocket_core.phrase_book.book import speech_edges_ms

    sound = slin.resample(pcm, rate_hz, 8000)
    start_ms, end_ms = speech_edges_ms(sound)
    level = slin.level_dbfs(sound[start_ms * 16 : end_ms * 16])
    before_ms = min(_EDGE_MS, start_ms)
    kept = sound[(start_ms - before_ms) * 16 : (end_ms + _EDGE_MS) * 16]
    if end_ms > start_ms:
        kept = slin.gain(kept, LEVEL_DBFS - level)
    after_ms = len(kept) // 16 - before_ms - (end_ms - start_ms)
    return slin.silence(LEAD_MS - before_ms) + kept + slin.silence(TAIL_MS - after_ms)


def _speak(voice: str, text: str) -> tuple[int, bytes]:
    """Speak in this process (the child): (sample rate in Hz, SLIN)."""
    import espeakng_loader

    library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
    data_folder = str(espeakng_loader.get_data_path()).encode()
    rate_hz: int = library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data_folder, 0)
    if rate_hz <= 0:
        raise VoiceFailed("espeak-ng does not start")
    # The exact language, or its family: pt-br, then pt.
    if all(library.espeak_SetVoiceByName(name.encode()) != _EE_OK for name in (voice, voice.partition("-")[0])):
        raise VoiceFailed(f"espeak-ng has no voice for the language {voice}")
    library.espeak_SetParameter(_RATE_PARAMETER, WORDS_PER_MINUTE, 0)
    sound = bytearray()

    def take(wave: int | None, samples: int, _events: int | None) -> int:
        if wave and samples > 0:
            sound.extend(ctypes.string_at(wave, samples * 2))
        return 0

    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)(take)
    library.espeak_SetSynthCallback(callback)
    encoded = text.encode() + b"\0"
    said = library.espeak_Synth(encoded, ctypes.c_size_t(len(encoded)), 0, 1, 0, _CHARS_UTF8, None, None)
    if said != _EE_OK or library.espeak_Synchronize() != _EE_OK:
        raise VoiceFailed("espeak-ng did not speak the text")
    return rate_hz, bytes(sound)


def _main() -> int:
    try:
        rate_hz, sound = _speak(sys.argv[1], sys.stdin.buffer.read().decode())
    except VoiceFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.buffer.write(rate_hz.to_bytes(4, "little") + sound)
    return 0


if __name__ == "__main__":
    sys.exit(_main())
