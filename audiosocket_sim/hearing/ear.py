"""Reports what the caller heard: speech with its words, hold audio, holes, and how far the bot ran ahead. Pure.

The ear takes what reaches the phone, with arrival times in seconds of one clock, and reports facts as soon as they are
known. Every fact is about sound that was *played* (`playout`): sound that a bot sends ahead is heard later, or never.
The ear knows the prompts of a phrase book and one hold loop. It hears speech in any other voice, and other music, but
cannot read the words.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from audiosocket_core.phrase_book.book import Phrase, PhraseBook, normalise
from audiosocket_sim.hearing.audible_prompt import audible_ms, is_to_its_end, lost_start_ms
from audiosocket_sim.hearing.damage.any_voice import click_faults
from audiosocket_sim.hearing.damage.known_prompt import Known
from audiosocket_sim.hearing.damage.model import Damage
from audiosocket_sim.hearing.damage.sample_format import noise_alone
from audiosocket_sim.hearing.facts import (
    Fact,
    HeardDamage,
    HeardHoldStarted,
    HeardHoldStopped,
    HeardHole,
    HeardSpeech,
    HeardSpeechStarted,
)
from audiosocket_sim.hearing.hold_detector import HoldDetector, Part, What
from audiosocket_sim.hearing.hold_follower import HoldFollower
from audiosocket_sim.hearing.hold_loop import WINDOW, hold_loop
from audiosocket_sim.hearing.hold_rounds import HoldRounds
from audiosocket_sim.hearing.hold_search import known_music
from audiosocket_sim.hearing.loudness import Bounds, Loudness, level_dbfs, rms_dbfs
from audiosocket_sim.hearing.modelled_playout import ModelledPlayout, PhoneUse
from audiosocket_sim.hearing.paused_prompt import PromptPauses
from audiosocket_sim.hearing.phone_buffer import PhoneBuffer
from audiosocket_sim.hearing.phones import PhoneModel
from audiosocket_sim.hearing.playout import RATE_HZ, Playout
from audiosocket_sim.hearing.sound_kinds import kind_of
from audiosocket_sim.hearing.speech_segments import MatcherLike, SpeechSegments, Stretch
from audiosocket_sim.hearing.still_sound import StillSound
from audiosocket_sim.hearing.stretch_judge import StretchJudge

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Ear"]

_LEAD = 240  # samples: a frame is judged when it begins to play, also if it comes a little early
_QUIET_SECONDS = 0.0199  # one frame, less what floating point costs
_SAME_MS = 100
_SHORTEST_PART_MS = 300
"""The shortest part (ms) of a cut-off prompt that is read, if no other prompt begins with it."""
_MOST_PLACES = 200  # that are told of one fault
_BESIDE = 160  # samples: what of the sound beside a hole says whether it lies in a pause
_PAUSE_DBFS = -40.0
_SOFTER_DB = 6
_EDGE = 80  # samples beside a stretch that are judged with it
_OVER_NOISE_DB = 4.0
_TAIL_AFTER = 800  # samples behind hold audio, where a codec may go on with it
_LONGEST_TAIL = 3200
_RIGHT_BEHIND = 2400  # samples
_NEAR_AN_EDGE = 320
_A_PAUSE = 4000  # samples; a shorter hole may have been made by the network
_PHONE_HOLDS_MS = 300
_LEAST_LEFT_MS = 200
"""With less (ms) of a prompt left, the sound behind another sentence was taken for its end, and nothing was lost."""
_LOST_MS = 100
"""A prompt of which more (ms) is missing at its beginning has lost it, unless it goes on where it had broken off."""


class Ear:
    """One caller's ear. `on_fact` is called from `hear`, `advance` and `close`; times must not go backwards.

    `hold_pcm` is the hold loop as 8 kHz SLIN, empty for none. `matcher` replaces the one made from the book.
    `endless`: the phone loses nothing of what is sent ahead. `phone`: the model of another phone; `on_played` is called
    with what it plays: time (s), rate (Hz), SLIN. `lead_ms`: sound that is sent further ahead is reported; None: none
    is. `judges`: faults of the sound are looked for, and prompts without their beginning. `music`: what is hold audio
    at any level, through codecs and noise too, SLIN by its name; the first is the loop, where there is one.
    `any_music`: so are music and tones of two seconds and more, whatever they are.
    """

    def __init__(
        self,
        book: PhraseBook,
        hold_pcm: bytes,
        on_fact: Callable[[Fact], None],
        *,
        matcher: MatcherLike | None = None,
        endless: bool = True,
        phone: PhoneModel | None = None,
        on_played: Callable[[float, int, bytes], None] | None = None,
        lead_ms: int | None = None,
        judges: bool = True,
        music: Mapping[str, bytes] = MappingProxyType({}),
        any_music: bool = False,
    ) -> None:
        self._on_fact = on_fact
        self._phrases = book.phrases
        self._buffer = PhoneBuffer(endless=endless or phone is not None, lead_ms=lead_ms)
        self._playout = (
            Playout(self._buffer) if phone is None else ModelledPlayout(phone, self._buffer, on_fact, on_played)
        )
        if matcher is None and book.phrases:
            matcher = _matcher(book.phrases)
        self._speech = SpeechSegments(
            matcher, self._playout.holes, self._on_started, self._on_ended, self._on_click, self._on_noise
        )
        self._judge = StretchJudge(self._on_damage) if judges else None
        self._still = StillSound()
        self._still_explained = False  # by what is wrong with the speech: an offset, another format
        self._broken_off: set[Phrase] = set()
        self._last_read: tuple[int, Phrase] | None = None  # the last sample of the prompt that was read last
        loop = hold_loop(hold_pcm) if len(hold_pcm) >= 2 * WINDOW else None
        self._hold = None if loop is None else HoldDetector(loop, self._playout.samples)
        self._loop_pcm = hold_pcm
        self._hold_began = 0
        self._hold_ended = -_LONGEST_TAIL
        self._music = tuple(music)
        known = [known_music(pcm) for pcm in music.values()]
        self._follower = HoldFollower(known, self._playout.samples, any_music=any_music) if known or any_music else None
        lengths = [len(pcm) // 2 for pcm in music.values()] or [max(len(hold_pcm) // 2, 1)]
        self._rounds = [HoldRounds(length) for length in lengths]
        self._position = 0  # heard up to here
        self._now = 0.0
        self._closed = False
        self._last_heard: tuple[int, bool] | None = None  # the last sample of speech, and whether a phrase was cut
        self.unheard_ms = 0
        """After `close`: the speech, in ms, that had been sent, and was not played."""
        self.ends_in_mid_word = False
        """After `close`: the speech was at its full level at the end of the call."""
        self.unheard_since: float | None = None
        """After `close`: since when such speech had waited, in s; None if there was none."""
        self.phone_use: PhoneUse | None = None
        """After `close`: what the model of the phone did; None if there is no model."""

    @property
    def lost(self) -> list[tuple[float, int]]:
        """When the phone had no room for audible sound (s), and how much it lost then (ms); models report it else."""
        return self._buffer.lost

    # --- what comes in

    def hear(self, at: float, rate_hz: int, payload: bytes) -> None:
        """Take a chunk of SLIN at `rate_hz` that arrived at `at`. After `close` nothing is heard any more."""
        if self._closed:
            return
        if rate_hz != RATE_HZ and self._hold is not None:
            self._hold.resampled = True
        self._playout.queue(at, rate_hz, self._still.heard(at, rate_hz, payload))
        if self._buffer.leads:
            self._report_leads()
        self._listen(at)

    def advance(self, now: float) -> None:
        """Let the time be `now`, whether or not anything arrived, and report what the passing of time made known."""
        if not self._closed:
            self._playout.advance(now)
            self._listen(now)

    def close(self, at: float) -> None:
        """End the call: sound not played by `at` is never heard, and every open stretch is reported."""
        if self._closed:
            return
        self._playout.advance(at)
        self._listen(at, lead=0)
        self._closed = True
        self.unheard_since, self.unheard_ms = self._playout.unheard(at)
        if self.hold_since is not None:
            self.unheard_since, self.unheard_ms = None, 0
        self._buffer.close()
        self._report_leads()
        if isinstance(self._playout, ModelledPlayout):
            self.phone_use = self._playout.finish()
        end = self._playout.played(at)
        self.ends_in_mid_word = self._is_in_mid_word(end)
        if self._hold is not None:
            self._give(self._hold.finish(end, self._floor))
        if self._follower is not None:
            self._give_sound(self._follower.finish(end), self._follower.number)
        self._speech.finish(end)
        if self._judge is not None:
            self._judge.finish()
        still = None if self._judge is None or self._still_explained else self._still.damage()
        if still is not None:
            since, damage = still
            self._on_fact(HeardDamage(since, "damage", damage.what, damage.amount, damage.duration_ms, damage.kind))

    def learn(self, phrases: Iterable[Phrase]) -> None:
        """Read these phrases too, from the next stretch of speech on."""
        more = tuple(phrases)
        if more:
            self._phrases += more
            self._speech.matcher = _matcher(self._phrases)

    def knows(self, text: str) -> bool:
        """Whether a phrase that the ear can read has these words in it; case, accents and punctuation do not count."""
        words = normalise(text)
        return any(words in normalise(phrase.text) for phrase in self._phrases)

    def learn_music(self, name: str, pcm: bytes) -> None:
        """Know this hold audio from now on, 8 kHz SLIN. If it plays already, as music that nobody knew, it is reported
        as begun once more, with its name. If it is the loop, the loop has this name from now on."""
        if self._music[:1] == ("",) and pcm == self._loop_pcm:
            self._music = (name, *self._music[1:])
            exactly = self._hold is not None and self._hold.began is not None
            alike = self._follower is not None and self._follower.began is not None and self._follower.number == 0
            if exactly or alike:
                self._on_fact(HeardHoldStarted(self._playout.time_of(self._position), name))
            return
        self._rounds = [*self._rounds[: len(self._music)], HoldRounds(len(pcm) // 2)]
        self._music = (*self._music, name)
        if self._follower is None:
            self._follower = HoldFollower([], self._playout.samples, any_music=False)
            self._follower.skip(self._position)
        self._follower.learn(known_music(pcm))

    def knows_music(self, name: str) -> bool:
        """Whether hold audio of this name is known."""
        return name in self._music

    # --- what is the case now

    def silent_since(self, now: float) -> float | None:
        """Return since when the caller has heard no speech (hold audio is none); None during speech."""
        if self._playout.started_at is None:
            return now
        undecided = self._undecided()
        last = self._speech.last_audible if undecided is None else undecided[1]
        since = self._playout.started_at if last is None else self._playout.time_of(last + 1)
        return since if last is None or now - since >= _QUIET_SECONDS else None

    @property
    def speaking_since(self) -> float | None:
        """The start of the stretch that is spoken now; None in its pauses and in silence."""
        start = self._speech.open_at
        return None if start is None or self.silent_since(self._now) is not None else self._playout.time_of(start)

    @property
    def open_speech_at(self) -> float | None:
        """The start of a stretch that has not ended, or of sound that may still prove to be hold audio; else None."""
        start = self._speech.open_at
        if start is None and (undecided := self._undecided()) is not None:
            start = undecided[0]
        return None if start is None else self._playout.time_of(start)

    @property
    def hold_since(self) -> float | None:
        """The start of the hold audio that is playing; None if none is."""
        began = None if self._hold is None else self._hold.began
        if began is None and self._follower is not None:
            began = self._follower.began
        return None if began is None else self._playout.time_of(began)

    def timeline(self, start: float | None = None) -> bytes:
        """Return the sound of the phone from `start` (the loop's time; None: the first `hear` or `advance`) to now, as
        8 kHz SLIN with silence in its holes."""
        return self._playout.timeline(start, self._now)

    # --- from sound to facts

    def _listen(self, now: float, lead: int = _LEAD) -> None:
        self._now = max(self._now, now)
        if self._judge is not None:
            self._judge.step()
        start, end = self._position, self._playout.played(now, lead)
        if end <= start:
            return
        self._position = end
        follows = self._follower is not None and self._follower.began is not None
        if not follows and (self._hold is None or self._hold.idle) and self._is_silence(start, end):
            for hold in (self._hold, self._follower):
                if hold is not None:
                    hold.skip(end)
            self._speech.skip(end)
        elif self._hold is None or follows:
            if self._hold is not None:
                self._hold.skip(end)
            self._give([Part(What.SOUND, start, end)])
        else:
            self._give(self._hold.advance(end, self._floor))

    def _is_silence(self, start: int, end: int) -> bool:
        return self._playout.pcm(start, end) == bytes(2 * (end - start))

    @property
    def _floor(self) -> int:
        last = self._speech.last_audible
        return 0 if last is None else last + 1

    def _give(self, parts: list[Part]) -> None:
        """Take what the loop's detector found: other sound may still be hold audio."""
        follower = self._follower
        for part in parts:
            if follower is None:
                self._give_sound([part], 0)
            elif part.what is What.SOUND:
                found = follower.advance(part.end, self._speech.unread_from)
                self._hold_ended = max([self._hold_ended, *(end.start for end in found if end.what is What.HOLD_ENDS)])
                self._give_sound(found, follower.number)
            else:
                self._give_sound(follower.finish(part.start), follower.number)
                follower.skip(part.end)
                self._give_sound([part], 0)

    def _give_sound(self, parts: list[Part], number: int | None) -> None:
        """Take hold audio, and what is none. `number`: which music it is; None: nobody knows it."""
        for part in parts:
            match part.what:
                case What.SOUND:
                    self._speech.feed(part.start, self._playout.samples(part.start, part.end))
                case What.HOLD if part.rest is not None:
                    rest: NDArray[np.int32] = np.clip(part.rest, -32768, 32767)
                    self._speech.feed(part.start, rest)
                case What.HOLD:
                    self._speech.skip(part.end)
                case What.HOLD_BEGINS:
                    self._speech.finish(part.start)
                    self._hold_began = part.start
                    self._on_fact(HeardHoldStarted(self._playout.time_of(part.start), self._name_of(number)))
                    self._on_round(part, number)
                case What.HOLD_JUMPS:
                    self._on_round(part, number)
                case What.HOLD_ENDS:
                    ms = round((part.start - self._hold_began) * 1000 / RATE_HZ)
                    at, name = self._playout.time_of(part.start), self._name_of(number)
                    self._on_fact(HeardHoldStopped(at, ms, part.seamless, name))
                    self._on_round(part, number)

    def _name_of(self, number: int | None) -> str | None:
        return None if number is None or number >= len(self._music) else self._music[number]

    def _on_round(self, mark: Part, number: int | None) -> None:
        seam = None if number is None else self._rounds[number].take(mark)
        if seam is not None:
            first, ms, what = seam
            self._on_fact(HeardDamage(self._playout.time_of(first), "hold_seam", what, ms, ms))

    def _undecided(self) -> Bounds | None:
        """The bounds of the audible sound that may still be either speech or hold audio; None if there is none."""
        if self._closed or self._hold is None or self._hold.began is not None or self._hold.done >= self._position:
            return None
        if self._speech.in_noise or (self._follower is not None and self._follower.began is not None):
            return None
        start = self._hold.done
        found = Loudness().feed(self._playout.samples(start, self._position))
        return None if found is None else (start + found[0], start + found[1])

    def _is_in_mid_word(self, end: int) -> bool:
        """Whether the speech that is open is at its full level at `end`, where the soft end of a word would not be."""
        start = self._speech.open_at
        level = None if start is None else level_dbfs(self._playout.samples(start, end))
        return level is not None and rms_dbfs(self._playout.samples(end - _BESIDE, end)) > level - _SOFTER_DB

    def _report_leads(self) -> None:
        while self._buffer.leads:
            self._on_fact(self._buffer.leads.pop(0))

    def _on_started(self, first: int) -> None:
        self._report_hole_before(first)
        self._on_fact(HeardSpeechStarted(self._playout.time_of(first)))

    def _report_hole_before(self, first: int) -> None:
        if self._last_heard is None:
            return
        last, cut = self._last_heard
        for hole, length in self._playout.holes(last, first):
            if hole - last <= _BESIDE and first - (hole + length) <= _BESIDE:
                self._on_fact(HeardHole(self._playout.time_of(hole), length * 1000 // RATE_HZ, cut))

    def _on_ended(self, stretch: Stretch) -> None:
        first, last = stretch.first, stretch.last
        if stretch.phrase is None and self._belongs_to_what_was_before(first, last):
            return
        for rounds in self._rounds:
            rounds.spoke()
        self._last_heard = last, stretch.phrase is not None and not stretch.whole
        gap = sum(min(length, last + 1 - hole) for hole, length in self._playout.holes(first, last))
        heard_ms = round((last + 1 - first - gap) * 1000 / RATE_HZ)
        gap_ms = round(gap * 1000 / RATE_HZ)
        holes, level = self._holes(first, last), level_dbfs(self._playout.samples(first, last + 1))
        hole_ms = _ms(sum(length for _, length in holes))
        holes_ms = tuple((_ms(hole - first), _ms(length)) for hole, length in holes[:_MOST_PLACES])
        at, ahead_ms = self._playout.time_of(first), self._playout.ahead_ms(first, last + 1)
        parts_ms = _parts_ms(stretch)
        known, paused = self._judged(stretch, spliced=ahead_ms > _PHONE_HOLDS_MS)
        phrase = stretch.phrase or (None if known is None else known.phrase)
        if phrase is None:
            pcm = bytes(self._playout.pcm(first, last + 1))
            sound = kind_of(pcm)
            self._on_fact(
                HeardSpeech(
                    at,
                    heard_ms,
                    gap_ms=gap_ms,
                    ahead_ms=ahead_ms,
                    hole_ms=hole_ms,
                    level_dbfs=level,
                    parts_ms=parts_ms,
                    sound=sound,
                    holes_ms=holes_ms,
                    pcm=pcm,
                )
            )
            return
        whole_ms = audible_ms(phrase, 1.0 if known is None else known.gain)
        pauses_ms, twice_ms = _paused_ms(paused, min(first, _EDGE))
        heard_ms = max(0, heard_ms - sum(length for _, length in pauses_ms) - twice_ms)
        skipped_ms = 0 if known is None else lost_start_ms(known)
        if stretch.phrase is not None:  # it was read from its beginning on, or nearly
            missing_ms = whole_ms - heard_ms
            by_its_end = known is not None and missing_ms > _SAME_MS and is_to_its_end(known)
            skipped_ms = min(skipped_ms, missing_ms) if by_its_end else 0
        lost = _LOST_MS < skipped_ms < whole_ms - _LEAST_LEFT_MS
        begun = self._broken_off if self._judge is None else self._broken_off | self._judge.under
        if lost and stretch.phrase is None and phrase not in begun and ahead_ms <= _PHONE_HOLDS_MS:
            what = f"“{phrase.text}” without its first {skipped_ms / 1000:.2f} s"
            self._on_fact(HeardDamage(at, "damage", what, skipped_ms, skipped_ms, "lost"))
        self._last_read = last, phrase
        if not stretch.whole:
            self._broken_off.add(phrase)
        put_in_ms = heard_ms + skipped_ms - whole_ms
        if put_in_ms > _SAME_MS:  # quiet that is too short for a pause
            heard_ms, gap_ms = heard_ms - put_in_ms, gap_ms + put_in_ms
        if stretch.whole and abs(heard_ms - whole_ms) <= _SAME_MS:
            heard_ms = whole_ms  # codec and gain decide where a soft end becomes inaudible, not whether it was heard
        voice = "synthetic" if phrase.path is None else "prompt"
        self._on_fact(
            HeardSpeech(
                at,
                heard_ms,
                whole_ms,
                phrase.text,
                voice,
                gap_ms,
                ahead_ms,
                hole_ms,
                level,
                parts_ms,
                skipped_ms,
                holes_ms=holes_ms,
                pauses_ms=pauses_ms,
                twice_ms=twice_ms,
            )
        )

    def _belongs_to_what_was_before(self, first: int, last: int) -> bool:
        """Return whether a stretch is the tail of hold audio, or a piece of the noise under the whole sound."""
        if 0 <= first - self._hold_ended <= _TAIL_AFTER and last - first <= _LONGEST_TAIL:
            return True
        noise, sound = self._speech.noise_dbfs, self._playout.samples(first, last + 1)
        return noise is not None and rms_dbfs(sound) < noise + _OVER_NOISE_DB and kind_of(sound.tobytes()) == "noise"

    def _holes(self, first: int, last: int) -> list[tuple[int, int]]:
        """The holes of a stretch that cut into sound, on one side at least, as (position, length)."""
        cut = []
        for hole, length in self._playout.holes(first, last):
            before = self._playout.samples(max(first, hole - _BESIDE), hole)
            behind = self._playout.samples(hole + length, min(last + 1, hole + length + _BESIDE))
            if max(rms_dbfs(before), rms_dbfs(behind)) > _PAUSE_DBFS:
                cut.append((hole, min(length, last + 1 - hole)))
        return cut

    def _judged(self, stretch: Stretch, *, spliced: bool) -> tuple[Known | None, PromptPauses | None]:
        if self._judge is None:
            return None, None
        first, last = max(0, stretch.first - _EDGE), stretch.last + 1 + _EDGE
        holes = [(hole - first, length) for hole, length in self._playout.holes(first, last)]
        pcm = bytes(self._playout.pcm(first, last))
        read_to, before = self._last_read or (0, None)
        behind = before if stretch.phrase is None and stretch.first - read_to <= _RIGHT_BEHIND else None
        quiet = [(start - first, end - first) for start, end in stretch.pauses if not _is_just_whole(stretch)]
        quiet = [one for one in quiet if not any(at < one[1] and at + length > one[0] for at, length in holes)]
        return self._judge.take(
            first, pcm, holes, stretch.phrase, self._phrases, spliced=spliced, behind=behind, quiet=quiet
        )

    def _on_click(self, bounds: Bounds) -> None:
        if self._judge is None:
            return
        first = max(0, bounds[0] - _EDGE)
        for damage in click_faults(bytes(self._playout.pcm(first, bounds[1] + 1 + _EDGE))):
            self._on_damage(first, damage)

    def _on_noise(self, bounds: Bounds) -> None:
        """A steady noise without speech has ended: if it is too loud for comfort noise, it is what the bot has sent as
        its sound. Beside a hole it may be a part of a longer one, with speech in it."""
        if self._judge is None:
            return
        first, last = bounds
        for edge in bounds:
            holes = self._playout.holes(edge - _A_PAUSE, edge + _NEAR_AN_EDGE)
            if any(length < _A_PAUSE and hole + length >= edge - _NEAR_AN_EDGE for hole, length in holes):
                return
        sound = self._playout.samples(first, last + 1)
        damage = noise_alone(sound.tobytes())
        if damage is not None:
            at, heard_ms = self._playout.time_of(first), round(len(sound) * 1000 / RATE_HZ)
            self._on_fact(HeardSpeech(at, heard_ms, level_dbfs=level_dbfs(sound), sound="noise"))
            self._on_damage(first, damage)

    def _on_damage(self, first: int, damage: Damage) -> None:
        self._still_explained |= damage.kind in ("dc", "format")
        at = self._playout.time_of(first + round(damage.at_s * RATE_HZ))
        begins, places = round(damage.at_s * RATE_HZ), damage.places
        where = tuple((_ms(place - begins), _ms(length)) for place, length in places[:_MOST_PLACES])
        more, lasts_ms = max(0, len(places) - _MOST_PLACES), damage.duration_ms
        self._on_fact(HeardDamage(at, "damage", damage.what, damage.amount, lasts_ms, damage.kind, where, more))


def _ms(samples: int) -> int:
    return round(samples * 1000 / RATE_HZ)


def _is_just_whole(stretch: Stretch) -> bool:
    """Whether a prompt was said to its end in its own time: its pauses are its own."""
    if stretch.phrase is None or not stretch.whole:
        return False
    return abs(_ms(stretch.last + 1 - stretch.first) - audible_ms(stretch.phrase, 1.0)) <= _SAME_MS


def _paused_ms(paused: PromptPauses | None, before: int) -> tuple[tuple[tuple[int, int], ...], int]:
    """The pauses in a stretch, in ms, and how much of its prompt is said twice around them. `before`: how many samples
    before its start the sound began in which they were found."""
    if paused is None:
        return (), 0
    return tuple((_ms(pause.at - before), _ms(pause.length)) for pause in paused.pauses), _ms(paused.twice)


def _parts_ms(stretch: Stretch) -> tuple[tuple[int, int], ...]:
    """The audible parts of a stretch between its long pauses, in ms from its start; empty if there are none."""
    edges = [stretch.first, *(edge for pause in stretch.pauses for edge in pause), stretch.last + 1]
    ms = [round((edge - stretch.first) * 1000 / RATE_HZ) for edge in edges]
    return tuple(zip(ms[::2], ms[1::2], strict=True)) if stretch.pauses else ()


@lru_cache(maxsize=8)
def _matcher(phrases: tuple[Phrase, ...]) -> MatcherLike:
    """One matcher for all calls with the same phrases: it does not change while it listens."""
    from audiosocket_core.phrase_book.matching import Matcher

    return Matcher(phrases, shortest_part_ms=_SHORTEST_PART_MS)
