"""Does the engine work, here and now: asked before the first call. Bounded, whatever the engine does."""

import asyncio

from audiosocket_server.speech.base import Checked, SpeechEngine, SpeechUnavailable

__all__ = ["check_engine"]

CHECK_SECONDS = 30.0


async def check_engine(engine: SpeechEngine) -> str:
    """What was tried, in one line. Raises SpeechError: what to install or to set; SpeechUnavailable: not now."""
    if not isinstance(engine, Checked):
        return "made; there is nothing that could be tried beforehand"
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await engine.check()
    except TimeoutError:
        raise SpeechUnavailable(f"the check was not over within {CHECK_SECONDS:g} s") from None
