"""AudioSocket Simple: the phone of a condominium, answered by an AI. The reference server and the example bot.

`serve` starts it in the running event loop, and is the import string `audiosocket_server:serve` of docs/targets.md.
`SpeechEngine` and its parts are what an engine of one's own implements (docs/speech.md). Each name is imported when
it is first used.
"""

import importlib
from typing import TYPE_CHECKING

__all__ = [
    "Checked",
    "ConfigError",
    "Recognition",
    "ServerHandle",
    "Settings",
    "SpeechEngine",
    "SpeechError",
    "SpeechUnavailable",
    "TellsLikely",
    "TellsWords",
    "WordEnd",
    "load_settings",
    "serve",
]

if TYPE_CHECKING:
    from audiosocket_server.listener import (
        ServerHandle,
        serve,
    )
    from audiosocket_server.settings.settings import (
        ConfigError,
        Settings,
        load_settings,
    )
    from audiosocket_server.speech.base import (
        Checked,
        Recognition,
        SpeechEngine,
        SpeechError,
        SpeechUnavailable,
        TellsLikely,
        TellsWords,
        WordEnd,
    )

_HOMES = ("settings.settings", "speech.base", "listener")
"""Where the public names are defined; those that are quick to import come first."""


def __getattr__(name: str) -> object:
    if name in __all__:
        for home in _HOMES:
            module = importlib.import_module(f"{__name__}.{home}")
            if name in module.__all__:
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
