"""Portuguese text to the phonemes that Kokoro reads, by espeak-ng in a child process.

espeak-ng is under the GPL, so it stays out of this process. The child, `python -m
audiosocket_server.speech.local.phonemes`, answers each line of JSON with one line of JSON, and ends with its parent.
Unlike its speech, espeak-ng's phonemes do not depend on earlier texts (a test asks in another order). Blocking: 0.1 s
for the first text, 1 ms for others.
"""

import ctypes
import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

from audiosocket_server.speech.base import SpeechError

__all__ = ["Phonemes"]

_ANSWER_SECONDS = 10.0
_CLAUSE = re.compile(r"(?<=[,.;:?!…—])\s+")
_CLAUSE_END = re.compile(r"[,.;:?!…—]+$")
_UNSPOKEN = re.compile(r"[\"“”«»()\[\]{}*_#]+")
_LANGUAGE_MARK = re.compile(r"\([a-z-]+\)")

# With ties, espeak-ng distinguishes two sounds from one sound of two parts, for which Kokoro has single letters.
_TIE = "^"
_TIED = {
    "a^ɪ": "I", "a^ʊ": "W", "d^z": "ʣ", "d^ʒ": "ʤ", "e^ɪ": "A", "o^ʊ": "O", "ə^ʊ": "Q", "s^s": "S", "t^s": "ʦ",
    "t^ʃ": "ʧ", "ɔ^ɪ": "Y",
}  # fmt: skip

# espeak-ng/speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_IPA_WITH_TIES = 0x02 | 0x80 | ord(_TIE) << 8
_EE_OK = 0


class Phonemes:
    """The child process. It is started for the first text, and again if it has died. Thread-safe.

    `voice`: espeak-ng's name of the language.
    """

    def __init__(self, voice: str = "pt-br") -> None:
        self._voice = voice
        self._child: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def of(self, text: str) -> str:
        """Return the text in Kokoro's alphabet, with its commas and full stops. Raises SpeechError."""
        clauses = [clause for clause in _CLAUSE.split(_UNSPOKEN.sub(" ", text).strip()) if clause]
        spoken = self._ask([_CLAUSE_END.sub("", clause) for clause in clauses])
        ends = [_CLAUSE_END.search(clause) for clause in clauses]
        said = (f"{_lettered(ipa)}{end[0][0] if end else ''}" for ipa, end in zip(spoken, ends, strict=True) if ipa)
        return " ".join(said)

    def close(self) -> None:
        """End the child. The next text starts a new one."""
        with self._lock:
            self._end()

    def _ask(self, clauses: list[str]) -> list[str]:
        with self._lock:
            for attempt in (1, 2):
                if self._child is None:
                    self._child = self._started()
                try:
                    return self._answer(self._child, clauses)
                except (OSError, ValueError) as error:  # the child died, or its answer is invalid
                    self._end()
                    if attempt == 2:
                        raise SpeechError(f"espeak-ng, which makes the phonemes, failed: {error}") from error
        raise AssertionError

    def _started(self) -> "subprocess.Popen[str]":
        try:
            return subprocess.Popen(
                [sys.executable, "-m", __name__, self._voice],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=Path(__file__).parents[3],
                text=True,
                encoding="utf-8",
            )
        except OSError as error:
            raise SpeechError(f"espeak-ng, which makes the phonemes, cannot be started: {error}") from error

    def _answer(self, child: "subprocess.Popen[str]", clauses: list[str]) -> list[str]:
        assert child.stdin is not None
        assert child.stdout is not None
        limit = threading.Timer(_ANSWER_SECONDS, child.kill)
        limit.start()
        try:
            child.stdin.write(json.dumps(clauses) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
        finally:
            limit.cancel()
        if not line:
            raise ValueError("its process ended")
        answer = json.loads(line)
        if not isinstance(answer, list) or len(answer) != len(clauses):
            raise ValueError("its process gave an invalid answer")
        return [str(ipa) for ipa in answer]

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.communicate()


def _lettered(ipa: str) -> str:
    ipa = _LANGUAGE_MARK.sub("", ipa)
    for tied, letter in _TIED.items():
        ipa = ipa.replace(tied, letter)
    return " ".join(ipa.replace(_TIE, "").replace("-", "").split())


def _main(voice: str) -> int:
    """Run the child: read texts from stdin, and write phonemes to stdout. Returns the exit code."""
    import espeakng_loader

    library: Any = ctypes.CDLL(espeakng_loader.get_library_path())
    library.espeak_TextToPhonemes.restype = ctypes.c_char_p
    if library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, str(espeakng_loader.get_data_path()).encode(), 0) <= 0:
        return 1
    if library.espeak_SetVoiceByName(voice.encode()) != _EE_OK:
        return 1
    for line in sys.stdin:
        sys.stdout.write(json.dumps([_ipa(library, clause) for clause in json.loads(line)]) + "\n")
        sys.stdout.flush()
    return 0


def _ipa(library: Any, text: str) -> str:
    """Return the phonemes of the whole text: each call of the library takes one clause, and advances the pointer."""
    buffer = ctypes.create_string_buffer(text.encode())
    left = ctypes.c_void_p(ctypes.addressof(buffer))
    said = []
    while left.value:
        said.append(library.espeak_TextToPhonemes(ctypes.byref(left), _CHARS_UTF8, _IPA_WITH_TIES) or b"")
    return b" ".join(said).decode()


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1]))
