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


@pytest.mark.long("echoes of the last word at several places")
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


def test_one_find_by_chance_is_no_reason_to_take_a_caller_for_an_echo() -> None:
    """The first 20 ms of his word are like the bot's first 20 ms 100 ms before; the rest of it is not."""
    guard = LineEchoGuard()
    burst = noise(20, -20)
    for frame in frames(silence(600) + burst + silence(100), 320):
        guard.played(frame)
    assert guard.is_echo(mix(noise(140, -65, seed=1), silence(120) + gain(burst, -4)))
    for frame in frames(noise(600, -20, seed=3), 320):
        guard.played(frame)
    assert not any(guard.is_echo(noise(140, -24, seed=2)) for _ in range(3))


@pytest.mark.parametrize(("like_ms", "is_sure"), [(200, False), (320, True)])
def test_an_echo_in_the_pre_roll_is_sure_where_it_goes_on_behind_what_its_path_was_fitted_to(
    like_ms: int, is_sure: bool
) -> None:
    bot = noise(980, -20)
    guard = LineEchoGuard()
    for frame in frames(bot, 320):
        guard.played(frame)
    like = gain(bot[-16 * 460 :], -6)[: 16 * like_ms]
    assert guard.leading_echo(mix(noise(360, -60, seed=1), like)) > 0
    answers = [guard.is_echo(noise(360, -26, seed=2)) for _ in range(3)]
    assert answers[-1] is is_sure


@pytest.mark.parametrize(("more", "is_sure"), [(1, False), (2, True)])
def test_an_echo_in_the_pre_roll_is_sure_once_it_was_found_twice_more_in_new_audio(more: int, is_sure: bool) -> None:
    """What hinted at another delay before says nothing of this one."""
    bot = noise(1600, -20)
    guard, until_ms = LineEchoGuard(), 900
    for frame in frames(bot[: 16 * until_ms], 320):
        guard.played(frame)
    hint = mix(gain(bot[16 * 460 : 16 * 600], -10), noise(140, -28, seed=3))
    assert guard.is_echo(noise(60, -40, seed=1) + hint)

    def play_on(ms: int) -> bytes:
        """What was played is heard 100 ms later, and softer."""
        nonlocal until_ms
        for frame in frames(bot[16 * until_ms : 16 * (until_ms + ms)], 320):
            guard.played(frame)
        until_ms += ms
        return gain(bot[16 * (until_ms - 300) : 16 * (until_ms - 100)], -10)

    assert guard.leading_echo(mix(noise(360, -40, seed=4), silence(60) + play_on(200))) > 0
    for _ in range(more):
        assert guard.is_echo(noise(60, -40, seed=1) + play_on(60))
    answers = [guard.is_echo(noise(60, -40, seed=5) + noise(140, -29, seed=2)) for _ in range(3)]
    assert answers[-1] is is_sure


@pytest.mark.parametrize(
    ("finds_ms", "known"),
    [
        pytest.param([0], False, id="once"),
        pytest.param([0, 0], False, id="the same sound twice"),
        pytest.param([0, 40], True, id="and in what came since"),
        pytest.param([0, 140], True, id="and in all that came since"),
    ],
)
def test_what_was_found_again_is_known_though_it_drowns_in_noise(finds_ms: list[int], known: bool) -> None:
    """An echo of 100 ms."""
    bot = noise(1400, -20)
    guard, until_ms = LineEchoGuard(), 900
    for frame in frames(bot[: 16 * until_ms], 320):
        guard.played(frame)
    for more_ms in finds_ms:
        for frame in frames(bot[16 * until_ms : 16 * (until_ms + more_ms)], 320):
            guard.played(frame)
        until_ms += more_ms
        echo = gain(bot[16 * (until_ms - 240) : 16 * (until_ms - 100)], -10)
        assert guard.is_echo(noise(60, -40, seed=1) + echo)
    answers = [guard.is_echo(noise(140, -29, seed=2)) for _ in range(3)]
    assert answers[-1] is known


@pytest.mark.parametrize(("alike", "then_dbfs"), [(0.45, -33), (0.6, -24), (0.75, -24)])
def test_a_voice_that_fits_by_chance_is_no_sure_echo_though_most_of_it_is_compared_again(
    alike: float, then_dbfs: float
) -> None:
    """`alike`: the share of the first 140 ms that is the bot's. What follows is another sound. Onsets are 40 ms apart.

    The first is a hint, and again: it counted twice. The others were found, and again: they counted as sure.
    """
    bot = noise(1400, -20)
    guard, until_ms = LineEchoGuard(), 900
    for frame in frames(bot[: 16 * until_ms], 320):
        guard.played(frame)
    by_chance = mix(gain(bot[16 * 660 : 16 * 800], -4), noise(140, -24 + 10 * np.log10(1 / alike - 1), seed=3))
    voice = by_chance + noise(400, then_dbfs, seed=4)
    answers = []
    for heard_ms in range(140, 300, 40):
        answers.append(guard.is_echo(noise(200, -40, seed=5) + voice[: 16 * heard_ms]))
        for frame in frames(bot[16 * until_ms : 16 * (until_ms + 40)], 320):
            guard.played(frame)
        until_ms += 40
    assert answers[0] is True
    assert answers[-1] is False
    assert [guard.is_echo(noise(60, -40, seed=6) + noise(140, -29, seed=7)) for _ in range(3)][-1] is False


@pytest.mark.parametrize("louder_db", [1, 3])
def test_a_caller_over_an_echo_that_is_well_known_is_heard_though_he_is_hardly_louder(louder_db: int) -> None:
    """The echo is 29 dB over the noise, and explains nearly all of what is heard while it is alone."""
    bot = noise(900, -20)
    guard = LineEchoGuard()
    for frame in frames(bot, 320):
        guard.played(frame)
    echo = gain(bot[-16 * 240 : -16 * 100], -6)
    hiss, caller = noise(360, -55, seed=1), noise(140, -26 + louder_db, seed=2)
    assert all(guard.is_echo(mix(hiss, silence(220) + echo)) for _ in range(4))
    over_it = mix(hiss, silence(220) + mix(echo, caller))
    assert [guard.is_echo(over_it) for _ in range(3)] == [True, True, False]
    assert guard.is_echo(mix(hiss, silence(220) + echo))


# --- behind the bot's last word

SAYS = PhraseBook.load(ROOT / "audio" / "prompts").by_name("pt-br/voce_ainda_esta_ai")
assert SAYS is not None
LAST_WORD = SAYS.pcm[: SAYS.speech_end_ms * 16]


def behind_the_last_word(echo: LineEcho, caller: bytes, *, noise_dbfs: float = -62) -> list[tuple[int, bytes]]:
    """What utterances begin after the bot's last word, at the time 0: (ms of the detection, the audio from before)."""
    line = LineModel("ulaw", noise_dbfs, echo=echo)
    guard = LineEchoGuard()
    ep = Endpointer(
        WebRtcVad(2), silence_ms=700, longest_ms=9000, guards=(guard.is_echo,), leading_echo=guard.leading_echo
    )
    said = silence(2000) + LAST_WORD
    lead_ms = len(said) // 16
    found: list[tuple[int, bytes]] = []
    speaks = (silence(lead_ms) + caller).ljust(len(said) + 32_000, b"\0")[: len(said) + 32_000]
    pairs = zip(frames(said + silence(2000), 320), frames(speaks, 320), strict=True)
    for number, (sent, speech) in enumerate(pairs):
        if number == lead_ms // 20 - 15:
            ep.listen(True)
        guard.played(sent)
        line.receive(sent, number * 0.02)
        for fact in ep.audio(line.send(speech, at=(number + 1) * 0.02)) or ():
            if isinstance(fact, UtteranceOpened):
                found.append(((number + 1) * 20 - lead_ms, fact.pcm))
    return found


@pytest.mark.every(6)
@pytest.mark.parametrize("delay_ms", [20, 60, 120, 200, 300])
@pytest.mark.parametrize("gain_db", [-12, -20, -28, -40])
def test_an_echo_of_the_last_word_opens_no_utterance(delay_ms: int, gain_db: int) -> None:
    for noise_dbfs in (-57, -70):
        assert behind_the_last_word(LineEcho(delay_ms, gain_db, 8, 1), b"", noise_dbfs=noise_dbfs) == []


@pytest.mark.every(2)
@pytest.mark.parametrize("delay_ms", [60, 120, 200, 300])
def test_no_echo_is_put_before_the_callers_words(delay_ms: int) -> None:
    """He begins 60 ms after the last of the echo, so that most of his pre-roll would be echo."""
    assert CALLER is not None
    speech = CALLER.pcm[CALLER.speech_start_ms * 16 :]
    onset_ms = delay_ms + 60
    ((found_ms, pcm), *_) = behind_the_last_word(LineEcho(delay_ms, -12, 0, 1), silence(onset_ms) + speech)
    before_ms = len(pcm) // 16 - (found_ms - onset_ms)
    assert 0 <= before_ms <= 60 + 60


def test_without_an_echo_nothing_is_cut_off() -> None:
    assert CALLER is not None
    guard = LineEchoGuard()
    for frame in frames(LAST_WORD[-8000:], 320):
        guard.played(frame)
    assert guard.leading_echo(CALLER.pcm[CALLER.speech_start_ms * 16 :][: 18 * 320]) == 0
    assert guard.leading_echo(silence(360)) == 0
    assert LineEchoGuard().leading_echo(CALLER.pcm[: 18 * 320]) == 0


def test_a_sound_far_softer_than_the_bot_is_no_caller_until_the_bot_is_silent() -> None:
    assert CALLER is not None
    guard = LineEchoGuard()
    soft = gain(CALLER.pcm, -30)[CALLER.speech_start_ms * 16 :][: 18 * 320]
    for frame in frames(LAST_WORD[-16_000:], 320):
        guard.played(frame)
    assert guard.is_echo(soft)
    for frame in frames(silence(700), 320):
        guard.played(frame)
    assert not all(guard.is_echo(soft) for _ in range(3))


def test_an_echo_that_was_learnt_is_known_by_its_soft_end() -> None:
    """The end of a word fades: alone, it is too soft to be found."""
    line = LineModel("ulaw", -57, echo=LineEcho(120, -20, 0, 1))
    guard, untaught = LineEchoGuard(), LineEchoGuard()
    heard = [b""]
    fading = LAST_WORD + b"".join(gain(LAST_WORD[-640 * 5 :], -6 * n) for n in range(5))
    for number, frame in enumerate(frames(fading + silence(100), 320)):
        guard.played(frame)
        untaught.played(frame)
        line.receive(frame, number * 0.02)
        heard.append(line.send(bytes(320), at=(number + 1) * 0.02))
        if number == len(LAST_WORD) // 320 - 5:
            guard.learn(b"".join(heard[-18:]))
            guard.learn(b"")
    end = b"".join(heard[-18:])
    assert guard.is_echo(end)
    assert guard._delay is not None
    assert untaught._delay is None


def test_an_echo_is_found_behind_a_beginning_that_is_older_than_what_was_kept() -> None:
    line = LineModel("ulaw", -57, echo=LineEcho(300, -12, 0, 1))
    guard = LineEchoGuard()
    heard = [b""]
    for number, frame in enumerate(frames(LAST_WORD[-320 * 80 :], 320)):
        guard.played(frame)
        line.receive(frame, number * 0.02)
        heard.append(line.send(bytes(320), at=(number + 1) * 0.02))
    assert guard.leading_echo(b"".join(heard[-18:])) > 0
    assert guard.leading_echo(b"".join(heard[-40:])) > 0
