"""Reads the caller's phone from an option: `fifo 120ms`, as `ear:` of a scenario is written."""

from pydantic import ValidationError

from audiosocket_sim.scenario import CallerEar
from audiosocket_sim.scenario.loading.explain import explain

__all__ = ["parse_ear"]


def parse_ear(text: str) -> CallerEar:
    """Return the phone that the text names. Raises ValueError with one line that says what is right."""
    try:
        return CallerEar.model_validate({"model": text})
    except ValidationError as error:
        message = next(explain(error, lambda path: path, CallerEar))[2]
    raise ValueError(message.removeprefix("model: "))
