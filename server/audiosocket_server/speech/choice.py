"""Choice of the speech engine: by the settings, else by what is installed. Gives the reason, for the log.

An engine is imported by name when it is chosen, so that no unused vendor SDK is loaded. A third-party engine is an
import string `module:callable`; the callable takes the settings, may block, and returns a `SpeechEngine`
(docs/server.md, Speech engines).
"""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from audiosocket_server.settings.settings import Settings, project_path
from audiosocket_server.speech.base import SpeechEngine, SpeechError
from audiosocket_server.speech.recordings import EmbeddedEngine

__all__ = ["EngineChoice", "choose", "load_engine"]

# Each vendor's module has `load(settings) -> SpeechEngine`, which may block. _EXTRAS: the modules that it needs.
_VENDORS = {"azure": "audiosocket_server.speech.azure", "local": "audiosocket_server.speech.local"}
_EXTRAS = {"azure": ("azure.cognitiveservices.speech",), "local": ("ctranslate2", "tokenizers", "onnxruntime")}


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The name of the engine, and the reason for the choice."""

    engine: str
    reason: str


def choose(settings: Settings) -> EngineChoice:
    """Choose an engine. Loads nothing."""
    speech = settings.speech
    if speech.engine is not None:
        return EngineChoice(speech.engine, "set by speech.engine")
    passed_over = ""
    if speech.azure_key is not None:
        if _is_installed("azure"):
            return EngineChoice("azure", "there is a key for Azure Speech")
        passed_over = "there is a key for Azure Speech, but the extra [azure] is not installed; "
    if _is_installed("local"):
        return EngineChoice("local", f"{passed_over}the extra [local] is installed, and needs no key")
    why = passed_over or "speech.engine is not set, there is no key for Azure Speech, and "
    return EngineChoice("embedded", f"{why}the extra [local] is not installed")


def load_engine(settings: Settings) -> tuple[SpeechEngine, EngineChoice]:
    """Choose and make the engine. Blocks for up to some seconds: call it in the executor.

    Raises SpeechError, AudioSocketError or OSError if it cannot be made.
    """
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
    if not _is_installed(choice.engine):
        raise SpeechError(
            f"the speech engine {choice.engine} is not installed: pip install 'audiosocket-sim[{choice.engine}]'; "
            "speech.engine embedded always works"
        )
    module = importlib.import_module(_VENDORS[choice.engine])
    load = cast(Callable[[Settings], SpeechEngine], module.load)
    return load(settings), choice


def _imported(name: str) -> Callable[[Settings], SpeechEngine]:
    module, _, function = name.partition(":")
    try:
        return cast(Callable[[Settings], SpeechEngine], getattr(importlib.import_module(module), function))
    except (ImportError, AttributeError) as error:
        raise SpeechError(f"the speech engine {name} cannot be imported: {error}") from error


def _is_installed(engine: str) -> bool:
    return all(_is_there(module) for module in (_VENDORS[engine], *_EXTRAS[engine]))


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False
