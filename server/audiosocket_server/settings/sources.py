"""Readers of the live server's settings: `config.json`, `.env` and the environment, by pydantic-settings.

They find the values and the names of the variables, for any settings model; `errors` validates the values.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from pydantic import BaseModel, create_model
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource
from pydantic_settings.exceptions import SettingsError

from audiosocket_server.settings.errors import ConfigError, SettingKey, SettingSource, did_you_mean, sections_of

__all__ = ["SourceReader"]

_LARGEST_FILE_BYTES = 1_000_000
_MOST_DIGITS = 300
"""Python itself refuses to read more than 4,300."""
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_LINE_END = "\n"


class SourceReader:
    """Reader of all sources of `model`.

    `flat_names`: short names of variables, each with its (section, key). Every setting is also SECTION__KEY.
    """

    def __init__(self, model: type[BaseModel], flat_names: Mapping[str, SettingKey]) -> None:
        sections = sections_of(model)
        self._sections = tuple(sections)
        self._keys = [(section, key) for section, keys in sections.items() for key in keys]
        self._flat = {name.lower(): key for name, key in flat_names.items()}
        self._names = [*flat_names, *("__".join(key).upper() for key in self._keys)]
        fields: dict[str, Any] = {name: (info.annotation, info.default) for name, info in model.model_fields.items()}
        self._live = create_model("Live", __base__=BaseSettings, **fields)

    def read(self, config_file: Path | None, env_file: Path | None) -> list[SettingSource]:
        """Return what each place sets, in rising order of precedence. Raises ConfigError.

        None stands for the usual file, `config.json` or `.env` of the working directory, which need not exist.
        """
        sources = []
        if config_file is not None or Path("config.json").exists():
            sources.append(_from_json(config_file or Path("config.json")))
        if env_file is not None and not env_file.is_file():
            raise ConfigError(f"{env_file}: no such file")
        path = env_file or Path(".env")
        try:
            dotenv = DotEnvSettingsSource(
                self._live, path, env_file_encoding="utf-8-sig", env_nested_delimiter="__", env_ignore_empty=True
            )
        except UnicodeDecodeError:
            raise ConfigError(f"{path}: not UTF-8 text") from None
        environment = EnvSettingsSource(self._live, env_nested_delimiter="__", env_ignore_empty=True)
        sources.append(self._from_variables(str(path), dotenv, owned=True))
        sources.append(self._from_variables("environment", environment, owned=False))
        return sources

    def _from_variables(self, label: str, source: EnvSettingsSource, *, owned: bool) -> SettingSource:
        variables, names = self._known_variables(label, source.env_vars, owned=owned)
        source.env_vars = variables
        try:
            values = source()
        except SettingsError:  # only lists are parsed by the library itself
            lists = [name for key, name in names.items() if key[-1].endswith("phrase_books")]
            raise ConfigError(f'{label}: {", ".join(lists)}: expected a list such as ["recordings"]') from None
        return SettingSource(label, {name: values[name] for name in self._sections if name in values}, names)

    def _known_variables(
        self, label: str, given: Mapping[str, str | None], *, owned: bool
    ) -> tuple[dict[str, str | None], dict[SettingKey, str]]:
        """Select our variables: (values by SECTION__KEY in lower case, the variable's name by key).

        Short names are expanded: `ai_api_url` to `ai__api_url`. The environment also holds variables of other programs
        (`SERVER`, `SYSTEM`, …), which are ignored. A `.env` is `owned`: every name in it must be known. Raises
        ConfigError.
        """
        variables: dict[str, str | None] = {}
        names: dict[SettingKey, str] = {}
        for lower, value in given.items():
            name = lower.upper()
            section, joint, rest = lower.partition("__")
            key = self._flat.get(lower, (section, rest))
            ours = owned or lower in self._flat or (joint and section in self._sections)
            if ours and key not in self._keys:
                raise ConfigError(f"{label}: {name}: unknown name{did_you_mean(name, self._names)}")
            if not ours or not value:
                continue
            if key in names:
                raise ConfigError(f"{label}: {names[key]} and {name} are the same setting: set only one of them")
            names[key] = name
            variables["__".join(key)] = value
        return variables, names


def _from_json(path: Path) -> SettingSource:
    text = _text(path)

    def place_of(literal: str) -> str:
        before = text.partition(literal)[0]
        return f"{path}:{before.count(_LINE_END) + 1}:{len(before.rpartition(_LINE_END)[2]) + 1}"

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        for key, count in Counter(key for key, _ in found).items():
            if count > 1:
                raise ConfigError(f"{path}: {key}: this key occurs twice")
        for key, value in found:
            if isinstance(value, str) and _HALF_CHARACTER.search(value):
                raise ConfigError(f"{path}: {key}: {value!a} holds half a character")
        return dict(found)

    def whole_number(digits: str) -> int:
        if len(digits) > _MOST_DIGITS:
            raise ConfigError(f"{place_of(digits)}: a number of {len(digits)} digits: at most {_MOST_DIGITS} are taken")
        return int(digits)

    def no_constant(name: str) -> NoReturn:
        raise ConfigError(f"{place_of(name)}: not valid JSON: {name} is not JSON")

    try:
        values = json.loads(text, object_pairs_hook=pairs, parse_int=whole_number, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}") from None
    except RecursionError:
        raise ConfigError(f"{path}: nested too deeply: expected sections of keys") from None
    if not isinstance(values, dict):
        raise ConfigError(f'{path}: expected an object of sections, such as {{"system": {{…}}}}')
    return SettingSource(str(path), values)


def _text(path: Path) -> str:
    """The text of a file of at most 1 MB; it may be a pipe. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE_BYTES + 1)
        if len(data) > _LARGEST_FILE_BYTES:
            raise ConfigError(f"{path}: larger than 1 MB: expected sections of keys")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise ConfigError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
