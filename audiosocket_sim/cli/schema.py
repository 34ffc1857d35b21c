"""`schema`: prints the JSON Schema of scenarios, for editors."""

import json

from audiosocket_sim.cli.console import FINE, say
from audiosocket_sim.scenario.loading import schema

__all__ = ["schema_command"]


def schema_command() -> int:
    """Print the schema and return the exit code 0."""
    say(json.dumps(schema(), ensure_ascii=False, indent=2))
    return FINE
