"""The command `mic`: chooses the devices, shows the call while it runs, and prints a summary at its end."""

import asyncio
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import read_audio
from audiosocket_sim.asterisk import ConnectFailed, LegEnd
from audiosocket_sim.asterisk.profiles import UnknownProfile, profile
from audiosocket_sim.call_log.events import CallEnded
from audiosocket_sim.call_log.live_view import LiveView
from audiosocket_sim.call_log.transcript import how_it_ended, visible
from audiosocket_sim.cli.arguments import program
from audiosocket_sim.cli.console import FAILED, FINE, SET_UP, USAGE, refuse, say
from audiosocket_sim.live.captured_call import (
    CapturedCall,
    Packet,
    free_name,
    is_reference_server,
    redact,
    write_scenario,
)
from audiosocket_sim.live.mic.check_session import CheckSession
from audiosocket_sim.live.mic.convert import captured
from audiosocket_sim.live.mic.device_check import DeviceCheck, report
from audiosocket_sim.live.mic.devices import Device, DeviceError, choose, listing
from audiosocket_sim.live.mic.files import write_files
from audiosocket_sim.live.mic.keys import AGAIN, TerminalKeys
from audiosocket_sim.live.mic.latencies import answer_waits, waits_line
from audiosocket_sim.live.mic.options import MicOptions
from audiosocket_sim.live.mic.screen import keys_line, status
from audiosocket_sim.live.mic.session import MicCall
from audiosocket_sim.live.mic.sound_card import MicrophoneExtraMissing, SoundCard, SoundSystem, quiet_libraries
from audiosocket_sim.live.mic.typed_texts import asked_for, question, with_texts
from audiosocket_sim.scenario.loading import ScenarioError
from audiosocket_sim.scenario.paths import PROJECT, nearest_folder, why_not_writable

__all__ = ["MicOptions", "check_devices_command", "list_devices_command", "mic_command"]

_LATE_MS = 20.0
_SCENARIO = "mic_call"


def list_devices_command() -> int:
    """Print one line for each device. Returns the exit code: 0, or 3 without PyAudio."""
    try:
        with SoundSystem() as system:
            say(listing(system.devices()))
    except MicrophoneExtraMissing as error:
        return refuse(str(error), SET_UP)
    return FINE


def check_devices_command(wanted_input: str | None, wanted_output: str | None) -> int:
    """Check the microphone and the loudspeaker. Returns the exit code: 0, or 3 without PyAudio or such devices."""
    try:
        with SoundSystem() as system:
            devices = system.devices()
            microphone = choose(devices, wanted_input, "input")
            loudspeaker = choose(devices, wanted_output, "output")
            say(f"{visible(microphone.name)} → {visible(loudspeaker.name)}")
            say("\n".join(report(asyncio.run(_check(system, microphone, loudspeaker)))))
    except (MicrophoneExtraMissing, DeviceError) as error:
        return refuse(str(error), SET_UP)
    return FINE


async def _check(system: SoundSystem, microphone: Device, loudspeaker: Device) -> DeviceCheck:
    now = asyncio.get_running_loop().time
    session = CheckSession(now, microphone_hz=microphone.rate_hz, loudspeaker_hz=loudspeaker.rate_hz)
    card = system.open(microphone, loudspeaker, session.captured, session.pull)
    try:
        return await session.run(say)
    finally:
        card.close()


def mic_command(options: MicOptions) -> int:
    """Make one call, and return the exit code.

    0: the call ended normally. 1: Asterisk would have dropped it, or the server reset it. 2: unknown Asterisk.
    3: no device, no server at the address, PyAudio missing, or files that cannot be written.
    """
    try:
        profile(options.version, options.attach)
    except UnknownProfile as error:
        return refuse(str(error), USAGE)
    for flag, folder in (("--artefacts", options.artefacts), ("--save-scenario", options.save_scenario)):
        if folder is not None and (why := why_not_writable(folder)) is not None:
            return refuse(f"{flag} {folder}: {why}", SET_UP)  # before the call, which cannot be repeated
    try:
        with SoundSystem() as system:
            devices = system.devices()
            microphone = choose(devices, options.input, "input")
            loudspeaker = choose(devices, options.output, "output")
            while True:
                ended = asyncio.run(_call(options, system, microphone, loudspeaker))
                code = ended.code if ended.saved is None else _write(options, ended.saved) or ended.code
                if not (ended.again or (ended.asks and code != SET_UP and asyncio.run(_wants_another()))):
                    return code
    except (MicrophoneExtraMissing, DeviceError) as error:
        return refuse(str(error), SET_UP)


@dataclass(frozen=True, slots=True)
class _Ended:
    """A call is over. `saved`: what becomes a scenario. `again`: the user calls again; `asks`: he is asked whether."""

    code: int
    saved: CapturedCall | None = None
    again: bool = False
    asks: bool = False


async def _call(options: MicOptions, system: SoundSystem, microphone: Device, loudspeaker: Device) -> _Ended:
    loop = asyncio.get_running_loop()
    book, hold_pcm = await loop.run_in_executor(None, _known_sounds)
    heading = (
        f"mic · Asterisk {options.version}, {options.attach} · {options.host}:{options.port} · "
        f"{visible(microphone.name)} → {visible(loudspeaker.name)}"
    )
    draw: list[Callable[[], RenderableType]] = []
    view = LiveView(status=lambda: draw[0]() if draw else Text("opening the sound devices …", style="dim"))
    call = MicCall(
        options,
        microphone_hz=microphone.rate_hz,
        loudspeaker_hz=loudspeaker.rate_hz,
        bot_book=book,
        hold_pcm=hold_pcm,
        on_entry=view.show,
    )
    card = system.open(microphone, loudspeaker, call.phone.captured, call.phone.pull)
    try:
        with quiet_libraries(), view, TerminalKeys(call.on_key) as keys:
            view.heading(heading)
            if keys.there and not view.draws:
                view.note(keys_line("mute and unmute"))
            draw.append(lambda: status(call, card, keys=keys.there))
            end = await call.run()
    except ConnectFailed as error:
        return _Ended(refuse(f"no server answers at {options.host}:{options.port}: {error}", SET_UP))
    finally:
        card.close()
    code = await _conclude(options, heading, call, card, end)
    if code == SET_UP:
        return _Ended(code)
    saved = None if options.save_scenario is None else captured(call, end, options)
    return _Ended(code, saved, call.again, asks=end.who != "caller")


async def _wants_another() -> bool:
    """Ask at a terminal, after a call that the caller did not end, whether he calls again."""
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    with TerminalKeys(lambda what: None if answer.done() else answer.set_result(what)) as keys:
        if not keys.there:
            return False
        say("r: call again with the same devices · q: end")
        return await answer == AGAIN


async def _conclude(options: MicOptions, heading: str, call: MicCall, card: SoundCard, end: LegEnd) -> int:
    say("\n".join(_summary(call, card)))
    loop = asyncio.get_running_loop()
    packets = [Packet(call.ms(at), pcm) for at, pcm in call.sent]
    say("  " + waits_line(await loop.run_in_executor(None, answer_waits, packets, call.log.entries)))
    try:
        files = await loop.run_in_executor(
            None,
            write_files,
            options.artefacts,
            heading,
            call.log.entries,
            call.sent,
            call.t0,
            call.ear.timeline(call.t0),
        )
    except OSError as error:
        return refuse(f"cannot write to {error.filename or options.artefacts}: {error.strerror or error}", SET_UP)
    say(
        f"  transcript  {files.transcript}\n  call log    {files.call_log}\n"
        f"  recording   {files.recording}  (left: you, right: the bot)"
    )
    return FAILED if end.who == "asterisk" or (end.who, end.how) == ("server", "reset") else FINE


def _write(options: MicOptions, call: CapturedCall) -> int:
    """Write the scenario, and say how it is run. Returns an exit code. Blocks, also for texts that are typed."""
    assert options.save_scenario is not None
    call = call if options.redact else _asked(call)
    try:
        path = _save(options, options.save_scenario, call)
    except (OSError, ScenarioError, AudioSocketError) as error:
        return refuse(f"the call cannot be turned into a scenario: {error}", SET_UP)
    command = shlex.join([str(path), "--target", _target(call, options)])
    say(f"  scenario    {path}\n              {program()} run {command}")
    return FINE


def _target(call: CapturedCall, options: MicOptions) -> str:
    """Return the target against which the scenario runs: the bot that was called, or the reference server itself."""
    if is_reference_server(call):
        return "audiosocket_server:serve"
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"tcp://{host}:{options.port}"


def _asked(call: CapturedCall) -> CapturedCall:
    """Ask at a terminal for the texts that no server reported. Blocks until they are typed; Ctrl-C leaves the rest."""
    utterances = asked_for(call)
    if not utterances or not sys.stdin or not sys.stdin.isatty():
        return call
    say("no server reported what you said: type each text for the scenario, or Enter to leave it unknown")
    texts: list[str] = []
    try:
        for number, utterance in enumerate(utterances, 1):
            texts.append(input(question(number, utterance)))
    except (EOFError, KeyboardInterrupt, OSError):  # the last: the terminal is gone
        say("")
    return with_texts(call, utterances, texts)


def _save(options: MicOptions, folder: Path, call: CapturedCall) -> Path:
    """Write the scenario and return its path. Blocks, since it analyses the sound of the whole call."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return write_scenario(redact(call) if options.redact else call, folder, free_name(folder, _SCENARIO))


def _summary(call: MicCall, card: SoundCard) -> list[str]:
    """Return lines on the end of the call and on losses, with those of this machine marked as not the bot's fault."""
    last = next(entry for entry in call.log.entries if isinstance(entry.event, CallEnded))
    assert isinstance(last.event, CallEnded)
    lines = [f"the call ended after {last.at_ms / 1000:.1f} s: {how_it_ended(last.event)}"]
    playout, phone = call.phone.playout, call.phone
    if playout.underruns or playout.dropped_ms:
        lines.append(
            f"  playout: ran dry {playout.underruns}×, {playout.inserted_ms:.0f} ms of silence inserted, "
            f"{playout.dropped_ms:.0f} ms dropped, {playout.target_ms:.0f} ms of delay wanted"
        )
    if card.overruns or card.underruns or phone.microphone.underruns:
        lines.append(
            f"  this machine: microphone late {phone.microphone.underruns}×, its sound lost {card.overruns}×, "
            f"loudspeaker late {card.underruns}×; this is not the bot's fault"
        )
    if call.leg.own_lateness_ms > _LATE_MS:
        lines.append(f"  our own packets were up to {call.leg.own_lateness_ms:.0f} ms late: this machine is busy")
    if phone.echo_ms:
        lines.append(f"  echo: {phone.echo_ms / 1000:.1f} s of the bot's own voice turned down in the microphone")
    return lines


def _known_sounds() -> tuple[PhraseBook, bytes]:
    """Load the bot's prompts and its hold loop (8 kHz SLIN) near the working folder and in the project. Blocks."""
    here = Path.cwd()
    folders = (nearest_folder("audio/prompts", here, "manifest.yaml"), PROJECT / "audio" / "prompts")
    book = PhraseBook.load(*dict.fromkeys(folder for folder in folders if folder is not None and folder.is_dir()))
    near = nearest_folder("audio", here, "waiting.slin")
    return book, b"" if near is None else read_audio(near / "waiting.slin")
