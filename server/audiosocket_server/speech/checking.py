"""Check of a speech engine before the first call, within a time limit."""

import asyncio

from audiosocket_server.speech.base import Checked, SpeechEngine, SpeechUnavailable

__all__ = ["check_engine"]

CHECK_SECONDS = 30.0


async def check_engine(engine: SpeechEngine) -> str:
    """Check the engine if it can be checked. Returns one line that says what was tried.

    Raises SpeechError that says what to install or to set; SpeechUnavailable if waiting may help, also after 30 s.
    """
    if not isinstance(engine, Checked):
        return "the engine was made; it has no check to run"
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            return await engine.check()
    except TimeoutError:
        raise SpeechUnavailable(f"the check did not finish within {CHECK_SECONDS:g} s") from None
