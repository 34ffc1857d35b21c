"""Finds the parts of a scenario that only a trusted one may have: they run code, or lead out of its own folders. Pure.

Whoever adds a key that names code or a program adds it here. `confinement` has the rules for settings and files.
"""

from collections.abc import Iterator

from audiosocket_sim.reading.choice import names_code
from audiosocket_sim.scenario.confinement import untrusted_settings
from audiosocket_sim.scenario.model import SayStep, Scenario, all_steps
from audiosocket_sim.scenario.nesting import expectations_in
from audiosocket_sim.scenario.written import KeyPath

__all__ = ["what_needs_trust"]

_UNTRUSTED = "is not taken from a scenario that is not trusted (docs/scenarios.md, Trust)"


def what_needs_trust(scenario: Scenario, *, takes_settings: bool) -> Iterator[tuple[KeyPath, str]]:
    """Yield the path to each part of the scenario that needs trust, and a line on why.

    `takes_settings`: the target takes the scenario's `server:`, so that its settings matter.
    """
    if takes_settings:
        for path, what in untrusted_settings(scenario.server, scenario.folder):
            yield ("server", *path), what
    for path, step in all_steps(scenario.steps):
        if isinstance(step, SayStep) and ":" in (step.say.voice or ""):
            yield (*path, "say", "voice"), f"voice: {step.say.voice!r:.100} names code, which {_UNTRUSTED}"
    if scenario.reader is not None and names_code(scenario.reader.use):
        yield ("reader", "use"), f"reader: {scenario.reader.use!r:.100} names code, which {_UNTRUSTED}"
    for path, expected in expectations_in(scenario.steps):
        if expected.bot_says is not None and expected.bot_says.judge is not None:
            name = expected.bot_says.judge
            yield (*path, "bot_says", "judge"), f"judge: {name!r:.100} names code, which {_UNTRUSTED}"
    for key in ("before", "after"):
        for index, hook in enumerate(getattr(scenario, key)):
            if hook.command is not None:
                yield (key, index, "command"), f"command: {hook.command[0]!r:.100} is a program, which {_UNTRUSTED}"
            elif not _is_of_the_call(hook.url):
                yield (
                    (key, index, str(hook.method)),
                    f"{hook.method}: {hook.url:.100} is an address of its own, which {_UNTRUSTED}",
                )


def _is_of_the_call(url: str) -> bool:
    """Whether a request goes to the target's control URL or to the mock AI, and to no address of the scenario's own."""
    own = next((start for start in ("{control_url}", "{ai_url}") if url.startswith(start)), None)
    return own is not None and url.removeprefix(own)[:1] in ("", "/", "?")
