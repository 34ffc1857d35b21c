"""What is said of a damaged voice, with a phrase book and without one; and that nothing is said of a good one."""

import base64
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import damaged as d
from helpers.phone_sounds import listen, ms, music, quiet
from helpers.phone_sounds import told as told_facts

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import Phrase, PhraseBook
from audiosocket_sim.asterisk.codecs import ulaw_encode_as_asterisk
from audiosocket_sim.hearing import HeardDamage
from audiosocket_sim.hearing.damage.any_voice import faults_of
from audiosocket_sim.hearing.damage.judging import Stretched, damage_of, judge
from audiosocket_sim.hearing.damage.known_prompt import (
    beneath,
    changed_bytes,
    changed_speed,
    in_turn,
    plain,
    shifted_end,
    without_holes,
)
from audiosocket_sim.hearing.damage.loudness_faults import overflow
from audiosocket_sim.phone.line import noise, tone

ROOT = Path(__file__).parents[4]
NAMES = (
    "pt-br/pode_subir",
    "pt-br/vou_verificar_aguarde_um_momento",
    "pt-br/condominio_apoena_em_que_posso_ajudar",
    "pt-br/desculpe_nao_entendi_pode_repetir",
    "en/goodbye",
)
PROMPTS = tuple(p for p in PhraseBook.load(ROOT / "audio" / "prompts").phrases if p.name in NAMES)
CALLERS = PhraseBook.load(ROOT / "recordings").phrases


def named(name: str) -> Phrase:
    return next(p for p in PROMPTS if p.name == name)


UP = named("pt-br/pode_subir")
CHECK = named("pt-br/vou_verificar_aguarde_um_momento")
GREETING = named("pt-br/condominio_apoena_em_que_posso_ajudar")


def on_the_line(pcm: bytes) -> bytes:
    return slin.ulaw_decode(ulaw_encode_as_asterisk(pcm))


def alaw(pcm: bytes) -> bytes:
    return slin.alaw_decode(slin.alaw_encode(pcm))


def speech(phrase: Phrase) -> bytes:
    return ms(phrase.pcm, phrase.speech_start_ms, phrase.speech_end_ms)


def told(pcm: bytes, phrases: tuple[Phrase, ...] = PROMPTS) -> list[str]:
    return [fault.what for fault in damage_of(Stretched(on_the_line(pcm)), phrases)]


# --- with the phrase book


@pytest.mark.every(9)
@pytest.mark.parametrize("phrase", [UP, CHECK, GREETING], ids=lambda phrase: phrase.name)
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (d.swapped, "with its bytes swapped (big-endian samples)"),
        (d.shifted, "shifted by a byte: the halves of neighbouring samples are taken for one"),
        (d.ulaw, "as µ-law bytes labelled as linear samples"),
        (d.alaw, "as A-law bytes labelled as linear samples"),
        (d.unsigned, "as unsigned samples"),
        (d.eight_bits, "as 8-bit samples"),
        (d.floats, "as floating-point samples"),
        (d.at_rate(3), "three times too slow: 24 kHz sent as 8 kHz"),
        (d.at_rate(2), "two times too slow: 16 kHz sent as 8 kHz, or two channels as one"),
        (d.at_rate(1.5), "1.5 times too slow: 24 kHz sent as 16 kHz, or 12 kHz as 8 kHz"),
        (d.at_rate(1 / 1.5), "1.5 times too fast: 16 kHz sent as 24 kHz"),
        (d.at_rate(1 / 2), "two times too fast: 8 kHz sent as 16 kHz"),
        (d.at_rate(1 / 3), "three times too fast: 8 kHz sent as 24 kHz"),
        (lambda pcm: np.frombuffer(pcm, "<i2")[::-1].tobytes(), "played backwards"),
    ],
)
def test_the_book_names_the_prompt_and_what_was_done_to_it(phrase: Phrase, damage: d.Damaging, words: str) -> None:
    assert told(damage(speech(phrase)))[0] == f"“{phrase.text}” {words}"


@pytest.mark.every(6)
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (d.louder(12), "the voice is clipped: "),
        (d.with_offset(9000), "the voice is on a constant offset of +"),
        (d.wav_header, "the header of a WAV file played as samples: a click of 3 ms"),
        (d.chunk_by_chunk(320), "a click every 40 ms ("),
        (d.chunk_by_chunk(512, 3, 5000), "a click every 64 ms ("),
        (d.gaps(2560, 40), "silence in the midst of words, "),
        (d.gaps(800, 16), "silence in the midst of words, "),
        (d.silent_frames(15), "silence in the midst of words, "),
        (d.doubled(160, 20), "a piece of the sound is played twice, "),
        (d.dropped(160, 20), "ms are missing in it, in "),
    ],
)
def test_a_prompt_that_can_still_be_found_is_named_before_its_faults(damage: d.Damaging, words: str) -> None:
    (what,) = told(damage(speech(GREETING)))
    assert what.startswith(f"“{GREETING.text}”: ")
    assert words in what


def test_how_much_is_missing_and_put_in_is_counted() -> None:
    pcm = speech(CHECK)
    assert told(ms(pcm, 0, 950) + ms(pcm, 1000)) == [f"“{CHECK.text}”: 50 ms are missing in it, in one place"]
    faint = noise(60, -48, seed=5)
    assert told(ms(pcm, 0, 950) + faint + ms(pcm, 950)) == [f"“{CHECK.text}”: 60 ms are put into it, in one place"]


@pytest.mark.every(2)
@pytest.mark.parametrize("first", [0, 20, 60, 100])
def test_each_of_many_pieces_that_are_missing_is_found(first: int) -> None:
    pcm = speech(GREETING)
    kept = ms(pcm, 0, first) + b"".join(ms(pcm, at, at + 300) for at in range(first, len(pcm) // 16, 400))
    assert told(kept) == [f"“{GREETING.text}”: 500 ms are missing in it, in 5 places"]


def test_the_place_of_what_is_missing_counts_the_holes_before_it() -> None:
    pcm = speech(GREETING)
    missing = ms(pcm, 0, 900) + ms(pcm, 1000)
    [plain] = damage_of(Stretched(on_the_line(missing)), PROMPTS)
    [(place, length)] = plain.places
    assert (abs(place - 900 * 8) <= 40 * 8, length) == (True, 0)
    holed = on_the_line(missing[: 400 * 16] + quiet(60) + missing[400 * 16 :])
    [behind] = damage_of(Stretched(holed, holes=[(400 * 8, 60 * 8)]), PROMPTS)
    assert behind.places == ((place + 60 * 8, 0),)


def test_a_longer_or_shorter_pause_is_no_fault() -> None:
    pcm = speech(CHECK)  # it pauses at 0.80 s
    assert told(ms(pcm, 0, 800) + ms(pcm, 850)) == []
    assert told(ms(pcm, 0, 800) + quiet(60) + ms(pcm, 800)) == []


def test_a_part_that_is_silent_is_found_beside_the_prompt_alone() -> None:
    """Faded out and in again, it could be a pause of any voice's."""
    wave = np.frombuffer(speech(CHECK), "<i2").astype(np.float64)
    at = 4000 + int(np.convolve(wave[4000:] ** 2, np.ones(800), "valid").argmax())
    wave[at : at + 400] *= np.concatenate((np.linspace(1, 0, 120), np.zeros(160), np.linspace(0, 1, 120)))
    pcm = wave.astype("<i2").tobytes()
    assert faults_of(on_the_line(pcm)) == []
    assert told(pcm) == [f"“{CHECK.text}”: 20 ms of it are silence, in one place"]


def test_a_pause_that_the_prompt_has_itself_is_no_cut_though_a_codec_made_its_edges_steep() -> None:
    gated = d.silent_frames(5)(speech(GREETING))
    faint = np.frombuffer(noise(len(gated) / 16, -56, seed=3), "<i2")
    wave = np.frombuffer(gated, "<i2")
    halting = Phrase.from_pcm("halting", "Posso … ajudar.", np.where(wave == 0, faint, wave).astype("<i2").tobytes())
    assert [fault.kind for fault in faults_of(gated)] == ["cuts"]
    assert "cuts" not in [fault.kind for fault in faults_of(halting.pcm)]
    assert damage_of(Stretched(gated), (halting,)) == []
    assert [fault.kind for fault in damage_of(Stretched(gated), PROMPTS)] == ["cuts"]


@pytest.mark.parametrize("after_ms", [0, 300])
def test_two_prompts_that_are_mixed(after_ms: int) -> None:
    later = quiet(after_ms) + speech(CHECK)
    (what, *_) = told(slin.mix(speech(GREETING).ljust(len(later), b"\0"), later.ljust(len(speech(GREETING)), b"\0")))
    assert what == f"“{GREETING.text}”: another sentence is mixed with it"


def test_a_noise_or_a_voice_of_no_book_under_a_prompt_is_no_other_prompt() -> None:
    for other in (noise(2400, -30, seed=6), speech(CALLERS[0])):
        mixed = slin.mix(speech(GREETING).ljust(len(other), b"\0"), other.ljust(len(speech(GREETING)), b"\0"))
        assert [fault.kind for fault in damage_of(Stretched(mixed), PROMPTS) if fault.kind == "voices"] == []
    broken_off = ms(speech(GREETING), 0, 900) + speech(CHECK)  # and the next begins at once
    assert [fault.kind for fault in damage_of(Stretched(broken_off), PROMPTS) if fault.kind == "voices"] == []
    known = plain(speech(GREETING), (GREETING,))
    assert known is not None
    assert beneath(noise(2400, -30, seed=6), known, (GREETING,)) is None
    assert beneath(speech(GREETING), replace(known, followed=None), PROMPTS) is None
    assert known.followed is not None
    elsewhere = replace(known.followed, lag=-len(GREETING.pcm))  # by its beginning; more of it was found behind a jump
    assert beneath(speech(GREETING), replace(known, followed=elsewhere), PROMPTS) is None


def test_what_was_under_another_prompt_has_lost_no_beginning() -> None:
    later = quiet(500) + speech(CHECK)
    lines = heard(slin.mix(speech(GREETING).ljust(len(later), b"\0"), later))
    assert any("another sentence is mixed" in line for line in lines)
    assert not any("without its first" in line for line in lines)


def test_two_channels_of_a_prompt_are_named_with_it() -> None:
    twice, zeros = told(d.two_channels(speech(CHECK))), told(d.words_of_32_bits(speech(CHECK)))
    words = f"“{CHECK.text}” two times too slow: 16 kHz sent as 8 kHz, or two channels as one"
    assert (twice[0], zeros[0]) == (words, words)
    assert twice[1].startswith("each sample is there twice")
    assert zeros[1].startswith("every other sample is zero")


def test_pieces_that_are_missing_at_even_distances_are_no_clicks() -> None:
    """Each leaves a click; with the prompt beside it the cause is known."""
    pcm = d.dropped(320, 4)(speech(GREETING))
    assert [fault.kind for fault in faults_of(on_the_line(pcm))] == ["clicks"]
    (what,) = told(pcm)
    assert "ms are missing in it, in " in what


@pytest.mark.long("quicker tests of this file are run")
def test_two_prompts_sent_in_turn() -> None:
    for samples in (160, 320):
        (what, *_) = told(d.in_turn(speech(CHECK), samples)(speech(GREETING)))
        assert what.endswith(" at once, their frames in turn")
        assert CHECK.text in what
        assert GREETING.text in what


def test_a_prompt_without_its_beginning_or_after_a_hole_is_found_in_any_piece() -> None:
    pcm = on_the_line(speech(CHECK))
    for piece in (ms(pcm, 700), ms(pcm, 0, 197), ms(pcm, 600, 800)):
        known = plain(piece, PROMPTS)
        assert known is not None
        assert known.phrase is CHECK
    late = plain(ms(pcm, 700), PROMPTS)
    assert late is not None
    assert late.followed is not None
    assert late.followed.first == pytest.approx(8 * (CHECK.speech_start_ms + 700), abs=80)
    assert judge(Stretched(ms(pcm, 700)), PROMPTS).faults == []
    assert plain(ms(pcm, 0, 90), PROMPTS) is None


@pytest.mark.long("prompts that are cut elsewhere are read")
def test_a_prompt_that_is_cut_before_a_loud_consonant_has_no_other_one_under_the_silence_behind_it() -> None:
    """What the prompt has there, and the sound has not, is like another prompt, if it is loud enough."""
    book = PhraseBook.load(ROOT / "audio" / "prompts").phrases
    prompt = next(phrase for phrase in book if phrase.text == "Please hold while I check.")
    begins = 3845
    for cut in range(3200, 3600, 40):
        sound = alaw(slin.gain(prompt.pcm[2 * begins : 2 * (begins + cut)], -3)) + bytes(2 * 80)
        assert [fault.kind for fault in damage_of(Stretched(sound), book) if fault.kind == "voices"] == [], cut


@pytest.mark.parametrize("number", [0, 2])
def test_a_piece_that_begins_before_its_prompt_is_of_that_prompt_and_not_of_the_one_before_it(number: int) -> None:
    """What a pause and the beginning of a sentence are, when the bot stops at once."""
    phrase = PROMPTS[number]
    begins = ms(phrase.pcm, phrase.speech_start_ms, phrase.speech_start_ms + 160)
    sound = quiet(300) + begins
    prompts = tuple(replace(one, samples=ms(one.pcm, one.speech_start_ms, one.speech_end_ms)) for one in PROMPTS)
    known = plain(sound, prompts)
    assert known is not None
    assert known.phrase.name == phrase.name
    assert known.followed is not None
    assert known.followed.first == 0
    assert known.followed.last == pytest.approx(160 * 8, abs=160)
    assert known.followed.lag == pytest.approx(300 * 8, abs=2)


@pytest.mark.parametrize("more_ms", [0, 400])
def test_what_comes_behind_a_short_prompt_is_none_of_it(more_ms: int) -> None:
    pcm = speech(UP)
    behind = noise(more_ms, -30) if more_ms else b""
    known = plain(pcm + behind, (replace(UP, samples=pcm),))
    assert known is not None
    assert known.followed is not None
    assert known.followed.last <= len(pcm) // 2


@pytest.mark.parametrize("before_ms", [0, 60])
def test_samples_in_another_format_are_known_though_there_is_silence_before_them(before_ms: int) -> None:
    pcm = ms(speech(GREETING), 0, 400)
    trimmed = replace(GREETING, samples=speech(GREETING))
    *_, known = changed_bytes(quiet(before_ms) + d.swapped(pcm), (trimmed,))
    assert known is not None
    assert "swapped" in known.what


def test_holes_are_taken_out_before_the_book_is_searched() -> None:
    pcm = on_the_line(speech(GREETING))
    holes = [(8 * at + 160 * number, 160) for number, at in enumerate(range(200, 2300, 100))]
    holed = b"".join(ms(pcm, at, at + 100) + quiet(20) for at in range(100, 2200, 100))
    holed = ms(pcm, 0, 100) + holed
    assert without_holes(holed, holes) == ms(pcm, 0, 2200)[: len(without_holes(holed, holes))]
    assert damage_of(Stretched(holed, holes), PROMPTS) == []
    assert damage_of(Stretched(holed), PROMPTS) != []


def test_the_faults_that_a_recording_has_itself_are_not_the_bots() -> None:
    loud = Phrase.from_pcm("loud", "Alô?", d.louder(12)(speech(UP)))
    halting = Phrase.from_pcm("halting", "Um … dois.", d.silent_frames(15)(speech(GREETING)))
    for phrase in (loud, halting):
        assert faults_of(on_the_line(phrase.pcm))
        assert told(phrase.pcm, (phrase,)) == []


def test_joints_that_the_phone_made_are_not_the_bots() -> None:
    pcm = on_the_line(d.dropped(160, 10)(speech(GREETING)))
    assert damage_of(Stretched(pcm, read=GREETING), PROMPTS)
    assert damage_of(Stretched(pcm, read=GREETING, spliced=True), PROMPTS) == []
    gaps = on_the_line(d.gaps(800, 16)(speech(GREETING)))
    assert damage_of(Stretched(gaps, spliced=True), PROMPTS) == []


def test_no_other_sentence_is_under_the_pieces_that_a_phone_has_kept() -> None:
    """Behind a stall sound came in bursts, and the phone lost two parts of the greeting."""
    book, pcm = PhraseBook.load(ROOT / "audio" / "prompts").phrases, GREETING.pcm
    pieces = on_the_line(pcm[2560:3200] + pcm[6400:12_480] + pcm[31_040:])
    for spliced in (False, True):
        assert damage_of(Stretched(pieces, read=GREETING, spliced=spliced), book) == []


def test_the_speed_of_a_strange_voice_is_not_searched_for() -> None:
    pcm = on_the_line(d.at_rate(2)(speech(UP)))
    assert damage_of(Stretched(pcm, strange=True), PROMPTS) == []
    assert [fault.kind for fault in damage_of(Stretched(pcm), PROMPTS)] == ["rate"]


# --- any voice


@pytest.mark.every(4)
@pytest.mark.parametrize("phrase", [CALLERS[0], CALLERS[7], CALLERS[-1]], ids=lambda phrase: phrase.name)
@pytest.mark.parametrize(
    ("damage", "kind", "words"),
    [
        (d.swapped, "format", "noise of"),
        (d.shifted, "format", "noise of"),
        (d.floats, "format", "noise of"),
        (d.ulaw, "format", "µ-law bytes sent as linear samples: loud noise, twice too fast"),
        (d.alaw, "format", "A-law bytes sent as linear samples: loud noise, twice too fast"),
        (d.unsigned, "format", "unsigned samples sent as signed ones: loud crackling"),
        (d.eight_bits, "format", "unsigned samples sent as signed ones: loud crackling"),
        (d.with_offset(9000), "dc", "the voice is on a constant offset of +"),
        (d.louder(12), "clipping", "the voice is clipped: "),
        (d.faded(160, 60), "fades", "the sound is faded out and in again every 20 ms ("),
        (d.faded(320, 80), "fades", "the sound is faded out and in again every 40 ms ("),
        (d.two_channels, "channels", "each sample is there twice, as of two channels sent as one"),
        (d.words_of_32_bits, "channels", "every other sample is zero, as of 32-bit samples, or one of two channels"),
        (d.wav_header, "file", "the header of a WAV file played as samples: a click of 3 ms"),
        (d.chunk_by_chunk(320), "clicks", "a click every 40 ms"),
        (d.gaps(800, 16), "cuts", "silence in the midst of words, "),
        (d.doubled(160, 20), "repeats", "a piece of the sound is played twice, "),
    ],
)
def test_what_can_be_known_of_any_voice(phrase: Phrase, damage: d.Damaging, kind: str, words: str) -> None:
    found = faults_of(on_the_line(damage(speech(phrase))))[0]
    assert found.kind == kind
    assert found.what.startswith(words)


def test_tops_that_a_gain_has_folded_over() -> None:
    pcm = speech(CALLERS[-1])
    (fault,) = faults_of(on_the_line(d.overflowing(2)(pcm)))
    assert fault.kind == "overflow"
    assert fault.what.startswith("the tops of the wave are folded over, at least ")
    assert [fault.kind for fault in faults_of(on_the_line(d.louder(20)(pcm)))] == ["clipping"]
    assert overflow(np.zeros(0)) is None


def test_the_bump_that_gsm_leaves_behind_loud_speech_is_no_offset() -> None:
    bump = np.linspace(1500, 1100, 1600) + np.frombuffer(noise(200, -38, seed=2), "<i2")
    assert faults_of(bump.astype("<i2").tobytes()) == []
    assert faults_of(2 * bump.astype("<i2").tobytes())[0].kind == "dc"


def test_a_voice_at_a_steady_pitch_is_not_faded() -> None:
    """A low synthetic voice is silent between its pulses, which come at the distance of a chunk's half."""
    t = np.arange(8000)
    pulses = 9000 * np.exp(-(t % 80) / 8) * np.sin(t)
    assert "fades" not in [fault.kind for fault in faults_of(pulses.astype("<i2").tobytes())]
    assert faults_of(quiet(2000)) == []


def test_an_unknown_damaged_voice_is_judged_by_its_samples_alone() -> None:
    (fault,) = damage_of(Stretched(on_the_line(d.swapped(speech(CALLERS[3])))), PROMPTS)
    assert fault.what.startswith("noise of")
    (fault,) = damage_of(Stretched(on_the_line(d.chunk_by_chunk(160)(speech(CALLERS[3])))), PROMPTS)
    assert fault.what.startswith("a click every 20 ms")


@pytest.mark.parametrize("phrase", [CHECK, GREETING, CALLERS[0]], ids=lambda phrase: phrase.name)
def test_what_clicks_because_it_was_silenced_or_repeated_has_that_cause(phrase: Phrase) -> None:
    frames = [speech(phrase)[at : at + 320] for at in range(0, len(speech(phrase)), 320)]
    silenced = b"".join(bytes(len(frame)) if n % 5 == 4 else frame for n, frame in enumerate(frames))
    twice = b"".join(frame * (2 if n % 5 == 4 else 1) for n, frame in enumerate(frames))
    assert [fault.kind for fault in faults_of(on_the_line(silenced))] == ["cuts"]
    assert [fault.kind for fault in faults_of(on_the_line(twice))] == ["repeats"]


@pytest.mark.every(3)
@pytest.mark.parametrize("chunk", [80, 160, 256, 1024, 4000])
@pytest.mark.parametrize("start", [1600, 1607])
def test_a_piece_that_is_played_twice_is_found_wherever_it_begins(chunk: int, start: int) -> None:
    """Few samples are looked at before all are: none is missed, and what is counted is what repeats."""
    wave = np.random.default_rng(chunk).normal(0, 2000, 12_000).astype("<i2")
    length = max(chunk, 104)  # a shorter piece is none; where the chunk is shorter, it goes on repeating
    again = np.resize(wave[start - chunk : start], length)
    pcm = np.concatenate((wave[:start], again, wave[start:])).tobytes()
    (fault,) = [fault for fault in faults_of(pcm) if fault.kind in ("repeats", "format", "noise")]
    if fault.kind == "repeats":
        assert (round(fault.at_s * 8000), fault.amount) == (start, round(length / 8))


def test_white_noise_in_place_of_a_voice() -> None:
    assert told(noise(900, -25, seed=4), ()) == ["white noise of -25 dBFS, and no voice in it"]
    assert told(noise(900, -47, seed=4), ()) == []
    assert told(noise(300, -25, seed=4), ()) == []


@pytest.mark.every(4)
@pytest.mark.parametrize("hz", [300, 1000, 2000, 3000, 3700])
@pytest.mark.parametrize("dbfs", [-30, -12, -4])
def test_a_tone_is_no_noise(hz: int, dbfs: int) -> None:
    assert faults_of(on_the_line(tone(900, hz, dbfs)), voice=False) == []


def test_the_beats_of_music_are_no_clicks() -> None:
    assert faults_of(on_the_line(music(4)), voice=False) == []
    (fault,) = faults_of(on_the_line(d.chunk_by_chunk(320)(music(4))), voice=False)
    assert fault.what.startswith("a click every 40 ms")


def test_text_played_as_samples() -> None:
    text = b'{"detail":{"status":"quota_exceeded","message":"This request exceeds your quota of 87 credits today."}}'
    (what,) = told(quiet(20) + text[: len(text) // 2 * 2] + quiet(20))
    assert what.startswith("text of about 10")
    assert told(quiet(20) + tone(40, 90, -6) + quiet(20), ()) == []


def test_a_long_text_is_no_error_and_no_click() -> None:
    text = base64.b64encode(speech(CHECK))
    (what,) = told(quiet(20) + text[: len(text) // 2 * 2] + quiet(20), ())
    assert what.endswith("characters played as samples, such as Base64: loud noise")


def test_a_piece_that_is_played_over_and_over_is_counted_once() -> None:
    pcm = speech(GREETING)
    wave = np.square(np.frombuffer(pcm, "<i2").astype(np.float64))
    at = 20 * int(wave[: len(wave) // 160 * 160].reshape(-1, 160).sum(axis=1).argmax())
    stuck = ms(pcm, 0, at + 20) + 10 * ms(pcm, at, at + 20) + ms(pcm, at + 20)
    (what,) = told(stuck, ())
    assert what.endswith(": 200 ms in all")


def test_headers_are_counted() -> None:
    (what,) = told(d.wav_header(speech(UP)) + d.wav_header(b""))
    assert what.endswith("a click of 3 ms (2 times)")


@pytest.mark.every(3)
@pytest.mark.parametrize("codec", [bytes, on_the_line, alaw])
@pytest.mark.parametrize(
    "factor", [1, *(pytest.param(size, marks=pytest.mark.long("one level is heard")) for size in (0.25, 2.5))]
)
def test_good_voices_have_no_faults(codec: d.Damaging, factor: float) -> None:
    for phrase in (*PROMPTS, *CALLERS[::4]):
        assert faults_of(codec(d.louder(factor)(speech(phrase)))) == []
    for phrase in PROMPTS:
        assert damage_of(Stretched(codec(d.louder(factor)(speech(phrase))), read=phrase), PROMPTS) == []


def test_next_to_nothing_has_no_faults() -> None:
    for pcm in (b"", b"\1", quiet(20), quiet(300), speech(UP)[:900]):
        assert damage_of(Stretched(pcm), PROMPTS) == []
        assert damage_of(Stretched(pcm), ()) == []
    assert list(changed_bytes(b"", PROMPTS)) == [None]
    assert list(changed_speed(quiet(10), PROMPTS)) == []
    assert list(in_turn(quiet(10), PROMPTS, 0)) == [None] * 4
    assert plain(speech(UP), ()) is None


# --- in a call


def heard(*sounds: bytes) -> list[str]:
    return told_facts(listen(quiet(400), *sounds, quiet(900), book=PhraseBook(PROMPTS)))


def test_the_ear_says_what_was_done_to_a_prompt() -> None:
    assert heard(d.swapped(CHECK.pcm))[1].endswith(f"“{CHECK.text}” with its bytes swapped (big-endian samples)")
    damage, spoken = sorted(heard(d.chunk_by_chunk(320)(speech(GREETING))))
    assert f"prompt {GREETING.text!r}" in spoken
    assert f"damage: “{GREETING.text}”: a click every 40 ms (" in damage


def test_the_ear_reads_a_prompt_without_its_beginning_and_a_short_one() -> None:
    assert heard(ms(speech(CHECK), 600)) == [
        f"400 damage: “{CHECK.text}” without its first 0.61 s",
        f"400 prompt {CHECK.text!r} 1380 of 2011, from 612",
    ]
    (short,) = heard(ms(speech(CHECK), 0, 190))
    assert short.startswith(f"400 prompt {CHECK.text!r} 190 of 2011")
    first, rest = heard(ms(speech(CHECK), 0, 600), quiet(1200), ms(speech(CHECK), 600))
    assert first == f"400 prompt {CHECK.text!r} 600 of 2011"
    assert rest == f"2200 prompt {CHECK.text!r} 1380 of 2011, from 612"


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("phrase", "loud_ms"), [(CHECK, 2011), (named("pt-br/desculpe_nao_entendi_pode_repetir"), 2381)]
)
def test_the_soft_end_of_a_soft_prompt_is_not_missing(phrase: Phrase, loud_ms: int) -> None:
    """14 dB softer, its last 0.1 s and more are under -50 dBFS: nobody can hear whether they were there."""
    (line,) = heard(phrase.pcm)
    assert line.endswith(f" {loud_ms} of {loud_ms}")
    (line,) = heard(d.louder(0.2)(phrase.pcm))
    soft_ms, whole_ms = (int(word) for word in line.split()[-3::2])
    assert soft_ms == whole_ms < loud_ms - 80
    (line,) = heard(d.louder(0.2)(ms(phrase.pcm, 0, 1500)))
    assert "1500" in line or int(line.split()[-3]) < whole_ms - 300


def test_the_ear_judges_a_click_that_is_no_speech() -> None:
    body = b'{"detail":{"status":"quota_exceeded","message":"You have 0 credits remaining."}}'
    (what,) = heard(body)
    assert what.startswith("400 damage: text of about 80 characters")
    assert heard(d.wav_header(b"")) == ["400 damage: the header of a WAV file played as samples: a click of 3 ms"]
    assert heard(noise(15, -20)) == []


@pytest.mark.long("clicks in a prompt and noise under one are tried")
def test_the_thump_before_a_prompt_is_no_piece_of_it() -> None:
    """The quiet lead of the recording is audible, and ends with the first samples of its speech."""
    lines = heard(d.with_offset(9000)(CHECK.pcm))
    assert any("the voice is on a constant offset of +" in line for line in lines)
    assert len([line for line in lines if " prompt " in line]) == 1


@pytest.mark.every(2)
@pytest.mark.parametrize("name", ["en/how_can_i_help_you", "en/please_hold_while_i_check"])
def test_the_end_of_a_prompt_that_a_lost_byte_makes_loud_has_its_cause(name: str) -> None:
    book = PhraseBook.load(ROOT / "audio" / "prompts")
    phrase = book.by_name(name)
    assert phrase is not None
    pcm = slin.gain(phrase.pcm, -8)
    at = round(len(pcm) / 2 * 0.7) * 2
    facts = listen(pcm[:at] + pcm[at + 1 :] + bytes(8001), book=book)
    (damage,) = [fact for fact in facts if isinstance(fact, HeardDamage)]
    assert damage.what.startswith(f"“{phrase.text}” shifted by a byte")


@pytest.mark.parametrize(("times", "found"), [(0.5, True), (1, True), (3, True), (5, False), (9, False)])
def test_the_rumble_that_gsm_leaves_behind_a_prompt_is_louder_than_a_lost_byte_makes_its_end(
    times: float, found: bool
) -> None:
    phrase = PhraseBook.load(ROOT / "audio" / "prompts").by_name("en/how_can_i_help_you")
    assert phrase is not None
    soft_end = np.frombuffer(d.shifted(phrase.pcm)[-2 * 4800 : -2 * 2400], "<i2") * np.float64(times)
    assert (shifted_end(np.rint(soft_end).astype("<i2").tobytes(), phrase) is not None) is found


def test_what_follows_a_prompt_and_is_not_its_own_end_is_not_its_fault() -> None:
    other = CALLERS[0].pcm
    stretch = Stretched(on_the_line(other), behind=CHECK)
    assert damage_of(stretch, PROMPTS) == []


def test_a_byte_that_is_lost_late_in_any_voice_is_heard_in_what_follows() -> None:
    pcm = speech(CHECK)
    (what,) = told(ms(pcm, 0, 1500) + d.shifted(ms(pcm, 1500, 1650)), ())
    assert what.startswith("noise of -")
    assert "as of bytes swapped or of another format" in what
    assert told(ms(pcm, 0, 1500) + d.shifted(ms(pcm, 1500, 1560)), ()) == []


@pytest.mark.long("quicker tests of this file are run")
def test_the_end_of_a_prompt_that_a_gain_makes_loud_is_not_shifted() -> None:
    """A gain makes its soft end as loud as a lost byte does: what was found before names the cause."""
    book = PhraseBook.load(ROOT / "audio" / "prompts")
    phrase = book.by_name("en/how_can_i_help_you")
    assert phrase is not None
    facts = listen(slin.gain(phrase.pcm, 32) + bytes(8000), book=book)
    found = [fact.what for fact in facts if isinstance(fact, HeardDamage)]
    assert any("clipped" in what for what in found)
    assert [what for what in found if "shifted" in what] == []


def test_what_an_offset_leaves_of_a_prompt_is_no_other_sentence() -> None:
    book = PhraseBook.load(ROOT / "audio" / "prompts")
    phrase = book.by_name("en/how_can_i_help_you")
    assert phrase is not None
    facts = listen(d.with_offset(3000)(slin.gain(phrase.pcm, -10)), book=book, codec="none")
    found = [fact.what for fact in facts if isinstance(fact, HeardDamage)]
    assert any("constant offset" in what for what in found)
    assert [what for what in found if "mixed" in what] == []
