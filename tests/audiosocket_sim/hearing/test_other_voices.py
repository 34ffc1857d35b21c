"""A stretch of one sound is found in another: through a codec, softer, mixed; and is not found where it is not."""

import math
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from audiosocket_core.slin import gain, read_audio, ulaw_decode, ulaw_encode
from audiosocket_sim.hearing.dealt_frames import are_dealt_out
from audiosocket_sim.hearing.other_voices import ALIKE, CallSound, Window
from audiosocket_sim.scenario.paths import PROJECT

SECOND = bytes(16_000)
ANA, BRUNO, CARLA = "quero_falar_com_o_apartamento_202", "sim_pode_confirmar", "meu_nome_e_joao_da_silva"


@cache
def said(name: str) -> bytes:
    return read_audio(PROJECT / "recordings" / "pt-br" / f"{name}.wav")


def mixed(one: bytes, other: bytes) -> bytes:
    length = min(len(one), len(other))
    both = [np.frombuffer(pcm[:length], "<i2").astype(int) for pcm in (one, other)]
    return bytes(np.clip(sum(both), -32768, 32767).astype("<i2").tobytes())


def loudest(pcm: bytes, began: float = 0.0) -> Window:
    return next(CallSound(pcm, began).windows(began, math.inf, 1))


@pytest.mark.parametrize(
    "heard",
    [
        said(ANA),
        ulaw_decode(ulaw_encode(said(ANA))),
        gain(said(ANA), -20),
        mixed(said(ANA), gain(said(CARLA) * 2, -3)),
        mixed(said(ANA), bytes(np.random.default_rng(1).integers(-150, 150, 60_000, dtype="<i2").tobytes())),
    ],
    ids=["itself", "a codec", "softer", "another voice", "noise"],
)
def test_what_was_said_is_found_where_it_was_said(heard: bytes) -> None:
    track = CallSound(2 * SECOND + said(ANA) + SECOND, began=100.0)
    window = loudest(heard, began=7.0)
    found = track.find(window)
    assert found is not None
    assert found.likeness > ALIKE
    assert found.at == pytest.approx(102 + (window.at - 7), abs=0.01)


@pytest.mark.parametrize("other", [BRUNO, CARLA, "alo", "nao_obrigado_e_so_isso_mesmo"])
def test_what_was_not_said_is_not_found(other: str) -> None:
    found = CallSound(SECOND + said(ANA) + SECOND, 0).find(loudest(said(other) + SECOND))
    assert found is not None
    assert found.likeness < ALIKE - 0.15


def test_it_is_looked_for_between_two_times() -> None:
    track, window = CallSound(SECOND + said(ANA) + SECOND + said(ANA), 0), loudest(said(ANA))
    length = len(said(ANA)) / 16_000
    second = 2 + length + window.at
    both = [track.find(window, until=second - 1), track.find(window, since=second - 1)]
    assert [found and round(found.at, 1) for found in both] == [round(1 + window.at, 1), round(second, 1)]
    near = track.find(window, second - 0.04, second + 0.04)  # nothing else is computed
    assert near is not None
    assert near.at == pytest.approx(second, abs=0.002)
    assert near.likeness == pytest.approx(both[1].likeness if both[1] else 0, abs=0.001)
    assert track.find(window, since=1000) is None
    assert CallSound(b"", 0).find(window) is None


def test_parts_are_the_loudest_and_do_not_overlap() -> None:
    track = CallSound(said(ANA) + 3 * SECOND, 5.0)
    parts = list(track.windows(5.0, math.inf, 9))
    assert 2 <= len(parts) <= 4
    places = sorted(part.at for part in parts)
    assert all(later - before > 0.799 for before, later in pairwise(places))
    assert {part.seconds for part in parts} == {0.8}
    assert list(track.windows(5.0, 5.3, 3)) == []  # too short
    assert list(CallSound(3 * SECOND, 0).windows(0, math.inf, 3)) == []  # silent
    (short,) = track.windows(5.2, 5.8, 3)
    assert short.seconds == pytest.approx(0.6, abs=0.01)


# --- one sound, dealt out in frames


def dealt(pcm: bytes, number: int, of: int) -> bytes:
    frames = [pcm[at : at + 320] for at in range(0, len(pcm) - 320, 320)]
    return b"".join(frames[number::of])


def test_two_callers_who_share_a_queue_are_found() -> None:
    one, other = dealt(said(ANA), 0, 2), dealt(said(ANA), 1, 2)
    assert are_dealt_out(one, other, 80)
    assert are_dealt_out(other, one, -80)
    assert are_dealt_out(SECOND + one, other, 8080)


def test_other_damage_is_no_shared_queue() -> None:
    one, other = dealt(said(ANA), 0, 2), dealt(said(CARLA), 1, 2)
    assert not are_dealt_out(one, other, 80)  # both have lost frames, each of its own sentence
    assert not are_dealt_out(one, one, 80)
    assert not are_dealt_out(said(ANA), said(CARLA), 0)  # no jumps at all
    assert not are_dealt_out(one, bytes(len(one)), 0)
    assert not are_dealt_out(one, other, 10**6)  # at other times
    assert not are_dealt_out(b"", b"", 0)
