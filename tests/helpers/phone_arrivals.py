"""What a phone gets of a bot's sound, and when: through a real Asterisk, by the kernel's clock, and by our account.

Each `Sending` is a bot that sends its messages at given times. `real_arrivals` plays many at the same time; each
message's own time is noted when it is written, so that a busy machine makes another bot, and no error. With `far` the
packets go to the phone through a second channel with a jitter buffer, as on a trunk to another Asterisk.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import groupby

from audiosocket_sim.asterisk_real import Installation, RealAsterisk
from audiosocket_sim.asterisk_real.console import logged_at
from audiosocket_sim.asterisk_real.phone import RtpPhone
from audiosocket_sim.running.program_threads import times_of
from helpers.fidelity_bench import ID, Session, call, listening
from helpers.real_situations import numbered
from helpers.stamped_receiver import RtpArrival, StampedReceiver

__all__ = ["Sending", "Sent", "number_of", "real_arrivals", "simulated_arrivals"]

_LONGEST_SECONDS = 40.0
_BEGINS = 0.5
_AFTER = 0.5
_AFTER_FAR = 2.0
_DIALPLAN = """
[{name}]
exten => s,1,Answer()
 same => n,Log(NOTICE,@call {name} ${{UNICASTRTP_LOCAL_PORT}} ${{CHANNEL}})
 same => n,AudioSocket({uuid},127.0.0.1:{port})
 same => n,Hangup()

[{name}-far]
exten => _X.,1,Answer()
 same => n,Log(NOTICE,@near {name})
 same => n,Set(JITTERBUFFER({far})=200,1000)
 same => n,Log(NOTICE,@far {name} ${{UNICASTRTP_LOCAL_PORT}} ${{CHANNEL}})
 same => n,Dial(UnicastRTP/127.0.0.1:${{EXTEN}}/c(ulaw))
"""


@dataclass(frozen=True, slots=True)
class Sending:
    """A bot: when it sends each message, in seconds from its first; their kind and their length in bytes.

    far: `fixed` or `adaptive`: the jitter buffer of a second Asterisk before the phone.
    """

    times: Sequence[float]
    kind: int = 0x10
    size: int = 320
    far: str = ""

    def message(self, number: int) -> bytes:
        """A message whose sound tells its number: hundreds in its first half, the rest in its second."""
        half = self.size // 4
        sound = numbered(number // 100, half) + numbered(number % 100, self.size // 2 - half)
        return bytes([self.kind]) + self.size.to_bytes(2, "big") + sound


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a bot's messages. sent: when each was written (s of the loop); got: the phone's packets.

    relayed: when each packet was sent on to the second Asterisk, if there is one; far_made: it made its buffer between
    these two times, by its own log; far: what came out of it. waited_ms: how long a thread of Asterisk's was kept
    waiting for a processor meanwhile.
    """

    sent: Sequence[float]
    got: Sequence[RtpArrival]
    relayed: Sequence[float]
    far_made: tuple[float, float]
    far: Sequence[RtpArrival]
    waited_ms: float


def number_of(arrival: RtpArrival) -> int:
    """Return the number of the message that a packet of µ-law is."""
    return (arrival.payload[0] & 0x7F) * 100 + (arrival.payload[-1] & 0x7F)


async def real_arrivals(installation: Installation, sendings: Mapping[str, Sending]) -> dict[str, Sent]:
    """Let all of these bots talk at the same time, through one real Asterisk."""
    async with AsyncExitStack() as stack:
        written: dict[str, list[float]] = {name: [] for name in sendings}
        ports = {}
        for name, sending in sendings.items():
            script = _noting(sending, written[name])
            ports[name] = (await stack.enter_async_context(listening(script)))[0]
        dialplan = "".join(
            _DIALPLAN.format(name=f"call-{number}", uuid=ID, port=ports[name], far=sending.far or "fixed")
            for number, (name, sending) in enumerate(sendings.items())
        )
        asterisk = await stack.enter_async_context(RealAsterisk(installation, dialplan))
        stack.enter_context(_priority(asterisk.pid))
        before = times_of([asterisk.pid])
        async with asyncio.TaskGroup() as group:
            tasks = {
                name: group.create_task(_call(asterisk, f"call-{number}", sending))
                for number, (name, sending) in enumerate(sendings.items())
            }
        now = times_of([asterisk.pid])
        waited_ms = max((now[task].waited_ns - before[task].waited_ns for task in now.keys() & before), default=0) / 1e6
        return {name: Sent(written[name], *task.result(), waited_ms) for name, task in tasks.items()}


def simulated_arrivals(sending: Sending, sent: Sequence[float]) -> list[tuple[float, int, bytes]]:
    """What the simulated Asterisk passes on of the same messages, sent at these times: time, rate and sound of each.

    Times are those of `sent`, moved so that the first is 0.
    """

    def script(session: Session) -> None:
        for number, at in enumerate(sent):
            session.write_at(_BEGINS + at - sent[0], sending.message(number))

    done = call(script, hang_up_at=_BEGINS + sent[-1] - sent[0] + _AFTER)
    began = done.session.reads[0][0]
    return [(at - began - _BEGINS, rate_hz, pcm) for at, rate_hz, pcm in done.heard]


def _noting(sending: Sending, written: list[float]) -> Callable[[Session], None]:
    """The script of a bot that notes when it has written each message."""

    def script(session: Session) -> None:
        def write(numbers: Sequence[int]) -> None:
            for number in numbers:
                message = sending.message(number)
                written.append(session.loop.time())
                session.transport.write(message)

        began = session.loop.time() + _BEGINS
        for at, group in groupby(range(len(sending.times)), key=lambda number: sending.times[number]):
            session.loop.call_at(began + at, write, list(group))

    return script


async def _call(
    asterisk: RealAsterisk, name: str, sending: Sending
) -> tuple[Sequence[RtpArrival], Sequence[float], tuple[float, float], Sequence[RtpArrival]]:
    """Call the bot, listen to its end, and return what came to the phone, when it went on to the second Asterisk,
    between which times that made its buffer, and what came out of it."""
    loop = asyncio.get_running_loop()
    receiver, far = StampedReceiver(), StampedReceiver()
    phone = await RtpPhone.open("ulaw", lambda at, pcm: None)
    channels = []
    far_made = (0.0, 0.0)
    try:
        if sending.far:
            line, port, channel = await _originate(asterisk, f"@far {name} ", far.port, f"{far.port}@{name}-far")
            channels.append(channel)
            before = await asterisk.told(f"@near {name}", _LONGEST_SECONDS)
            since_loop_began = time.clock_gettime(time.CLOCK_REALTIME) - loop.time()
            far_made = logged_at(before[1]) - since_loop_began, logged_at(line) - since_loop_began
            receiver.relay_to = ("127.0.0.1", port)
        _, port, channel = await _originate(asterisk, f"@call {name} ", receiver.port, f"s@{name}")
        channels.append(channel)
        phone.connect(port)
        until = loop.time() + _BEGINS + sending.times[-1] + (_AFTER_FAR if sending.far else _AFTER)
        while loop.time() < until:  # the caller is there, and says nothing
            phone.send(bytes(960))
            await asyncio.sleep(0.06)
        for channel in channels:
            asterisk.send(f"channel request hangup {channel}")
        return receiver.arrivals, receiver.relayed_at, far_made, far.arrivals
    finally:
        receiver.close()
        far.close()
        phone.close()


async def _originate(asterisk: RealAsterisk, words: str, port: int, extension: str) -> tuple[str, int, str]:
    """Let Asterisk call a phone on this port; return the line of its log when it had, the port on which it takes that
    phone's packets, and the channel."""
    asterisk.send(f"channel originate UnicastRTP/127.0.0.1:{port}/c(ulaw) extension {extension}")
    _, line = await asterisk.told(words, _LONGEST_SECONDS)
    own, channel = line.split(words)[1].split()[:2]
    return line, int(own), channel


@contextmanager
def _priority(pid: int) -> Iterator[None]:
    """Let Asterisk go before all else, as its option -p does, and ourselves before the rest; without the right to it
    both wait as any program."""
    tasks = [int(task) for task in os.listdir(f"/proc/{pid}/task")]
    with suppress(PermissionError):
        for task in tasks:
            os.sched_setscheduler(task, os.SCHED_RR, os.sched_param(10))
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(5))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
