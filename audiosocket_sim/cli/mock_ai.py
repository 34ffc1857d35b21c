"""`mock-ai FILE`: runs the AI backend of a scenario for a live server, call after call, until it is stopped.

Prints each request and each answer on a line, control characters as escapes. The callers' words are printed and not
written anywhere.
"""

import asyncio
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from audiosocket_core.stop_signals import stop_signals
from audiosocket_sim.call_log.events import BackendAsked, BackendPushed, BackendReplied
from audiosocket_sim.call_log.transcript import visible
from audiosocket_sim.cli.console import FINE, SET_UP, USAGE, refuse, say
from audiosocket_sim.mock_ai.backend import MockAi
from audiosocket_sim.net.bind_errors import why_not_listening
from audiosocket_sim.scenario import Scenario
from audiosocket_sim.scenario.loading import ScenarioError, load_all
from audiosocket_sim.scenario.paths import find_scenario, named_cell

__all__ = ["mock_ai_command", "serve_forever"]


def mock_ai_command(name: str, host: str, port: int, control_url: str, control_token: SecretStr | None = None) -> int:
    """Serve until SIGINT or SIGTERM, and return the exit code.

    0; 2 for an invalid scenario or one without replies; 3 for a port that is taken.
    """
    try:
        scenario = _scenario(name)
    except (LookupError, ScenarioError) as error:
        return refuse(str(error.args[0]) if isinstance(error, LookupError) else str(error), USAGE)
    if any((call.ai, call.cassette) != (scenario.ai, scenario.cassette) for call in scenario.calls):
        why = "its callers have replies of their own, and here nobody knows who calls"
        return refuse(f"{name}: {why}: name a scenario with one `ai:`", USAGE)
    if not scenario.ai and not scenario.cassette:
        return refuse(f"{name}: this scenario has no `ai:`, so there is nothing to answer", USAGE)
    if any(reply.fault == "refused" for reply in scenario.ai):
        return refuse(f"{name}: its AI backend refuses connections, so there is nothing to run", USAGE)
    try:
        asyncio.run(serve_forever(scenario, host, port, control_url, control_token))
    except OSError as error:
        return refuse(why_not_listening(error, host, port), SET_UP)
    return FINE


def _scenario(name: str) -> Scenario:
    """Return the scenario of a name; of several calls that `for_each` makes, the one that `NAME[noise_dbfs=-40]` names.

    Raises LookupError with a line for people, and ScenarioError.
    """
    from audiosocket_sim.cli.chosen_scenarios import no_such_scenario
    from audiosocket_sim.scenario.loading.matrix import is_chosen, no_such_cell

    base, cell = named_cell(name) or (name, "")
    try:
        file = find_scenario(base, Path.cwd())
    except FileNotFoundError:
        raise LookupError(no_such_scenario(base)) from None
    cells = load_all(file)
    found = [one for one in cells if is_chosen(one.cell, cell)]
    if not found:
        raise LookupError(no_such_cell(file.stem, cell, [one.name for one in cells]))
    if len(found) > 1:
        raise LookupError(f"{name}: for_each makes {len(found)} calls of it: name one, such as {found[0].name!r}")
    return found[0]


async def serve_forever(
    scenario: Scenario, host: str, port: int, control_url: str, control_token: SecretStr | None = None
) -> None:
    """Answer with the scenario's replies, from the first one on in each conversation; pushes go to the control URL.

    Returns on SIGINT or SIGTERM. Raises OSError if the port is taken.
    """
    from audiosocket_sim.net.control_client import ControlClient

    stopped = asyncio.Event()
    control = ControlClient(control_url, control_token)
    ai = MockAi(
        scenario.ai, _show, control.push, cassette=scenario.cassette or None, each_call=True, on_failure=_show_failure
    )
    try:
        with stop_signals(stopped.set):
            url = await ai.start(port, host)
            n_replies = len(scenario.ai or scenario.cassette)
            replies = "1 reply" if n_replies == 1 else f"{n_replies} replies"
            say(f"mock AI on {url}, {replies} of {scenario.name}; pushes go to {control_url}")
            await stopped.wait()
    finally:
        await ai.aclose()
        await control.aclose()


def _show_failure(failure: str) -> None:
    """Print the failure at once, since there is no verdict at the end."""
    say(f"  !  {visible(failure)}")


def _show(event: Any) -> None:
    match event:
        case BackendAsked():
            say(visible(f"{event.conversation_id}  asked    “{event.content}”"))
        case BackendReplied(fault=str(fault)):
            say(f"  {event.number}  fault    {fault.replace('_', ' ')}")
        case BackendReplied():
            late = "" if event.delivered else "  (nobody there to take it)"
            say(f"  {event.number}  answered {_message(event.status, event.says)}{late}")
        case BackendPushed():
            say(f"     pushed   {_message(event.status, event.says)}: HTTP {event.http_status}")


def _message(status: str | None, says: str | None) -> str:
    return visible(f"{status or 'no status'} {'nothing' if says is None else f'“{says}”'}")
