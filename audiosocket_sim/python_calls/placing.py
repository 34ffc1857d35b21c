"""Makes calls on a running event loop: `place_call`."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from audiosocket_sim.python_calls.arguments import says_of, scenario_of
from audiosocket_sim.python_calls.file_names import safe_file_name
from audiosocket_sim.python_calls.phone_call import CallTime, PhoneCall
from audiosocket_sim.python_calls.place import calling_place
from audiosocket_sim.python_calls.session import CallPlan
from audiosocket_sim.running.options import Options
from audiosocket_sim.scenario import AsteriskPeer, CallerEar, Line, Quality, Reply, TurnLimits

__all__ = ["place_call"]


def place_call(
    target: str | None = None,
    *,
    name: str | None = None,
    asterisk: str | Mapping[str, Any] | AsteriskPeer | None = None,
    line: Mapping[str, Any] | Line | None = None,
    ai: Sequence[Mapping[str, Any] | Reply] | None = None,
    server: Mapping[str, Any] | None = None,
    quality: Mapping[str, Any] | Quality | None = None,
    turn_taking: Mapping[str, Any] | TurnLimits | None = None,
    ear: str | Mapping[str, Any] | CallerEar | None = None,
    reader: str | Mapping[str, Any] | None = None,
    says: Iterable[str | Mapping[str, Any]] = (),
    before: Sequence[Mapping[str, Any]] = (),
    after: Sequence[Mapping[str, Any]] = (),
    reaction: CallTime | None = None,
    max_duration: CallTime | None = None,
    control_url: str | None = None,
    control_token: str | None = None,
    ai_port: int = 0,
    artefacts: Path | str | None = "runs",
) -> PhoneCall:
    """Return a call on the running event loop and its clock: `async with place_call("bot:serve") as call: …`.

    `target`: the bot to call: `module:callable`, `command: PROGRAM … {port}` or `tcp://HOST:PORT` (docs/targets.md); by
    default the one that pyproject.toml names for the working folder.
    `asterisk`, `line`, `ai`, `server`, `quality`, `turn_taking`, `ear`, `reader`, `before`, `after`, `reaction` and
    `max_duration`: the keys of a scenario (docs/scenarios.md).
    `says`: texts (or mappings as below `say:`) that the caller may say and that are in no phrase book, for a bot in
    this process whose recogniser knows only given sentences. Files are written to `artefacts`/`name`, by default to
    runs/ and the name of the calling function; with `artefacts=None` none is written. Characters of `name` that are not
    valid in a file's name become "-", with a checksum at the end. Raises CallArgumentError.
    """
    place = calling_place()
    name = name or place.function.strip("<>")
    folder = Path(place.file).resolve().parent
    settings = {
        "asterisk": asterisk,
        "line": line,
        "ai": None if ai is None else list(ai),
        "server": None if server is None else dict(server),
        "quality": quality,
        "turn_taking": turn_taking,
        "ear": ear,
        "reader": reader,
        "before": list(before),
        "after": list(after),
        "reaction": reaction,
        "max_duration": max_duration,
    }
    options = Options(
        trust=True,  # `server` is the test's own code, and no data from elsewhere
        target=target,
        control_url=control_url,
        control_token=None if control_token is None else SecretStr(control_token),
        ai_port=ai_port,
        artefacts=None if artefacts is None else Path(artefacts) / safe_file_name(name),
    )
    scenario = scenario_of("place_call", name, folder, settings)
    return PhoneCall(CallPlan(scenario, options, says_of("place_call: says", says, folder), place))
