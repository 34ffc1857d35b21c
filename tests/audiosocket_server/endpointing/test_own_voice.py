"""Whose voice it is: the caller's, or somebody else's, whatever its level."""

import numpy as np
import pytest
from audiosocket_server.endpointing.levels import ALIKE, PERHAPS, VoiceLevels
from audiosocket_server.endpointing.own_voice import OwnVoice, VoiceTraits, differences, traits_of
from helpers.call_bench import ROOT

from audiosocket_core import slin
from audiosocket_sim.phone.surroundings import active_dbfs

TURN, AGAIN = "pt-br/quero_falar_com_o_apartamento_202", "pt-br/eu_sou_morador_da_unidade_1504"
SOMEBODY_ELSE = "en/my_name_is_john_smith_and"
TELEVISION = "sounds/television_news"
CALLER_DBFS = -22.0


def line(count: int, seed: int = 1) -> bytes:
    noise = np.random.Generator(np.random.PCG64(seed)).standard_normal(count * 160) * 20
    return np.rint(noise).astype("<i2").tobytes()


def said(name: str, dbfs: float = CALLER_DBFS) -> bytes:
    """A recording without the silence around it, at a level, with the noise of the line."""
    pcm = slin.read_audio(ROOT / f"recordings/{name}.wav")
    level = active_dbfs(pcm, 8000)
    assert level is not None
    loud = slin.gain(pcm[: len(pcm) // 320 * 320], dbfs - level)
    parts = [loud[at : at + 320] for at in range(0, len(loud), 320)]
    heard = [at for at, part in enumerate(parts) if slin.level_dbfs(part) > dbfs - 30]
    voice = b"".join(parts[heard[0] : heard[-1] + 1])
    return slin.mix(voice, line(len(voice) // 320, 2))


def say(voice: OwnVoice | VoiceLevels, pcm: bytes) -> None:
    if isinstance(voice, OwnVoice):
        voice.begin(0, 0)
    else:
        voice.begin(0)
    for at in range(0, len(pcm), 320):
        voice.take(pcm[at : at + 320], voiced=True, quiet=False)


def quiet(voice: OwnVoice | VoiceLevels, count: int = 60) -> None:
    for at in range(count):
        voice.take(line(1, at), voiced=False, quiet=True)


def caller() -> OwnVoice:
    voice = OwnVoice()
    quiet(voice)
    say(voice, said(TURN))
    voice.accept()
    return voice


def likeness(name: str, dbfs: float) -> float:
    voice = caller()
    say(voice, said(name, dbfs))
    likeness = voice.likeness()
    assert likeness is not None
    return likeness


def buzz(hertz: float, frames: int = 60) -> bytes:
    """The pulses of a throat."""
    at = np.arange(frames * 160) * hertz / 8000
    return np.rint(6000 * np.diff(np.floor(at), prepend=0.0)).astype("<i2").tobytes()


def traits(pcm: bytes, noise: bytes = b"") -> VoiceTraits:
    found = traits_of(pcm, np.ones(len(pcm) // 320, dtype=bool), noise)
    assert found is not None
    return found


@pytest.mark.parametrize("softer_db", [0, 5, 9])
def test_his_own_voice_is_known_at_any_level(softer_db: float) -> None:
    assert likeness(AGAIN, CALLER_DBFS - softer_db) > ALIKE


@pytest.mark.parametrize("softer_db", [0, 5, 9])
def test_a_television_and_another_person_are_not_he(softer_db: float) -> None:
    assert likeness(TELEVISION, CALLER_DBFS - softer_db) < PERHAPS
    assert likeness(SOMEBODY_ELSE, CALLER_DBFS - softer_db) < ALIKE


def test_nothing_is_said_before_he_has_spoken_or_of_a_short_sound() -> None:
    voice = OwnVoice()
    quiet(voice)
    say(voice, said(AGAIN))
    assert voice.likeness() is None
    voice = caller()
    say(voice, said(AGAIN)[: 19 * 320])
    assert voice.likeness() is None
    voice.accept()  # too little to learn from
    say(voice, said(AGAIN))
    assert voice.likeness() is not None


def test_what_is_softer_than_the_noise_is_no_voice() -> None:
    assert traits_of(bytes(320 * 40), np.zeros(40, dtype=bool), b"") is None
    assert traits_of(bytes(400), np.ones(1, dtype=bool), b"") is None


@pytest.mark.parametrize("hertz", [90, 140, 210, 380])
def test_a_pitch_is_found(hertz: float) -> None:
    pitch = traits(buzz(hertz)).pitch
    assert pitch is not None
    assert 2**pitch == pytest.approx(hertz, rel=0.04)


def test_noise_has_no_pitch_and_an_unknown_one_is_a_small_difference() -> None:
    noise, voice = traits(line(60)), traits(buzz(120))
    assert noise.pitch is None
    assert differences(voice, noise)[1] == differences(noise, voice)[1] == pytest.approx(0.2)
    assert differences(voice, traits(buzz(380)))[1] == 0.6
    assert differences(voice, voice) == (0, 0, 0, 0)


def test_of_single_frames_no_pitch_is_known() -> None:
    voiced = np.arange(60) % 2 == 1
    found = traits_of(buzz(120), voiced, b"")
    assert found is not None
    assert found.pitch is None


def test_what_is_known_of_him_follows_his_newest_turn() -> None:
    one, other, noise = traits(buzz(100)), traits(buzz(200)), traits(line(60))
    assert one.pitch is not None
    assert one.followed_by(other).pitch == pytest.approx(one.pitch + 0.4, abs=0.02)
    assert one.followed_by(noise).pitch == one.pitch
    assert noise.followed_by(one).pitch == one.pitch
    before = differences(other, one)[0]
    assert 0 < differences(other, one.followed_by(other))[0] < before


def test_his_voice_is_what_came_before_the_detector_found_it_and_no_noise() -> None:
    voice = OwnVoice()
    quiet(voice)
    for at in range(0, 320 * 5, 320):
        voice.take(said(TURN)[at : at + 320], voiced=False, quiet=True)
    voice.begin(2, 5)
    assert b"".join(voice._noise) == b"".join(line(1, at) for at in range(15, 60))
    assert len(voice._frames) == 2


def levels() -> VoiceLevels:
    voice = VoiceLevels(4.5)
    quiet(voice)
    say(voice, said(TURN))
    voice.accept()
    return voice


@pytest.mark.parametrize(
    ("name", "softer_db", "is_alike"), [(AGAIN, 7, True), (TELEVISION, 6, False), (AGAIN, 14, False)]
)
def test_a_softer_voice_that_sounds_like_his_is_his_unless_it_is_far_softer(
    name: str, softer_db: float, is_alike: bool
) -> None:
    voice = levels()
    say(voice, said(name, CALLER_DBFS - softer_db))
    assert voice.is_soft(over=False) is True
    assert (voice.is_alike, voice.may_be_own) == (False, False)
    assert voice.is_soft(over=True) is True
    assert voice.is_alike is voice.may_be_own is is_alike
    voice.begin(0)
    assert (voice.is_alike, voice.may_be_own) == (False, False)


@pytest.mark.parametrize(
    ("name", "softer_db", "while_it_lasts", "over"),
    [
        (AGAIN, 2.5, False, False),  # his own
        (AGAIN, 4, True, False),
        (TELEVISION, 2.5, True, True),  # nearly as loud as he is, and nothing like him
        (TELEVISION, 0.5, False, False),  # as loud as he is
        (SOMEBODY_ELSE, 4, True, False),  # hardly different
    ],
)
def test_what_does_not_sound_like_him_is_soft_sooner(
    name: str, softer_db: float, while_it_lasts: bool, over: bool
) -> None:
    voice = levels()
    sound = said(name, CALLER_DBFS - softer_db)
    say(voice, sound)
    assert (voice.is_soft(over=False), voice.is_soft(over=True)) == (while_it_lasts, over)


@pytest.mark.parametrize(("likeness", "may_be_own"), [(-1.0, True), (-2.9, True), (-3.1, False)])
def test_who_is_soft_only_for_his_sound_may_be_the_caller(
    likeness: float, may_be_own: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = levels()
    say(voice, said(AGAIN, CALLER_DBFS - 3.9))
    monkeypatch.setattr(OwnVoice, "likeness", lambda self: likeness)
    assert voice.is_soft(over=True) is True
    assert voice.may_be_own is may_be_own
    say(voice, said(AGAIN, CALLER_DBFS - 6))
    assert voice.is_soft(over=True) is True
    assert voice.may_be_own is False


@pytest.mark.parametrize(
    ("name", "softer_db", "over_speech", "is_learnt"),
    [
        (TELEVISION, 3.0, True, False),
        (TELEVISION, 3.0, False, True),  # in his own turn
        (TELEVISION, 0.0, True, True),  # as loud as he is
        (AGAIN, 3.0, True, True),  # sounds like him
    ],
)
def test_over_the_bot_nothing_is_learnt_of_who_is_softer_and_does_not_sound_like_him(
    name: str, softer_db: float, over_speech: bool, is_learnt: bool
) -> None:
    voice = levels()
    before = voice._own_db, voice._voice._own
    voice.begin(0, over_speech=over_speech)
    sound = said(name, CALLER_DBFS - softer_db)
    for at in range(0, len(sound), 320):
        voice.take(sound[at : at + 320], voiced=True, quiet=False)
    voice.accept()
    assert ((voice._own_db, voice._voice._own) != before) is is_learnt


def test_of_who_is_not_alike_again_and_again_is_learnt() -> None:
    """It is he, on a speakerphone: two utterances are passed over, and then he is learnt."""
    voice = levels()
    own = voice._own_db
    for is_learnt in (False, False, True, False, False, True):
        voice.begin(0, over_speech=True)
        sound = said(TELEVISION, CALLER_DBFS - 4)
        for at in range(0, len(sound), 320):
            voice.take(sound[at : at + 320], voiced=True, quiet=False)
        voice.accept()
        assert (voice._own_db != own) is is_learnt
        own = voice._own_db


def compared(voice: VoiceLevels, sound: bytes, monkeypatch: pytest.MonkeyPatch, likeness: float = -3.0) -> list[int]:
    """After how many frames it was compared while it lasted."""
    at, found = 0, []

    def compare(self: OwnVoice) -> float:
        found.append(at)
        return likeness

    monkeypatch.setattr(OwnVoice, "likeness", compare)
    voice.begin(0)
    for at in range(1, len(sound) // 320 + 1):
        voice.take(sound[320 * at - 320 : 320 * at], voiced=True, quiet=False)
        voice.is_soft(over=False)
    return found


def test_a_voice_that_lasts_is_compared_each_third_of_a_second_where_that_may_change_what_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    voice = levels()
    assert compared(voice, said(AGAIN, CALLER_DBFS - 3.5)[: 320 * 80], monkeypatch) == [31, 46, 61, 76]
    assert compared(voice, said(AGAIN, CALLER_DBFS - 3.5)[: 320 * 40], monkeypatch) == [31]
    for loud in (CALLER_DBFS, CALLER_DBFS - 8):
        assert not compared(voice, said(AGAIN, loud)[: 320 * 80], monkeypatch)


def test_what_was_compared_of_one_utterance_does_not_count_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    voice = levels()
    compared(voice, said(AGAIN, CALLER_DBFS - 3.5)[: 320 * 40], monkeypatch)
    assert voice.is_soft(over=False) is True
    monkeypatch.setattr(OwnVoice, "likeness", lambda self: None)
    say(voice, said(AGAIN, CALLER_DBFS - 3.5)[: 320 * 40])
    assert voice.is_soft(over=False) is False


def test_where_much_softer_is_needed_a_softer_one_is_never_less_soft(monkeypatch: pytest.MonkeyPatch) -> None:
    voice = VoiceLevels(12)
    quiet(voice)
    say(voice, said(TURN))
    voice.accept()
    monkeypatch.setattr(OwnVoice, "likeness", lambda self: -5.0)
    heard = []
    for softer_db in range(6, 15):
        say(voice, said(TURN, CALLER_DBFS - softer_db))
        heard.append(voice.is_soft(over=True))
    assert heard == sorted(heard)
    assert heard[0] is False
    assert heard[3] is True


@pytest.mark.parametrize(("frames", "soft"), [(29, False), (30, True)])
def test_a_short_word_is_weighed_by_its_level_alone(frames: int, soft: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    voice = levels()
    monkeypatch.setattr(OwnVoice, "likeness", lambda self: -4.5)
    say(voice, said(AGAIN, CALLER_DBFS - 4)[: 320 * frames])
    assert voice.is_soft(over=True) is soft
