"""The arguments of the live tools: `mic`, `doctor`, `capture`. What they do is in their own rooms, imported late."""

import argparse
from pathlib import Path

from audiosocket_sim.cli.arguments import add_control_token, command, control_token, count, port, seconds
from audiosocket_sim.cli.console import USAGE, refuse

__all__ = ["add_capture", "add_doctor", "add_mic"]


def add_mic(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = command(
        commands,
        "mic",
        "call a server with this machine's microphone and loudspeaker, as Asterisk would",
        "mic --host 127.0.0.1 --port 8080",
    )
    parser.add_argument("--host", default="127.0.0.1", help="of the AudioSocket server (%(default)s)")
    parser.add_argument("--port", type=port, default=8080, help="of the AudioSocket server (%(default)s)")
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
    add_control_token(parser)
    parser.add_argument("--no-echo-guard", action="store_true", help="do not turn the bot down in the microphone")
    parser.add_argument(
        "--for", dest="seconds", type=seconds, default=7200.0, metavar="SECONDS", help="then hang up (%(default)s)"
    )
    parser.add_argument(
        "--artefacts", type=Path, default=Path("runs"), help="folder for log and recording (%(default)s)"
    )
    parser.add_argument("--save-scenario", type=Path, metavar="DIR", help="write the call there as a scenario")
    parser.add_argument("--redact", action="store_true", help="no text, digit or voice of yours in that scenario")
    parser.set_defaults(command=_mic)


def _mic(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.mic import MicOptions, list_devices_command, mic_command

    if options.list_devices:
        return list_devices_command()
    if options.redact and options.save_scenario is None:
        return refuse("--redact is of the scenario: it needs --save-scenario DIR", USAGE)
    return mic_command(
        MicOptions(
            host=options.host,
            port=options.port,
            input=options.input,
            output=options.output,
            version=options.asterisk,
            attach=options.attach,
            control_url=options.control_url,
            control_token=control_token(options),
            echo_guard=not options.no_echo_guard,
            seconds=options.seconds,
            artefacts=options.artefacts,
            save_scenario=options.save_scenario,
            redact=options.redact,
        )
    )


def add_doctor(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = command(
        commands, "doctor", "take one live call from Asterisk, and say what it does and what to change", "doctor"
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (%(default)s)")
    parser.add_argument("--port", type=port, default=8080, help="where to listen (%(default)s)")
    parser.add_argument("--seconds", type=seconds, default=12.0, help="how long to listen to the call (%(default)s)")
    parser.add_argument("--wait", type=seconds, default=300.0, help="how long to wait for it, in s (%(default)s)")
    parser.add_argument(
        "--no-probe", action="store_true", help="do not end with a message in pieces, which old versions drop"
    )
    parser.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.doctor import doctor_command

    return doctor_command(
        options.host, options.port, seconds=options.seconds, wait_seconds=options.wait, probe=not options.no_probe
    )


def add_capture(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = command(
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
    add_control_token(parser)
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
    parser.add_argument("--calls", type=count, metavar="N", help="end when N calls are written (without: Ctrl-C)")
    parser.add_argument(
        "--at-once", type=count, default=50, metavar="N", help="take down so many at a time; more are passed on alone"
    )
    parser.add_argument(
        "--longest", type=seconds, default=3600.0, metavar="SECONDS", help="take down so much of a call (%(default)s)"
    )
    parser.set_defaults(command=_capture)


def _capture(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.capture import capture_command

    return capture_command(
        listen=options.listen,
        to=options.to,
        out=options.out,
        ai_listen=options.ai_listen,
        ai_to=options.ai_to,
        control=options.control,
        control_token=control_token(options),
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
