"""What the probe finds out of servers of many kinds, odd ones too."""

import asyncio
from dataclasses import replace

import numpy as np
import pytest
from planted.good_server import Call, voice
from planted.keeper import run
from planted.ways import KINDS, Ways

from audiosocket_core.messages import Kind
from audiosocket_sim.conformance.features import FEATURES, Features
from audiosocket_sim.conformance.heard import samples_of

TAKES_LESS_THAN = 12.0
ECHO = KINDS["echo"]
SILENT = replace(ECHO, idle=False, echoes=False)


class FaintEcho(Call):
    """Sends the caller's sound back a second later, at half its level."""

    def hear(self, kind: int, payload: bytes) -> None:
        half = (samples_of(payload) // 2).astype("<i2").tobytes()
        asyncio.get_running_loop().call_later(1.0, self.say, kind, half)


class LateGreeting(Call):
    """Greets three seconds after the UUID."""

    def greet(self) -> None:
        asyncio.get_running_loop().call_later(3.0, self.say, int(Kind.SLIN8), voice(1.0))


class Noise(Call):
    """Sends noise all the time, and nothing else."""

    def idle(self) -> tuple[int, bytes]:
        noise = np.random.default_rng(1).integers(-900, 900, 160)
        return int(Kind.SLIN8), noise.astype("<i2").tobytes()


class FallsOverKeys(Call):
    """Ends the call at whatever is no audio of 8 kHz."""

    def received(self, kind: int, payload: bytes) -> None:
        if kind != Kind.SLIN8:
            raise ValueError(kind)
        super().received(kind, payload)


class NeverCloses(Call):
    """Keeps its end open for long when the caller has closed his."""

    async def run(self) -> None:
        try:
            await super().run()
            await asyncio.sleep(10.0)
        finally:
            self.writer.close()

    def close(self) -> None:
        pass


def found(ways: Ways, fault: type[Call] | None = None) -> Features:
    return run([], ways, fault).features


def has(features: Features) -> str:
    return " ".join(name for name in FEATURES if features.has(name))


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("doorman", "two_calls speaks_first sends_always answers"),
        ("terse", "two_calls speaks_first answers"),
        ("taciturn", "two_calls answers"),
        ("echo", "two_calls sends_always echoes wideband"),
        ("echo_at_once", "two_calls echoes wideband"),
        ("greets_and_echoes", "two_calls speaks_first echoes wideband"),
        ("keys", "two_calls speaks_first sends_always answers takes_keys"),
        ("tape", "two_calls speaks_first sends_always"),
        ("black_hole", "two_calls"),
        ("packets_of_60_ms", "two_calls sends_always echoes wideband"),
    ],
)
def test_what_a_good_server_can_do(kind: str, expected: str) -> None:
    result = run([], KINDS[kind])
    assert has(result.features) == expected
    assert result.features.lives is None
    assert result.seconds < TAKES_LESS_THAN
    assert result.n_calls == 6


@pytest.mark.long("quicker tests of this file are run")
def test_a_faint_and_late_echo_is_one() -> None:
    assert found(ECHO, FaintEcho).echoes


@pytest.mark.long("quicker tests of this file are run")
def test_a_greeting_after_three_seconds_is_one() -> None:
    features = found(KINDS["waits"], LateGreeting)
    assert features.speaks_first
    assert features.answers
    assert features.takes_keys is False, "the greeting answers no key"


def test_an_answer_after_five_seconds_is_one() -> None:
    features = found(replace(KINDS["taciturn"], thinks=4.6))
    assert features.answers
    assert 7.0 < features.answer_seconds < 9.0


@pytest.mark.long("quicker tests of this file are run")
def test_of_one_that_is_never_quiet_nobody_knows_whether_it_answers() -> None:
    features = found(replace(ECHO, echoes=False), Noise)
    assert features.speaks_first
    assert features.answers is None
    assert features.takes_keys is None
    assert not features.echoes


def test_one_that_hangs_up_early_is_asked_no_more() -> None:
    features = found(replace(KINDS["doorman"], lives=1.0))
    assert features.lives == pytest.approx(1.0, abs=0.05)
    assert features.hangs_up
    assert features.speaks_first
    assert (features.answers, features.echoes, features.takes_keys) == (None, None, None)


@pytest.mark.long("quicker tests of this file are run")
def test_one_that_falls_over_a_key_does_not_count_as_one_that_hangs_up() -> None:
    features = found(KINDS["doorman"], FallsOverKeys)
    assert features.lives is None
    assert not features.hangs_up
    assert not features.takes_keys
    assert features.two_calls


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize(
    ("ways", "calls"),
    [(KINDS["one_at_a_time"], 6), (replace(SILENT, one_at_a_time=True), 8)],
    ids=["one that speaks at once shows it in a short call", "silent"],
)
def test_one_at_a_time_is_not_two(ways: Ways, calls: int) -> None:
    result = run([], ways)
    assert result.features.two_calls is False
    assert result.features.lives is None
    assert result.n_calls == calls


@pytest.mark.long("quicker tests of this file are run")
def test_one_that_never_closes_serves_two_all_the_same() -> None:
    assert found(KINDS["taciturn"], NeverCloses).two_calls


@pytest.mark.long("quicker tests of this file are run")
def test_what_is_stated_stays() -> None:
    stated = Features(answers=False, two_calls=False, stated=frozenset({"answers", "two_calls"}))
    features = found(replace(KINDS["doorman"], stated=stated))
    assert (features.answers, features.two_calls) == (False, False)
    assert features.speaks_first
