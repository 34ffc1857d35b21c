"""One call in two worlds: by a real Asterisk on the real clock, and by the simulated one in virtual time.

A `Situation` says what the server does, by a bare script (`fidelity_bench`), and what the caller and the dialplan do.
`real_calls` plays many at the same time with one Asterisk, `simulated_call` plays one. Both give a `WireCall`: what
the server saw, what the phone heard, how the call ended. The phone is one over RTP, with packets numbered by their
sound.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from audiosocket_core import slin
from audiosocket_sim.asterisk.profiles import Attach, release_like
from audiosocket_sim.asterisk_real import Installation, RealAsterisk
from audiosocket_sim.asterisk_real.phone import RtpPhone
from audiosocket_sim.asterisk_real.verdicts import CallTimes, end_told
from helpers.fidelity_bench import ID, Session, call, listening, nothing

__all__ = ["Situation", "WireCall", "numbered", "paced", "real_calls", "simulated_call"]

LONGEST_SECONDS = 40.0
_CALL_ID = re.compile(r"\[(C-[0-9a-f]+)\].*@call (\S+) (\S+) (\S+)")
_LEVELS = 100

_DIALPLAN = """
[{name}]
exten => s,1,Answer()
 same => n,Log(NOTICE,@call {name} ${{UNICASTRTP_LOCAL_PORT}} ${{CHANNEL}})
 same => n,{first}
 same => n,{bot}
 same => n,Log(NOTICE,@continues)
 same => n,Hangup()
exten => elsewhere,1,Log(NOTICE,@elsewhere)
 same => n,Hangup()
exten => h,1,Log(NOTICE,@over)

[{name}-keyed]
exten => bot,1,Answer()
 same => n,Set(GLOBAL(KEYED_{name})=${{CHANNEL}})
 same => n,{bot}
 same => n,Hangup()
exten => keys,1,SendDTMF(${{KEYS}},1,100,${{KEYED_{name}:0:-1}}1)
"""


@dataclass(frozen=True, slots=True)
class Situation:
    """One call. script: what the server does. hang_up_at: seconds after the connect at which the phone hangs up.

    bot: the dialplan's line for the bot, with `{server}` for HOST:PORT and `{uuid}`; the application by default.
    first: the line before it. meanwhile: what somebody does to the real call; simulated: the same for the simulated
    one, as arguments of `fidelity_bench.call`. keyed: the bot runs on a Local channel, which can be sent keys.
    """

    script: Callable[[Session], None] = nothing
    hang_up_at: float = 20.0
    attach: Attach = "app"
    bot: str = "AudioSocket({uuid},{server})"
    first: str = "NoOp()"
    packet_time_ms: int = 20
    keyed: bool = False
    meanwhile: Callable[[RealAsterisk, str, str], Coroutine[Any, Any, None]] | None = None
    simulated: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WireCall:
    """What was seen of a call. received: all bytes at the server. end: `fin` or `reset`, as the server saw it.

    outcome: who, how, dialplan of the call's end. reason: why it ended. heard: the sound of each packet at the phone
    (SLIN, 8 kHz); coded: the same packets as they came over RTP (empty of a simulated call). lines: Asterisk's log.
    """

    received: bytes
    end: str | None
    outcome: tuple[str, str, str]
    reason: str
    heard: Sequence[bytes]
    coded: Sequence[bytes] = ()
    lines: Sequence[str] = ()
    recorded: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def messages(self) -> list[tuple[int, bytes]]:
        """Kind and payload of each whole message."""
        found, rest = [], self.received
        while len(rest) >= 3 + (size := rest[1] << 8 | rest[2] if len(rest) >= 3 else 0):
            found.append((rest[0], rest[3 : 3 + size]))
            rest = rest[3 + size :]
        return found

    @property
    def shape(self) -> list[tuple[int, int]]:
        """Kind and size of each message, with repetitions taken together."""
        return [key for key, _ in groupby((kind, len(payload)) for kind, payload in self.messages)]

    @property
    def keys(self) -> str:
        """The keys, in order."""
        return "".join(payload.decode("ascii") for kind, payload in self.messages if kind == 0x03)

    @property
    def numbers(self) -> list[int]:
        """The numbers of the caller's packets, read from the sound of 0x10 messages."""
        return [_number_of(payload) for kind, payload in self.messages if kind == 0x10]


# --- the caller's sound


def numbered(number: int, n_samples: int) -> bytes:
    """A packet whose sound tells its number: a constant that G.711 keeps apart from its neighbours."""
    return _level(number).to_bytes(2, "little", signed=True) * n_samples


def _level(number: int) -> int:
    code = (0x80 | number % _LEVELS).to_bytes(1, "big")  # positive steps of µ-law, none of them 0
    return int.from_bytes(slin.ulaw_decode(code), "little", signed=True)


_NUMBERS = {_level(number): number for number in range(_LEVELS)}


def _number_of(payload: bytes) -> int:
    return _NUMBERS.get(int.from_bytes(payload[-2:], "little", signed=True), -1)


def paced(frames: Sequence[bytes], start: float = 0.2, kind: int = 0x10) -> Callable[[Session], None]:
    """A server that sends a message with each frame, 20 ms apart, and 00 00 00 after the last."""

    def script(session: Session) -> None:
        for number, frame in enumerate(frames):
            session.write_at(start + number * 0.02, bytes([kind]) + len(frame).to_bytes(2, "big") + frame)
        session.write_at(start + len(frames) * 0.02, b"\0\0\0")

    return script


# --- the simulated one


def simulated_call(situation: Situation, version: str) -> WireCall:
    """Play it with the simulated Asterisk of that version (`22.10.1`), in virtual time."""
    numbers = iter(range(1_000_000))
    arguments = {
        "version": release_like(version),
        "attach": situation.attach,
        "hang_up_at": situation.hang_up_at,
        "packet_time_ms": situation.packet_time_ms,
        "source": lambda n_samples: numbered(next(numbers), n_samples),
        "first_packet_ms": 8,
        **situation.simulated,
    }
    done = call(situation.script, **arguments)
    heard = [pcm for _, _, pcm in done.heard]
    return WireCall(done.session.received, done.session.end, done.outcome, done.end.reason, heard)


# --- the real one


async def real_calls(installation: Installation, situations: Mapping[str, Situation]) -> dict[str, WireCall]:
    """Play all of them at the same time, with one real Asterisk."""
    async with AsyncExitStack() as stack:
        connected = {name: asyncio.Event() for name in situations}
        servers = {
            name: await stack.enter_async_context(listening(_telling(connected[name], situation.script)))
            for name, situation in situations.items()
        }

        def dialplan(folder: Any) -> str:
            return "".join(
                _dialplan(name, situation, servers[name][0], str(folder)) for name, situation in situations.items()
            )

        asterisk = await stack.enter_async_context(RealAsterisk(installation, dialplan))
        calls = [
            _RealCall(asterisk, name, situation, connected[name], servers[name][1])
            for name, situation in situations.items()
        ]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each.play()) for each in calls]
        found = {name: task.result() for name, task in zip(situations, tasks, strict=True)}
        return {name: replace(each, recorded=_recordings(asterisk, name)) for name, each in found.items()}


def _telling(connected: asyncio.Event, script: Callable[[Session], None]) -> Callable[[Session], None]:
    """The script, which sets the event first."""

    def whole(session: Session) -> None:
        connected.set()
        script(session)

    return whole


def _dialplan(name: str, situation: Situation, port: int, folder: str) -> str:
    words = {"server": f"127.0.0.1:{port}", "uuid": str(ID), "folder": folder}
    bot = situation.bot.format(**words)
    first = f"Dial(Local/bot@{name}-keyed/n)" if situation.keyed else situation.first.format(**words)
    return _DIALPLAN.format(name=name, first=first, bot=bot)


def _recordings(asterisk: RealAsterisk, name: str) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in asterisk.folder.glob(f"{name}*.sln")}


class _KeepingPhone(RtpPhone):
    """A phone that keeps each packet as it came."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.coded: list[bytes] = []

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.coded.append(data[12:])
        super().datagram_received(data, addr)


class _RealCall:
    def __init__(
        self, asterisk: RealAsterisk, name: str, situation: Situation, connected: asyncio.Event, sessions: list[Session]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._asterisk = asterisk
        self._name = name
        self._situation = situation
        self._connected = connected
        self._sessions = sessions
        self._heard: list[bytes] = []
        self._active_at = 0.0

    async def play(self) -> WireCall:
        phone = await _KeepingPhone.open("ulaw", lambda at, pcm: self._heard.append(pcm))
        assert isinstance(phone, _KeepingPhone)
        self._asterisk.send(f"channel originate {phone.channel} extension s@{self._name}")
        _, line = await self._asterisk.told(f"@call {self._name} ", LONGEST_SECONDS)
        match = _CALL_ID.search(line)
        assert match is not None, line
        call_id, _, rtp_port, channel = match.groups()
        phone.connect(int(rtp_port))
        speaking = self._loop.create_task(self._speak(phone))
        try:
            return await self._until_over(call_id, channel, phone)
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)
            phone.close()

    async def _speak(self, phone: RtpPhone) -> None:
        """The phone's clock: it knows nothing of the call's."""
        n_samples = 8 * self._situation.packet_time_ms
        began = self._loop.time()
        for number in range(1_000_000):
            phone.send(numbered(number, n_samples))
            self._active_at = self._loop.time()
            due = began + (number + 1) * self._situation.packet_time_ms / 1000
            await asyncio.sleep(max(0.0, due - self._loop.time()))

    async def _until_over(self, call_id: str, channel: str, phone: _KeepingPhone) -> WireCall:
        await asyncio.wait_for(self._connected.wait(), LONGEST_SECONDS)
        began_at = self._loop.time()
        session = self._sessions[0]
        meanwhile = self._situation.meanwhile
        acting = None
        if meanwhile is not None:
            acting = self._loop.create_task(meanwhile(self._asterisk, self._name, channel))
        hung_up_at: list[float] = []

        def hang_up() -> None:
            hung_up_at.append(self._loop.time())
            self._asterisk.send(f"channel request hangup {channel}")

        timer = self._loop.call_later(self._situation.hang_up_at, hang_up)
        over_at, _ = await self._asterisk.told(f"@ {self._name}: @over", LONGEST_SECONDS)
        timer.cancel()
        if acting is not None:
            await acting
        await asyncio.wait_for(session.gone.wait(), LONGEST_SECONDS)
        lines = [text for _, text in self._asterisk.lines if call_id in text]
        ended_by_phone = hung_up_at[0] if hung_up_at else None
        times = CallTimes(began_at, self._active_at, ended_by_phone, over_at)
        limit = self._situation.simulated.get("absolute_timeout_ms")
        end = end_told(lines, self._situation.attach, times, absolute_timeout_ms=limit)
        outcome = (end.who, end.how, end.dialplan)
        return WireCall(session.received, session.end, outcome, end.reason, self._heard, phone.coded, lines)
