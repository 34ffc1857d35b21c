"""A voice that speaks on for longer than a back-channel; a laugh does not."""

from pathlib import Path

import numpy as np
import pytest
from audiosocket_server.endpointing.lasting import LASTS_MS, MOST_REPETITION, LastingVoice, repetition

from audiosocket_core.slin import frames, gain, mix, read_audio

RECORDINGS = Path(__file__).resolve().parents[3] / "recordings"
FRAMES = LASTS_MS // 20


def recorded(name: str, from_ms: int = 200) -> list[bytes]:
    pcm = read_audio(RECORDINGS / f"{name}.wav")[from_ms * 16 :]
    return [pcm[at : at + 320] for at in range(0, len(pcm) - 319, 320)]


def noise(dbfs: float, count: int) -> list[bytes]:
    sound = np.random.Generator(np.random.PCG64(1)).standard_normal(count * 160) * 32768 * 10 ** (dbfs / 20)
    return [np.rint(part).astype("<i2").tobytes() for part in sound.reshape(count, 160)]


def after(said: list[bytes], unvoiced: range = range(0)) -> int | None:
    """After how many frames it lasts; None: never."""
    voice = LastingVoice()
    voice.begin(0)
    for number, frame in enumerate(said):
        voice.take(frame, voiced=number not in unvoiced)
        if voice.lasts():
            return number + 1
    return None


SENTENCE = recorded("pt-br/meu_nome_e_joao_da_silva")[:75]


def test_speech_lasts_after_0_84_s_and_not_before() -> None:
    assert after(SENTENCE) == FRAMES
    assert after(SENTENCE[: FRAMES - 1]) is None


def test_short_gaps_between_words_are_a_part_of_it_and_long_ones_are_not() -> None:
    assert after(SENTENCE, range(18, 25)) == FRAMES
    assert after(SENTENCE, range(18, 30)) == FRAMES + 22
    assert after(SENTENCE[:FRAMES], range(FRAMES - 1, FRAMES)) is None, "it is over"


def test_what_is_10_db_softer_is_the_line_behind_a_short_word() -> None:
    assert after([*SENTENCE[:33], *noise(-36, 40)]) is None
    assert after([*SENTENCE[:33], *noise(-22, 40)]) == FRAMES
    echo = noise(-36, 30)
    assert after([*echo, *SENTENCE[:20]]) is None, "nor is an echo before one"


def test_an_utterance_begins_with_the_frames_that_were_its_onset() -> None:
    voice = LastingVoice()
    for frame in SENTENCE[:8]:
        voice.take(frame, voiced=True)
    voice.begin(2)
    for frame in SENTENCE[8 : 8 + FRAMES - 3]:
        voice.take(frame, voiced=True)
    assert not voice.lasts()
    voice.take(SENTENCE[8 + FRAMES - 3], voiced=True)
    assert voice.lasts()


def test_an_echo_before_the_onset_is_no_part_of_the_utterance() -> None:
    voice = LastingVoice()
    for frame in [*noise(-40, 3), *SENTENCE[:2]]:
        voice.take(frame, voiced=True)
    voice.begin(5)
    for frame in SENTENCE[2 : FRAMES - 1]:
        voice.take(frame, voiced=True)
        assert not voice.lasts()
    voice.take(SENTENCE[FRAMES - 1], voiced=True)
    assert voice.lasts()


@pytest.mark.parametrize("who", ["high", "low", "middle"])
def test_a_laugh_does_not_last(who: str) -> None:
    laugh = recorded(f"sounds/laugh_{who}", 60)
    assert repetition(b"".join(laugh[:FRAMES])) > MOST_REPETITION + 0.05
    assert after([*laugh, *noise(-60, 30)]) is None
    assert after([*laugh[:50], *SENTENCE]) == 2 * FRAMES, "who speaks behind it does"


@pytest.mark.parametrize("who", ["high", "low", "middle"])
def test_nor_does_one_with_music_behind_it(who: str) -> None:
    laugh = b"".join(recorded(f"sounds/laugh_{who}", 60))
    music = gain(read_audio(RECORDINGS / "sounds" / "music.wav"), -5)  # 10 dB softer than the laugh
    assert after(frames(mix(laugh, music[: len(laugh)]), 320)) is None


@pytest.mark.parametrize("name", sorted(path.stem for path in (RECORDINGS / "pt-br").glob("*.wav")))
def test_speech_does_not_repeat_itself(name: str) -> None:
    assert repetition(b"".join(recorded(f"pt-br/{name}")[:FRAMES])) < MOST_REPETITION - 0.1


def test_of_too_little_nothing_is_repeated() -> None:
    assert repetition(b"") == repetition(bytes(100)) == 0.0
    assert repetition(bytes(320 * FRAMES)) == 0.0
