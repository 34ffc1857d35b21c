"""The pure parts of the microphone client: jitter buffer, echo guard, resampling, meters, devices, keys."""

import asyncio
import io
import itertools
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import gain, level_dbfs, mix, read_audio, silence
from audiosocket_sim.call_log.events import CallerAction, CallLog, Noted, Source
from audiosocket_sim.call_log.transcript import line_of
from audiosocket_sim.cli.main import main
from audiosocket_sim.live.captured_call import Muted
from audiosocket_sim.live.mic import session
from audiosocket_sim.live.mic.convert import mutes
from audiosocket_sim.live.mic.devices import Device, DeviceError, choose, listing
from audiosocket_sim.live.mic.echo_guard import EchoGuard
from audiosocket_sim.live.mic.jitter_buffer import JitterBuffer
from audiosocket_sim.live.mic.keys import AGAIN, HANG_UP, MUTE, TerminalKeys, meaning
from audiosocket_sim.live.mic.level_meter import LevelMeter, bar
from audiosocket_sim.live.mic.options import MicOptions
from audiosocket_sim.live.mic.phone import BufferedPhone
from audiosocket_sim.live.mic.resampling import StreamResampler
from audiosocket_sim.live.mic.screen import status
from audiosocket_sim.live.mic.server_events import MOST_EVENTS, ServerEvents
from audiosocket_sim.live.mic.session import MicCall
from audiosocket_sim.net.control_client import ControlEvent
from audiosocket_sim.phone.line import tone

ROOT = Path(__file__).resolve().parents[4]
FRAME = 320
THREE_ROOMS = pytest.mark.long("three rooms: the nearest, a usual one, the worst")
LOUD = tone(20, 400, -12)  # eight whole waves: one follows the other without a click


# --- the buffer ---------------------------------------------------------------------------------------------------


def through(arrivals_ms: list[float], *, buffer: JitterBuffer, until_ms: int, piece: bytes = LOUD) -> bytes:
    """Feed 20 ms pieces at these times; return what is taken every 20 ms, 1 ms after the grid."""
    waiting, out = sorted(arrivals_ms), bytearray()
    for now_ms in range(1, until_ms, 20):
        while waiting and waiting[0] <= now_ms:
            buffer.arrive(waiting.pop(0) / 1000, piece)
        out += buffer.take(160)
    return bytes(out)


def test_even_pieces_come_out_whole_after_the_target_and_nothing_is_added() -> None:
    buffer = JitterBuffer(least_ms=40)
    out = through([20.0 * i for i in range(50)], buffer=buffer, until_ms=1200)
    assert out.strip(b"\0") == (LOUD * 50).strip(b"\0")
    assert len(out) - len(out.lstrip(b"\0")) <= 2 * FRAME + 2
    assert (buffer.underruns, buffer.inserted_ms, buffer.dropped_ms, buffer.target_ms) == (0, 0, 0, 40)


def test_a_late_piece_is_an_underrun_once_and_the_buffer_grows_at_once() -> None:
    buffer = JitterBuffer()
    times = [20.0 * i + (70 if i >= 25 else 0) for i in range(50)]  # from one piece on, all 70 ms late
    through(times, buffer=buffer, until_ms=1400)
    assert buffer.underruns == 1
    assert 40 <= buffer.inserted_ms <= 100
    assert buffer.target_ms >= 60


def test_who_runs_dry_though_nothing_is_late_wants_more_the_next_time() -> None:
    """The loudspeaker's clock is faster, and there is no silence to insert into."""
    buffer = JitterBuffer()
    for i in range(100):
        buffer.arrive(i * 0.02, LOUD)
        buffer.take(160)
    assert (buffer.underruns, buffer.target_ms) == (0, 20)
    for _ in range(2):
        buffer.take(160)
    buffer.arrive(2.0, LOUD)
    assert buffer.underruns == 1
    assert buffer.target_ms == pytest.approx(40, abs=0.5)


def test_jitter_that_goes_on_is_heard_once_and_then_no_more() -> None:
    buffer = JitterBuffer()
    late = [(0, 35, 10, 55, 5)[i % 5] for i in range(400)]
    through([20.0 * i + late[i] for i in range(400)], buffer=buffer, until_ms=2000)
    by_then = buffer.underruns
    assert by_then <= 3
    buffer = JitterBuffer()
    through([20.0 * i + late[i] for i in range(400)], buffer=buffer, until_ms=8000)
    assert buffer.underruns <= by_then


def test_who_pauses_was_not_late() -> None:
    buffer = JitterBuffer()
    times = [20.0 * i for i in range(25)] + [2000 + 20.0 * i for i in range(25)]
    through(times, buffer=buffer, until_ms=3000)
    assert (buffer.underruns, buffer.inserted_ms, buffer.target_ms) == (0, 0, 20)


def test_a_single_short_piece_is_played_although_the_target_is_not_there() -> None:
    buffer = JitterBuffer(least_ms=60)
    assert LOUD in through([0.0], buffer=buffer, until_ms=300)


def test_too_much_is_dropped_in_silence_first() -> None:
    buffer = JitterBuffer()
    buffer.arrive(0.0, silence(300))  # an over-full buffer: 280 ms more than is wanted
    out = bytearray()
    for i in range(200):
        at = 0.02 * i
        buffer.arrive(at + 0.001, LOUD if (i // 25) % 2 else silence(20))
        out += buffer.take(160)
    assert 200 <= buffer.dropped_ms <= 300
    assert buffer.depth_ms < 80
    loud = sum(1 for i in range(0, len(out), FRAME) if level_dbfs(bytes(out[i : i + FRAME])) > -20)
    assert loud >= 92  # of the 100 pieces that were loud; the last ones still wait


def test_the_short_silences_within_words_are_no_place_to_drop_or_to_insert() -> None:
    """Before a “t” or a “p” a speaker is silent for 40 to 120 ms: a piece missing there is missing in a word."""
    words = [silence(20) if i % 25 < 6 else LOUD for i in range(150)]  # three seconds
    for before, after in ((silence(100), 0.0), (b"", 0.04)):  # too full; and running dry
        buffer = JitterBuffer()
        buffer.arrive(0.0, before)
        for i, piece in enumerate(words):
            buffer.arrive(0.02 * i + 0.001 + (after if i >= 25 else 0.0), piece)
            buffer.take(160)
        assert buffer.dropped_ms == 0
        spoken_ms = buffer.inserted_ms
        for i in range(150, 300):
            buffer.arrive(0.02 * i + 0.001 + after, silence(20))
            buffer.take(160)
        assert buffer.dropped_ms + buffer.inserted_ms > spoken_ms  # in the pause


def test_a_surplus_too_small_to_drop_uses_no_patience_up() -> None:
    buffer = JitterBuffer()
    buffer.arrive(0.0, silence(35))  # 15 ms more than is wanted: less than a packet
    for i in range(400):
        buffer.arrive(0.02 * i + 0.001, LOUD)
        buffer.take(160)
    assert buffer.dropped_ms == 0
    buffer.arrive(8.001, LOUD)  # 35 ms now, and the caller is still speaking
    for i in range(400, 550):
        buffer.arrive(0.02 * i + 0.001, LOUD)
        buffer.take(160)
    assert buffer.dropped_ms == 0


def test_speech_without_a_pause_is_shortened_slowly_and_softly() -> None:
    buffer = JitterBuffer()
    for _ in range(15):
        buffer.arrive(0.0, LOUD)
    out = bytearray()
    for i in range(1000):
        buffer.arrive(0.02 * i + 0.001, LOUD)
        out += buffer.take(160)
    assert 20 <= buffer.dropped_ms <= 120  # in 20 s
    samples = np.frombuffer(bytes(out), "<i2").astype(int)
    tone_step = int(np.abs(np.diff(np.frombuffer(LOUD, "<i2").astype(int))).max())
    started = int(np.argmax(samples != 0))
    assert np.abs(np.diff(samples[started:])).max() <= 2 * tone_step  # no click


@pytest.mark.long("the buffer grows, drops and shortens")
@pytest.mark.parametrize("ppm", [-300, 300])
def test_two_clocks_that_do_not_agree(ppm: int) -> None:
    """In ten minutes of drift the surplus or shortage is corrected in silence."""
    buffer = JitterBuffer()
    buffer.arrive(0.0, silence(40))
    given, seconds = 0, 600
    for i in range(seconds * 50):
        while given * 0.02 * (1 + ppm / 1e6) <= i * 0.02:
            buffer.arrive(i * 0.02, silence(20))
            given += 1
        buffer.take(160)
    off_ms = seconds * abs(ppm) / 1000
    assert buffer.depth_ms <= 100
    assert buffer.underruns == 0
    assert buffer.inserted_ms + buffer.dropped_ms <= off_ms + 300
    assert abs(buffer.inserted_ms - buffer.dropped_ms) == pytest.approx(off_ms, abs=100)


def test_what_was_sent_far_ahead_is_played_as_it_was_sent() -> None:
    buffer = JitterBuffer()
    sound = b"".join(tone(20, 300 + i, -12) for i in range(500))
    for i in range(500):  # ten seconds in one go
        buffer.arrive(0.0, sound[FRAME * i : FRAME * (i + 1)])
    out = b"".join(buffer.take(160) for _ in range(440))
    assert sound[: len(out)] == out


def test_the_buffer_is_bounded() -> None:
    buffer = JitterBuffer()
    for _ in range(70):
        buffer.arrive(0.0, silence(1000))
    assert buffer.depth_ms <= 61_000
    assert buffer.dropped_ms >= 8_000


# --- the echo guard -----------------------------------------------------------------------------------------------


def recording(name: str) -> bytes:
    return read_audio(ROOT / "recordings" / "pt-br" / f"{name}.wav")


def room(bot: bytes, delay_ms: int, gain_db: float) -> bytes:
    """Return the bot's voice as the microphone picks it up: later, softer, with two reflections."""
    direct = silence(delay_ms) + gain(bot, gain_db)
    reflected = silence(delay_ms + 3) + gain(bot, gain_db - 8)
    return mix(mix(direct, reflected), silence(delay_ms + 11) + gain(bot, gain_db - 14))


def guarded(bot: bytes, heard: bytes, *, block: int = FRAME) -> tuple[bytes, EchoGuard]:
    """Return what the guard leaves of `heard` while `bot` is played, in blocks as of a sound card."""
    guard, out, frames = EchoGuard(), bytearray(), bytearray()
    for start in range(0, max(len(bot), len(heard)), block):
        guard.played(bot[start : start + block].ljust(block, b"\0"))
        frames += heard[start : start + block].ljust(block, b"\0")
        while len(frames) >= FRAME:
            out += guard.clean(bytes(frames[:FRAME]))
            del frames[:FRAME]
    return bytes(out), guard


def energy(pcm: bytes) -> float:
    samples = np.frombuffer(pcm, "<i2").astype(float)
    return float(samples @ samples)


@pytest.fixture(scope="module")
def bot() -> bytes:
    found = sorted((ROOT / "audio" / "prompts").rglob("*.wav"))
    return b"".join(read_audio(path) + silence(300) for path in found[:3])


@pytest.mark.every(9)
@pytest.mark.parametrize(
    ("delay_ms", "gain_db"),
    [
        pytest.param(*room, marks=() if room in {(30, -25), (150, -10), (400, 3)} else THREE_ROOMS)
        for room in itertools.product((30, 150, 400), (-25, -10, 3))
    ],
)
def test_the_bot_in_the_microphone_is_turned_down(bot: bytes, delay_ms: int, gain_db: float) -> None:
    heard = mix(room(bot, delay_ms, gain_db), gain(noise(len(bot)), 0))
    left, guard = guarded(bot, heard)
    known = 16 * (delay_ms + 700)  # the prompt begins after 300 ms, and two windows of 140 ms later it is known
    loud = [i for i in range(known, len(left), FRAME) if level_dbfs(heard[i : i + FRAME]) > -45]
    passed = [i for i in loud if level_dbfs(left[i : i + FRAME]) > -50]
    assert len(passed) <= 0.03 * len(loud)
    assert guard.turned_down_ms > 1000


@pytest.mark.long("an echo that comes at one time is turned down")
def test_an_echo_that_comes_at_another_time_is_found_again(bot: bytes) -> None:
    """The sound card lost a block: from the middle on the echo is 200 ms later."""
    echo = room(bot, 100, -10)
    middle = len(echo) // 4 * 2
    heard = echo[:middle] + silence(200) + echo[middle:]
    left, _ = guarded(bot, heard)
    after = middle + 16 * 700
    assert energy(left[after:]) < 0.03 * energy(heard[after:])


ELSEWHERE = pytest.mark.long("a block is lost and one doubled at two places")


@pytest.mark.every(8)
@pytest.mark.parametrize("at_ms", [1200, 4200, *(pytest.param(ms, marks=ELSEWHERE) for ms in (1900, 4800))])
@pytest.mark.parametrize("jump_ms", [-60, 60, *(pytest.param(ms, marks=ELSEWHERE) for ms in (-20, 20))])
def test_what_jumps_in_time_is_not_taken_for_a_voice_over_the_bot(bot: bytes, jump_ms: int, at_ms: int) -> None:
    """A card lost or doubled a block in the middle of a word: not three frames pass, which would begin a turn."""
    echo, at = room(bot, 150, -10), 16 * at_ms
    heard = echo[:at] + (silence(jump_ms) if jump_ms > 0 else b"") + echo[at + max(0, 16 * -jump_ms) :]
    left, _ = guarded(bot, mix(heard, noise(len(heard))))
    loud = [level_dbfs(left[i : i + FRAME]) > -45 for i in range(at, at + 16_000, FRAME)]
    assert not any(all(loud[i : i + 3]) for i in range(len(loud)))


def test_the_frame_in_which_an_echo_begins_is_turned_down_too() -> None:
    """A VAD takes half a frame for speech, and its hang-over then lasts long enough to begin a turn."""
    word = recording("quero_falar_com_o_apartamento_202")[16 * 1000 :]  # from within a vowel on
    bot = silence(500) + word
    heard = room(bot, 160, 0)  # so that a frame begins with it
    left, _ = guarded(bot, heard)
    first = next(i for i in range(0, len(heard), FRAME) if level_dbfs(heard[i : i + FRAME]) > -45)
    assert level_dbfs(left[first : first + FRAME]) < level_dbfs(heard[first : first + FRAME]) - 8


@pytest.mark.long("sound comes in frames")
def test_in_the_blocks_of_a_sound_card_too(bot: bytes) -> None:
    left, _ = guarded(bot, room(bot, 180, -10), block=882 * 2)
    assert energy(left) < 0.1 * energy(room(bot, 180, -10))


def noise(n_bytes: int, dbfs: float = -65) -> bytes:
    rng = np.random.default_rng(1)
    return bytes((rng.standard_normal(n_bytes // 2) * 32768 * 10 ** (dbfs / 20)).astype("<i2").tobytes())


@pytest.mark.every(2)
@pytest.mark.parametrize("name", ["quero_falar_com_o_apartamento_202", "sim"])
def test_with_headphones_every_word_passes(bot: bytes, name: str) -> None:
    caller = silence(500) + recording(name)
    heard = mix(caller, noise(len(caller)))
    left, guard = guarded(bot, heard)
    speech = next(i for i in range(0, len(heard), FRAME) if level_dbfs(heard[i : i + FRAME]) > -50)
    since = speech + 16 * 220
    assert left[since : len(heard)] == heard[since:]
    assert guard.turned_down_ms <= 180  # once a call, until it is known that nothing comes back


def test_who_speaks_over_the_bot_at_a_loudspeaker_is_heard(bot: bytes) -> None:
    """The caller's voice 10 dB over the echo, once the echo is known."""
    caller = recording("quero_falar_com_o_apartamento_202")
    level = level_dbfs(bot) - level_dbfs(caller)
    voice = silence(2500) + gain(caller, level)
    heard = mix(room(bot, 150, -10), voice)
    left, _ = guarded(bot, heard)
    start, end = 16 * 2500, len(voice)
    assert energy(left[start:end]) > 0.85 * energy(voice[start:end])


def test_after_the_bot_the_caller_is_not_cut(bot: bytes) -> None:
    caller = recording("sim")
    at = len(bot) + 16 * 200
    heard = mix(room(bot, 150, -10), bytes(at) + caller)
    left, _ = guarded(bot, heard)
    assert energy(left[at : at + len(caller)]) > 0.9 * energy(caller)


WORDS = ("sim", "quero_falar_com_o_apartamento_202", "", "espera_espera_nao_e_isso", "sim")
"""What the caller says over each message of the bot; "" for nothing."""


def interrupted(delay_ms: int, gain_db: float, *, stops: bool, pause_ms: int) -> tuple[bytes, bytes, list[range]]:
    """Return a call of five messages, 20 s: the bot's side, the caller's voice, and where (in bytes) he speaks.

    He speaks from 1.5 s of a message on, 10 dB over its echo. stops: the bot is interrupted by it, after 300 ms.
    pause_ms: the bot's silence before its next message.
    """
    messages = sorted((read_audio(path) for path in (ROOT / "audio" / "prompts").rglob("*.wav")), key=len)
    messages = [message for message in messages if len(message) > 16 * 2500][: len(WORDS)]
    bot, caller, spoken = bytearray(silence(500)), bytearray(), []
    for message, name in zip(messages, WORDS, strict=True):
        if name:
            loud = np.flatnonzero(np.abs(np.frombuffer(recording(name), "<i2").astype(int)) > 300)
            word = recording(name)[2 * loud[0] : 2 * loud[-1] + 2]
            caller += bytes(len(bot) + 16 * 1500 - len(caller))
            spoken.append(range(len(caller), len(caller) + len(word)))
            caller += gain(word, level_dbfs(message) + gain_db + 10 - level_dbfs(word))
        bot += message[: 16 * 1800] if name and stops else message
        bot += bytes(max(0, len(caller) - len(bot))) + silence(pause_ms)
    return bytes(bot), bytes(caller), spoken


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.every(4)
@pytest.mark.parametrize("stops", [True, False], ids=["stops", "goes on"])
@pytest.mark.parametrize(
    ("delay_ms", "gain_db"),
    [
        (30, -20),
        (150, -10),
        (400, 0),
        *(
            pytest.param(delay_ms, gain_db, marks=THREE_ROOMS)
            for delay_ms in (30, 60, 150, 250, 400)
            for gain_db in (-20, -10, -3, 0)
            if (delay_ms, gain_db) not in {(30, -20), (150, -10), (400, 0)}
        ),
    ],
)
def test_after_interruptions_the_bot_does_not_interrupt_itself(delay_ms: int, gain_db: float, stops: bool) -> None:
    """Several messages, several of them interrupted: 40 ms of echo pass at most in all, and the caller is heard."""
    late = 16 * 140  # a voice over the bot passes once 100 ms of it were compared
    for pause_ms in (1000, 3000) if (delay_ms, gain_db) == (150, -10) else (1000,):
        bot, caller, spoken = interrupted(delay_ms, gain_db, stops=stops, pause_ms=pause_ms)
        echo = room(bot, delay_ms, gain_db)
        left, _ = guarded(bot, mix(mix(echo, caller), noise(len(echo))))
        frames = range(0, len(left), FRAME)
        alone = [i for i in frames if not any(word.start - FRAME < i < word.stop for word in spoken)]
        assert sum(level_dbfs(left[i : i + FRAME]) > -45 for i in alone) <= 2
        assert sum(level_dbfs(echo[i : i + FRAME]) > -45 for i in alone) > 100
        for word in spoken:
            assert energy(left[word.start + late : word.stop]) > 0.6 * energy(caller[word.start + late : word.stop])


def test_silence_of_the_bot_turns_nothing_down() -> None:
    heard = recording("sim")
    left, guard = guarded(bytes(len(heard)), heard)
    assert left[: len(heard)] == heard
    assert guard.turned_down_ms == 0


# --- resampling, meters, the phone --------------------------------------------------------------------------------


@pytest.mark.every(5)
@pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100, 48_000, 96_000])
def test_a_tone_survives_the_way_to_a_device_and_back(rate_hz: int) -> None:
    there, back = StreamResampler(8000, rate_hz), StreamResampler(rate_hz, 8000)
    out = b"".join(back.feed(there.feed(tone(10, 1000, -12))) for _ in range(200))
    assert len(out) // 2 == pytest.approx(16_000, abs=400)
    middle = out[8000:24_000]
    assert level_dbfs(middle) == pytest.approx(-12, abs=0.5)
    spectrum = np.abs(np.fft.rfft(np.frombuffer(middle, "<i2")))
    assert np.argmax(spectrum) * 8000 / (len(middle) // 2) == pytest.approx(1000, abs=5)


def test_a_meter_jumps_up_and_falls_slowly() -> None:
    meter = LevelMeter()
    assert meter.dbfs == -120
    meter.feed(LOUD)
    assert meter.dbfs == pytest.approx(-12, abs=0.3)
    meter.feed(silence(1000))
    assert meter.dbfs == pytest.approx(-42, abs=0.5)


def test_a_bar_is_as_wide_as_it_should_be_whatever_the_level() -> None:
    for dbfs in (-120.0, -60.0, -33.3, -0.1, 0.0, 3.0):
        assert len(bar(dbfs, 20)) == 20
    assert bar(-120, 20).strip() == ""
    assert bar(0, 20) == "█" * 20
    assert bar(-30, 20) == "█" * 10 + " " * 10


def test_the_phone_sends_what_the_microphone_hears_and_nothing_when_it_is_muted() -> None:
    now = [0.0]
    phone = BufferedPhone(lambda: now[0], microphone_hz=8000, loudspeaker_hz=8000, guard=None)
    packets = []
    for i in range(50):
        now[0] = i * 0.02
        phone.muted = 20 <= i < 30
        phone.captured(LOUD)
        packets.append(phone.source(160))
    assert [i for i, packet in enumerate(packets) if packet is None] == list(range(20, 30))
    assert all(packet == LOUD for packet in packets[5:20] + packets[31:])
    assert len(phone.sent) == 40
    now[0] = 4.0
    phone.source(160)
    assert (phone.captured_at, phone.pulled_at) == (pytest.approx(0.98), 0.0)
    phone.pull(160)
    assert phone.pulled_at == 4.0


def test_the_phone_plays_what_the_bot_sends_at_any_rate() -> None:
    phone = BufferedPhone(lambda: 0.0, microphone_hz=48_000, loudspeaker_hz=48_000, guard=None)
    out = bytearray()
    for i in range(100):
        phone.hear(i * 0.02, 16_000, StreamResampler(8000, 16_000).feed(tone(20, 500, -12)) if i == 0 else bytes(640))
        out += phone.pull(960)
    assert len(out) == 100 * 960 * 2
    assert level_dbfs(bytes(out)) > -45


def test_a_piece_too_short_for_a_sample_at_the_lower_rate_is_kept_for_the_next() -> None:
    sound = tone(20, 1000, -12)  # at 48 kHz: 3.3 ms
    whole, piecewise = StreamResampler(48_000, 8000), StreamResampler(48_000, 8000)
    pieces = [piecewise.feed(sound[at : at + 2]) for at in range(0, len(sound), 2)]
    assert b"" in pieces
    assert b"".join(pieces) == whole.feed(sound)


def test_the_phone_tells_the_guard_what_the_loudspeaker_plays(bot: bytes) -> None:
    guard, bare = EchoGuard(), BufferedPhone(lambda: 0.0, microphone_hz=8000, loudspeaker_hz=8000, guard=None)
    phone = BufferedPhone(lambda: 0.0, microphone_hz=8000, loudspeaker_hz=8000, guard=guard)
    heard = room(bot, 60, -20)
    echoed = []
    for at in range(0, len(bot), FRAME):
        phone.hear(at / 16_000, 8000, bot[at : at + FRAME])
        phone.pull(FRAME // 2)
        phone.captured(heard[at : at + FRAME].ljust(FRAME, b"\0"))
        phone.source(FRAME // 2)
        echoed.append(phone.echo)
    assert any(echoed)
    assert phone.echo_ms == guard.turned_down_ms > 500
    assert phone.bot_meter.dbfs > -60
    assert phone.microphone is not bare.microphone
    assert (bare.echo, bare.echo_ms) == (False, 0)


# --- devices ------------------------------------------------------------------------------------------------------

DEVICES = [
    Device(0, "HDA Intel: ALC (hw:0,0)", "ALSA", 2, 2, 44_100),
    Device(1, "USB Headset: Audio", "ALSA", 1, 2, 48_000),
    Device(2, "HDMI 0", "ALSA", 0, 8, 48_000),
    Device(3, "default", "ALSA", 32, 32, 44_100, True, True),
]


def test_a_device_by_default_by_number_and_by_a_part_of_its_name() -> None:
    assert choose(DEVICES, None, "input").number == 3
    assert choose(DEVICES, "1", "output").number == 1
    assert choose(DEVICES, "headset", "input").number == 1
    assert choose([DEVICES[0]], None, "input").number == 0


@pytest.mark.parametrize(
    ("wanted", "line"),
    [
        (
            "hd",
            "--output hd: more than one output device fits: 0 HDA Intel: ALC (hw:0,0); 2 HDMI 0. Give its number",
        ),
        ("9", "--output 9: no such output device. There are: 0 HDA Intel"),
        ("beo", "--output beo: no such output device. There are: 0 HDA Intel"),
    ],
)
def test_a_device_that_is_not_or_is_not_alone(wanted: str, line: str) -> None:
    with pytest.raises(DeviceError) as caught:
        choose(DEVICES, wanted, "output")
    assert str(caught.value).startswith(line)


def test_an_output_device_is_not_an_input_device() -> None:
    with pytest.raises(DeviceError, match="no such input device"):
        choose(DEVICES, "HDMI", "input")
    with pytest.raises(DeviceError, match="no input device; the call needs a microphone"):
        choose([DEVICES[2]], None, "input")


def test_the_list_of_devices() -> None:
    lines = listing(DEVICES).splitlines()
    assert lines[3].split() == ["3", "default", "44100", "Hz", "ALSA", "input", "(default),", "output", "(default)"]
    assert lines[2].endswith("output")
    assert listing([]) == "this machine has no sound devices"


# --- keys ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("5", "5"),
        ("*", "*"),
        ("#", "#"),
        ("a", "A"),
        ("D", "D"),
        (" ", MUTE),
        ("q", HANG_UP),
        ("\x03", HANG_UP),
        ("R", AGAIN),
    ],
)
def test_what_a_key_means(key: str, what: str) -> None:
    assert meaning(key) == what


@pytest.mark.parametrize("key", ["e", "é", "\n", "\t", "", "12"])
def test_other_keys_mean_nothing(key: str) -> None:
    assert meaning(key) is None


async def test_without_a_terminal_there_are_no_keys() -> None:
    with TerminalKeys(lambda what: None, io.StringIO("5")) as keys:
        assert not keys.there


# --- what the server tells ----------------------------------------------------------------------------------------


def test_the_servers_events_become_the_transcript_and_the_data_of_a_scenario() -> None:
    call = CallLog()
    told = ServerEvents("the-id", lambda at_ms, source, event: call.add(at_ms, source, event) and None)
    for at, kind, fields in [
        (2.0, "state_changed", {"before": "STANDBY", "after": "IA_TURN"}),
        (4.0, "transcript_interim", {"text": "quero"}),
        (5.0, "transcript_final", {"text": "Quero sair.", "failed": False, "detail": ""}),
        (5.0, "backend_asked", {"content": "Quero sair."}),
        (5.5, "backend_answered", {"message": "Pois não.", "set_call_status": "WAITING", "latency_ms": 500}),
        (8.0, "message_pushed", {"message": "Pode sair.", "set_call_status": "STANDBY"}),
        (9.0, "transcript_final", {"text": "", "failed": False, "detail": ""}),
        (9.5, "stage_took", {"stage": "backend", "duration_ms": 500, "since_last_word_ms": None}),
        (9.6, "hold_started", {}),
        (9.9, "backend_asked", {"content": "Alô"}),
        (10.0, "backend_failed", {"kind": "unreachable", "detail": "refused"}),
    ]:
        told.take(ControlEvent(kind, at, fields))
        if kind == "transcript_interim":
            assert told.interim == "quero"
    assert told.state == "IA_TURN"
    assert told.interim == ""
    assert [" ".join(line_of(entry).split()[1:]) for entry in call.entries] == [
        "state STANDBY → IA_TURN",
        "heard “Quero sair.”",
        "backend WAITING “Pois não.” 0.50 s, reply 1",
        "backend pushes STANDBY “Pode sair.”",
        "note the server recognised nothing",
        "latency backend 0.50 s",
        "heard “Alô”",
        "backend fault: unreachable 0.10 s, reply 2",
    ]
    answered = [(asked.text, asked.answer and asked.answer.at_ms) for asked in told.exchanges]
    assert answered == [("Quero sair.", 5500), ("Alô", 10_000)]
    assert [push.body["content"]["mensagem"] for push in told.pushes] == ["Pode sair."]
    assert [r.text for r in told.recognised] == ["Quero sair.", ""]


def test_the_servers_events_are_bounded() -> None:
    call = CallLog()
    told = ServerEvents("the-id", lambda at_ms, source, event: call.add(at_ms, source, event) and None)
    for at in range(MOST_EVENTS + 5):
        told.take(ControlEvent("message_pushed", float(at), {"message": "a", "set_call_status": "WAITING"}))
    assert len(told.pushes) == MOST_EVENTS
    assert len(call.entries) == MOST_EVENTS + 1
    assert "more than 10000 events of the server" in line_of(call.entries[-1])


@pytest.mark.parametrize("payload", [bytes(65_534), bytes(320)])
def test_what_the_bot_sends_to_a_loudspeaker_that_does_not_play_is_bounded(payload: bytes) -> None:
    phone = BufferedPhone(lambda: 0.0, microphone_hz=8000, loudspeaker_hz=8000, guard=None)
    for _ in range(2_000):
        phone.hear(0.0, 8000, payload)
    assert sum(len(pcm) for _, pcm in phone._arrived) <= 8_192_000


async def test_what_is_kept_of_the_bots_sound_for_a_scenario_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MOST_SAVED_BYTES", 1_000_000)
    call = MicCall(
        MicOptions(save_scenario=Path("saved")),
        microphone_hz=8000,
        loudspeaker_hz=8000,
        bot_book=PhraseBook([]),
        hold_pcm=b"",
        on_entry=lambda entry, call: None,
    )
    for at in range(4_000):
        call._on_bot_audio(at / 50, 8000, bytes(320))
    assert sum(len(payload) for _, _, payload in call.bot_sent) <= 1_000_000
    (noted,) = [entry for entry in call.log.entries if isinstance(entry.event, Noted)]
    assert "the bot sent more than 1 MB: what follows is not in the scenario" in line_of(noted)


def test_warnings_and_failed_speech_are_notes_and_an_answer_to_no_question_is_none() -> None:
    call = CallLog()
    told = ServerEvents("the-id", lambda at_ms, source, event: call.add(at_ms, source, event) and None)
    for kind, fields in [
        ("backend_answered", {"message": "Pois não.", "set_call_status": "WAITING", "latency_ms": 5}),
        ("warned", {"what": "audio_dropped"}),
        ("synthesis_failed", {"detail": "no voice"}),
        ("another_kind", {}),
    ]:
        told.take(ControlEvent(kind, 1.0, fields))
    assert told.exchanges == []
    assert [" ".join(line_of(entry).split()[1:]) for entry in call.entries] == [
        "note the server warns: audio_dropped",
        "note the server's speech failed: no voice",
    ]


# --- the scenario -------------------------------------------------------------------------------------------------


def test_only_the_callers_own_key_mutes_the_phone_of_a_saved_scenario() -> None:
    call_log = CallLog()
    for at_ms, what in [(500, "unmute"), (1_000, "mute"), (1_400, "unmute"), (3_000, "dtmf"), (5_000, "mute")]:
        call_log.add(at_ms, Source.CALLER, CallerAction(what))
    assert mutes(call_log, end_ms=9_000) == (Muted(1_000, 1_400), Muted(5_000, None))
    assert mutes(call_log, end_ms=5_000) == (Muted(1_000, 1_400),)


# --- the screen ---------------------------------------------------------------------------------------------------


def drawn(call: MicCall, card: SimpleNamespace) -> list[str]:
    console = Console(file=io.StringIO(), width=100, force_terminal=False)
    console.print(status(call, card, keys=True))  # type: ignore[arg-type]
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()


async def test_the_screen_shows_levels_state_and_what_is_ours() -> None:
    options = MicOptions(echo_guard=False)
    entries: list[str] = []
    call = MicCall(
        options,
        microphone_hz=8000,
        loudspeaker_hz=8000,
        bot_book=PhraseBook([]),
        hold_pcm=b"",
        on_entry=lambda entry, call: entries.append(line_of(entry)),
    )
    card = SimpleNamespace(overruns=0, underruns=0)
    assert drawn(call, card)[2] == "connecting …"
    call.phone.captured(LOUD)
    call.phone.captured(LOUD)
    call.phone.source(160)
    call.leg.t0 = asyncio.get_running_loop().time()
    call.on_key("mute")
    call.server_events.take(ControlEvent("state_changed", 1.0, {"before": "STANDBY", "after": "USER_TURN"}))
    call.server_events.take(ControlEvent("transcript_interim", 1.0, {"text": "[red]quero[/red] \x1b[31msair"}))
    lines = drawn(call, SimpleNamespace(overruns=2, underruns=3))
    assert lines[0].startswith("you ▕█████████")
    assert lines[0].endswith("-12 dBFS  ·  MUTED  ·  lost by us 2×")
    assert lines[1].endswith("-120 dBFS  ·  0 ms waiting, 40 wanted  ·  late by us 3×")
    assert lines[2].endswith("s  ·  USER_TURN")
    assert lines[3].startswith("you say: [red]quero[/red]")
    assert "\x1b" not in lines[3]
    assert lines[4] == "0-9 * # A-D: press a key of the phone · space: unmute · q: hang up · r: call again"
    assert [line.split()[1:] for line in entries] == [["caller", "mute"], ["state", "STANDBY", "→", "USER_TURN"]]
    call.leg.t0 -= 5.0
    assert drawn(call, card)[4] == "nothing sent by the bot for 5 s"
    call.leg.abort()


# --- the command --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("more", [[], ["--list-devices"]])
def test_without_pyaudio_one_line_says_what_to_install(
    more: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "pyaudio", None)
    assert main(["mic", *more]) == 3
    line = capsys.readouterr().err
    assert line.count("\n") == 1
    assert "pip install 'audiosocket-sim[mic]'" in line
    assert "portaudio19-dev" in line


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (["--redact"], "--redact applies to the scenario: it needs --save-scenario DIR"),
        (["--asterisk", "22.11"], "22.11"),
    ],
)
def test_invalid_options(flags: list[str], line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mic", *flags]) == 2
    assert line in capsys.readouterr().err


def test_the_help_has_the_exit_codes_of_this_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A live call is judged by nobody: no code says that it passed, or that it was inconclusive."""
    with pytest.raises(SystemExit):
        main(["mic", "--help"])
    codes = capsys.readouterr().out.splitlines()[-1]
    page = (ROOT / "docs" / "mic.md").read_text(encoding="utf-8").split("## Exit codes")[1]
    assert re.findall(r"\b\d (?:the|Asterisk|usage)", codes) == ["0 the", "1 Asterisk", "2 usage"]
    assert re.findall(r"\b\d (?:the|Asterisk|usage)", page) == ["0 the", "1 Asterisk", "2 usage"]
    assert "inconclusive" not in codes


@pytest.mark.parametrize("flag", ["--artefacts", "--save-scenario"])
@pytest.mark.parametrize("below", ["", "below"])
def test_a_folder_that_cannot_be_written_to_is_reported_before_the_call(
    flag: str, below: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder is checked before any device or server, so neither is needed."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    folder = tmp_path / "file" / below
    assert main(["mic", flag, str(folder)]) == 3
    assert capsys.readouterr().err == f"{flag} {folder}: {tmp_path / 'file'} is no folder that can be written to\n"
