"""Which words of a message the caller heard, if it was stopped. Pure: texts, times, sound.

To the word where the engine says when its words end, or the recording's manifest; otherwise by an estimate: letters
take equal shares of the time in which there is sound, so pauses take none.
"""

import re
from array import array
from collections.abc import Sequence

from audiosocket_server.speech.base import WordEnd

__all__ = ["estimated_ends", "heard"]

_WORD = re.compile(r"\S+")
_BYTES_A_MS = 16
_STEP_MS = 10
_QUIETER_THAN_PEAK = 40
"""A stretch whose loudest sample is by this factor (32 dB) below the message's loudest one is a pause."""
_LETTERS_A_SECOND = 15
_LETTERS_A_DIGIT = 5
_NEARLY_MS = 60
"""A word of which no more than this is missing was heard: it is its last sound that fades."""


def heard(text: str, ends: Sequence[WordEnd], said_ms: int) -> str:
    """Return the part of `text` that was said within its first `said_ms`, whole words only; "" for none."""
    reached = max((end.text_end for end in ends if end.ends_ms <= said_ms + _NEARLY_MS), default=0)
    return text[:reached]


def estimated_ends(text: str, pcm: bytes, *, whole: bool) -> list[WordEnd]:
    """Estimate where the words of `text` end in its sound (SLIN, 8 kHz). `whole`: all of the sound is there.

    Of a sound that is not whole, words are taken to last as they usually do.
    """
    words = [(match.end(), _spoken_letters(match.group())) for match in _WORD.finditer(text)]
    letters = sum(length for _, length in words)
    loud = _loud_steps(pcm)
    if not words or not loud:
        return []
    a_letter = len(loud) / letters if whole else 1000 / _STEP_MS / _LETTERS_A_SECOND
    found, said = [], 0
    for place, length in words:
        said += length
        step = round(said * a_letter) - 1
        if step >= len(loud):
            break
        found.append(WordEnd(place, (loud[max(0, step)] + 1) * _STEP_MS))
    return found


def _spoken_letters(word: str) -> int:
    """Return about how many letters are spoken: «202» is longer than it looks, and a comma is not said."""
    return max(1, sum(_LETTERS_A_DIGIT if letter.isdigit() else letter.isalpha() for letter in word))


def _loud_steps(pcm: bytes) -> list[int]:
    """Return the numbers of the steps of 10 ms in which there is sound."""
    samples = array("h", pcm[: len(pcm) // 2 * 2])
    size = _STEP_MS * _BYTES_A_MS // 2
    peaks = [max(map(abs, samples[at : at + size])) for at in range(0, len(samples), size)]
    least = max(peaks, default=0) / _QUIETER_THAN_PEAK
    return [number for number, peak in enumerate(peaks) if peak > least]
