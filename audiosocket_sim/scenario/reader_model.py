"""The key `reader`: who reads the words of a voice that no phrase book knows, and in which language. Data only."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from audiosocket_sim.reading.choice import reader_problem
from audiosocket_sim.scenario.fields import Model

__all__ = ["Reader"]

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


def _known_form(name: str) -> str:
    problem = reader_problem(name)
    if problem is not None:
        raise ValueError(problem)
    return name


def _tag(language: str) -> str:
    if not _TAG.fullmatch(language):
        raise ValueError(f"a language is a tag such as pt-BR or en, not {language!r}")
    return language


class Reader(Model):
    """Who reads the words of a voice that no phrase book knows."""

    use: Annotated[str, AfterValidator(_known_form)] = Field(
        description="local (Whisper, extra [local]), none, or module:callable, which needs trust"
    )
    language: Annotated[str, AfterValidator(_tag)] | None = Field(
        default=None, description="a tag such as pt-BR; by default that of the scenario's texts"
    )
