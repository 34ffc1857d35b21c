"""Which engine is taken, and one that a user brings along."""

from typing import Any

import pytest
from audiosocket_server.settings.settings import Settings
from audiosocket_server.speech.base import SpeechError
from audiosocket_server.speech.choice import choose, load_engine


class Vendor:
    """Somebody else's engine, as far as its making goes."""

    name = "vendor"

    def __init__(self, settings: Settings) -> None:
        self.language = settings.speech.language


def settings(**speech: Any) -> Settings:
    return Settings.from_overrides({"speech": speech})


def installed(monkeypatch: pytest.MonkeyPatch, *engines: str) -> None:
    monkeypatch.setattr("audiosocket_server.speech.choice._is_installed", lambda engine: engine in engines)


KEY = {"azure_key": "k", "azure_region": "brazilsouth"}


@pytest.mark.parametrize(
    ("there", "key", "engine", "reason"),
    [
        (
            (),
            {},
            "embedded",
            "speech.engine is not set, there is no key for Azure Speech, and the extra [local] is not installed",
        ),
        (("azure", "local"), {}, "local", "the extra [local] is installed, and needs no key"),
        (("azure", "local"), KEY, "azure", "there is a key for Azure Speech"),
        (("local",), KEY, "local", "there is a key for Azure Speech, but the extra [azure] is not installed"),
        ((), KEY, "embedded", "there is a key for Azure Speech, but the extra [azure] is not installed"),
    ],
)
def test_without_a_word_it_is_the_best_that_there_is(
    monkeypatch: pytest.MonkeyPatch, there: tuple[str, ...], key: dict[str, str], engine: str, reason: str
) -> None:
    installed(monkeypatch, *there)
    choice = choose(settings(engine=None, **key))
    assert choice.engine == engine
    assert reason in choice.reason


def test_under_a_scenario_it_is_the_embedded_one_whatever_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "azure", "local")
    assert choose(settings(**KEY)).engine == "embedded"


def test_an_import_string_is_called_with_the_settings() -> None:
    engine, choice = load_engine(settings(engine=f"{__name__}:Vendor", language="en-US"))
    assert isinstance(engine, Vendor)
    assert engine.language == "en-US"
    assert choice.reason == "set by speech.engine"


@pytest.mark.parametrize("name", ["no_such_module:make", f"{__name__}:no_such_callable"])
def test_an_import_string_that_leads_nowhere_is_one_line(name: str) -> None:
    with pytest.raises(SpeechError, match=f"^the speech engine {name} cannot be imported: [^\n]+$"):
        load_engine(settings(engine=name))


def test_an_engine_that_is_not_installed_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audiosocket_server.speech.choice._VENDORS", {"local": "audiosocket_server.speech.not_there"})
    with pytest.raises(SpeechError, match="the speech engine local is not installed"):
        load_engine(settings(engine="local"))
