"""Who writes a call down when it is over. Blocks: for the executor.

In this process it is a function. Live it is a process of its own, at the lowest priority: converting a minute of call
is a quarter of a second of work in Python, and in a thread that would hold up the frames of every other call. The tape
goes to it through a pipe, in small pieces, so that nothing of the call is on disk before it is redacted.
"""

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Protocol, cast

from audiosocket_core.errors import AudioSocketError
from audiosocket_sim.live.capture.convert import captured_call
from audiosocket_sim.live.capture.options import CaptureOptions
from audiosocket_sim.live.capture.tape import Tape
from audiosocket_sim.live.captured_call import (
    CapturedCall,
    NameTaken,
    free_name,
    redact,
    write_scenario,
    write_sound_and_cassette,
)
from audiosocket_sim.scenario.loading import ScenarioError, load

__all__ = ["CallWriter", "InProcessWriter", "NotWritten", "SubprocessWriter"]

_EXPECTED = (ScenarioError, AudioSocketError, ValueError)
_PIECE = 500
"""Reads that go through the pipe at once: packing them takes some tenth of a millisecond."""
_LAST_IN_LINE = 19
_CLOSING_SECONDS = 5.0
_READY = "ready"
_TRIES = 20


class NotWritten(Exception):
    """A call could not be written down. One line: why."""


class CallWriter(Protocol):
    """`write` returns a line that says what was written, in nobody's words. Raises NotWritten."""

    def write(self, tape: Tape, options: CaptureOptions) -> str: ...
    def close(self) -> None: ...


class InProcessWriter:
    """In this process."""

    def write(self, tape: Tape, options: CaptureOptions) -> str:
        try:
            return _written(tape, options)
        except NotWritten:
            raise
        except (OSError, *_EXPECTED) as error:
            raise NotWritten(" ".join(str(error).split())) from error
        except Exception as error:  # a call that cannot be written must not cost the others
            raise NotWritten(f"the capture failed: {type(error).__name__}") from error

    def close(self) -> None:
        """Nothing to close."""


class SubprocessWriter:
    """In a process that is started at once, and again should it have ended. Making one takes half a second."""

    def __init__(self) -> None:
        self._start()

    def write(self, tape: Tape, options: CaptureOptions) -> str:
        try:
            if not self._process.is_alive():
                self._start()
            pipe = self._pipe
            pipe.send((options, replace(tape, caller=[], bot=[])))
            for side in (tape.caller, tape.bot):
                for at in range(0, len(side), _PIECE):
                    pipe.send(side[at : at + _PIECE])
                pipe.send(None)
            fine, line = pipe.recv()
        except (OSError, EOFError) as error:
            raise NotWritten(f"the process that writes calls ended: {type(error).__name__}") from error
        except RecursionError as error:  # while packing, before any of it went into the pipe
            raise NotWritten("what the AI backend sent is nested too deeply") from error
        if not fine:
            raise NotWritten(line)
        return str(line)

    def close(self) -> None:
        self._pipe.close()
        self._process.join(_CLOSING_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _start(self) -> None:
        context = get_context("spawn")
        self._pipe, other = context.Pipe()
        self._process: SpawnProcess = context.Process(target=_work, args=(other,), daemon=True)
        with _no_interrupts():  # in the child, until it has said for itself that Ctrl-C is not for it
            self._process.start()
        other.close()
        self._pipe.recv()  # its start is half a second of work: before there is a call to hold up


@contextlib.contextmanager
def _no_interrupts() -> Iterator[None]:
    """Held back from this thread, and from a process that it starts meanwhile."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    resource_tracker.ensure_running()  # which a first start does, and ends with nothing held back
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(pipe: "Connection[Any, Any]") -> None:
    """The other process: until the pipe is closed. Ctrl-C is for who captures: what he hands over is still written."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with contextlib.suppress(OSError, AttributeError):
        os.nice(_LAST_IN_LINE)
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))  # where who captures runs under a real-time one
    call_writer = InProcessWriter()
    pipe.send(_READY)
    with contextlib.suppress(EOFError, OSError):
        while True:
            options, tape = cast(tuple[CaptureOptions, Tape], pipe.recv())
            for side in (tape.caller, tape.bot):
                while (piece := pipe.recv()) is not None:
                    side.extend(piece)
            try:
                pipe.send((True, call_writer.write(tape, options)))
            except NotWritten as error:
                pipe.send((False, str(error)))


def _written(tape: Tape, options: CaptureOptions) -> str:
    call = captured_call(tape, version=options.version, attach=options.attach)
    if call is None:
        raise ValueError("what came was no AudioSocket")
    if options.redact:
        call = redact(call)
    options.out.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        path = _at_a_free_name(call, options, _scenario)
    except OSError:
        raise
    except Exception as error:
        destination = _at_a_free_name(call, options, _sound_and_cassette)
        why = type(error).__name__  # its text may hold somebody's words
        raise NotWritten(
            f"no scenario can be made of it ({why}); its sound and its cassette are in {destination}"
        ) from error
    full = " (not to its end: it was too long)" if tape.is_full else ""
    return f"{path}: {load(path).summary}{full}"


def _sound_and_cassette(call: CapturedCall, options: CaptureOptions, name: str) -> Path:
    return write_sound_and_cassette(call, options.out, name)


def _scenario(call: CapturedCall, options: CaptureOptions, name: str) -> Path:
    return write_scenario(call, options.out, name, server=options.server)


def _at_a_free_name(
    call: CapturedCall, options: CaptureOptions, write: Callable[[CapturedCall, CaptureOptions, str], Path]
) -> Path:
    """Somebody else may write there too."""
    for _ in range(_TRIES):
        with contextlib.suppress(NameTaken):
            return write(call, options, free_name(options.out, options.name))
    raise OSError(f"{options.out}: every name for the call was taken meanwhile")
