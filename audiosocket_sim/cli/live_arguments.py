"""The arguments of the live tools `mic`, `doctor` and `capture`. A tool's code is imported only when it is called."""

import argparse
from pathlib import Path

from audiosocket_sim.cli.arguments import add_control_token, command, control_token, count, port, program, seconds
from audiosocket_sim.cli.console import USAGE, refuse

__all__ = ["add_capture", "add_doctor", "add_mic"]

_CAPTURE_EXAMPLE = "capture --listen 127.0.0.1:8090 --to 127.0.0.1:8080 --out captured"


def add_mic(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the parser of `mic`."""
    parser = command(
        commands,
        "mic",
        "call a server with this machine's microphone and loudspeaker, as Asterisk would",
        "mic --host 127.0.0.1 --port 8080",
        "exit codes: 0 the call ended, 1 Asterisk would have dropped it or the server reset it, 2 usage, 3 set-up",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address of the AudioSocket server (%(default)s)")
    parser.add_argument("--port", type=port, default=8080, help="port of the AudioSocket server (%(default)s)")
    parser.add_argument("--list-devices", action="store_true", help="list the microphones and loudspeakers, and exit")
    parser.add_argument(
        "--check", action="store_true", help="try the devices: level, clipping, delay of the loop; exit"
    )
    parser.add_argument("--input", metavar="DEVICE", help="the microphone: its number or a part of its name")
    parser.add_argument("--output", metavar="DEVICE", help="the loudspeaker: its number or a part of its name")
    parser.add_argument("--asterisk", default="22.10", metavar="VERSION", help="the Asterisk to simulate (%(default)s)")
    parser.add_argument("--attach", choices=["app", "chan"], default="app", help="AudioSocket() or Dial (%(default)s)")
    parser.add_argument(
        "--control-url", help="control API, for states and texts (http://127.0.0.1:8081 for a server on this machine)"
    )
    add_control_token(parser)
    parser.add_argument("--no-echo-guard", action="store_true", help="let the bot's echo in the microphone through")
    parser.add_argument(
        "--for",
        dest="seconds",
        type=seconds,
        default=7200.0,
        metavar="SECONDS",
        help="hang up after this (%(default)s)",
    )
    parser.add_argument(
        "--artefacts", type=Path, default=Path("runs"), help="folder for transcript, log and recording (%(default)s)"
    )
    parser.add_argument("--save-scenario", type=Path, metavar="DIR", help="write the call there as a scenario")
    parser.add_argument("--redact", action="store_true", help="keep no text, digit or voice in that scenario")
    parser.set_defaults(command=_mic)


def _mic(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.mic import MicOptions, check_devices_command, list_devices_command, mic_command

    if options.list_devices:
        return list_devices_command()
    if options.check:
        return check_devices_command(options.input, options.output)
    if options.redact and options.save_scenario is None:
        return refuse("--redact applies to the scenario: it needs --save-scenario DIR", USAGE)
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
    """Add the parser of `doctor`."""
    parser = command(
        commands,
        "doctor",
        "take live calls from Asterisk, and report what it does and what to change",
        "doctor",
        "exit codes: 0 nothing to change, 1 something to change, 2 usage, 3 the port cannot be used, 4 nobody called",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=port, default=8080, help="port to listen on (%(default)s)")
    parser.add_argument("--seconds", type=seconds, default=12.0, help="how long to observe the call (%(default)s s)")
    parser.add_argument("--wait", type=seconds, default=300.0, help="how long to wait for the call (%(default)s s)")
    parser.add_argument(
        "--no-probe", action="store_true", help="do not end with a message in pieces, for which old versions hang up"
    )
    parser.add_argument(
        "--calls", type=count, default=1, metavar="N", help="take so many, one after another (%(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end; all else on stderr")
    parser.set_defaults(command=_doctor)


def _doctor(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.doctor import doctor_command

    return doctor_command(
        options.host,
        options.port,
        seconds=options.seconds,
        wait_seconds=options.wait,
        probe=not options.no_probe,
        n_calls=options.calls,
        as_json=options.json,
    )


def add_capture(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the parser of `capture`."""
    parser = command(
        commands,
        "capture",
        "stand between a live Asterisk and a server, and write each call as a scenario (docs/capture.md)",
        _CAPTURE_EXAMPLE,
        "exit codes: 0 done, 2 usage, 3 a port or the folder cannot be used, or a call was not written",
    )
    parser.add_argument("--listen", metavar="HOST:PORT", help="address that Asterisk calls")
    parser.add_argument("--to", metavar="HOST:PORT", help="address of the server that takes the calls")
    parser.add_argument("--out", type=Path, metavar="DIR", help="folder for the scenarios")
    parser.add_argument(
        "--recover", type=Path, metavar="DIR", help="write what a killed capture left in DIR, and exit; needs no more"
    )
    parser.add_argument("--ai-listen", metavar="HOST:PORT", help="address that the server uses as its AI backend")
    parser.add_argument("--ai-to", metavar="URL", help="URL of the AI backend that answers")
    parser.add_argument(
        "--control", metavar="URL", help="URL of the control API, for states; /calls/… on --ai-listen goes there"
    )
    add_control_token(parser)
    parser.add_argument("--asterisk", default="22.10", metavar="VERSION", help="the Asterisk that calls (%(default)s)")
    parser.add_argument("--attach", choices=["app", "chan"], default="app", help="AudioSocket() or Dial (%(default)s)")
    parser.add_argument("--redact", action="store_true", help="keep no text, digit or sound of the calls")
    parser.add_argument("--name", default="call", help="name of the scenarios: NAME, NAME_2, … (%(default)s)")
    parser.add_argument(
        "--server",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting for the scenarios, such as system.barge_in=true; without any they are inferred from each call",
    )
    parser.add_argument("--no-server", action="store_true", help="write no settings, for servers that have none")
    parser.add_argument("--calls", type=count, metavar="N", help="end after N calls (without: go on until Ctrl-C)")
    parser.add_argument(
        "--at-once",
        type=count,
        default=50,
        metavar="N",
        help="capture so many calls at once; more only pass (%(default)s)",
    )
    parser.add_argument(
        "--longest", type=seconds, default=3600.0, metavar="SECONDS", help="capture so much of each call (%(default)s)"
    )
    parser.set_defaults(command=_capture)


def _capture(options: argparse.Namespace) -> int:
    from audiosocket_sim.cli.capture import capture_command, recover_command

    if options.recover is not None:
        return recover_command(options.recover)
    missing = [flag for flag in ("listen", "to", "out") if getattr(options, flag) is None]
    if missing:
        wanted = ", ".join(f"--{flag}" for flag in missing)
        return refuse(f"{wanted}: required. For instance: {program()} {_CAPTURE_EXAMPLE}", USAGE)
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
