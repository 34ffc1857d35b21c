"""The doctor and a real Asterisk: the page's dialplan with a good call, and with the mistake that it finds."""

import asyncio
import re
import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from helpers.real_calls import page_dialplan

from audiosocket_core.slin import read_audio
from audiosocket_sim.asterisk_real import Installation, RealAsterisk
from audiosocket_sim.asterisk_real.phone import RtpPhone
from audiosocket_sim.live.doctor import Finding, Observed, causes, examine, findings

pytestmark = [pytest.mark.asterisk, pytest.mark.real_time]

VOICE = Path(__file__).resolve().parents[3] / "recordings" / "pt-br" / "quero_falar_com_a_administracao_do.wav"
PHONES = """
[phones]
exten => speaks,1,Answer()
 same => n,Playback({work}/voice)
 same => n,SendDTMF(7,100,100)
 same => n,Playback({work}/voice)
 same => n,Wait(30)
exten => silent,1,AudioSocket(00000000-0000-4000-8000-00000000000a,{address})
[broken]
exten => 101,1,Answer()
 same => n,Verbose(1,@phone ${{UNICASTRTP_LOCAL_PORT}})
 same => n,Dial(AudioSocket/{address}/00000000-0000-4000-8000-00000000000b)
"""


async def examined(installation: Installation, kind: str) -> Observed:
    loop = asyncio.get_running_loop()
    address: asyncio.Future[str] = loop.create_future()
    task = loop.create_task(
        examine("127.0.0.1", 0, listen_seconds=4, on_listening=lambda h, p: address.set_result(f"{h}:{p}"))
    )
    at = await address

    def dialplan(folder: Path) -> str:
        return page_dialplan().replace("127.0.0.1:8080", at) + PHONES.format(work=folder, address=at)

    asterisk = RealAsterisk(installation, dialplan)
    (asterisk.folder / "voice.sln").write_bytes(read_audio(VOICE)[: 2 * 8000])
    async with asterisk:
        match kind:
            case "good":
                asterisk.call("Local/speaks@phones/n", "bot", "100")
            case "unanswered":
                asterisk.call("Local/silent@phones/n", "bot", "100")
            case "without_c_slin":
                await _speak_from_a_phone(asterisk)
        return await task


async def _speak_from_a_phone(asterisk: RealAsterisk) -> None:
    """µ-law over RTP: the caller's codec, which Dial then hands on as it is."""
    phone = await RtpPhone.open("ulaw", lambda at, pcm: None)
    asterisk.call(phone.channel, "broken", "101")
    _, line = await asterisk.told("@phone")
    match = re.search(r"@phone (\d+)", line)
    assert match is not None
    phone.connect(int(match[1]))
    voice = read_audio(VOICE)
    loop = asyncio.get_running_loop()
    start = loop.time()
    for n in range(150):
        phone.send(voice[n * 320 : n * 320 + 320])
        await asyncio.sleep(max(0.0, start + (n + 1) * 0.02 - loop.time()))
    phone.close()


@pytest.fixture(scope="module")
def seen(installation: Installation) -> dict[str, Observed]:
    """Three calls to three doctors, at the same time."""

    async def all_three() -> list[Observed]:
        return await asyncio.gather(*(examined(installation, kind) for kind in kinds))

    kinds = ("good", "unanswered", "without_c_slin")
    return dict(zip(kinds, asyncio.run(all_three()), strict=True))


def line(call: Observed, what: str) -> Finding:
    return next(finding for finding in findings(call) if finding.what == what)


def test_a_good_call(seen: dict[str, Observed]) -> None:
    call = seen["good"]
    assert line(call, "audio").seen.startswith("0x10, 320 bytes every 20 ms: linear, 8000 Hz")
    assert line(call, "audio").change == ""
    assert line(call, "keys").seen.startswith("7")
    assert "20.19, 22.9, 23.3 or later" in line(call, "Asterisk").seen
    assert line(call, "end").seen.endswith("with 00 00 00; Asterisk closed")


def test_an_unanswered_channel(seen: dict[str, Observed]) -> None:
    assert "Answer()" in findings(seen["unanswered"])[0].change


def test_the_callers_codec_under_a_false_label(seen: dict[str, Observed]) -> None:
    found = line(seen["without_c_slin"], "audio")
    assert found.seen.startswith("0x10, 160 bytes every 20 ms: µ-law, labelled as linear audio of 8 kHz")
    assert "c(slin)" in found.change


NOT_CALLING = {
    "sent to invalid extension": None,
    "No application 'AudioSocket'": "AudioSocketNot(${{UUID()}},{at})",
    "UUID is required": "AudioSocket(${{NEVER_SET}},{at})",
    "Failed to parse UUID": "AudioSocket({at},${{UUID()}})",
    "Port missing in": "AudioSocket(${{UUID()}},127.0.0.1)",
    "Name or service not known": "AudioSocket(${{UUID()}},nowhere.invalid:8080)",
    "Connection refused": "AudioSocket(${{UUID()}},127.0.0.1:9)",
    "timedout after MAX_CONNECT_TIMEOUT_MSEC": "AudioSocket(${{UUID()}},{mute})",
}
"""A part of the console's line, and the mistake in the dialplan that makes it."""
SEEN_BY_HAND = {"No route to host"}
"""It wants an address that nobody in this machine's network has, and some seconds: no two networks do the same."""


@contextmanager
def mute_address() -> Iterator[str]:
    """Yield an address that answers no SYN, as behind a firewall: a listener whose queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(16):
            caller = stack.enter_context(socket.socket())
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
            if not select.select([], [caller], [], 0.3)[1]:
                yield f"127.0.0.1:{listener.getsockname()[1]}"
                return
    raise AssertionError("a listener that accepts nobody still answers each of 16 callers")


def test_each_cause_of_no_call_is_known_by_its_line_on_the_console(installation: Installation) -> None:
    """One after another: Asterisk closes the socket of a call that failed twice, and could hit the next call's."""
    assert set(NOT_CALLING) | SEEN_BY_HAND == {cause.console for cause in causes("127.0.0.1", 8080)}

    async def whole(mute: str) -> None:
        dialplan = "[phones]\nexten => _X,1,Answer()\n same => n,Wait(4)\n[bot]\n"
        for number, mistake in enumerate(NOT_CALLING.values()):
            if mistake is not None:
                app = mistake.format(at="127.0.0.1:8080", mute=mute)
                dialplan += f"exten => {number},1,Answer()\n same => n,{app}\n same => n,Hangup()\n"
        async with RealAsterisk(installation, dialplan) as asterisk:
            for number, console in enumerate(NOT_CALLING):
                asterisk.call(f"Local/{number}@phones/n", "bot", str(number))
                await asterisk.told(console.replace("AudioSocket'", "AudioSocketNot'"))
                await asterisk.told(f"Call completed to Local/{number}@phones")

    with mute_address() as mute:
        asyncio.run(whole(mute))
