"""Hooks: what is done before the call and after it, an HTTP request or a command. Data only; `running.hooks` does it.

Text in a hook may have placeholders for what is known only when the target has started, such as `{uuid}`.
"""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from audiosocket_sim.scenario.fields import Model, PositiveMs, misfit
from audiosocket_sim.scenario.written import KeyPath

__all__ = ["HOOK_METHODS", "PLACEHOLDERS", "Hook", "filled"]

HOOK_METHODS = ("get", "post", "put", "patch", "delete")
PLACEHOLDERS = ("uuid", "control_url", "ai_url", "host", "port")
_IN_BRACES = re.compile(r"(?<!\$)(?:\{\{(\w+)\}\}|\{(\s*)([A-Za-z_][\w.-]*)\s*\})")
"""`{{name}}`, which is `{name}` to the letter, or `{name}`. Behind a `$` it is a shell's own; `{3}` is a regular
expression's."""
_SCHEMES = ("http://", "https://", "{control_url}", "{ai_url}")
_ONLY_HTTP = ("json", "body", "headers", "status", "contains")


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return the text with its placeholders replaced, and `{{name}}` as `{name}`; other braces are the text's own."""
    return _IN_BRACES.sub(lambda found: f"{{{found[1]}}}" if found[1] else values.get(found[0][1:-1], found[0]), text)


def _url(url: str) -> str:
    if not url.startswith(_SCHEMES):
        raise ValueError(f"an address begins with {', '.join(_SCHEMES[:-1])} or {_SCHEMES[-1]}, not {url!r:.100}")
    return url


def _checked(value: Any) -> Any:
    """Return the value of a key whose texts may have placeholders. Raises misfit for one that does not exist, at the
    text in which it stands."""
    for path, text in _texts_in(value):
        for literal, space, name in _IN_BRACES.findall(text):
            near = get_close_matches(name.lower().replace("-", "_"), PLACEHOLDERS, n=1)
            if literal or (not space and name in PLACEHOLDERS) or (space and not near):
                continue
            raise misfit(_no_placeholder(f"{{{space and ' '}{name:.60}{space and ' '}}}", near), *path)
    return value


def _no_placeholder(word: str, near: list[str]) -> str:
    if near:
        return f"there is no placeholder {word}; did you mean {{{near[0]}}}?"
    known = ", ".join(f"{{{one}}}" for one in PLACEHOLDERS)
    return f"there is no placeholder {word}; known: {known}; {{{word}}} is the text {word}"


def _texts_in(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Yield each text in a value, and the path to it. A key of a mapping is a text too, which has the
    mapping's path."""
    match value:
        case str():
            yield path, value
        case dict():
            for key, inner in value.items():
                if isinstance(key, str):
                    yield path, key
                yield from _texts_in(inner, (*path, key))
        case list() | tuple():
            for index, inner in enumerate(value):
                yield from _texts_in(inner, (*path, index))


def _words(command: object) -> object:
    return tuple(command) if isinstance(command, list) else command


def _program(command: tuple[str, ...]) -> tuple[str, ...]:
    if not command or not command[0].strip():
        raise ValueError("needs a program and its arguments, such as [curl, -f, 'http://127.0.0.1:9000/{uuid}']")
    for word in command:
        if "\0" in word:
            raise ValueError("a word of a command cannot contain a NUL character")
    return command


def _statuses(status: object) -> object:
    return (status,) if isinstance(status, int) and not isinstance(status, bool) else _words(status)


def _known_statuses(status: tuple[int, ...]) -> tuple[int, ...]:
    if not status or not all(100 <= one <= 599 for one in status):
        raise ValueError("an HTTP status is from 100 to 599")
    return status


_Url = Annotated[str, AfterValidator(_checked), AfterValidator(_url)]
_Text = Annotated[str, AfterValidator(_checked)]
_STATUS = {"type": "integer", "minimum": 100, "maximum": 599}
_Headers = Annotated[dict[str, str], AfterValidator(_checked)]
_Statuses = Annotated[
    tuple[int, ...],
    AfterValidator(_known_statuses),
    BeforeValidator(_statuses),
    WithJsonSchema({"anyOf": [_STATUS, {"type": "array", "items": _STATUS, "minItems": 1}]}),
]
_Command = Annotated[
    tuple[str, ...],
    AfterValidator(_checked),
    AfterValidator(_program),
    BeforeValidator(_words),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 1}),
]


class Hook(Model):
    """An HTTP request or a command. Exactly one of: get, post, put, patch, delete, command."""

    get: _Url | None = Field(default=None, description="an address, with placeholders: {uuid}, {control_url}, …")
    post: _Url | None = Field(default=None, description="an address, to which json or body is sent")
    put: _Url | None = Field(default=None, description="an address, to which json or body is sent")
    patch: _Url | None = Field(default=None, description="an address, to which json or body is sent")
    delete: _Url | None = Field(default=None, description="an address")
    json_: Annotated[Any, AfterValidator(_checked), WithJsonSchema({})] = Field(
        default=None, alias="json", description="what is sent, as JSON; texts in it may have placeholders"
    )
    body: _Text | None = Field(default=None, description="what is sent, as text, with placeholders")
    headers: _Headers = Field(default_factory=dict, description="headers of the request, with placeholders")
    status: _Statuses | None = Field(
        default=None, description="the status that must be answered, or a list of them; any of 200 to 299 otherwise"
    )
    contains: _Text | None = Field(default=None, description="a text that must be in the answer's body, to the letter")
    command: _Command | None = Field(
        default=None, description="a program and its arguments, with placeholders; no shell. It needs --trust"
    )
    exit_code: Annotated[int, Field(ge=0, le=255)] | None = Field(
        default=None, description="with which the command must end; 0 otherwise"
    )
    within: PositiveMs = Field(default=10_000, description="how long it may take, on the real clock")

    @property
    def method(self) -> str | None:
        """The key of the HTTP method; None for a command."""
        return next((key for key in HOOK_METHODS if getattr(self, key) is not None), None)

    @property
    def url(self) -> str:
        """The address as it is written; "" for a command."""
        return "" if self.method is None else str(getattr(self, self.method))

    def asks_for(self, placeholder: str) -> bool:
        """Whether a placeholder stands in any text of the hook."""
        texts = (self.url, self.command, self.json_, self.body, self.headers, self.contains)
        return any(found[2] == placeholder for _, text in _texts_in(texts) for found in _IN_BRACES.findall(text))

    @property
    def title(self) -> str:
        """What is done, as it is written: `POST {control_url}/expected`."""
        return f"{self.method.upper()} {self.url}" if self.method else f"command {' '.join(self.command or ())}"

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [key for key in (*HOOK_METHODS, "command") if getattr(self, key) is not None]
        if len(given) != 1:
            found = f" (found {' and '.join(given)})" if given else ""
            raise ValueError(f"a hook has exactly one of: {', '.join(HOOK_METHODS)}, command{found}")
        only = _ONLY_HTTP if self.command is not None else ("exit_code",)
        for key in only:
            name = "json_" if key == "json" else key
            if name in self.model_fields_set:
                raise misfit("belongs to an HTTP request" if self.command is not None else "belongs to a command", key)
        if self.method in ("get", "delete") and (self.json_ is not None or self.body is not None):
            raise misfit(f"{self.method} sends nothing", "body" if self.json_ is None else "json")
        if self.json_ is not None and self.body is not None:
            raise misfit("json and body exclude each other", "body")
        return self
