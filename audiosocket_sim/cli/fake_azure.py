"""`fake-azure`: runs the fake Azure Speech service for any client, until it is stopped.

Prints one line for each request at its end. The callers' words are printed and not written anywhere.
"""

import asyncio
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.stop_signals import stop_signals
from audiosocket_sim.cli.console import FINE, SET_UP, USAGE, refuse, say
from audiosocket_sim.fake_azure.faults_file import FaultsError, load_faults
from audiosocket_sim.fake_azure.plan import Faults
from audiosocket_sim.fake_azure.recognisers import RecogniserError
from audiosocket_sim.fake_azure.request_log import Request
from audiosocket_sim.fake_azure.service import FakeAzure, FakeAzureError
from audiosocket_sim.net.bind_errors import why_not_listening

__all__ = ["fake_azure_command", "line_of"]


def fake_azure_command(
    *,
    host: str,
    port: int,
    phrase_books: Sequence[Path],
    recogniser: str | None,
    faults: Path | None,
    verbose: bool,
) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit code.

    0; 2 for invalid plans or an unusable recogniser; 3 for a port that is taken or an extra that is missing.
    """
    if verbose:
        logging.basicConfig(level=logging.DEBUG, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
        logging.getLogger("asyncio").setLevel(logging.WARNING)
    try:
        plans = load_faults(faults) if faults is not None else Faults()
    except FaultsError as error:
        return refuse(str(error), USAGE)
    options = {"phrase_books": tuple(phrase_books)} if phrase_books else {}
    fake = FakeAzure(plans, host=host, port=port, recogniser=recogniser, on_request=_show, **options)
    try:
        asyncio.run(_serve(fake, plans))
    except FakeAzureError as error:
        return refuse(str(error), SET_UP)
    except (RecogniserError, AudioSocketError) as error:
        return refuse(str(error), USAGE)
    except OSError as error:
        return refuse(why_not_listening(error, host, port), SET_UP)
    return FINE


async def _serve(fake: FakeAzure, plans: Faults) -> None:
    stopped = asyncio.Event()
    with stop_signals(stopped.set):
        async with fake:
            keys = f"plans for the keys {', '.join(plans.keys)}" if plans.keys else "no plans, so no faults"
            say(f"fake Azure Speech on {fake.endpoint} (the SDK's endpoint, or host); {keys}")
            await stopped.wait()


def line_of(request: Request) -> str:
    """Return the line that is printed for a request."""
    words = [request.kind, request.key, request.language, request.voice, request.mode]
    words += ["resumed"] if request.continued else []
    seconds = f"{request.audio_ms / 1000:.2f} s" if request.audio_ms else ""
    text = f"“{request.text}”" if request.text else ""
    shown = "  ".join(part for part in (*words, seconds, text) if part)
    return f"{request.number:4}  {shown}: {request.outcome}"


def _show(request: Request) -> None:
    say(line_of(request))
