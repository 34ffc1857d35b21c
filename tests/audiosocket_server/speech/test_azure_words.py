"""Where the words of a synthesised message end, as Azure tells it, and when its audio is late. Without the SDK."""

import asyncio
from typing import cast

import pytest
from audiosocket_server.speech.base import SpeechUnavailable, WordEnd
from helpers.call_bench import virtual

native = pytest.importorskip("azure.cognitiveservices.speech")

from audiosocket_server.speech.azure.synthesis import SynthesisMessage, Voices  # noqa: E402
from audiosocket_server.speech.azure.threads import Threads  # noqa: E402


class NoVoices:
    def failed(self) -> None:
        pass


def message(text: str, first_audio_seconds: float = 4.0) -> SynthesisMessage:
    return SynthesisMessage(cast(Threads, None), cast(Voices, NoVoices()), text, "any", first_audio_seconds)


@pytest.mark.parametrize(
    ("text", "words", "ends"),
    [
        ("Sim, pode subir.", ["Sim", "pode", "subir"], [4, 9, 16]),
        ("A casa da Ana, a casa.", ["A", "casa", "da", "Ana", "a", "casa"], [1, 6, 9, 14, 16, 22]),
        ("«Não» é o 202!", ["Não", "é", "o", "202"], [5, 7, 9, 14]),
        ("Às 8h, R$ 5,00 & só.", ["Às", "oito", "R$", "5,00", "só"], [2, 9, 14, 20]),
        ("dia a dia", ["dia", "a", "dia"], [3, 5, 9]),
        ("Na segunda-feira, 12/05.", ["Na", "segunda", "feira", "12", "05"], [2, 17, 24]),
    ],
    ids=["marks", "a word in another", "quoted", "a word that is not written so", "twice", "in parts"],
)
@virtual
async def test_a_word_ends_where_the_text_has_it_with_the_marks_behind_it(
    text: str, words: list[str], ends: list[int]
) -> None:
    made = message(text)
    for number, word in enumerate(words):
        made.on_word(word, 100 * number)
    made.on_audio(bytes(320))
    made.on_end(None)
    told = [chunk async for chunk in made.chunks()]
    assert [chunk.text_end for chunk in told if isinstance(chunk, WordEnd)] == ends
    assert told[-1] == bytes(320)


@virtual
async def test_words_are_no_audio_and_give_it_no_more_time() -> None:
    made = message("Um dois três.", 2.0)
    chunks = made.chunks()
    began = asyncio.get_running_loop().time()
    for word in ("Um", "dois"):
        made.on_word(word, 100)
        assert isinstance(await anext(chunks), WordEnd)
        await asyncio.sleep(0.9)
    with pytest.raises(SpeechUnavailable, match="Azure sent no audio within 2 s"):
        await anext(chunks)
    assert asyncio.get_running_loop().time() - began == pytest.approx(2.0, abs=0.01)
