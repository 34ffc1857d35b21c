"""A sound card without hardware: PulseAudio with null sinks, in a folder of its own; and programs that are waited for.

`speaker` is the virtual loudspeaker, `micfeed` is what the virtual microphone hears. Nothing here waits for a time: for
a line that a program says, or for its end.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from queue import Empty, Queue

import pytest

from audiosocket_core.slin import read_audio
from audiosocket_core.wav import wav_bytes

ROOT = Path(__file__).resolve().parents[2]
LONGEST_WAIT_SECONDS = 60
PROGRAMS = ("pulseaudio", "pactl", "pacat", "paplay", "parecord")

SOONER = ("nice", "-n", "-10") if os.geteuid() == 0 else ()
"""In front of a command: before other programs, where we may. A machine of tests is busier than a caller's."""

needs_sound = [
    pytest.mark.mic,
    pytest.mark.real_time,
    pytest.mark.timeout(300),  # they take turns with groups of calls
    pytest.mark.skipif(find_spec("pyaudio") is None, reason="no PyAudio: pip install 'audiosocket-sim[mic]'"),
    pytest.mark.skipif(
        not all(map(shutil.which, PROGRAMS)), reason="no PulseAudio: apt install pulseaudio pulseaudio-utils"
    ),
]

_ALSA = """
pcm.virtmic { type pulse device "virtmic" hint { show on description "virtual microphone" } }
pcm.virtspk { type pulse device "speaker" hint { show on description "virtual loudspeaker" } }
pcm.!default { type asym playback.pcm "virtspk" capture.pcm "virtmic" }
ctl.!default { type pulse }
"""


class Program:
    """A program whose lines on stdout (and stderr) can be waited for."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.lines: list[str] = []
        self._new: Queue[str | None] = Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._new.put(line.decode("utf-8", "replace").rstrip("\n"))
        self._new.put(None)

    def until(self, *parts: str) -> str:
        """The next line that holds one of these. Fails if the program ends without it, or says nothing for too long."""
        wanted = " or ".join(map(repr, parts))
        while (line := self._next(f"{wanted} never came")) is not None:
            if any(part in line for part in parts):
                return line
        pytest.fail(f"it ended, and {wanted} never came:\n{self.text}")

    @property
    def waited_ms(self) -> float:
        """How long its threads were ready to run and had no processor, in all."""
        return run_delay_ms(self.process.pid)

    def finish(self) -> int:
        """Wait for its end; all that it said is in `lines` then. Its exit code."""
        while self._next("it did not end") is not None:
            pass
        return self.process.wait(LONGEST_WAIT_SECONDS)

    def _next(self, else_told: str) -> str | None:
        try:
            line = self._new.get(timeout=LONGEST_WAIT_SECONDS)
        except Empty:
            pytest.fail(f"{else_told}, and nothing came for {LONGEST_WAIT_SECONDS} s:\n{self.text}")
        if line is not None:
            self.lines.append(line)
        return line

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


@contextmanager
def running(*command: str | Path, env: Mapping[str, str] | None = None, **how: object) -> Iterator[Program]:
    """A program of this project, until the `with` ends: then SIGTERM."""
    process = subprocess.Popen(
        [*map(str, command)],
        cwd=ROOT,
        env={**os.environ, **(env or {}), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        **how,  # type: ignore[call-overload]
    )
    try:
        yield Program(process)
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()


class Sound:
    """The virtual sound card. `env` leads every program to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "asound.conf").write_text(_ALSA)
        self.env = {"PULSE_SERVER": f"unix:{folder}/pulse.sock", "ALSA_CONFIG_PATH": str(folder / "asound.conf")}
        self._own = {
            **os.environ,
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(folder),
            "PULSE_RUNTIME_PATH": str(folder),
        }
        self._programs: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        modules = (
            f"module-native-protocol-unix socket={self.folder}/pulse.sock auth-anonymous=1",
            "module-null-sink sink_name=micfeed rate=48000 channels=1",
            "module-remap-source source_name=virtmic master=micfeed.monitor channels=1 rate=48000",
            "module-null-sink sink_name=speaker rate=48000 channels=1",
        )
        flags = ["--exit-idle-time=-1", "--realtime=no", "--high-priority=yes", "--use-pid-file=yes"]
        loaded = [word for module in modules for word in ("-L", module)]
        command = ["pulseaudio", "-n", "--daemonize=yes", *flags, *loaded]  # returns when all is there
        subprocess.run(command, env=self._own, check=True, capture_output=True)
        # A null sink renders two seconds ahead, so that the first sound comes late, unless somebody is in a hurry.
        for sink in ("speaker", "micfeed"):
            awake = ["pacat", "--playback", f"--device={sink}", "--latency-msec=20", "--rate=8000", "--channels=1"]
            self._start(*awake, "/dev/zero")

    def stop(self) -> None:
        for program in self._programs:
            program.terminate()
            program.wait()
        pid = int((self.folder / "pid").read_text())
        os.kill(pid, signal.SIGTERM)

    @property
    def waited_ms(self) -> float:
        """How long the threads of the sound card were ready to run and had no processor, in all."""
        return run_delay_ms(int((self.folder / "pid").read_text()))

    def _start(self, *command: str) -> "subprocess.Popen[bytes]":
        quiet = subprocess.DEVNULL
        program = subprocess.Popen(command, env={**os.environ, **self.env}, stdin=quiet, stdout=quiet, stderr=quiet)
        self._programs.append(program)
        return program

    def say(self, recording: str) -> None:
        """Speak it into the microphone; returns when it is said."""
        self._play("micfeed", recording)

    def say_after(self, silent_seconds: float, recording: str) -> None:
        """As `say`, with silence before it: the card's clock counts it, whatever this machine does."""
        path = self.folder / "after.wav"
        path.write_bytes(wav_bytes(bytes(round(silent_seconds * 8000) * 2) + read_audio(_recording(recording)), 8000))
        self._play_file("micfeed", path)

    def _play(self, sink: str, recording: str) -> None:
        self._play_file(sink, _recording(recording))

    def _play_file(self, sink: str, path: Path) -> None:
        subprocess.run(["paplay", f"--device={sink}", path], env={**os.environ, **self.env}, check=True)

    @contextmanager
    def recorded(self) -> Iterator[Path]:
        """What the loudspeaker plays, as a WAV of 8 kHz; whole when the `with` has ended."""
        path = self.folder / "heard.wav"
        wav = ["--rate=8000", "--channels=1", "--format=s16le", "--file-format=wav"]
        recorder = self._start("parecord", "--latency-msec=20", "--device=speaker.monitor", *wav, str(path))
        try:
            yield path
        finally:
            recorder.send_signal(signal.SIGINT)
            recorder.wait(10)
            self._programs.remove(recorder)

    @contextmanager
    def looped(self, gain_db: float = 0.0) -> Iterator[None]:
        """An open loudspeaker: the microphone hears it, so much louder than played."""
        room = ("source=speaker.monitor", "sink=micfeed", "latency_msec=60", "adjust_time=0")  # which stretches no time
        loop = ["pactl", "load-module", "module-loopback", *room]
        env = {**os.environ, **self.env}
        number = subprocess.run(loop, env=env, check=True, capture_output=True, text=True).stdout.strip()
        try:
            inputs = ["pactl", "list", "sink-inputs"]
            listed = subprocess.run(inputs, env=env, check=True, capture_output=True, text=True)
            own = next(one for one in listed.stdout.split("Sink Input #") if f"Owner Module: {number}\n" in one)
            volume = ["pactl", "set-sink-input-volume", own.split(maxsplit=1)[0], f"{gain_db}dB"]
            subprocess.run(volume, env=env, check=True)
            self._play("speaker", "pt-br/quero_falar_com_o_apartamento_202")  # a new loop's delay is still moving
            yield
        finally:
            subprocess.run(["pactl", "unload-module", number], env=env, check=True)


def _recording(name: str) -> Path:
    return ROOT / "recordings" / f"{name}.wav"


def run_delay_ms(pid: int) -> float:
    """The run delay of all threads of a process (second figure of schedstat) in ms; 0 where the system has none."""
    total = 0.0
    for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError, IndexError):
            total += int(path.read_bytes().split()[1]) / 1e6
    return total


@contextmanager
def virtual_sound_card() -> Iterator[Sound]:
    """In a folder of a short name: the path of a socket is short."""
    with tempfile.TemporaryDirectory(prefix="pa") as folder:
        sound = Sound(Path(folder))
        sound.start()
        try:
            yield sound
        finally:
            sound.stop()


def heard(path: Path) -> bytes:
    return read_audio(path)


PYTHON = sys.executable
