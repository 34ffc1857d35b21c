"""One whole call against the bot that follows a script, in virtual time: steps as YAML, one a line or as a block."""

from pathlib import Path
from typing import Any

from audiosocket_sim.running.runner import Options, Result, run
from audiosocket_sim.scenario.loading import load_text

__all__ = ["HELLO", "call", "flat"]

ROOT = Path(__file__).resolve().parents[2]
HELLO = [0.5, "say", "pt-br/pode_subir"]
"""“Pode subir.”, which is heard from 0.810 to 1.800."""
_OF_THE_BOT = ("control", "quiet")


def call(steps: str, *script: Any, **keys: Any) -> Result:
    """Make the call. `steps`: each line a step; or the text of `steps:` itself, if it begins with `- `. `keys`: other
    keys of the scenario, as YAML; `control`, `quiet`: of the bot."""
    lines = steps.strip("\n")
    if not lines.lstrip().startswith("- "):
        lines = "\n".join(f"- {line.strip()}" for line in lines.splitlines())
    bot = {key: keys.pop(key) for key in _OF_THE_BOT if key in keys}
    head = "\n".join(f"{key}: {value}" for key, value in keys.items())
    text = f"summary: A call to a bot that follows a script.\n{head}\nsteps:\n{lines}\n"
    scenario = load_text(text, "call", file="call.yaml", folder=ROOT / "scenarios")
    scenario = scenario.model_copy(update={"server": {"script": list(script), **bot}})
    return run(scenario, Options(target="helpers.scripted_bot:serve"))


def flat(text: str) -> str:
    """The text without runs of spaces, and each line's own."""
    return "\n".join(" ".join(line.split()) for line in text.splitlines())
