"""Calls with the microphone client through a virtual sound card, into `python -m audiosocket_server`: nothing is
simulated but the hardware, and the AI behind the server.
"""

import fcntl
import json
import os
import re
import signal
import subprocess
import termios
import wave
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from helpers.mic_bench import PYTHON, ROOT, SOONER, Program, Sound, heard, needs_sound, running, virtual_sound_card

from audiosocket_core.phrase_book.book import Phrase, PhraseBook
from audiosocket_core.slin import level_dbfs
from audiosocket_sim.call_log.events import BackendAsked
from audiosocket_sim.running.runner import Options, Outcome, run
from audiosocket_sim.scenario.loading import load

pytestmark = needs_sound

GREETING = "Condomínio Apoena, em que posso ajudar?"
ASKED = "Quero falar com o apartamento 202, por favor."
ANSWER = "A autorização foi confirmada, pode entrar."
PROMPTS = PhraseBook.load(ROOT / "audio" / "prompts")
SAID = "pt-br/quero_falar_com_o_apartamento_202"
TOKEN = "a-token-of-the-tests"
AI = f"""
summary: The AI lets everybody in.
ai:
  - hears: apartamento 202
    says: {ANSWER}
    set_call_status: STANDBY
steps:
  - wait: 1s
"""


@pytest.fixture(autouse=True)
def alone(one_at_a_time: None) -> None:
    """A microphone that gets too little processor time loses sound, and the bot does not understand it."""


@pytest.fixture(scope="module")
def sound() -> Iterator[Sound]:
    with virtual_sound_card() as card:
        yield card


@dataclass
class Served:
    port: str
    control_url: str

    def events(self) -> list[dict[str, Any]]:
        """Return the events of the newest call, which has ended."""
        calls = self._get("/calls").json()["calls"]
        stream = self._get(f"/calls/{calls[-1]['number']}/events").text
        return [json.loads(line.removeprefix("data:")) for line in stream.splitlines() if line.startswith("data:")]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events() if event["type"] == kind]

    def _get(self, path: str) -> httpx.Response:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        return httpx.get(f"{self.control_url}{path}", headers=headers, trust_env=False, verify=False, timeout=30)


@contextmanager
def server(folder: Path, **settings: str) -> Iterator[Served]:
    """The reference server and a mock AI, both as programs of their own."""
    script = folder / "the_ai.yaml"
    script.write_text(AI, encoding="utf-8")
    with ExitStack() as stack:
        ai = stack.enter_context(running(PYTHON, "-m", "audiosocket_sim", "mock-ai", script, "--port", "0"))
        ai_url = re.search(r"http://\S+?(?=,)", ai.until("mock AI on"))
        assert ai_url
        env = {
            "AI_API_URL": ai_url[0],
            "SPEECH_ENGINE": "embedded",
            "ENDPOINTING__ENGINE": "webrtc",
            "SILENCE_THRESHOLD_SECONDS": "1",
            "GREETING__DELAY_SECONDS": "0.5",
            "CONTROL_TOKEN": TOKEN,
            **settings,
        }
        command = (PYTHON, "-m", "audiosocket_server", "--port", "0", "--control-port", "0", "--loop", "asyncio")
        program = stack.enter_context(running(*command, env=env))
        ready = re.search(
            r"AudioSocket on 127\.0\.0\.1:(\d+), control API and debug page on (\S+)", program.until("debug")
        )
        assert ready
        yield Served(ready[1], ready[2])


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with server(tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture(scope="module")
def open_eared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """With barge-in on and its own guard off, the bot's greeting interrupts itself where it hears itself."""
    settings = {"SYSTEM__BARGE_IN": "true", "ENDPOINTING__ECHO_GUARD": "false"}
    with server(tmp_path_factory.mktemp("open_eared"), **settings) as found:
        yield found


@contextmanager
def mic(sound: Sound, served: Served, folder: Path, *more: str, keyboard: int | None = None) -> Iterator[Program]:
    command = (
        *SOONER,
        *(PYTHON, "-m", "audiosocket_sim", "mic", "--port", served.port, "--control-url", served.control_url),
        *("--input", "virtmic", "--output", "virtspk", "--artefacts", str(folder / "runs"), *more),
    )
    lead = {} if keyboard is None else {"preexec_fn": lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)}
    with running(
        *command,
        env={**sound.env, "CONTROL_TOKEN": TOKEN},
        stdin=subprocess.DEVNULL if keyboard is None else keyboard,
        start_new_session=True,
        **lead,
    ) as program:
        yield program


@contextmanager
def understood(sound: Sound, served: Served, folder: Path, *more: str) -> Iterator[tuple[Program, Path]]:
    """A call in which SAID was said and recognised, and its folder.

    The engine knows the whole recording only. Where the machine kept the sound's threads from a processor, and nothing
    was recognised, the caller calls again: what was lost then is no fault of the program. Otherwise it is one.
    """
    for attempt in range(5):
        own = folder / f"call-{attempt}"
        with mic(sound, served, own, *(word.replace("FOLDER", str(own)) for word in more)) as call:
            call.until("IA_TURN → USER_TURN")
            before_ms = call.waited_ms + sound.waited_ms
            sound.say(SAID)
            if ASKED in call.until(f"“{ASKED}”", "recognised nothing"):
                yield call, own
                return
            waited_ms = call.waited_ms + sound.waited_ms - before_ms
            assert waited_ms > 10, f"not understood, and the threads waited for {waited_ms:.1f} ms only:\n{call.text}"
    pytest.fail("the machine was too busy for a sound card, five times")


def share_of(phrase: Phrase | None, pcm: bytes) -> float:
    """Return the share of a phrase's 100 ms pieces in the sound. Gaps do not count: a loaded machine interrupts it."""
    assert phrase is not None
    sound = np.frombuffer(pcm, "<i2").astype(np.float64)
    sums = np.concatenate([[0.0], np.cumsum(sound * sound)])
    samples = np.frombuffer(phrase.pcm, "<i2").astype(np.float64)
    pieces = [samples[i : i + 800] for i in range(0, len(samples) - 799, 800)]
    loud = [piece for piece in pieces if np.mean(piece * piece) > 100_000]
    size = 1 << (len(sound) + 800).bit_length()
    spectrum = np.fft.rfft(sound, size)
    found = 0
    for piece in loud:
        products = np.fft.irfft(spectrum * np.fft.rfft(piece, size).conj(), size)[: len(sound) - 799]
        energy = sums[800:] - sums[:-800] + 1.0
        found += bool(np.max(products / np.sqrt(energy * (piece @ piece))) > 0.9)
    return found / len(loud)


def left_and_right(path: Path) -> tuple[bytes, bytes]:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 8000, 2)
        both = file.readframes(file.getnframes())
    pairs = memoryview(both).cast("h")
    return bytes(pairs[0::2].tobytes()), bytes(pairs[1::2].tobytes())


def test_a_recording_played_into_the_microphone_becomes_a_whole_call(
    sound: Sound, served: Served, tmp_path: Path
) -> None:
    with sound.recorded() as loudspeaker, understood(sound, served, tmp_path) as (call, folder):
        call.until("the call ended after")
        assert call.finish() == 0, call.text
    assert [event["content"] for event in served.of("backend_asked")] == [ASKED]
    assert share_of(PROMPTS.by_text(GREETING), heard(loudspeaker)) > 0.8
    assert share_of(PROMPTS.by_text(ANSWER), heard(loudspeaker)) > 0.8
    assert share_of(PROMPTS.by_text("Qual é o seu nome?"), heard(loudspeaker)) < 0.1
    assert f"“{ASKED}”" in call.text
    assert "server hung up (00 00 00); last word heard; the dialplan continues" in call.text
    run = folder / "runs" / "mic-1"
    assert oct((run).stat().st_mode)[-3:] == "700"
    caller, bot = left_and_right(run / "call.wav")
    assert share_of(PROMPTS.by_text(GREETING), bot) > 0.8
    assert share_of(PROMPTS.by_text(ANSWER), bot) > 0.8
    assert level_dbfs(caller) > -40
    transcript = (run / "transcript.txt").read_text(encoding="utf-8")
    assert [line for line in transcript.splitlines() if " bot " in line and GREETING in line]
    log = [json.loads(line) for line in (run / "call.jsonl").read_text(encoding="utf-8").splitlines()]
    assert log[-1]["type"] == "CallEnded"


@pytest.mark.parametrize("flags", [(), ("--redact",)], ids=["as it was", "redacted"])
def test_the_call_becomes_a_scenario_that_passes_in_virtual_time(
    flags: tuple[str, ...], sound: Sound, served: Served, tmp_path: Path
) -> None:
    with understood(sound, served, tmp_path, "--save-scenario", "FOLDER/saved", *flags) as (call, own):
        call.until("mic_call.yaml")
        assert call.finish() == 0, call.text
    folder = own / "saved"
    written = (folder / "mic_call.yaml").read_text(encoding="utf-8")
    assert ("apartamento 202" in written) is not bool(flags)
    result = run(load(folder / "mic_call.yaml"), Options())
    assert result.outcome is Outcome.PASSED, (result.problems, written)
    said = [entry.event.content for entry in result.entries if isinstance(entry.event, BackendAsked)]
    assert said == ["utterance 1" if flags else ASKED]


def test_keys_mute_and_a_clean_end_by_ctrl_c(sound: Sound, served: Served, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    before = termios.tcgetattr(theirs)
    try:
        with mic(sound, served, tmp_path, keyboard=theirs) as call:
            call.until("IA_TURN → USER_TURN")
            os.write(ours, b"5\x1b[A#")  # an arrow's letter is no key
            call.until("dtmf #")
            os.write(ours, b" ")
            call.until("mute")
            sound.say(SAID)
            os.write(ours, b"\x03")
            call.until("the call ended after")
            assert call.finish() == 0, call.text
        assert [event["digit"] for event in served.of("dtmf_received")] == ["5", "#"]
        assert served.of("speech_started") == []
        assert served.events()[-1]["by"] == "caller"
        assert termios.tcgetattr(theirs) == before
    finally:
        os.close(ours)
        os.close(theirs)
    assert "caller hung up" in call.text
    caller, bot = left_and_right(tmp_path / "runs" / "mic-1" / "call.wav")
    assert share_of(PROMPTS.by_text(GREETING), bot) > 0.8
    assert level_dbfs(caller) < -60


def test_r_calls_again_with_the_same_devices(sound: Sound, served: Served, tmp_path: Path) -> None:
    ours, theirs = os.openpty()
    try:
        with mic(sound, served, tmp_path, keyboard=theirs) as call:
            call.until("STANDBY → IA_TURN")
            os.write(ours, b"r")
            call.until("the call ended after")
            call.until("STANDBY → IA_TURN")
            os.write(ours, b"q")
            assert call.finish() == 0, call.text
    finally:
        os.close(ours)
        os.close(theirs)
    assert [(tmp_path / "runs" / f"mic-{n}" / "call.wav").exists() for n in (1, 2, 3)] == [True, True, False]


def test_without_a_terminal_the_call_ends_by_itself(sound: Sound, served: Served, tmp_path: Path) -> None:
    with mic(sound, served, tmp_path, "--for", "1.5") as call:
        assert call.finish() == 0, call.text
    assert served.events()[-1]["by"] == "caller"
    assert "\x1b" not in call.text


def test_sigterm_hangs_up(sound: Sound, served: Served, tmp_path: Path) -> None:
    with mic(sound, served, tmp_path) as call:
        call.until("STANDBY → IA_TURN")
        call.process.send_signal(signal.SIGTERM)
        assert call.finish() == 0, call.text
    assert (tmp_path / "runs" / "mic-1" / "call.wav").exists()


@pytest.mark.parametrize("guard", [True, False], ids=["with the guard", "without"])
def test_an_open_loudspeaker(guard: bool, sound: Sound, open_eared: Served, tmp_path: Path) -> None:
    flags = ("--for", "6") if guard else ("--for", "6", "--no-echo-guard")
    with sound.looped(), mic(sound, open_eared, tmp_path, *flags) as call:
        assert call.finish() == 0, call.text
    assert bool(open_eared.of("speech_started")) is not guard
    assert [event["complete"] for event in open_eared.of("playback_finished")] == [guard]
    assert ("turned down in the microphone" in call.text) is guard


def test_after_an_interruption_the_bot_does_not_interrupt_itself(
    sound: Sound, open_eared: Served, tmp_path: Path
) -> None:
    """The caller speaks over the greeting; the echo of the bot's next message is not let through."""
    for attempt in range(5):
        folder = tmp_path / f"call-{attempt}"
        with sound.looped(-10), mic(sound, open_eared, folder, "--for", "60") as call:
            call.until("STANDBY → IA_TURN")
            before_ms = call.waited_ms + sound.waited_ms
            sound.say_after(1.5, SAID)  # the greeting begins after 0.5 s
            if ASKED not in call.until(f"“{ASKED}”", "recognised nothing"):
                sound.say(SAID)  # its beginning may be lost: it could have been the bot's voice
            call.until("the call ended after")
            waited_ms = call.waited_ms + sound.waited_ms - before_ms
            assert call.finish() == 0, call.text
        complete = [event["complete"] for event in open_eared.of("playback_finished")]
        echo_ms = loud_ms_since_the_last_answer(folder / "runs" / "mic-1")
        if complete[0] is False and all(complete[1:]) and echo_ms <= 40:
            return
        assert waited_ms > 3000, (
            f"{complete}, {echo_ms} ms, and the threads waited for {waited_ms:.0f} ms:\n{call.text}"
        )
    pytest.fail("the machine was too busy for a sound card, five times")


def loud_ms_since_the_last_answer(run: Path) -> int:
    """How much the caller's side of a call holds that is over -45 dBFS, from the bot's last message on."""
    log = [json.loads(line) for line in (run / "call.jsonl").read_text(encoding="utf-8").splitlines()]
    began_ms = max(entry["at_ms"] for entry in log if entry["type"] == "BotSpoke")
    caller, _ = left_and_right(run / "call.wav")
    return 20 * sum(level_dbfs(caller[at : at + 320]) > -45 for at in range(16 * began_ms, len(caller), 320))


def test_without_its_token_the_server_reports_nothing_and_the_call_goes_on(
    sound: Sound, served: Served, tmp_path: Path
) -> None:
    with mic(sound, served, tmp_path, "--for", "1.5", "--control-token", "another token") as call:
        assert call.finish() == 0, call.text
    assert "it needs a token, or another one: --control-token, or CONTROL_TOKEN in the environment" in call.text
    assert "another token" not in call.text
    assert "state " not in call.text


def test_nobody_listens(sound: Sound, tmp_path: Path) -> None:
    with mic(sound, Served("1", "http://127.0.0.1:1"), tmp_path) as call:
        assert call.finish() == 3
    assert call.lines[-1].startswith("no server answers at 127.0.0.1:1: ")


def test_no_such_device(sound: Sound, tmp_path: Path) -> None:
    with mic(sound, Served("1", "http://127.0.0.1:1"), tmp_path, "--input", "studio") as call:
        assert call.finish() == 3
    assert call.text.startswith("--input studio: no such input device. There are: ")
    assert len(call.lines) == 1


def test_the_devices_are_checked(sound: Sound) -> None:
    command = (PYTHON, "-m", "audiosocket_sim", "mic", "--check", "--input", "virtmic", "--output", "virtspk")
    with sound.looped(-10), running(*SOONER, *command, env=sound.env) as check:
        check.until("now speak")
        sound.say(SAID)
        assert check.finish() == 0
    assert re.search(r"^loop +\d+ ms from loudspeaker to microphone, -2\d dBFS", check.lines[-1]), check.text
    assert re.search(r"^voice +-\d+ dBFS, \d+ dB over the room", check.lines[-3]), check.text


def test_the_devices_are_listed(sound: Sound) -> None:
    with running(PYTHON, "-m", "audiosocket_sim", "mic", "--list-devices", env=sound.env) as listing:
        assert listing.finish() == 0
    assert re.search(r"virtmic +44100 Hz +ALSA +input", listing.text)
    assert "ALSA lib" not in listing.text
