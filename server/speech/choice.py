"""Which speech engine: the settings' word, else what there is. Says why, for the log.

Engines are imported late, by name: nobody pays for a vendor's kit that is not used. An engine of somebody else's is
`module:callable`; the callable takes the settings, may block, and returns a `SpeechEngine` (docs/server.md, Speech
engines).
"""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from server.config import Settings, project_path
from server.speech.base import SpeechEngine, SpeechError
from server.speech.recordings import EmbeddedEngine

__all__ = ["Choice", "choose", "load_engine"]

# Each module has `load(settings) -> SpeechEngine`, which may block, and is installed by the extra of its name.
_VENDORS = {"azure": "server.speech.azure", "local": "server.speech.local"}


@dataclass(frozen=True, slots=True)
class Choice:
    """The engine's name, and why it is that one."""

    engine: str
    reason: str


def choose(settings: Settings) -> Choice:
    """Decide without loading anything."""
    speech = settings.speech
    if speech.engine is not None:
        return Choice(speech.engine, "as set in speech.engine")
    if speech.azure_key is not None:
        if _is_there("azure"):
            return Choice("azure", "there is a key")
        return Choice("embedded", "there is a key for Azure Speech, but its engine is not installed")
    return Choice("embedded", "no speech.engine is set and there is no key")


def load_engine(settings: Settings) -> tuple[SpeechEngine, Choice]:
    """Make the engine. Blocks, up to seconds: for the executor. Raises SpeechError, AudioSocketError, OSError."""
    choice = choose(settings)
    speech = settings.speech
    if ":" in choice.engine:
        return _imported(choice.engine)(settings), choice
    if choice.engine == "embedded":
        books = [project_path(folder) for folder in speech.phrase_books]
        prompts = project_path(settings.audio.prompts_folder)
        cache = project_path(speech.cache_folder)
        more = [project_path(folder) for folder in speech.more_phrase_books]
        engine = EmbeddedEngine.load(
            books, prompts, more_phrase_books=more, language=speech.language, cache_folder=cache
        )
        return engine, choice
    if not _is_there(choice.engine):
        raise SpeechError(f"the speech engine {choice.engine} is not installed; speech.engine embedded always works")
    module = importlib.import_module(_VENDORS[choice.engine])
    load = cast(Callable[[Settings], SpeechEngine], module.load)
    return load(settings), choice


def _imported(name: str) -> Callable[[Settings], SpeechEngine]:
    module, _, function = name.partition(":")
    try:
        return cast(Callable[[Settings], SpeechEngine], getattr(importlib.import_module(module), function))
    except (ImportError, AttributeError) as error:
        raise SpeechError(f"the speech engine {name} cannot be imported: {error}") from error


def _is_there(engine: str) -> bool:
    return importlib.util.find_spec(_VENDORS[engine]) is not None
