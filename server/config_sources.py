"""Where the live server's settings come from: `config.json`, `.env` and the environment, read by pydantic-settings.

Reads and names; whether a value is right is judged in `config_errors`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import create_model
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource
from pydantic_settings.exceptions import SettingsError

from server.config import FLAT_NAMES, Settings
from server.config_errors import ConfigError, Source, did_you_mean

__all__ = ["read_sources"]

Key = tuple[str, ...]


_FIELDS: dict[str, Any] = {name: (info.annotation, info.default) for name, info in Settings.model_fields.items()}
_Live = create_model("_Live", __base__=BaseSettings, **_FIELDS)  # what pydantic-settings needs to read its sources


def read_sources(config_file: Path | None, env_file: Path | None) -> list[Source]:
    """What each place says, the weakest first. None: the usual name, where such a file exists. Raises ConfigError."""
    sources = []
    if config_file is not None or Path("config.json").exists():
        sources.append(_from_json(config_file or Path("config.json")))
    if env_file is not None and not env_file.is_file():
        raise ConfigError(f"{env_file}: no such file")
    path = env_file or Path(".env")
    try:
        dotenv = DotEnvSettingsSource(
            _Live, path, env_file_encoding="utf-8-sig", env_nested_delimiter="__", env_ignore_empty=True
        )
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    environment = EnvSettingsSource(_Live, env_nested_delimiter="__", env_ignore_empty=True)
    sources.append(_from_variables(str(path), dotenv, owned=True))
    sources.append(_from_variables("environment", environment, owned=False))
    return sources


def _from_json(path: Path) -> Source:
    def no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise ConfigError(f"{path}: {twice[0]}: this key stands there twice")
        return dict(pairs)

    try:
        values = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=no_key_twice)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    if not isinstance(values, dict):
        raise ConfigError(f'{path}: expected an object of sections, such as {{"system": {{…}}}}')
    return Source(str(path), values)


def _from_variables(label: str, source: EnvSettingsSource, *, owned: bool) -> Source:
    variables, names = _known_variables(label, source.env_vars, owned=owned)
    source.env_vars = variables
    try:
        values = source()
    except SettingsError:  # the one kind of value that the library itself reads is a list
        lists = [name for key, name in names.items() if key[-1] == "phrase_books"]
        raise ConfigError(f'{label}: {", ".join(lists)}: expected a list such as ["recordings"]') from None
    return Source(label, {name: values[name] for name in Settings.model_fields if name in values}, names)


def _known_variables(
    label: str, given: Mapping[str, str | None], *, owned: bool
) -> tuple[dict[str, str | None], dict[Key, str]]:
    """`ai_api_url` -> `ai__api_url`, and under which name each key was given.

    The environment holds other programs' variables too (`SERVER`, `SYSTEM`, …): of these only SECTION__KEY is ours.
    A `.env` is `owned`: every name in it must be known.
    """
    flat: dict[str, Key] = {name.lower(): key for name, key in FLAT_NAMES.items()}
    known = [(section, key) for section, keys in Settings().model_dump().items() for key in keys]
    names_known = [*FLAT_NAMES, *("__".join(key).upper() for key in known)]
    variables: dict[str, str | None] = {}
    names: dict[Key, str] = {}
    for lower, value in given.items():
        name = lower.upper()
        section, joint, rest = lower.partition("__")
        key = flat.get(lower, (section, rest))
        ours = owned or lower in flat or (joint and section in Settings.model_fields)
        if ours and key not in known:
            raise ConfigError(f"{label}: {name}: unknown name{did_you_mean(name, names_known)}")
        if not ours or not value:
            continue
        if key in names:
            raise ConfigError(f"{label}: {names[key]} and {name} are the same setting: give one of them")
        names[key] = name
        variables["__".join(key)] = value
    return variables, names
