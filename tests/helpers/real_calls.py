"""Calls of a real Asterisk into `python -m audiosocket_server`, all at the same time:
what both sides and the caller had of them.

The dialplan is the one that docs/asterisk.md tells people to paste; the callers are extensions of `phones`, below. What
a caller hears is recorded by Asterisk at his end of the line, in linear samples.
"""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from audiosocket_core.slin import read_audio
from audiosocket_sim.asterisk_real import Installation, RealAsterisk
from audiosocket_sim.mock_ai.backend import MockAi
from audiosocket_sim.scenario import Reply

ROOT = Path(__file__).resolve().parents[2]
GOODBYE = "Até logo, tenha um bom dia."
GREETING_DELAY = 0.5
LONGEST_SECONDS = 45.0

# Who calls, and by which extension of the page's dialplan. «listen» keeps what is heard, and sends nothing meanwhile.
PHONES = """
[phones]
exten => talks,1,Answer()
 same => n,Record({work}/talks-${{CALL}}-1.sln,0,5,kqx)
 same => n,Playback({work}/apartamento_202)
 same => n,Record({work}/talks-${{CALL}}-2.sln,0,20,kqx)
exten => keys,1,Answer()
 same => n,Wait(4.5)
 same => n,SendDTMF(42#,100,100)
 same => n,Wait(1)
 same => n,Hangup()
exten => quiet,1,Answer()
 same => n,Wait(6)
 same => n,Hangup()
exten => leaves_at_once,1,Answer()
 same => n,Wait(0.2)
 same => n,Hangup()
exten => leaves_while_greeted,1,Answer()
 same => n,Wait(1.6)
 same => n,Hangup()
exten => leaves_in_mid_word,1,Answer()
 same => n,Wait(5)
 same => n,Playback({work}/cut_off)
 same => n,Hangup()
exten => leaves_while_waiting,1,Answer()
 same => n,Wait(5)
 same => n,Playback({work}/administracao)
 same => n,Wait(1.6)
 same => n,Hangup()
exten => leaves_on_hold,1,Answer()
 same => n,Wait(5)
 same => n,Playback({work}/administracao)
 same => n,Wait(4)
 same => n,Hangup()
exten => unanswered,1,AudioSocket(00000000-0000-4000-8000-00000000000a,{address})
exten => reception,1,Answer()
 same => n,Verbose(1,reception answers)
 same => n,Wait(0.5)
 same => n,Hangup()
"""
CALLS = {
    "application": ("talks", "bot", "100"),
    "channel": ("talks", "bot", "101"),
    "wideband": ("talks", "wideband", "101"),
    "transfer": ("talks", "bot", "102"),
    "keys": ("keys", "bot", "100"),
    "quiet": ("quiet", "bot", "100"),
    "leaves_at_once": ("leaves_at_once", "bot", "100"),
    "leaves_while_greeted": ("leaves_while_greeted", "bot", "101"),
    "leaves_in_mid_word": ("leaves_in_mid_word", "bot", "100"),
    "leaves_while_waiting": ("leaves_while_waiting", "bot", "101"),
    "leaves_on_hold": ("leaves_on_hold", "bot", "100"),
}
REPLIES = [
    Reply(hears="apartamento 202", says=GOODBYE, set_call_status="STANDBY", times=4),
    Reply(hears="administração", after="20s", says=GOODBYE, set_call_status="STANDBY", times=2, optional=True),  # type: ignore[arg-type]
]
SETTINGS = {
    "SPEECH_ENGINE": "embedded",
    "ENDPOINTING__ENGINE": "webrtc",
    "GREETING__DELAY_SECONDS": str(GREETING_DELAY),
    "GREETING__WAIT_FOR_AUDIO_SECONDS": "0",  # these phones send nothing before they speak
    "SYSTEM__SILENCE_THRESHOLD_SECONDS": "1",
    "SYSTEM__HOLD_AFTER_SECONDS": "1",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One call: what the server told of it, what Asterisk said, what was recorded."""

    uuid: str
    events: list[dict[str, Any]]
    lines: list[tuple[float, str]]
    """Of its channel, with seconds since it was placed."""
    heard: dict[str, bytes]
    """Recordings by their name: SLIN, 8 kHz."""

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]

    def said(self, words: str) -> bool:
        """Whether Asterisk said it of this call."""
        return any(words in line for _, line in self.lines)


@dataclass(slots=True)
class Evening:
    """All calls of one run."""

    version: str
    calls: dict[str, Told] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    known: int = 0
    """How many calls the server knew of in all."""
    log: str = ""
    ports: set[str] = field(default_factory=set)
    """Addresses on which Asterisk listened, or had a datagram socket."""


def page_dialplan() -> str:
    """The dialplan of docs/asterisk.md."""
    page = (ROOT / "docs" / "asterisk.md").read_text(encoding="utf-8")
    found = re.search(r"^```ini\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def dialplan(address: str, work: Path) -> str:
    pasted = page_dialplan().replace("127.0.0.1:8080", address)
    pasted = pasted.replace("PJSIP/reception", "Local/reception@phones/n")
    wideband = pasted.replace("[bot]", "[wideband]").replace("c(slin)", "c(slin16)")
    return pasted + wideband + PHONES.format(work=work, address=address)


async def spend_an_evening(installation: Installation) -> Evening:
    """Start everything, place all calls at once, wait until all are over."""
    evening = Evening(installation.version)
    ai = MockAi(REPLIES, lambda event: None, _no_push)
    try:
        async with _server(await ai.start(0), evening) as (address, control):
            asterisk = RealAsterisk(installation, lambda folder: dialplan(address, folder))
            _put_sounds(asterisk.folder)
            async with asterisk:
                await _place_all(asterisk, evening, control)
                evening.ports = _open_ports(asterisk.pid)
                evening.lines = [text for _, text in asterisk.lines]
    finally:
        await ai.aclose()
    return evening


async def _place_all(asterisk: RealAsterisk, evening: Evening, control: str) -> None:
    loop = asyncio.get_running_loop()
    asterisk.call("Local/unanswered@phones/n", "bot", "100")
    placed = loop.time()
    for name, (phone, context, extension) in CALLS.items():
        asterisk.call(f"Local/{phone}@phones/n", context, extension, {"__CALL": name, "__NAME": name})
    async with asyncio.timeout(LONGEST_SECONDS), httpx.AsyncClient(trust_env=False) as http:
        channels = await _channels(asterisk)
        await asyncio.gather(
            *(asterisk.told(f"{channel} is over", LONGEST_SECONDS) for channel, _ in channels.values())
        )
        await asyncio.sleep(0.3)  # the server has its own end to tell
        for name, (channel, uuid) in channels.items():
            events = await _events(http, control, uuid)
            lines = [(at - placed, text) for at, text in asterisk.lines if channel in text]
            heard = {path.stem: path.read_bytes() for path in asterisk.folder.glob(f"talks-{name}-*.sln")}
            evening.calls[name] = Told(uuid, events, lines, heard)
        answer = await http.get(f"{control}/calls")
        evening.known = len(answer.json()["calls"])


async def _channels(asterisk: RealAsterisk) -> dict[str, tuple[str, str]]:
    """Name of a call -> its channel, and the UUID that the dialplan made."""
    pattern = re.compile(r"(Local/\S+;1) talks to the bot as (\S+)")
    found: dict[str, tuple[str, str]] = {}
    while len(found) < len(CALLS):
        await asyncio.sleep(0.05)
        for _, text in list(asterisk.lines):
            match = pattern.search(text)
            if match is not None and match[2] not in {uuid for _, uuid in found.values()}:
                found[await _name_of(asterisk, match[1], found)] = (match[1], match[2])
    return found


async def _name_of(asterisk: RealAsterisk, channel: str, found: dict[str, tuple[str, str]]) -> str:
    """Which call a channel is: phones that are used once say it, the others are asked for their variable."""
    phone = channel.removeprefix("Local/").partition("@")[0]
    names = [name for name, (its_phone, _, _) in CALLS.items() if its_phone == phone]
    if len(names) == 1:
        return names[0]
    said = await asterisk.command(f"core show channel {channel}")
    return next(name for name in names if f"NAME={name}\n" in said + "\n")


async def _events(http: httpx.AsyncClient, control: str, uuid: str) -> list[dict[str, Any]]:
    answer = await http.get(f"{control}/calls/{uuid}/events", timeout=5)
    lines = [line.removeprefix("data:").strip() for line in answer.text.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in lines]


@asynccontextmanager
async def _server(ai_url: str, evening: Evening) -> AsyncIterator[tuple[str, str]]:
    """`python -m audiosocket_server`: its address, and its control URL."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "audiosocket_server", "--port", "0", "--control-port", "0"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, **SETTINGS, "AI_API_URL": ai_url},
    )
    assert process.stdout is not None
    assert process.stderr is not None
    log = asyncio.create_task(process.stderr.read())
    try:
        async with asyncio.timeout(30):
            ready = (await process.stdout.readline()).decode()
        control = re.search(r"http://[\d.]+:\d+", ready)
        address = re.search(r"(?<!/)127\.0\.0\.1:\d+", ready)
        assert control is not None, ready
        assert address is not None, ready
        yield address[0], control[0]
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        evening.log = (await log).decode("utf-8", "replace")


async def _no_push(conversation_id: str, body: dict[str, Any]) -> int:
    return 202


def _put_sounds(folder: Path) -> None:
    recordings = ROOT / "recordings" / "pt-br"
    administration = read_audio(recordings / "quero_falar_com_a_administracao_do.wav")
    (folder / "apartamento_202.sln").write_bytes(read_audio(recordings / "apartamento_202.wav"))
    (folder / "administracao.sln").write_bytes(administration)
    (folder / "cut_off.sln").write_bytes(administration[: 2 * 8000])


def _open_ports(pid: int) -> set[str]:
    """Local addresses of the process's sockets that listen or take datagrams, from the kernel's tables."""
    inodes = set()
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(os.readlink(fd).removeprefix("socket:[").removesuffix("]"))
        except OSError:
            continue
    found = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and (table.startswith("udp") or fields[3] == "0A"):
                found.add(f"{table} {fields[1]}")
    return found
