"""The command line: parses the arguments and runs the command.

Exit codes: 0 pass, 1 failed, 2 usage or invalid scenario, 3 set-up, 4 inconclusive.
"""

import argparse
import io
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from audiosocket_sim.cli.arguments import (
    DOCS,
    EXIT_CODES,
    TOOL_EXIT_CODES,
    add_control_token,
    command,
    control_token,
    port,
    program,
)
from audiosocket_sim.cli.check_arguments import add_check
from audiosocket_sim.cli.console import guarded_output
from audiosocket_sim.cli.live_arguments import add_capture, add_doctor, add_mic
from audiosocket_sim.cli.report_arguments import add_diff, add_report

__all__ = ["main"]

_USAGE, _INTERRUPTED = 2, 4


def main(arguments: Sequence[str] | None = None, *, on_loaded: Callable[[], None] = lambda: None) -> int:
    """Run a command and return its exit code. `on_loaded` is called after its code is imported, before it runs."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # for lone surrogates, and terminals without accents
    with guarded_output() as end_of_output:
        try:
            options = _parser(program()).parse_args(arguments)
            import_module(options.module)
            on_loaded()
            code: int = options.command(options)
        except KeyboardInterrupt:
            sys.stderr.write("interrupted\n")
            code = _INTERRUPTED
        except SystemExit as left:  # --help, and errors that argparse reports
            sys.exit(end_of_output() or left.code)
        return end_of_output() or code


def _parser(prog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Whole phone calls as tests, for bots on Asterisk's AudioSocket.",
        epilog=f"example: {prog} run greeting_then_hold.yaml\n{EXIT_CODES}\ndocs/… are in {DOCS}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, help="print the version, and end")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    add_check(commands)
    add_report(commands)
    add_mic(commands)
    _add_mock_ai(commands)
    add_doctor(commands)
    add_capture(commands)
    _add_fake_azure(commands)
    _add_schema(commands)
    _add_add_recording(commands)
    _add_learn_voice(commands)
    add_diff(commands)
    _add_completion(commands)
    return parser


class _Version(argparse.Action):
    """Prints `audiosocket-sim VERSION (Python VERSION)`. The version is read only when the option is given."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**{**more, "nargs": 0})

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        sys.stdout.write(f"audiosocket-sim {version('audiosocket-sim')} (Python {sys.version.split()[0]})\n")
        parser.exit()


# --- run ----------------------------------------------------------------------------------------------------------


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = command(commands, "run", "run scenarios, and show each call", "run greeting_then_hold.yaml")
    parser.add_argument(
        "scenarios",
        nargs="*",
        metavar="SCENARIO",
        help="a YAML file, a bare name in scenarios/ or of a shipped scenario, a folder, or a glob; of a for_each "
        "with a value in brackets, 'greets[noise=-60]', only those calls",
    )
    parser.add_argument("--list", action="store_true", help="list names and summaries of the scenarios, and end")
    parser.add_argument(
        "--target",
        help="the bot to call: module:callable (in this process), 'command: PROGRAM … {port}', or tcp://HOST:PORT; by "
        "default the target of [tool.audiosocket-sim] in pyproject.toml, and for shipped scenarios the shipped server "
        "(docs/targets.md)",
    )
    parser.add_argument("--control-url", help="control URL of a target that does not report its own (docs/targets.md)")
    add_control_token(parser)
    parser.add_argument(
        "--repeat",
        type=_runs,
        default=0,
        metavar="N",
        help="call N times for each scenario, each time with other seeds, and say how many calls passed",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY.KEY=VALUE",
        help="a value that goes before that of each scenario, such as line.noise_dbfs=-40; can be given several times",
    )
    parser.add_argument(
        "--again", action="store_true", help="call a tcp:// target a second time too, where a call was inconclusive"
    )
    parser.add_argument("--ai-port", type=port, default=0, help="port of the mock AI, for a target with a fixed AI URL")
    parser.add_argument(
        "--real-time", action="store_true", help="run on the real clock (always so for a target in another process)"
    )
    parser.add_argument(
        "--peer",
        choices=["simulated", "asterisk"],
        default="simulated",
        help="who calls: the simulated Asterisk, or a real one, in real time (docs/asterisk.md)",
    )
    parser.add_argument(
        "--ear",
        metavar="PHONE",
        help="the caller's phone instead of the scenarios' `ear:`: phone, endless, 'fifo 120ms', 'asterisk fixed', "
        "'asterisk adaptive' or neteq-like (docs/scenarios.md)",
    )
    parser.add_argument(
        "--asterisk-version",
        metavar="VERSION",
        help="with --peer asterisk, which one: 22, 22.10 or 22.10.1 (one that fits the scenario, else the newest)",
    )
    parser.add_argument(
        "--artefacts", type=Path, default=Path("runs"), help="folder for log and recording (%(default)s)"
    )
    parser.add_argument(
        "--reader",
        metavar="READER",
        help="who reads the words of a voice that no phrase book knows: local (Whisper, the extra [local]), none, or "
        "module:callable (docs/scenarios.md)",
    )
    parser.add_argument(
        "--trust",
        action="store_true",
        help="let scenarios name code, programs, addresses, and files outside their folders (docs/scenarios.md, Trust)",
    )
    parser.add_argument(
        "--turn-taking",
        metavar="LIMITS",
        default="",
        help="limits over all calls together: 'response_p95: 1.2s, interruptions_by_bot: 0' (docs/scenarios.md)",
    )
    parser.add_argument(
        "--watch", action="store_true", help="after each saved file, run again what it concerns; Ctrl-C ends"
    )
    parser.add_argument(
        "--report", action="store_true", help="write a page of each call, and an index of several (docs/report.md)"
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object for each scenario; all else on stderr")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the server's log, on stderr")
    parser.set_defaults(command=lambda options: _run(options, parser))


def _runs(text: str) -> int:
    """Parse a number of runs. Raises ArgumentTypeError, which argparse reports."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= 1000):
        raise argparse.ArgumentTypeError(f"{text[:40]}: expected a number from 1 to 1000")
    return int(text)


def _run(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if options.list:
        return _list(options.scenarios)
    if not options.scenarios:
        parser.error("a SCENARIO is needed: a file, a name, a folder or a glob; --list lists the scenarios")
    from audiosocket_sim.cli.run import RunRequest, run_command
    from audiosocket_sim.scenario.loading.turn_limits import read_turn_limits

    try:
        turn_limits = read_turn_limits(options.turn_taking)
    except ValueError as error:
        parser.error(f"--turn-taking: {error}")
    asked = RunRequest(
        names=options.scenarios,
        target=options.target,
        turn_limits=turn_limits,
        control_url=options.control_url,
        control_token=control_token(options),
        peer=options.peer,
        asterisk_version=options.asterisk_version,
        ear=options.ear,
        real_time=options.real_time,
        again=options.again,
        ai_port=options.ai_port,
        artefacts=options.artefacts,
        reader=options.reader,
        trust=options.trust,
        report=options.report,
        as_json=options.json,
        verbose=options.verbose,
        overrides=options.set,
        repeat=options.repeat,
    )
    if not options.watch:
        return run_command(asked)
    from audiosocket_sim.cli.watch import watch_command

    return watch_command(asked)


def _list(names: Sequence[str]) -> int:
    from audiosocket_sim.cli.chosen_scenarios import list_scenarios

    try:
        for line in list_scenarios(names):
            sys.stdout.write(f"{line}\n")
    except LookupError as error:
        sys.stderr.write(f"{error.args[0]}\n")
        return _USAGE
    return 0


# --- the others ---------------------------------------------------------------------------------------------------


def _add_mock_ai(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "run the mock AI backend of a scenario alone"
    parser = command(commands, "mock-ai", about, "mock-ai greeting_then_hold.yaml", TOOL_EXIT_CODES)
    parser.add_argument("scenario", help="the YAML file with the `ai:` to play, or a bare name in scenarios/")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=port, default=8000, help="port to listen on (%(default)s)")
    parser.add_argument("--control-url", default="http://127.0.0.1:8081", help="URL for pushes (%(default)s)")
    add_control_token(parser)
    parser.set_defaults(command=_mock_ai)


def _mock_ai(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.mock_ai import mock_ai_command

    return mock_ai_command(options.scenario, options.host, options.port, options.control_url, control_token(options))


def _add_fake_azure(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = command(
        commands,
        "fake-azure",
        "run a fake Azure Speech service, for the unmodified Speech SDK",
        "fake-azure --port 9090 --faults faults.yaml",
        TOOL_EXIT_CODES,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=port, default=0, help="port to listen on; 0, the default: any free port")
    parser.add_argument(
        "--phrase-book",
        dest="phrase_books",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="folder with manifest.yaml: phrases to recognise and to speak in their own voice (default: the project's)",
    )
    parser.add_argument(
        "--recogniser",
        metavar="MODULE:CALLABLE",
        help="recognise with this instead of the phrase book (docs/speech.md)",
    )
    parser.add_argument("--faults", type=Path, metavar="FILE.yaml", help="faults to carry out, by key (docs/speech.md)")
    parser.add_argument("-v", "--verbose", action="store_true", help="show the service's own log, on stderr")
    parser.set_defaults(command=_fake_azure)


def _fake_azure(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.fake_azure import fake_azure_command

    return fake_azure_command(
        host=options.host,
        port=options.port,
        phrase_books=options.phrase_books,
        recogniser=options.recogniser,
        faults=options.faults,
        verbose=options.verbose,
    )


def _add_schema(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    about = "print the JSON Schema of scenarios, for editors"
    parser = command(commands, "schema", about, "schema > scenario.schema.json", "exit codes: 0 done, 2 usage")
    parser.set_defaults(command=_schema)


def _schema(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.schema import schema_command

    return schema_command()


def _add_add_recording(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = command(
        commands,
        "add-recording",
        "add a caller's recording, or another sound of his, to recordings/, converted to 8 kHz",
        "add-recording my.wav --text 'Quero falar com a portaria.'",
        "exit codes: 0 done, 2 usage or a recording that is refused, 3 the file cannot be read or written",
    )
    parser.add_argument(
        "file", type=Path, help="an audio file: WAV, raw .slin, and other formats if ffmpeg is installed"
    )
    parser.add_argument("--text", help="the words that are spoken in it")
    parser.add_argument(
        "--kind",
        choices=["turn", "backchannel", "vocal_tic", "non_directed"],
        default="turn",
        help="what it is in a conversation: a turn; aha (backchannel), a cough (vocal_tic), a dog (non_directed), which"
        " go to sounds/ in the folder; the last two have no text (%(default)s)",
    )
    parser.add_argument(
        "--language", help="such as pt-BR; by default that of the folder in --name, or guessed from the text, or asked"
    )
    parser.add_argument("--voice", default="own", help="who speaks (%(default)s)")
    parser.add_argument("--licence", default="own", help="licence of the recording (%(default)s)")
    parser.add_argument("--name", help="such as pt-br/my_phrase; by default made from language and text")
    parser.add_argument("--to", type=Path, default=Path("recordings"), help="folder with manifest.yaml (%(default)s)")
    parser.set_defaults(command=_add_recording)


def _add_recording(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.add_recording import add_recording_command

    return add_recording_command(
        options.file,
        text=options.text,
        language=options.language,
        voice=options.voice,
        licence=options.licence,
        name=options.name,
        kind=options.kind,
        to=options.to,
    )


def _add_learn_voice(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = command(
        commands,
        "learn-voice",
        "make prompts of a phrase book of the bot's speech in a recorded call",
        "learn-voice runs/greets --reader local",
        "exit codes: 0 done, 2 usage or nothing to learn, 3 a file or the reader cannot be used",
    )
    parser.add_argument("call", type=Path, help="the folder of a call, with call.jsonl and call.wav")
    parser.add_argument(
        "--to", type=Path, default=Path("audio/prompts"), help="folder with manifest.yaml (%(default)s)"
    )
    parser.add_argument("--reader", metavar="READER", help="who reads the texts: local, or module:callable")
    parser.add_argument(
        "--text",
        action="append",
        default=[],
        metavar="NUMBER=TEXT",
        help="the words of one stretch, by its number in the call; it goes before the reader",
    )
    parser.add_argument("--ask", action="store_true", help="ask for each text; Enter takes the one that was read")
    parser.add_argument("--language", help="such as pt-BR; by default that of the texts")
    parser.add_argument("--voice", default="bot", help="the name of the voice (%(default)s)")
    parser.set_defaults(command=_learn_voice)


def _learn_voice(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.learn_voice import learn_voice_command

    return learn_voice_command(
        options.call,
        to=options.to,
        reader=options.reader,
        language=options.language,
        voice=options.voice,
        texts=options.text,
        ask=options.ask,
    )


def _add_completion(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = command(
        commands,
        "completion",
        "print a shell's completion of the command audiosocket-sim",
        "completion bash > ~/.local/share/bash-completion/completions/audiosocket-sim",
        "exit codes: 0 done, 2 usage",
    )
    parser.add_argument("shell", choices=["bash", "zsh", "tcsh"], help="the shell that reads the script")
    parser.set_defaults(command=_completion)


def _completion(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.completion import completion_script

    sys.stdout.write(completion_script(_parser("audiosocket-sim"), options.shell))
    return 0
