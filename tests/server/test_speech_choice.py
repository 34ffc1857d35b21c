"""Which engine is taken, and one that a user brings along."""

from typing import Any

import pytest

from server.config import Settings
from server.speech.base import SpeechError
from server.speech.choice import choose, load_engine


class Vendor:
    """Somebody else's engine, as far as its making goes."""

    name = "vendor"

    def __init__(self, settings: Settings) -> None:
        self.language = settings.speech.language


def settings(**speech: Any) -> Settings:
    return Settings.from_overrides({"speech": speech})


def test_without_a_word_and_a_key_it_is_the_embedded_one() -> None:
    assert choose(settings()).engine == "embedded"


def test_an_import_string_is_called_with_the_settings() -> None:
    engine, choice = load_engine(settings(engine=f"{__name__}:Vendor", language="en-US"))
    assert isinstance(engine, Vendor)
    assert engine.language == "en-US"
    assert choice.reason == "as set in speech.engine"


@pytest.mark.parametrize("name", ["no_such_module:make", f"{__name__}:no_such_callable"])
def test_an_import_string_that_leads_nowhere_is_one_line(name: str) -> None:
    with pytest.raises(SpeechError, match=f"^the speech engine {name} cannot be imported: [^\n]+$"):
        load_engine(settings(engine=name))


def test_an_engine_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.speech.choice._VENDORS", {"local": "server.speech.not_there"})
    with pytest.raises(SpeechError, match="the speech engine local is not installed"):
        load_engine(settings(engine="local"))
