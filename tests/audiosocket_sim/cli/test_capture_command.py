"""`capture` as a program: between a caller and a server, until enough calls are written, or Ctrl-C."""

import select
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from helpers.programs import program

from audiosocket_core.messages import Kind, encode
from audiosocket_core.slin import silence
from audiosocket_sim.cli.capture import CaptureUsageError, parse_address, parse_settings
from audiosocket_sim.cli.main import main
from audiosocket_sim.live.capture import CaptureOptions
from audiosocket_sim.live.capture.call_writer import NotWritten, SubprocessWriter
from audiosocket_sim.live.capture.journal_file import JournalFile
from audiosocket_sim.live.capture.tape import Tape
from audiosocket_sim.running.runner import Options as RunOptions
from audiosocket_sim.running.runner import Outcome, run
from audiosocket_sim.scenario.loading import load

ROOT = Path(__file__).resolve().parents[3]
UUID = encode(Kind.UUID, bytes(range(16)))
FRAME = encode(Kind.SLIN8, silence(20))

BRIEF = """
summary: A call of a second and a half.
steps:
  - expect: {bot_speaks: 500ms, within: 5s}
  - hang_up: {how: close}
    after: 500ms
"""


def port_in(line: str, before: str) -> int:
    return int(line.split(before)[1].split()[0].strip(",;"))


@pytest.mark.long("calls are captured in virtual time")
@pytest.mark.real_time
def test_a_live_call_becomes_a_scenario_that_runs(tmp_path: Path) -> None:
    (tmp_path / "brief.yaml").write_text(BRIEF, encoding="utf-8")
    out = tmp_path / "captured"
    with program(
        "audiosocket_server",
        "--port",
        "0",
        "--control-port",
        "0",
        SPEECH_ENGINE="embedded",
        GREETING__DELAY_SECONDS="0.1",
    ) as server:
        assert server.stdout is not None
        ready = server.stdout.readline()
        to = port_in(ready, "127.0.0.1:")
        control = next(word.rstrip(".,;") for word in ready.split() if word.startswith("http://"))
        words = f"--listen 127.0.0.1:0 --to 127.0.0.1:{to} --calls 1 --control {control} --out"
        arguments = (*words.split(), str(out))
        with program("audiosocket_sim", "capture", *arguments) as capture:
            assert capture.stdout is not None
            port = port_in(capture.stdout.readline(), "127.0.0.1:")
            result = run(load(tmp_path / "brief.yaml"), RunOptions(target=f"tcp://127.0.0.1:{port}", real_time=True))
            told, wrong = capture.communicate(timeout=30)
    assert result.outcome is Outcome.PASSED, result.problems
    assert (capture.returncode, wrong) == (0, "")
    assert told.splitlines()[0].startswith(f"{out}/call.yaml: A captured call of ")
    command = f"python -m audiosocket_sim run {out}/call.yaml --target audiosocket_server:serve"
    assert told.splitlines()[-2:] == ["the same again:", f"  {command}"]
    again = run(load(out / "call.yaml"))
    assert again.outcome is Outcome.PASSED, again.problems
    assert load(out / "call.yaml").server["greeting"]["delay_seconds"] < 2.0  # the default


@pytest.mark.long("calls are captured in virtual time")
@pytest.mark.real_time
@pytest.mark.parametrize(
    "how",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.long("SIGHUP is sent, which is heeded alike")),
        pytest.param(signal.SIGTERM, marks=pytest.mark.long("SIGHUP is sent, which is heeded alike")),
        signal.SIGHUP,
    ],
)
def test_interrupted_it_writes_the_calls_it_had(how: signal.Signals, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bot:
        to = bot.getsockname()[1]
        arguments = ("--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{to}", "--out", str(tmp_path))
        with program("audiosocket_sim", "capture", *arguments) as capture:
            assert capture.stdout is not None
            port = port_in(capture.stdout.readline(), "127.0.0.1:")
            with socket.create_connection(("127.0.0.1", port)) as caller:
                caller.sendall(UUID + FRAME * 3)
                near, _ = bot.accept()
                with near:
                    came = b""
                    while len(came) < len(UUID + FRAME * 3):
                        came += near.recv(4096)
                    capture.send_signal(how)
                    told, wrong = capture.communicate(timeout=30)
    assert (capture.returncode, wrong) == (0, "")
    assert "the capture was stopped before its end" in told
    assert told.splitlines()[-3:] == [
        f"1 call written to {tmp_path}",
        "the same again:",
        f"  python -m audiosocket_sim run {tmp_path}/call.yaml --target tcp://127.0.0.1:{to}",
    ]


@pytest.mark.long("what is left on disk is read")
@pytest.mark.real_time
def test_killed_it_leaves_the_call_it_had_as_a_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bot:
        to = bot.getsockname()[1]
        arguments = ("--listen", "127.0.0.1:0", "--to", f"127.0.0.1:{to}", "--out", str(tmp_path))
        with program("audiosocket_sim", "capture", *arguments) as capture:
            assert capture.stdout is not None
            port = port_in(capture.stdout.readline(), "127.0.0.1:")
            with socket.create_connection(("127.0.0.1", port)) as caller:
                caller.sendall(UUID + FRAME * 50)
                wait_for(lambda: any(path.stat().st_size > 10_000 for path in tmp_path.glob("*.part")))
                capture.kill()
                _, wrong = capture.communicate(timeout=30)  # the process that writes has its end too
    assert wrong.startswith(f"{tmp_path}/call.yaml: A captured call of ")
    assert wrong.splitlines()[0].endswith("It was left behind by an earlier capture.")
    command = f"python -m audiosocket_sim run {tmp_path}/call.yaml --target tcp://127.0.0.1:{to}"
    assert wrong.splitlines()[1:] == ["the same again:", f"  {command}"]
    assert "# cut off: the call went on after this" in (tmp_path / "call.yaml").read_text(encoding="utf-8")
    assert list(tmp_path.glob("*.part")) == []
    assert main(["capture", "--recover", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"0 calls written to {tmp_path}\n"


def test_what_is_recovered_is_followed_by_the_command_to_run_next(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, ai_listen in [("door", ("127.0.0.1", 8091)), ("gate", None)]:
        to = ("192.0.2.1", 8080)
        ai_to = None if ai_listen is None else "http://192.0.2.2"
        options = CaptureOptions(("127.0.0.1", 8090), to, tmp_path, ai_listen, ai_to, name=name)
        tape = Tape(0.0, 3600.0, uuid=bytes(16).hex(), caller=[(1.0, UUID), (1.02, FRAME * 3)])
        journal = JournalFile(tape, options)
        journal.append()
        journal.close(remove=False)
    assert main(["capture", "--recover", str(tmp_path)]) == 0
    calls = " ".join(f"{tmp_path}/{name}.yaml" for name in ("door", "gate"))
    assert capsys.readouterr().out.splitlines()[2:] == [
        f"2 calls written to {tmp_path}",
        "the same again:",
        f"  python -m audiosocket_sim run {calls} --target tcp://192.0.2.1:8080",
    ]


def test_recovering_needs_a_folder_and_capturing_three_options(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["capture", "--recover", "/nowhere/at/all"]) == 2
    assert capsys.readouterr().err == "--recover /nowhere/at/all: there is no such folder\n"
    assert main(["capture", "--to", "127.0.0.1:9"]) == 2
    assert capsys.readouterr().err.startswith("--listen, --out: required. For instance: ")


def wait_for(is_so: Callable[[], bool]) -> None:
    """Return once it is so: another process makes it so."""
    while not is_so():
        select.select([], [], [], 0.02)


@pytest.mark.long("the process that writes is tried alone")
@pytest.mark.real_time
def test_a_process_that_writes_is_started_again(tmp_path: Path) -> None:
    tape = Tape(0.0, 3600.0, uuid=bytes(16).hex(), caller=[(1.0, UUID), (1.02, FRAME * 3)])
    tape.end(1.5, "caller", "fin")
    options = CaptureOptions(("", 0), ("", 0), tmp_path)
    call_writer = SubprocessWriter()
    try:
        assert call_writer.write(tape, options).line.startswith(f"{tmp_path}/call.yaml: A captured call of 0.5 s")
        call_writer._process.kill()
        call_writer._process.join()
        assert call_writer.write(tape, options).line.startswith(f"{tmp_path}/call_2.yaml: ")
        with pytest.raises(NotWritten, match="not AudioSocket"):
            call_writer.write(Tape(0.0, 3600.0), options)
    finally:
        call_writer.close()
    assert not call_writer._process.is_alive()


@pytest.mark.long("it starts a process")
@pytest.mark.real_time
@pytest.mark.parametrize("flag", ["--listen", "--ai-listen"])
def test_a_port_that_is_taken_is_a_fault_of_the_set_up(
    flag: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        places = {"--listen": "127.0.0.1:0", "--ai-listen": "127.0.0.1:0", flag: f"127.0.0.1:{port}"}
        flags = [word for pair in places.items() for word in pair]
        to = ["--to", "127.0.0.1:9", "--ai-to", "http://127.0.0.1:9", "--out", str(tmp_path)]
        code = main(["capture", *flags, *to])
    assert code == 3
    told = capsys.readouterr().err
    assert told == f"port {port} on 127.0.0.1 is in use: end what listens there, or choose another with {flag}\n"


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--to", "nowhere"], "--to nowhere: expected HOST:PORT, such as 127.0.0.1:8090"),
        (["--to", "127.0.0.1:0"], "--to 127.0.0.1:0: expected HOST:PORT, such as 127.0.0.1:8090"),
        (["--to", "tcp://host:8080"], "--to tcp://host:8080: expected HOST:PORT, such as 127.0.0.1:8090"),
        (
            ["--ai-listen", "127.0.0.1:0"],
            "--ai-listen and --ai-to must be given together: where the server asks, and who answers",
        ),
        (["--control", "localhost"], "--control localhost: expected a URL, such as http://127.0.0.1:8000"),
        (["--server", "barge"], "--server barge: expected KEY.KEY=VALUE, such as system.barge_in=true"),
        (
            ["--listen", "127.0.0.1:8090", "--to", "localhost:8090"],
            "--to localhost:8090 is the capture itself (--listen): give the address at which the bot listens",
        ),
        (
            ["--ai-listen", "0.0.0.0:8091", "--ai-to", "http://127.0.0.1:8091/v1"],
            "--ai-to 127.0.0.1:8091 is the capture itself (--ai-listen): give the address at which the AI backend "
            "listens",
        ),
        (["--name", "a/b"], "--name a/b: expected letters, digits, _ and - only, for a file's name"),
    ],
)
def test_invalid_options_are_reported_in_one_line(
    more: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = ["capture", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", "--out", str(tmp_path)]
    assert main([*usual, *more]) == 2
    assert capsys.readouterr().err == f"{told}\n"


def test_an_unknown_asterisk_names_the_known_ones(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usual = ["capture", "--listen", "127.0.0.1:0", "--to", "127.0.0.1:9", "--out", str(tmp_path)]
    assert main([*usual, "--asterisk", "19"]) == 2
    assert "known: 20.6" in capsys.readouterr().err


def test_settings_are_read_as_the_scenario_has_them() -> None:
    given = ["system.barge_in=true", "system.silence_threshold_seconds=1.5", "greeting.message=Alô"]
    assert parse_settings(given) == {
        "system": {"barge_in": True, "silence_threshold_seconds": 1.5},
        "greeting": {"message": "Alô"},
    }
    with pytest.raises(CaptureUsageError):
        parse_settings(["system=1", "system.barge_in=true"])


def test_an_address_may_be_a_port_alone() -> None:
    assert parse_address("8090", "--listen") == ("127.0.0.1", 8090)
    assert parse_address("[::1]:8090", "--listen") == ("::1", 8090)
