"""What the tests of the fake Azure service share: the extras that they need, and the recordings that they say."""

import importlib.util
from functools import lru_cache

import pytest

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.scenario.paths import PROJECT

QUERO = "Quero falar com o apartamento 202, por favor."


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # of a package around it
        return False


def needs(**extras: str) -> pytest.MarkDecorator:
    """Skip, by name, unless each extra's module is installed: `needs(fake_azure="websockets")`."""
    missing = [f"[{extra.replace('_', '-')}]" for extra, module in extras.items() if not _is_there(module)]
    return pytest.mark.skipif(bool(missing), reason=f"needs the extra {', '.join(missing)}")


SDK = (pytest.mark.extra, pytest.mark.real_time, needs(azure="azure.cognitiveservices.speech", fake_azure="websockets"))


@lru_cache
def recording(name: str) -> bytes:
    """SLIN of 8 kHz."""
    phrase = PhraseBook.load(PROJECT / "recordings").by_name(f"pt-br/{name}")
    assert phrase is not None
    return phrase.pcm


def quero() -> bytes:
    """The caller says QUERO: 3.65 s."""
    return recording("quero_falar_com_o_apartamento_202")


@lru_cache
def prompt(text: str) -> bytes:
    phrase = PhraseBook.load(PROJECT / "audio" / "prompts").by_text(text)
    assert phrase is not None
    return phrase.pcm


def riff(rate_hz: int, *, tag: int = 1, bits: int = 16, channels: int = 1) -> bytes:
    fields = [(tag, 2), (channels, 2), (rate_hz, 4), (rate_hz * bits // 8, 4), (bits // 8, 2), (bits, 2)]
    form = b"".join(value.to_bytes(size, "little") for value, size in fields)
    return b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0" + form + b"data\0\0\0\0"
