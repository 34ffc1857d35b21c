"""A capture: listens, relays calls, records each on a tape, and has it written when the call is over.

The call writer writes one call after another, outside the event loop, so that no call waits for it. The number of calls
captured at once and the length of each are limited; beyond the limits calls are only relayed, and a line says so.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from audiosocket_sim.live.capture.backend_proxy import BackendProxy
from audiosocket_sim.live.capture.call_writer import CallWriter, InProcessWriter, NotWritten, WrittenCall
from audiosocket_sim.live.capture.journal_file import JournalFile
from audiosocket_sim.live.capture.kept_journal import KeptJournal
from audiosocket_sim.live.capture.options import CaptureOptions
from audiosocket_sim.live.capture.relay import Relay
from audiosocket_sim.live.capture.tape import ReportedEvent, Tape
from audiosocket_sim.net.bind_errors import why_not_listening
from audiosocket_sim.net.control_client import ControlClient, ControlError, ControlEvent, UnknownEvent
from audiosocket_sim.net.pairing import Evidence, Pairing

__all__ = ["CannotListen", "Capture"]

_LAST_EVENTS_SECONDS = 2.0
"""How long after a call's end the control API's last events and the backend's last answer are waited for."""
_ENDED_CALLS_KEPT = 50
"""How many ended calls are still found by their conversation id."""


class CannotListen(OSError):
    """A port cannot be bound. One line for people."""


class Capture:
    """A running capture. Call `start`, then `wait`, then `aclose`, which ends and writes the calls that are left.

    say: called with a line for people; trouble: called with a line about an error. No line holds anybody's words.
    call_writer: writes the calls; the code that made it closes it. None for an `InProcessWriter`.

    `port` and `ai_port` are the bound ports; `calls` are those that were written, and `failed` counts the others.
    """

    def __init__(
        self,
        options: CaptureOptions,
        *,
        say: Callable[[str], None],
        trouble: Callable[[str], None],
        call_writer: CallWriter | None = None,
    ) -> None:
        self._options = options
        self._call_writer = InProcessWriter() if call_writer is None else call_writer
        self._say = say
        self._trouble = trouble
        self._loop = asyncio.get_running_loop()
        self._relays: dict[Relay, bool] = {}
        """Every open call, with whether it is captured."""
        self._known: list[Tape] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._following: dict[Tape, asyncio.Task[None]] = {}
        self._journals: dict[Tape, KeptJournal] = {}
        self._is_disk_full = False
        self._one_at_a_time = asyncio.Lock()
        self._enough = asyncio.Event()
        self._pairing: Pairing[Tape] = Pairing(lambda tape: tape.uuid)
        self._taken = 0
        self._server: asyncio.Server | None = None
        self._backend: BackendProxy | None = None
        self.calls: list[WrittenCall] = []
        self.failed = 0
        self.port = 0
        self.ai_port = 0

    @property
    def written(self) -> int:
        """How many calls have been written."""
        return len(self.calls)

    async def start(self) -> None:
        """Listen on both ports. Raises CannotListen if one cannot be bound."""
        options = self._options
        try:
            self._server = await self._loop.create_server(self._connection, *options.listen)
        except OSError as error:
            raise CannotListen(why_not_listening(error, *options.listen, "--listen")) from error
        self.port = int(self._server.sockets[0].getsockname()[1])
        if options.ai_listen is not None and options.ai_to is not None:
            self._backend = BackendProxy(
                options.ai_to,
                options.control,
                tape_of=self._tape_of,
                tape_for=self._tape_for,
                is_any_going_on=lambda: any(self._going_on()),
                on_trouble=self._trouble,
            )
            try:
                self.ai_port = await self._backend.start(*options.ai_listen)
            except OSError as error:
                await self.aclose()
                raise CannotListen(why_not_listening(error, *options.ai_listen, "--ai-listen")) from error
            self._options = replace(options, ai_listen=(options.ai_listen[0], self.ai_port))

    async def wait(self) -> None:
        """Wait until `options.calls` calls have been written or have failed, or `stop` is called."""
        await self._enough.wait()

    def stop(self) -> None:
        """Make `wait` return."""
        self._enough.set()

    async def aclose(self) -> None:
        """Stop listening, end the calls that are still open, and write them. No task and no connection is left."""
        if self._server is not None:
            self._server.close()
        while self._relays or self._tasks:
            for relay in list(self._relays):  # again, for one that was just accepted and is connected a moment later
                relay.abort()
            await asyncio.sleep(0)
            if self._tasks:
                await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._backend is not None:
            await self._backend.aclose()
            if self._backend.n_unpaired > 1:
                self._trouble(f"{self._backend.n_unpaired} questions to the AI backend are in no cassette")
                self._backend.n_unpaired = 0
        if self._server is not None:
            await self._server.wait_closed()

    # --- one call

    def _connection(self) -> asyncio.BufferedProtocol:
        now = self._loop.time()
        tape = Tape(now, now + self._options.longest_seconds)
        tape.backend_captured = self._backend is not None
        relay = Relay(*self._options.to, tape, on_uuid=self._named, on_over=self._over, on_trouble=self._trouble)
        self._relays[relay] = False
        return relay.caller_side

    def _named(self, relay: Relay) -> None:
        """Decide whether to capture the call, now that its UUID is known. A connection without one never counts."""
        most = self._options.calls
        if sum(self._relays.values()) >= self._options.at_once or (most is not None and self._taken >= most):
            relay.tape.stops_at = relay.tape.connected_at
            relay.tape.forget_sound()
            self._say("a call is relayed and not captured: the limit of calls is reached")
            return
        self._relays[relay] = True
        self._taken += 1
        self._known = [*self._known[-_ENDED_CALLS_KEPT - self._options.at_once :], relay.tape]
        if not self._options.redact:
            self._journals[relay.tape] = KeptJournal(JournalFile(relay.tape, self._options), self._on_full_disk)
        if self._options.control is not None:
            self._following[relay.tape] = self._loop.create_task(self._follow(relay, self._options.control))

    def _over(self, relay: Relay) -> None:
        keep = self._relays.pop(relay, False)
        if relay.tape.no_audiosocket is not None:
            self._trouble(relay.tape.no_audiosocket)
        if keep and relay.tape.uuid is not None:
            task = self._loop.create_task(self._finish(relay.tape))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _on_full_disk(self, error: OSError) -> None:
        """Report once that calls cannot be kept on disk while they go on."""
        if not self._is_disk_full:
            self._is_disk_full = True
            where = f"{self._options.out}: {error.strerror or error}"
            self._trouble(f"calls in progress are in memory only, and not on disk: {where}")

    async def _finish(self, tape: Tape) -> None:
        following = self._following.pop(tape, None)
        if following is not None:
            await asyncio.wait({following}, timeout=_LAST_EVENTS_SECONDS)
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        journal = self._journals.pop(tape, None)
        if journal is not None:
            await journal.stop()
        async with self._one_at_a_time:
            remove = True
            try:
                made = await self._loop.run_in_executor(None, self._call_writer.write, tape, self._options)
                self._say(made.line)
                self.calls.append(made)
            except NotWritten as error:
                self.failed += 1
                left = journal.left if journal is not None and error.may_be_tried_again else None
                remove = left is None
                self._trouble(f"a call could not be written: {error}" + (f"; {_in_journal(left)}" if left else ""))
        if journal is not None:
            await self._loop.run_in_executor(None, lambda: journal.close(remove=remove))
        tape.forget_sound()
        if self._options.calls is not None and self.written + self.failed >= self._options.calls:
            self._enough.set()

    # --- the call of a conversation, and the events of the control API

    def _tape_of(self, conversation_id: str) -> Tape | None:
        """Return the tape of a conversation, None if it is not clear.

        It is the call whose UUID the id is (`UUID-2` for its second call at the same time); else the call that asked
        with this id before; else the only call in progress, or the only one in progress that has asked nothing yet.
        """
        named = [tape for tape in self._known if tape.uuid is not None and _names(conversation_id, tape.uuid)]
        if named:
            index = _suffix(conversation_id) - 1
            going_on = [tape for tape in named if tape.ended_at is None] or named[-1:]
            return going_on[min(index, len(going_on) - 1)]
        others = [
            tape for tape in self._known if any(a.is_known and a.conversation_id == conversation_id for a in tape.asked)
        ]
        if others:
            return others[-1]
        going_on = list(self._going_on())
        fresh = [tape for tape in going_on if not tape.asked]
        return next((found[0] for found in (going_on, fresh) if len(found) == 1), None)

    def _tape_for(self, evidence: Evidence) -> Tape | None:
        """Return the tape of a request in another protocol than the reference server's, None if it is not clear.

        A call counts as in progress until the last answer would no longer be waited for.
        """
        lately = self._loop.time() - _LAST_EVENTS_SECONDS
        ended = [tape for tape in self._known if tape.ended_at is not None and tape.ended_at >= lately]
        return self._pairing.call_of(evidence, list(self._going_on()) or ended)

    def _going_on(self) -> Iterator[Tape]:
        return (tape for tape in self._known if tape.ended_at is None)

    async def _follow(self, relay: Relay, url: str) -> None:
        tape = relay.tape
        control = ControlClient(url, self._options.control_token)

        def record(event: ControlEvent) -> None:
            if not tape.has_room():
                return
            if event.type == "state_changed":
                tape.reported.append(ReportedEvent(event.at_seconds, None, event.text("before"), event.text("after")))
            elif event.type == "transcript_final":
                tape.reported.append(ReportedEvent(event.at_seconds, event.text("text")))

        try:
            call_id = await control.find(str(UUID(tape.uuid)), relay.server_address)
            await control.follow(call_id, record)
        except UnknownEvent:  # the error's text may hold somebody's words
            self._trouble("states are not captured: an event of the control API is not as docs/targets.md says")
        except ControlError as error:
            self._trouble(f"states are not captured: {' '.join(str(error).split())[:200]}")
        finally:
            await control.aclose()


def _in_journal(path: Path) -> str:
    return f"what came of it is in {path}: make room, then `capture --recover {path.parent}` writes it"


def _names(conversation_id: str, uuid: str) -> bool:
    return conversation_id.replace("-", "").lower().startswith(uuid)


def _suffix(conversation_id: str) -> int:
    number = conversation_id.rpartition("-")[2]
    return int(number) if len(conversation_id) > 36 and number.isdecimal() and 0 < int(number) < 1000 else 1
