"""check.yaml: what the author of a server says of it, where a probe cannot find it out (docs/check.md)."""

import uuid as uuids
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from audiosocket_sim.conformance.features import Features, TestRole
from audiosocket_sim.scenario.fields import Model, PositiveMs
from audiosocket_sim.scenario.loading import FileError, read_model, read_text

__all__ = ["CHECK_FILE", "read_check_file"]

CHECK_FILE = "check.yaml"


class _Role(Model):
    """How a call of this role is asked for."""

    uuid: str | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None

    @field_validator("uuid")
    @classmethod
    def _is_uuid(cls, text: str | None) -> str | None:
        if text is not None:
            try:
                uuids.UUID(text)
            except ValueError:
                raise ValueError(f"expected a UUID such as 6f0c4a1e-…, not {text[:50]!r}") from None
        return text

    @model_validator(mode="after")
    def _is_reachable(self) -> "_Role":
        if self.uuid is None and self.port is None:
            raise ValueError("needs `uuid:` or `port:`, or both")
        return self

    def to_role(self) -> TestRole:
        return TestRole(None if self.uuid is None else uuids.UUID(self.uuid).bytes, self.port)


class _Roles(Model):
    echo: _Role | None = None
    tone: _Role | None = None
    sink: _Role | None = None
    hangup: _Role | None = None
    dtmf: _Role | None = None


class _Features(Model):
    two_calls: bool | None = None
    speaks_first: bool | None = None
    sends_always: bool | None = None
    echoes: bool | None = None
    answers: bool | None = None
    hangs_up: bool | None = None
    takes_keys: bool | None = None
    wideband: bool | None = None
    barge_in: bool | None = None


class _Limits(Model):
    answers_within: PositiveMs | None = None
    ends_calls_after: PositiveMs | None = None
    calls_at_once: Annotated[int, Field(ge=1, le=100_000)] | None = None


class _CheckFile(Model):
    roles: _Roles = _Roles()
    features: _Features = _Features()
    limits: _Limits = _Limits()


def read_check_file(path: Path) -> Features:
    """Return what the file states. Raises FileError with the line of each problem and the nearest valid key."""
    text = read_text(path, FileError, "check.yaml")
    made, _, problems = read_model(_CheckFile, text, str(path), "empty: expected `roles:`, `features:` or `limits:`")
    if problems or made is None:
        raise FileError(*problems)
    stated: dict[str, bool | float] = made.features.model_dump(exclude_none=True)
    if made.limits.answers_within is not None:
        stated["answer_seconds"] = made.limits.answers_within / 1000
    if made.limits.ends_calls_after is not None:
        stated["lives"] = made.limits.ends_calls_after / 1000
    if made.limits.calls_at_once is not None:
        stated["most_calls"] = made.limits.calls_at_once
        if made.limits.calls_at_once == 1:
            stated["two_calls"] = False
    roles = {name: role.to_role() for name, role in made.roles if role is not None}
    return Features(**stated, roles=roles, stated=frozenset(stated))  # type: ignore[arg-type]
