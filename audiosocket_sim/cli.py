"""The command line: what is asked, and what a person is told. Exit codes: 0 pass, 1 failed, 2 usage or invalid
scenario, 3 set-up, 4 inconclusive."""

import argparse
import gc
import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from audiosocket_sim.output import guarded_output

if TYPE_CHECKING:
    from pydantic import SecretStr

__all__ = ["main"]

_USAGE = 2
_INTERRUPTED = 4
_EXIT_CODES = "exit codes: 0 pass, 1 failed, 2 usage or invalid scenario, 3 set-up, 4 inconclusive"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # half characters, and terminals without accents
    with guarded_output() as end_of_output:
        try:
            options = _parser().parse_args(arguments)
            code: int = options.command(options)
        except KeyboardInterrupt:
            sys.stderr.write("interrupted\n")
            code = _INTERRUPTED
        except SystemExit as left:  # --help, and what argparse refuses
            sys.exit(end_of_output() or left.code)
        return end_of_output() or code


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: 0 to 65535")
    return port


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text} is no time: more than 0 s, a day at most")
    return seconds


def _count(text: str) -> int:
    count = int(text)
    if not 0 < count <= 100_000:
        raise argparse.ArgumentTypeError(f"{text}: a number from 1 to 100000 was expected")
    return count


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m audiosocket_sim",
        description="Whole phone calls as tests, for bots on Asterisk's AudioSocket.",
        epilog=f"example: python -m audiosocket_sim run greeting_then_hold.yaml\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    _add_mic(commands)
    _add_mock_ai(commands)
    _add_doctor(commands)
    _add_capture(commands)
    _add_fake_azure(commands)
    _add_schema(commands)
    _add_add_recording(commands)
    return parser


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, about: str, example: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=about,
        description=about,
        epilog=f"example: python -m audiosocket_sim {example}\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


# --- run ----------------------------------------------------------------------------------------------------------


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(commands, "run", "run scenarios, and show each call", "run greeting_then_hold.yaml")
    parser.add_argument("scenarios", nargs="+", metavar="SCENARIO", help="a YAML file, or a bare name in scenarios/")
    parser.add_argument(
        "--target",
        default="server:serve",
        help="module:callable (in this process), 'command: PROGRAM … {port}', or tcp://HOST:PORT (%(default)s)",
    )
    parser.add_argument("--control-url", help="of the target, where it has one and does not tell (docs/targets.md)")
    _add_control_token(parser)
    parser.add_argument("--ai-port", type=_port, default=0, help="the mock AI's port, for a target that cannot be told")
    parser.add_argument("--real-time", action="store_true", help="on the real clock (always so out of process)")
    parser.add_argument(
        "--peer",
        choices=["simulated", "asterisk"],
        default="simulated",
        help="who calls: the simulated Asterisk, or a real one, in real time (docs/asterisk.md)",
    )
    parser.add_argument(
        "--artefacts", type=Path, default=Path("runs"), help="folder for log and recording (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a scenario on stdout, all else on stderr")
    parser.add_argument("-v", "--verbose", action="store_true", help="with the server's log, on stderr")
    parser.set_defaults(command=_run)


def _run(options: argparse.Namespace) -> int:
    is_start = "audiosocket_sim.run_command" not in sys.modules
    if is_start:
        gc.disable()  # what is imported stays: to look through it for garbage takes a quarter of the start
    from audiosocket_sim.run_command import run_command

    if is_start:
        gc.freeze()
        gc.enable()
    return run_command(
        options.scenarios,
        target=options.target,
        control_url=options.control_url,
        control_token=_control_token(options),
        peer=options.peer,
        real_time=options.real_time,
        ai_port=options.ai_port,
        artefacts=options.artefacts,
        as_json=options.json,
        verbose=options.verbose,
    )


def _add_control_token(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--control-token",
        metavar="TOKEN",
        help="for a control URL that asks for one; better as CONTROL_TOKEN in the environment",
    )


def _control_token(options: argparse.Namespace) -> "SecretStr | None":
    """The flag, else the environment; never shown."""
    from pydantic import SecretStr

    from audiosocket_sim.control import token_from_environment

    return SecretStr(options.control_token) if options.control_token else token_from_environment()


# --- mic ----------------------------------------------------------------------------------------------------------


def _add_mic(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "mic",
        "call a server with this machine's microphone and loudspeaker, as Asterisk would",
        "mic --host 127.0.0.1 --port 8080",
    )
    parser.add_argument("--host", default="127.0.0.1", help="of the AudioSocket server (%(default)s)")
    parser.add_argument("--port", type=_port, default=8080, help="of the AudioSocket server (%(default)s)")
    parser.add_argument(
        "--list-devices", action="store_true", help="the microphones and loudspeakers there are, and end"
    )
    parser.add_argument("--input", metavar="DEVICE", help="the microphone: its number, or a part of its name")
    parser.add_argument("--output", metavar="DEVICE", help="the loudspeaker: its number, or a part of its name")
    parser.add_argument("--asterisk", default="22.10", metavar="VERSION", help="whose manners are kept (%(default)s)")
    parser.add_argument("--attach", choices=["app", "chan"], default="app", help="as application or channel driver")
    parser.add_argument(
        "--control-url", help="where the server tells states and texts (http://127.0.0.1:8081 on loopback)"
    )
    _add_control_token(parser)
    parser.add_argument("--no-echo-guard", action="store_true", help="do not turn the bot down in the microphone")
    parser.add_argument(
        "--for", dest="seconds", type=_seconds, default=7200.0, metavar="SECONDS", help="then hang up (%(default)s)"
    )
    parser.add_argument(
        "--artefacts", type=Path, default=Path("runs"), help="folder for log and recording (%(default)s)"
    )
    parser.add_argument("--save-scenario", type=Path, metavar="DIR", help="write the call there as a scenario")
    parser.add_argument("--redact", action="store_true", help="no text, digit or voice of yours in that scenario")
    parser.set_defaults(command=_mic)


def _mic(options: argparse.Namespace) -> int:
    from audiosocket_sim.mic.command import MicOptions, list_devices_command, mic_command

    if options.list_devices:
        return list_devices_command()
    if options.redact and options.save_scenario is None:
        sys.stderr.write("--redact is of the scenario: it needs --save-scenario DIR\n")
        return _USAGE
    return mic_command(
        MicOptions(
            host=options.host,
            port=options.port,
            input=options.input,
            output=options.output,
            version=options.asterisk,
            attach=options.attach,
            control_url=options.control_url,
            control_token=_control_token(options),
            echo_guard=not options.no_echo_guard,
            seconds=options.seconds,
            artefacts=options.artefacts,
            save_scenario=options.save_scenario,
            redact=options.redact,
        )
    )


# --- the others ---------------------------------------------------------------------------------------------------


def _add_mock_ai(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands, "mock-ai", "run the mock AI backend of a scenario alone", "mock-ai greeting_then_hold.yaml"
    )
    parser.add_argument("scenario", help="the YAML file whose `ai:` is played, or a bare name in scenarios/")
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    parser.add_argument("--port", type=_port, default=8000, help="where to listen (%(default)s)")
    parser.add_argument("--control-url", default="http://127.0.0.1:8081", help="where pushes go (%(default)s)")
    _add_control_token(parser)
    parser.set_defaults(command=_mock_ai)


def _mock_ai(options: argparse.Namespace) -> int:
    from audiosocket_sim.mock_ai_command import mock_ai_command

    return mock_ai_command(options.scenario, options.host, options.port, options.control_url, _control_token(options))


def _add_fake_azure(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "fake-azure",
        "run a fake Azure Speech service, for the unmodified Speech SDK",
        "fake-azure --port 9090 --faults faults.yaml",
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="where to listen; 0, the default: any free port")
    parser.add_argument(
        "--phrase-book",
        dest="phrase_books",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="with manifest.yaml: what is recognised, and spoken in its own voice (the project's own otherwise)",
    )
    parser.add_argument(
        "--recogniser",
        metavar="MODULE:CALLABLE",
        help="recognise with this instead of the phrase book (docs/speech.md)",
    )
    parser.add_argument("--faults", type=Path, metavar="FILE.yaml", help="what goes wrong, by key (docs/speech.md)")
    parser.add_argument("-v", "--verbose", action="store_true", help="with the fake's own log, on stderr")
    parser.set_defaults(command=_fake_azure)


def _fake_azure(options: argparse.Namespace) -> int:
    from audiosocket_sim.fake_azure.command import fake_azure_command

    return fake_azure_command(
        host=options.host,
        port=options.port,
        phrase_books=options.phrase_books,
        recogniser=options.recogniser,
        faults=options.faults,
        verbose=options.verbose,
    )


def _add_doctor(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands, "doctor", "take one live call from Asterisk, and say what it does and what to change", "doctor"
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    parser.add_argument("--port", type=_port, default=8080, help="where to listen (%(default)s)")
    parser.add_argument("--seconds", type=_seconds, default=12.0, help="how long to listen to the call (%(default)s)")
    parser.add_argument("--wait", type=_seconds, default=300.0, help="how long to wait for it, in s (%(default)s)")
    parser.add_argument(
        "--no-probe", action="store_true", help="do not end with a message in pieces, which old versions drop"
    )
    parser.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from audiosocket_sim.doctor.command import doctor_command

    return doctor_command(
        options.host, options.port, seconds=options.seconds, wait_seconds=options.wait, probe=not options.no_probe
    )


def _add_capture(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "capture",
        "stand between a live Asterisk and a server, and write each call as a scenario (docs/capture.md)",
        "capture --listen 127.0.0.1:8090 --to 127.0.0.1:8080 --out captured",
    )
    parser.add_argument("--listen", required=True, metavar="HOST:PORT", help="where Asterisk calls")
    parser.add_argument("--to", required=True, metavar="HOST:PORT", help="the server that takes the calls")
    parser.add_argument("--out", required=True, type=Path, metavar="DIR", help="folder for the scenarios")
    parser.add_argument("--ai-listen", metavar="HOST:PORT", help="where the server asks its AI backend")
    parser.add_argument("--ai-to", metavar="URL", help="the AI backend that answers")
    parser.add_argument(
        "--control", metavar="URL", help="the server's control API: its states, and where /calls/… of --ai-listen goes"
    )
    _add_control_token(parser)
    parser.add_argument("--asterisk", default="22.10", metavar="VERSION", help="which one calls (%(default)s)")
    parser.add_argument("--attach", choices=["app", "chan"], default="app", help="AudioSocket() or Dial (%(default)s)")
    parser.add_argument("--redact", action="store_true", help="keep no text, no digit and no sound of the call")
    parser.add_argument("--name", default="call", help="of the scenarios: NAME, NAME_2, … (%(default)s)")
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting for the scenario, such as system.barge_in=true; without any: those that the call shows",
    )
    parser.add_argument("--no-server", action="store_true", help="no settings: for servers that take none")
    parser.add_argument("--calls", type=_count, metavar="N", help="end when N calls are written (without: Ctrl-C)")
    parser.add_argument(
        "--at-once", type=_count, default=50, metavar="N", help="take down so many at a time; more are passed on alone"
    )
    parser.add_argument(
        "--longest", type=_seconds, default=3600.0, metavar="SECONDS", help="take down so much of a call (%(default)s)"
    )
    parser.set_defaults(command=_capture)


def _capture(options: argparse.Namespace) -> int:
    from audiosocket_sim.capture.command import capture_command

    return capture_command(
        listen=options.listen,
        to=options.to,
        out=options.out,
        ai_listen=options.ai_listen,
        ai_to=options.ai_to,
        control=options.control,
        control_token=_control_token(options),
        asterisk=options.asterisk,
        attach=options.attach,
        redact=options.redact,
        name=options.name,
        server=options.server,
        no_server=options.no_server,
        calls=options.calls,
        at_once=options.at_once,
        longest_seconds=options.longest,
    )


def _add_schema(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(commands, "schema", "print the JSON Schema of scenarios, for editors", "schema")
    parser.set_defaults(command=_schema)


def _schema(options: argparse.Namespace) -> int:
    from audiosocket_sim.loader import schema

    print(json.dumps(schema(), ensure_ascii=False, indent=2))  # noqa: T201
    return 0


def _add_add_recording(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = _command(
        commands,
        "add-recording",
        "add a caller's recording to recordings/, converted to 8 kHz",
        "add-recording my.wav --text 'Quero falar com a portaria.'",
    )
    parser.add_argument(
        "file", type=Path, help="an audio file: WAV, raw .slin, and what ffmpeg reads where it is there"
    )
    parser.add_argument("--text", required=True, help="what is said in it")
    parser.add_argument("--language", default="pt-BR", help="(%(default)s)")
    parser.add_argument("--voice", default="own", help="who speaks (%(default)s)")
    parser.add_argument("--licence", default="own", help="under which it may be passed on (%(default)s)")
    parser.add_argument("--name", help="such as pt-br/my_phrase; made from language and text otherwise")
    parser.add_argument("--to", type=Path, default=Path("recordings"), help="folder with manifest.yaml (%(default)s)")
    parser.set_defaults(command=_add_recording)


def _add_recording(options: argparse.Namespace) -> int:
    from audiosocket_sim.add_recording import add_recording_command

    return add_recording_command(
        options.file,
        text=options.text,
        language=options.language,
        voice=options.voice,
        licence=options.licence,
        name=options.name,
        to=options.to,
    )
