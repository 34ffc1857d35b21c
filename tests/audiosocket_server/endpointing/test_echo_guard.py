"""The echo guard: the bot's voice that comes back is told from a caller's. Arithmetic on real voices, seeded lines."""

from collections.abc import Iterator

import numpy as np
import pytest
from audiosocket_server.endpointing import Endpointer, LineEchoGuard, UtteranceOpened, WebRtcVad
from helpers.call_bench import ROOT

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import frames, gain, mix, silence
from audiosocket_sim.phone.line import LineModel, noise
from audiosocket_sim.phone.line_echo import LineEcho

BOT = b"".join(
    p.pcm for p in PhraseBook.load(ROOT / "audio" / "prompts").phrases if p.name.startswith("pt-br/desculpe")
)
CALLER = PhraseBook.load(ROOT / "recordings").by_name("pt-br/espera_espera_nao_e_isso")
assert CALLER is not None


def onsets(
    echo: LineEcho | None, caller: bytes = b"", noise_dbfs: float = -62, *, guarded: bool = True, bot: bytes = BOT
) -> list[int]:
    """When utterances would begin, in ms, while the bot speaks `bot` and the caller sends `caller`, after 2 s of noise.

    Each is given up at once, so that the next one may begin.
    """
    line = LineModel("ulaw", noise_dbfs, echo=echo)
    guard = LineEchoGuard()
    ep = Endpointer(WebRtcVad(2), silence_ms=200, longest_ms=9000, guards=(guard.is_echo,) if guarded else ())
    lead = silence(2000)
    told = []
    pairs = zip(frames(lead + bot, 320), frames((lead + caller).ljust(len(lead + bot), b"\0"), 320), strict=True)
    for number, (sent, said) in enumerate(pairs):
        if number == 100:
            ep.listen(True)
        guard.played(sent)
        line.receive(sent, number * 0.02)
        for fact in ep.audio(line.send(said, at=(number + 1) * 0.02)) or ():
            if isinstance(fact, UtteranceOpened):
                told.append((number + 1) * 20 - 2000)
                ep.listen(False)
                ep.listen(True)
    return told


def lines() -> Iterator[LineEcho]:
    for delay_ms, gain_db, spread_ms in ((60, -6, 0), (120, -12, 8), (300, -20, 8), (700, -16, 8), (100, -12, 60)):
        yield LineEcho(delay_ms, gain_db, spread_ms, seed=delay_ms)


def test_no_echo_opens_an_utterance_however_it_comes_back() -> None:
    for echo in lines():
        assert onsets(echo) == []


@pytest.mark.long("the guard is tried")
def test_without_the_guard_each_of_them_does() -> None:
    for echo in lines():
        assert len(onsets(echo, guarded=False)) > 5


@pytest.mark.long("the scenario barge_in_over_an_echo is called")
def test_a_caller_who_speaks_over_the_bot_is_heard_with_an_echo_and_without() -> None:
    assert CALLER is not None
    for echo in (None, *lines()):
        told = onsets(echo, silence(3000) + CALLER.pcm)
        assert told, echo
        assert 3000 + CALLER.speech_start_ms - 40 <= told[0] <= 3000 + CALLER.speech_start_ms + 350


def test_a_caller_as_soft_as_the_echo_is_heard_when_the_bot_pauses_at_the_latest() -> None:
    assert CALLER is not None
    soft = gain(CALLER.pcm, -12)
    told = onsets(LineEcho(120, -6, 8, 1), silence(3000) + soft, bot=BOT[: 16 * 3600] + silence(3000))
    assert told
    assert told[0] < 3000 + CALLER.speech_end_ms


def test_where_nothing_was_played_nothing_is_an_echo() -> None:
    guard = LineEchoGuard()
    assert not guard.is_echo(noise(140, -20))
    for _ in range(60):
        guard.played(bytes(320))
    assert not guard.is_echo(noise(140, -20))


def test_what_was_played_over_a_second_ago_is_forgotten() -> None:
    guard = LineEchoGuard()
    sound = noise(140, -20)
    for frame in frames(sound, 320):
        guard.played(frame)
    assert guard.is_echo(sound)
    for _ in range(50):
        guard.played(bytes(320))
    assert not guard.is_echo(sound)


@pytest.mark.parametrize("played", [1, 2, 3, 6])
def test_a_call_that_has_just_begun_has_little_to_compare(played: int) -> None:
    guard = LineEchoGuard()
    for frame in frames(noise(20 * played, -20), 320):
        guard.played(frame)
    assert not guard.is_echo(noise(360, -20, seed=9))
    assert not guard.is_echo(bytes(320 * 7))
    assert not guard.is_echo(noise(60, -20, seed=9))


def test_an_echo_half_drowned_by_a_caller_is_not_called_one() -> None:
    guard = LineEchoGuard()
    bot, caller = noise(140, -30), noise(140, -24, seed=2)
    for frame in frames(bot, 320):
        guard.played(frame)
    assert guard.is_echo(mix(bot, gain(caller, -12)))
    guard = LineEchoGuard()
    for frame in frames(bot, 320):
        guard.played(frame)
    answers = [guard.is_echo(mix(bot, caller)) for _ in range(3)]
    assert answers[-1] is False  # undecided at first, a caller at the third onset


def test_the_verdict_does_not_depend_on_the_level_of_the_whole() -> None:
    bot, caller = np.frombuffer(noise(140, -20), "<i2"), np.frombuffer(noise(140, -20, seed=2), "<i2")
    for factor in (1.0, 0.1):
        guard = LineEchoGuard()
        for frame in frames((bot * factor).astype("<i2").tobytes(), 320):
            guard.played(frame)
        assert [guard.is_echo((caller * factor).astype("<i2").tobytes()) for _ in range(3)] == [True, True, False]
        assert guard.is_echo((bot * factor * 0.5).astype("<i2").tobytes())


def test_what_is_louder_than_the_bot_is_no_echo_however_alike() -> None:
    guard = LineEchoGuard()
    bot = noise(140, -30)
    for frame in frames(bot, 320):
        guard.played(frame)
    assert guard.is_echo(gain(bot, -4))
    guard = LineEchoGuard()
    for frame in frames(bot, 320):
        guard.played(frame)
    assert [guard.is_echo(gain(bot, 6)) for _ in range(3)] == [True, True, False]


def test_two_hints_at_one_delay_are_an_echo_and_at_two_delays_are_not() -> None:
    """A third of what is heard is what was played 100 ms ago, the rest is the line's noise."""

    def asked(*delays_ms: int) -> list[bool]:
        guard = LineEchoGuard()
        told = []
        for number, delay_ms in enumerate(delays_ms):
            bot = noise(900, -20, seed=number)
            for frame in frames(bot, 320):
                guard.played(frame)
            at = len(bot) - 16 * delay_ms
            heard = mix(gain(bot[at - 16 * 140 : at], -10), noise(140, -28, seed=50 + number))
            told.append(guard.is_echo(heard))
        return told

    assert asked(100, 100, 100, 100, 100) == [True] * 5
    assert asked(100, 300, 500) == [True, True, False]
