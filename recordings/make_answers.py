"""Make the known sounds of one-word answers, `server/audiosocket_server/speech/local/voices/answers-pt.npz`.

Each answer is spoken by the two Portuguese voices of Kokoro-82M, and by each once more, higher or lower; as a line
and the server's endpointing bring it to the recogniser. What is kept are frames of Whisper's encoder, in few
dimensions. Needs the extra `[local]`; takes some minutes. Whoever changes the recogniser's model, its window or its
lead makes them anew.

    PYTHONPATH=server python recordings/make_answers.py
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from audiosocket_server.speech.local.answers import Answers, span_frames
from audiosocket_server.speech.local.speaker import spoken
from audiosocket_server.speech.local.whisper import Whisper

from audiosocket_core import slin
from audiosocket_core.phrase_book.book import speech_edges_ms
from audiosocket_sim.phone.line import LineModel

FILE = Path(__file__).parents[1] / "server/audiosocket_server/speech/local/voices/answers-pt.npz"
ANSWERS = (
    *("Sim.", "Não.", "Tá.", "Isso.", "Claro.", "Certo.", "Pode.", "Espera.", "Para.", "Alô.", "Ahã.", "Uhum.", "Sei."),
    *("Ok.", "Obrigado.", "Tá bom.", "Isso mesmo.", "Não quero."),
    # Of numbers only those that are as short as a word; longer ones are understood.
    *("Um.", "Dois.", "Três.", "Quatro.", "Cinco.", "Seis.", "Sete.", "Oito.", "Nove.", "Dez."),
    # Words that are near one of these («síndico», «cinco»), and that callers of a condominium say alone.
    *("Síndico.", "Entrega.", "Socorro."),
)
VOICES = {"pf_dora": (1.0, 0.88), "pm_alex": (1.0, 1.15)}
"""Each voice, and how much higher it is."""
QUIET_MS = 300


def main() -> None:
    """Make the file."""
    whisper = Whisper.load()
    answers = Answers.of(_known(whisper))
    answers.save(FILE)


def _known(whisper: Whisper) -> Iterator[tuple[str, np.ndarray]]:
    for voice, heights in VOICES.items():
        for text in ANSWERS:
            made = spoken(text, voice)
            for height in heights:
                pcm = made if height == 1.0 else slin.resample(made, round(8000 * height), 8000)
                start_ms, end_ms = speech_edges_ms(pcm)
                speech = pcm[start_ms * 16 : end_ms * 16]
                heard = LineModel("ulaw", None).send(slin.silence(QUIET_MS) + speech + slin.silence(QUIET_MS))
                frames = whisper.frames(heard)
                assert frames is not None, f"{text}: a tone"
                yield text, frames[span_frames((QUIET_MS, QUIET_MS + end_ms - start_ms))]


if __name__ == "__main__":
    main()
