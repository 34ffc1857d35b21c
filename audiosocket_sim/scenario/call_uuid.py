"""The UUID of a call: the one that its scenario sets, or one that is made from its name. Pure."""

import uuid

from audiosocket_sim.scenario.model import Scenario

__all__ = ["call_uuid"]

_NAMESPACE = uuid.UUID("6f1d5e0a-3c55-5b1e-9a8e-2f6f4d1c7b20")


def call_uuid(scenario: Scenario) -> uuid.UUID:
    """Return the UUID that the scenario sets, or else one that is derived from its name."""
    named = scenario.asterisk.uuid
    return uuid.UUID(named) if named else uuid.uuid5(_NAMESPACE, scenario.name)
