"""Write a finished call's files. Everything here blocks: run it in an executor.

`InProcessWriter` does the work in this process. `SubprocessWriter`, which the command uses, does it in a process of its
own with the lowest priority: converting a minute of call takes a quarter of a second of Python, and in a thread that
would delay the frames of every other call. The tape is sent through a pipe in small pieces, so that nothing of a call
that is to be redacted is on disk before.
"""

import contextlib
import os
import select
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Protocol, cast

from audiosocket_core.errors import AudioSocketError
from audiosocket_sim.live.capture.convert import captured_call
from audiosocket_sim.live.capture.journal_file import journal_options, left_behind
from audiosocket_sim.live.capture.next_command import next_commands
from audiosocket_sim.live.capture.options import CaptureOptions
from audiosocket_sim.live.capture.tape import Tape
from audiosocket_sim.live.captured_call import (
    CapturedCall,
    NameTaken,
    free_name,
    is_reference_server,
    redact,
    write_scenario,
    write_sound_and_cassette,
)
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import ScenarioError, load

__all__ = ["CallWriter", "InProcessWriter", "NotWritten", "RecoveredCall", "SubprocessWriter", "WrittenCall", "recover"]

_EXPECTED = (ScenarioError, AudioSocketError, ValueError)
_PIECE = 500
"""How many messages go through the pipe at once: pickling them takes about a tenth of a millisecond."""
_LOWEST_PRIORITY = 19
_CLOSING_SECONDS = 5.0
_READY = "ready"
_GOODBYE = "goodbye"
_DYING_SECONDS = 0.5
_TRIES = 20
_REFERENCE_SERVER = "audiosocket_server:serve"


class NotWritten(Exception):
    """A call could not be written. One line that says why, without any of its words.

    may_be_tried_again: the call was not to blame, but the disk, say.
    """

    def __init__(self, why: str, *, may_be_tried_again: bool = False) -> None:
        super().__init__(why)
        self.may_be_tried_again = may_be_tried_again


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """A call that has been written.

    line: the path and a summary that quotes nobody, for people. path: the scenario's file. run_with: the options with
    which the command `run` makes the same call to the same bot again.
    """

    line: str
    path: Path
    run_with: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecoveredCall:
    """What became of a call that a killed capture left behind.

    line: for people, quoting nobody. written: None if the call could not be written.
    """

    line: str
    written: WrittenCall | None = None


class CallWriter(Protocol):
    """Writes calls, one at a time. Both methods block."""

    def write(self, tape: Tape, options: CaptureOptions) -> WrittenCall:
        """Write the call's files. Raises NotWritten."""

    def close(self) -> None:
        """Release what the writer holds. Call it once, after the last `write`."""


class InProcessWriter:
    """Writes calls in this process."""

    def write(self, tape: Tape, options: CaptureOptions) -> WrittenCall:
        """Write the call's files. Raises NotWritten."""
        try:
            return _written(tape, options)
        except NotWritten:
            raise
        except (OSError, *_EXPECTED) as error:
            may_be_tried_again = isinstance(error, OSError) and not isinstance(error, _EXPECTED)
            raise NotWritten(" ".join(str(error).split()), may_be_tried_again=may_be_tried_again) from error
        except Exception as error:  # an unexpected error in one call must not end the capture of the others
            raise NotWritten(f"internal error: {type(error).__name__}") from error

    def close(self) -> None:
        """Do nothing: this writer holds nothing."""


class SubprocessWriter:
    """Writes calls in a process of its own. Creating it starts the process, which takes half a second.

    If the process has ended, the next `write` starts another. options: the capture's, whose journals the process turns
    into scenarios if this process is killed; None for none. program: the command that started this process, for the
    command to run next.
    """

    def __init__(self, options: CaptureOptions | None = None, program: str = "python -m audiosocket_sim") -> None:
        self._options = options
        self._program = program
        self._start()

    def write(self, tape: Tape, options: CaptureOptions) -> WrittenCall:
        """Write the call's files. Raises NotWritten."""
        try:
            if not self._process.is_alive():
                self._start()
            pipe = self._pipe
            pipe.send((options, replace(tape, caller=[], bot=[])))
            for side in (tape.caller, tape.bot):
                for at in range(0, len(side), _PIECE):
                    pipe.send(side[at : at + _PIECE])
                pipe.send(None)
            answer = pipe.recv()
        except (OSError, EOFError) as error:
            why = f"the process that writes calls ended: {type(error).__name__}"
            raise NotWritten(why, may_be_tried_again=True) from error
        except RecursionError as error:  # from pickling, before anything went into the pipe
            raise NotWritten("the AI backend sent JSON that is nested too deeply") from error
        if not isinstance(answer, WrittenCall):
            why, may_be_tried_again = answer
            raise NotWritten(why, may_be_tried_again=may_be_tried_again)
        return answer

    def close(self) -> None:
        """End the process; kill it if it is still running after five seconds."""
        with contextlib.suppress(OSError):
            self._pipe.send(_GOODBYE)
        self._pipe.close()
        self._process.join(_CLOSING_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _start(self) -> None:
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        arguments = (other, self._options, self._program)
        self._process: SpawnProcess = context.Process(target=_work, args=arguments, daemon=True)
        with _no_interrupts():  # the child inherits this, until it ignores Ctrl-C by itself
            self._process.start()
        other.close()
        self._pipe.recv()  # wait until it is ready: starting takes half a second, which a call must not wait for


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Block SIGINT in this thread, and in a process that it starts meanwhile."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # the first start of a process would do this, and unblock SIGINT again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: "Connection[Any, Any]", of_capture: CaptureOptions | None, program: str) -> None:
    """Run in the other process: write calls until it is told to end, or the pipe is closed.

    If the pipe is closed without a word, the capturing process was killed: what it left on disk becomes scenarios.

    It ignores Ctrl-C: the capturing process handles it, and then still sends the calls that are to be written.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        os.nice(_LOWEST_PRIORITY)
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # the capturing process may run in real time
    call_writer = InProcessWriter()
    pipe.send(_READY)
    with contextlib.suppress(EOFError, OSError):
        while (received := pipe.recv()) != _GOODBYE:
            options, tape = cast(tuple[CaptureOptions, Tape], received)
            for side in (tape.caller, tape.bot):
                while (piece := pipe.recv()) is not None:
                    side.extend(piece)
            try:
                pipe.send(call_writer.write(tape, options))
            except NotWritten as error:
                pipe.send((str(error), error.may_be_tried_again))
        return
    if of_capture is not None:
        select.select([], [], [], _DYING_SECONDS)  # until the system has taken the locks of the killed process away
        calls = []
        for found in recover(of_capture, call_writer):
            calls.append(found.written)
            _tell(found.line)
        for line in next_commands([call for call in calls if call is not None], program):
            _tell(line)


def _tell(line: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(f"{line}\n")


def recover(options: CaptureOptions, call_writer: CallWriter) -> Iterator[RecoveredCall]:
    """Write each call that a killed capture left behind in `options.out`; yield what became of it. Blocks."""
    try:
        for path, tape, about in left_behind(options.out):
            try:
                made = call_writer.write(tape, journal_options(options, about))
            except NotWritten as error:
                yield RecoveredCall(f"{path}: what is left of a call cannot be written: {error}")
                if error.may_be_tried_again:
                    continue
            else:
                yield RecoveredCall(f"{made.line} It was left behind by an earlier capture.", made)
            path.unlink(missing_ok=True)
    except OSError as error:
        yield RecoveredCall(f"{options.out}: {error.strerror or error}")


def _written(tape: Tape, options: CaptureOptions) -> WrittenCall:
    call = captured_call(tape, version=options.version, attach=options.attach)
    if call is None:
        raise ValueError("the connection was not AudioSocket")
    if options.redact:
        call = redact(call)
    options.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        path = _at_a_free_name(call, options, _scenario)
    except OSError:
        raise
    except Exception as error:
        destination = _at_a_free_name(call, options, _sound_and_cassette)
        why = type(error).__name__  # the error's text may hold somebody's words
        raise NotWritten(
            f"it cannot be turned into a scenario ({why}); its sound and its cassette are in {destination}"
        ) from error
    full = " (incomplete: the call was too long)" if tape.is_full else ""
    scenario = load(path)
    return WrittenCall(f"{path}: {scenario.summary}{full}", path, _run_with(scenario, call, options))


def _run_with(scenario: Scenario, call: CapturedCall, options: CaptureOptions) -> tuple[str, ...]:
    """Return the options of `run` for the bot that was captured, or for the reference server with its settings."""
    is_reference = options.server is None and is_reference_server(call)
    if scenario.server or is_reference or (call.redacted and scenario.ai):
        return "--target", _REFERENCE_SERVER
    host, port = options.to
    wanted = ["--target", f"tcp://[{host}]:{port}" if ":" in host else f"tcp://{host}:{port}"]
    if options.control is not None:
        wanted += ["--control-url", options.control]
    if options.ai_listen is not None and (scenario.ai or scenario.cassette):
        wanted += ["--ai-port", str(options.ai_listen[1])]
    return tuple(wanted)


def _sound_and_cassette(call: CapturedCall, options: CaptureOptions, name: str) -> Path:
    return write_sound_and_cassette(call, options.out, name)


def _scenario(call: CapturedCall, options: CaptureOptions, name: str) -> Path:
    return write_scenario(call, options.out, name, server=options.server)


def _at_a_free_name(
    call: CapturedCall, options: CaptureOptions, write: Callable[[CapturedCall, CaptureOptions, str], Path]
) -> Path:
    """Call `write` with a free name, and again with another if someone else has taken that name meanwhile.

    Raises OSError after `_TRIES` attempts.
    """
    for _ in range(_TRIES):
        with contextlib.suppress(NameTaken):
            return write(call, options, free_name(options.out, options.name))
    raise OSError(f"{options.out}: no free name for the call in {_TRIES} attempts; another program writes there too")
