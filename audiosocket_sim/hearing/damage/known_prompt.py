"""Which prompt of a phrase book a damaged or unknown sound would be, and what was done to it. Pure, numpy.

Tried in this order: the prompt itself, with any beginning or end, at any gain, without its holes; then, if the samples
look wrong, each change of the bytes; else each change of the speed. The first that fits ends the search.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from audiosocket_core.phrase_book.book import Phrase
from audiosocket_core.phrase_book.fingerprint import Array
from audiosocket_sim.hearing.damage.book_search import PIECE, BookSound, Hit, book_sound, in_band
from audiosocket_sim.hearing.damage.changes import BYTES, SHIFTED, SPEEDS, BytesChange, SpeedChange, at_speed
from audiosocket_sim.hearing.damage.model import AUDIBLE_RMS
from audiosocket_sim.hearing.damage.prompt_alignment import Followed, follow

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Known",
    "beneath",
    "changed_bytes",
    "changed_speed",
    "in_turn",
    "plain",
    "shifted_end",
    "silenced",
    "without_holes",
]

_SURE = 0.78  # likeness of a piece of 256 ms; other voices and words have up to 0.69 there
_SURE_PIECE = 2048
_SPEED_SURE = 0.85  # of one of less than 512 ms at another speed: a thump, played faster, has up to 0.79
_SHORT_SURE = 0.93  # of a shorter one; others have up to 0.85
_SHORT_PIECE = 1024
_SHORTEST = 800
_LEAST_POWER = 900.0  # mean square (-61 dBFS) of a piece that is worth a search
_NOT_THE_BOOK = 0.42  # of half a second; a prompt with a gap in it has more
_BYTES_SURE = 0.6  # of bytes that were changed: others have up to 0.48
_BYTES_CERTAIN = 0.97
_SHIFTED_SURE = 0.7
_SHIFTED_GAIN = 64.0
_SHIFTED_LOUDEST = 4.0
"""The end of a prompt that lost a byte is at most so much louder than that of the book's own prompt without that byte.
GSM leaves a rumble behind loud speech that is like it in shape, and 8 to 22 times as loud."""
_MUCH_ALIKE = 1  # the first two changes of the bytes are told apart by a comparison only
_BYTES_SHORTEST = 1024
_TRIES = 2
_TEN_MS = 80
_EDGE = 240  # samples at either end, where a codec or the ear decides what is audible
_BENEATH = 0.03  # of the power; codecs leave less, or more that is like no prompt
_SILENT = 10  # A-law makes 8 of silence
_CHUNKS = (160, 320)


@dataclass(frozen=True, slots=True)
class Known:
    """A prompt that was found. `what`: what was done to it, empty if nothing was. `followed`: how much of it there is,
    None where that was not asked for. `gain`: of its amplitude."""

    phrase: Phrase
    what: str = ""
    followed: Followed | None = None
    gain: float = 1.0


def _least_likeness(hit: Hit) -> float:
    return _SURE if hit.size >= _SURE_PIECE else _SHORT_SURE


def without_holes(pcm: bytes, holes: Sequence[tuple[int, int]]) -> bytes:
    """Return the sound with its holes (sample, length) taken out."""
    kept = bytearray()
    at = 0
    for start, length in holes:
        kept += pcm[2 * at : 2 * max(at, start)]
        at = max(at, start + length)
    return bytes(kept + pcm[2 * at :])


def plain(pcm: bytes, phrases: tuple[Phrase, ...]) -> Known | None:
    """Find a prompt as it is in a sound without holes: without its beginning or end, with gaps, at another gain."""
    heard = in_band(pcm, banded=True)
    book = book_sound(phrases)
    best = 1.0
    for start, length in _loudest(heard):
        if best < _NOT_THE_BOOK and length < min(len(heard), PIECE):
            return None
        hit = book.find(heard[start : start + length])
        best = max(hit.likeness if hit else 0.0, best if best < 1.0 else 0.0)
        if hit is not None and hit.size >= _SHORTEST and hit.likeness >= _least_likeness(hit):
            known = book.waves[hit.phrase]
            followed = follow(heard, known, hit.place, start - hit.place, length)
            return Known(phrases[hit.phrase], "", followed, hit.gain)
    return None


def silenced(pcm: bytes, known: Known) -> list[tuple[int, int]]:
    """Where the sound is silent and the prompt is not, as (sample of the sound, length): from 10 ms on."""
    followed = known.followed
    if followed is None or followed.lag != followed.last_lag:
        return []
    heard = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float64)
    prompt = np.frombuffer(known.phrase.pcm, "<i2").astype(np.float64) * known.gain
    pieces: list[tuple[int, int]] = []
    audible = np.concatenate(([0], np.cumsum(np.abs(heard) > _SILENT)))  # samples before each
    places = np.arange(followed.first + _EDGE, min(followed.last, len(prompt)) - _EDGE, _TEN_MS)
    begin, end = (np.clip(places + followed.lag + edge, 0, len(heard)) for edge in (0, _TEN_MS))
    silent = (end > begin) & (audible[end] == audible[begin])
    for place in places[silent].tolist():
        at = place + followed.lag
        if np.square(prompt[place : place + _TEN_MS]).mean() >= AUDIBLE_RMS**2 * 4:
            joined = bool(pieces) and pieces[-1][0] + pieces[-1][1] == at
            pieces[-1:] = [(pieces[-1][0], pieces[-1][1] + _TEN_MS)] if joined else [*pieces[-1:], (at, _TEN_MS)]
    return pieces


def beneath(pcm: bytes, known: Known, phrases: tuple[Phrase, ...]) -> Phrase | None:
    """Find another prompt under the one that was found: two sentences that were mixed."""
    followed = known.followed
    if followed is None:
        return None
    heard = np.frombuffer(pcm, "<i2", len(pcm) // 2).astype(np.float64)
    prompt = np.frombuffer(known.phrase.pcm, "<i2").astype(np.float64)
    first = max(followed.first, -followed.lag)
    last = min(followed.last, len(prompt), len(heard) - followed.lag)
    if last <= first:  # it was followed to a place that its first lag does not lead to: pieces are missing
        return None
    there, prompt = heard[first + followed.lag : last + followed.lag], prompt[first:last]
    # Behind a cut there may be silence: what the prompt has there was not sent.
    prompt = np.where(_near(~_near(np.abs(there) > _SILENT)), 0.0, prompt)
    power = float(prompt @ prompt)
    rest = there - prompt * (float(there @ prompt) / power if power else 0.0)
    if float(rest @ rest) < _BENEATH * float(there @ there):
        return None
    sound = in_band(np.clip(np.rint(rest), -32768, 32767).astype("<i2").tobytes(), banded=True)
    book = book_sound(phrases)
    for start, length in _loudest(sound):
        hit = book.find(sound[start : start + length]) if length >= _SURE_PIECE else None
        is_sure = hit is not None and hit.size >= _SURE_PIECE and hit.likeness >= _SURE
        if hit is not None and is_sure and phrases[hit.phrase] is not known.phrase:
            return phrases[hit.phrase]
    return None


def _near(true: "NDArray[np.bool_]") -> "NDArray[np.bool_]":
    """Return which samples are within 2.5 ms of one that is true."""
    near: NDArray[np.bool_] = np.convolve(true, np.ones(_TEN_MS // 2 + 1))[_TEN_MS // 4 :][: len(true)] > 0.5
    return near


def changed_bytes(pcm: bytes, phrases: tuple[Phrase, ...]) -> Iterator[Known | None]:
    """Find the prompt whose samples are in another format. Yields None after each step, and what it found."""
    heard = in_band(pcm, banded=False)
    pieces = [(start, length) for start, length in _loudest(heard, tries=1) if length >= _BYTES_SHORTEST][:1]
    best: tuple[float, Hit, BytesChange] | None = None
    for number, change in enumerate(BYTES):
        book = book_sound(phrases, change.done_to, banded=False)
        for start, length in pieces:
            hit = book.find(heard[start : start + length])
            if hit is not None and hit.size >= _BYTES_SHORTEST and hit.likeness >= _BYTES_SURE:
                exact = _exact(heard[start : start + length], book.waves[hit.phrase], hit.place)
                best = (exact, hit, change) if best is None or exact > best[0] else best
                break
            yield None
        if best is not None and best[0] >= _BYTES_CERTAIN and number == _MUCH_ALIKE:
            break
    yield None if best is None else _changed(phrases, best[1], best[2])


def _exact(heard: Array, known: Array, place: int) -> float:
    """The likeness without the errors of a Fourier transform: two changes may differ in the low byte of each sample."""
    heard, place = heard[max(0, -place) :], max(0, place)
    one, other = heard.astype(np.float64), known[place : place + len(heard)].astype(np.float64)
    one, other = one[: len(other)] - one.mean(), other - other.mean()
    return float(one @ other) / float(np.sqrt((one @ one) * (other @ other)) or 1.0)


def shifted_end(pcm: bytes, phrase: Phrase) -> Known | None:
    """Find the end of a prompt in the sound right behind it: a lost byte makes loud noise of what nobody hears.

    A shift makes samples of one byte 256 times as large, and so like the prompt at a gain that no bot has.
    """
    heard = in_band(pcm, banded=False)
    as_it_is, shifted = BookSound((phrase,), banded=False), BookSound((phrase,), SHIFTED.done_to, banded=False)
    for start, length in _loudest(heard, tries=1):
        piece = heard[start : start + length]
        hit, louder = shifted.find(piece), as_it_is.find(piece)
        if louder is not None and louder.likeness >= _SURE and louder.gain < _SHIFTED_GAIN:
            return None
        if hit is not None and hit.place >= 0 and hit.likeness >= _SHIFTED_SURE and hit.gain <= _SHIFTED_LOUDEST:
            return _changed((phrase,), hit, SHIFTED)
    return None


def changed_speed(pcm: bytes, phrases: tuple[Phrase, ...]) -> Iterator[Known | None]:
    """Find the prompt that is played too fast or too slowly. Yields as `changed_bytes` does."""
    book = book_sound(phrases)
    wave = np.frombuffer(pcm, "<i2").astype(np.float32)
    for change in SPEEDS:
        right = np.clip(at_speed(wave, change.factor), -32768, 32767).astype("<i2").tobytes()
        heard = in_band(right, banded=True)
        for start, length in _loudest(heard, tries=1):
            if length < _SURE_PIECE:  # the others are shorter still, and make nothing sure
                break
            hit = book.find(heard[start : start + length])
            if hit is not None and hit.likeness >= (_SURE if hit.size >= PIECE else _SPEED_SURE):
                yield _changed(phrases, hit, change)
                return
            yield None


def in_turn(pcm: bytes, phrases: tuple[Phrase, ...], place: int) -> Iterator[tuple[Phrase, Phrase] | None]:
    """Find two prompts whose frames were sent in turn; `place`: where one of the frames begins. Yields as above."""
    wave = np.frombuffer(pcm, "<i2", len(pcm) // 2)
    book = book_sound(phrases)
    for chunk in _CHUNKS:
        rest = wave[place % chunk :]
        rest = rest[: len(rest) // (2 * chunk) * 2 * chunk].reshape(-1, 2, chunk)
        found = []
        for side in (0, 1):
            heard = in_band(rest[:, side].tobytes(), banded=True)
            best = [book.find(heard[start : start + length]) for start, length in _loudest(heard, tries=1)]
            found += [hit.phrase for hit in best[:1] if hit is not None and hit.place >= 0 and hit.likeness >= _SURE]
            yield None
        if len(found) == 2:
            yield phrases[found[0]], phrases[found[1]]
            return


def _changed(phrases: tuple[Phrase, ...], hit: Hit, change: BytesChange | SpeedChange) -> Known:
    return Known(phrases[hit.phrase], change.what, None, hit.gain)


def _loudest(heard: Array, tries: int = _TRIES) -> Iterator[tuple[int, int]]:
    """The loudest pieces of a sound, as (start, length), the longest that there can be."""
    length = min(len(heard), PIECE)
    energy = np.concatenate(([0.0], np.cumsum(np.square(heard, dtype=np.float64))))
    for size in dict.fromkeys((length, min(length, _SURE_PIECE), min(length, _SHORT_PIECE))):
        count = tries if size > _SHORT_PIECE else 2 * tries
        if size < _SHORTEST:
            return
        sums = energy[size:] - energy[: len(energy) - size]
        for _ in range(count):
            start = int(sums.argmax())
            if sums[start] < _LEAST_POWER * size:
                break
            yield start, size
            sums[max(0, start - size // 2) : start + size // 2] = 0.0
