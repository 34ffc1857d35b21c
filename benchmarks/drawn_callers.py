"""Callers and sounds that are drawn by a number, for the benchmark `turn_taking`: nobody has tuned anything with them.

The number draws the voices (mixtures of Kokoro's two, each higher or lower), what they say, the throats and seeds of
the sounds that `recordings/make_sounds.py` computes, all levels, and when something happens. Two numbers share no
sound; so whoever has looked at what failed with one takes the next, and measures with unseen material again.

As with the shipped halves, the embedded engine's phrase book has all sentences, those of the television and of the
second talkers too, and not the back-channels, which are only sounds to it. Speech is kept in `.cache/`: the first run
of a number takes a minute longer. It needs the extra `[local]`.
"""

import io
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

from audiosocket_core.kept_files import KeptFiles
from audiosocket_core.phrase_book.book import speech_edges_ms
from audiosocket_core.wav import wav_bytes
from benchmarks.machine import PROJECT, Unavailable
from benchmarks.over_the_bot import Material, OverBot, leveled
from recordings import make_sounds as sounds

__all__ = ["drawn"]

SINGLE_WORDS = ("Não.", "Espera.", "Para.")
SENTENCES = (
    *("Espera um pouco.", "Não, é outra coisa.", "Para, por favor.", "Só um minuto.", "Deixa eu falar."),
    *("Eu já falei isso.", "Não é esse apartamento.", "É no bloco C.", "Calma, escuta.", "Posso falar?"),
    *("Não foi isso que eu disse.", "Escuta, moça.", "O nome é Carlos.", "Na verdade é o 504.", "Mas eu moro aqui."),
    *("Fala com o zelador, por favor.", "Ele está me esperando.", "Cancela, por favor.", "Chama o porteiro."),
    *("Eu não quero deixar recado.", "Quero falar com uma pessoa.", "A senhora entendeu errado."),
    *("É uma encomenda pequena.", "Já liguei três vezes.", "O portão está aberto.", "Eu ligo mais tarde."),
    *("Tem alguém preso no elevador.", "Me passa para a portaria.", "Qual é o seu nome?", "Quem está falando?"),
    *("Vim ler o relógio do gás.", "Volta, eu não ouvi.", "Pode repetir o número?", "Não precisa, obrigada."),
    *("Está vazando água na garagem.", "Eu tenho pressa.", "Sou eu de novo.", "Não desliga, por favor."),
    *("Peraí, deixa eu pegar o papel.", "O interfone não funciona."),
)
BACKCHANNELS = ("Ahã.", "Aham.", "Uhum.", "Sei.", "Isso.", "Tá.")
OPENINGS = (
    "Boa tarde, eu queria uma informação.",
    "Oi, eu preciso falar com a síndica.",
    "Sim, é isso mesmo, obrigado.",
)
OTHERS = (
    *("O tempo amanhã fica nublado em toda a região.", "E agora as notícias do futebol desta quarta-feira."),
    *("Compre dois e leve três, só até domingo.", "Eu nunca mais quero ver você nesta casa."),
    *("Você viu onde eu deixei as chaves do carro?", "A janta já está quase pronta, vem comer."),
    *("O trânsito está parado na avenida principal.", "Ela disse que chega só depois das dez."),
)
"""What a television, somebody else in the room, and a crowd say."""
SPEAKERS = 8
ONE_IN_SINGLE = 5
"""One interruption in so many is a single word."""
OWN_DB, OTHERS_DB = 3.0, 1.5
"""How much louder or softer than the shipped ones the caller's sounds and those around him are, at most."""

_RECIPE = "1"  # part of the key in the cache: raise it whenever the same text sounds different
_MOST_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Voice:
    """A mixture of Kokoro's two voices: the share of the lower one, and how much higher it is made."""

    alex: float
    higher: float


@dataclass(frozen=True, slots=True)
class Written:
    """An entry of a manifest with its sound (SLIN, 8 kHz)."""

    entry: dict[str, str | int]
    pcm: bytes

    @property
    def name(self) -> str:
        return str(self.entry["file"]).removesuffix(".wav")


Speak = Callable[[str, Voice], bytes]
"""Speaks a text in a voice: SLIN, 8 kHz, as loud as the prompts."""


def drawn(number: int, count: int, folder: Path) -> Material:
    """Draw `count` events of each kind, and write their sounds to `folder/recordings`. Raises Unavailable.

    More events begin with the same ones as fewer.
    """
    draw = _draws(number, "voices")
    voices = [Voice(round(draw.uniform(0.1, 0.9), 2), round(draw.uniform(0.9, 1.2), 2)) for _ in range(SPEAKERS)]
    speak = _speaker()
    interruptions = list(islice(_interruptions(_draws(number, "interruptions"), speak, voices), count))
    openings = [_sentence(f"drawn/opening_{at}", text, speak(text, voices[at])) for at, text in enumerate(OPENINGS)]
    others = [
        _sentence(f"drawn/other_{at}", text, speak(text, voices[(at + 3) % SPEAKERS])) for at, text in enumerate(OTHERS)
    ]
    heard = [sounds.trimmed(_samples(one.pcm)) for one in others]
    made = [
        *islice(_backchannels(_draws(number, "back-channels"), speak, voices), count),
        *islice(_tics(_draws(number, "tics")), count),
        *islice(_undirected(_draws(number, "others"), heard), count),
    ]
    own = folder / "recordings"
    _write(own, [*(one for _, one in interruptions), *openings, *others])
    _write(own / "sounds", [_sound(one) for one in made])
    events = {"yield": [event for event, _ in interruptions], "backchannel": [], "vocal_tic": [], "non_directed": []}
    for one in made:
        events[one.kind].append(OverBot(one.kind, f"sounds/{one.name}", 0.0, len(sounds.levelled(one)) // 16))
    says = [f"say: {{recording: {one.name}, gain_db: {leveled(one.pcm):.1f}}}" for one in openings]
    draw = _draws(number, "places")
    return Material(events, says, [draw.randrange(300, 1001, 10) for _ in range(count)], (own,))


def _draws(number: int, kind: str) -> random.Random:
    return random.Random(f"turn taking {number}, {kind}")


def _interruptions(draw: random.Random, speak: Speak, voices: Sequence[Voice]) -> Iterator[tuple[OverBot, Written]]:
    texts = draw.sample(SENTENCES, len(SENTENCES))
    for at in itertools.count():
        text = SINGLE_WORDS[at // ONE_IN_SINGLE % 3] if at % ONE_IN_SINGLE == 0 else texts[at % len(texts)]
        one = _sentence(f"drawn/interruption_{at}", text, speak(text, voices[at % SPEAKERS]))
        gain_db = leveled(one.pcm) + draw.uniform(-2, 2)
        yield OverBot("yield", one.name, gain_db, len(one.pcm) // 16, text), one


# --- sounds ---------------------------------------------------------------------------------------------------------


def _backchannels(draw: random.Random, speak: Speak, voices: Sequence[Voice]) -> Iterator[sounds.Made]:
    """Each word in one voice after the other."""
    for at in itertools.count():
        text, voice = BACKCHANNELS[at % len(BACKCHANNELS)], voices[(at + at // len(BACKCHANNELS)) % SPEAKERS]
        sound = sounds.trimmed(_samples(speak(text, voice)))
        name = f"{text[:-1].lower().replace('ã', 'an').replace('á', 'a')}_{at}"
        dbfs = -23 + draw.uniform(-OWN_DB, OWN_DB)
        yield sounds.Made(name, sound, "backchannel", "mixed", dbfs, sounds.APACHE, text, "pt-BR")


def _tics(draw: random.Random) -> Iterator[sounds.Made]:
    """Coughs, breaths and laughs, each in a throat of its own."""
    shipped = ((sounds.cough, -22.0), (sounds.breath, -34.0), (sounds.laugh, -22.0))
    for at in itertools.count():
        make, dbfs = shipped[at % 3]
        sound = make(draw.uniform(0.8, 1.25), draw.randrange(1000, 1 << 30))
        yield sounds.Made(f"{make.__name__}_{at}", sound, "vocal_tic", "drawn", dbfs + draw.uniform(-OWN_DB, OWN_DB))


def _undirected(draw: random.Random, said: Sequence[sounds.Sound]) -> Iterator[sounds.Made]:
    """Dogs, doors, keys, the street, music, a crowd, televisions and talkers, in the shipped proportions."""

    def dog(seed: int) -> sounds.Sound:
        return sounds.dog(draw.uniform(0.65, 1.5), seed)

    def talker(seed: int) -> sounds.Sound:
        return sounds.room(draw.choice(said), draw.uniform(0.2, 0.45), seed)

    def television(seed: int) -> sounds.Sound:
        return _television(draw, said, music, seed)

    music = sounds.music()
    kinds: Sequence[tuple[str, float, Callable[[int], sounds.Sound]]] = (
        *(("dog", -22, dog), ("television", -28, television), ("talker", -28, talker), ("knock", -24, sounds.knock)),
        *(("dog", -22, dog), ("television", -28, television), ("talker", -28, talker), ("slam", -22, sounds.slam)),
        *(("dog", -22, dog), ("television", -28, television), ("talker", -28, talker)),
        *(("keyboard", -34, sounds.keyboard), ("street", -30, sounds.street)),
        ("music", -27, lambda _: _faster(music, draw.uniform(0.85, 1.2))),
        ("babble", -30, lambda _: _babble(draw, said)),
    )
    for at in itertools.count():
        name, dbfs, make = kinds[at % len(kinds)]
        sound = make(draw.randrange(1000, 1 << 30))
        dbfs += draw.uniform(-OTHERS_DB, OTHERS_DB)
        yield sounds.Made(f"{name}_{at}", sound, "non_directed", "drawn", dbfs)


def _television(draw: random.Random, said: Sequence[sounds.Sound], music: sounds.Sound, seed: int) -> sounds.Sound:
    """As the shipped ones: two sentences from a small loudspeaker in a room, with soft music under them."""
    first, second = draw.sample(said, 2)
    speech = sounds.after(first[: 3 * sounds.RATE_HZ], 0.2, second[: 2 * sounds.RATE_HZ])
    under = np.resize(music, len(speech))
    mixed = sounds.over(speech / np.std(speech), under / np.std(under) * 0.25)
    return sounds.room(sounds.filtered(mixed, sounds.band(350, 3000)), draw.uniform(0.25, 0.45), seed)


def _babble(draw: random.Random, said: Sequence[sounds.Sound]) -> sounds.Sound:
    turned = [np.roll(np.resize(one, 5 * sounds.RATE_HZ), draw.randrange(5 * sounds.RATE_HZ)) for one in said]
    return sounds.over(*(one / np.std(one) for one in turned))


def _faster(sound: sounds.Sound, factor: float) -> sounds.Sound:
    places = np.arange(0, len(sound) - 1, factor)
    return np.interp(places, np.arange(len(sound)), sound)


def _samples(pcm: bytes) -> sounds.Sound:
    return np.frombuffer(pcm, "<i2") / 32768


# --- speech ---------------------------------------------------------------------------------------------------------


def _speaker() -> Speak:
    """The model is loaded when it is needed."""
    try:
        import onnxruntime  # noqa: F401
        from audiosocket_server.speech.local.kokoro import RATE_HZ, Kokoro, styles_of
        from audiosocket_server.speech.local.phonemes import Phonemes
        from audiosocket_server.speech.local.speaker import framed
    except ImportError as error:
        raise Unavailable(f"{error}: drawn callers need pip install 'audiosocket-sim[local]'") from error
    kept = KeptFiles(PROJECT / ".cache" / "drawn_callers", ".slin", most_bytes=_MOST_BYTES)
    models: list[tuple[Any, Any]] = []

    def speak(text: str, voice: Voice) -> bytes:
        key = (_RECIPE, f"{voice.alex:.2f}", f"{voice.higher:.2f}", text)
        pcm = kept.get(*key)
        if pcm is None:
            if not models:
                models.append((Kokoro.load(), Phonemes()))
            model, phonemes = models[0]
            mixed = voice.alex * styles_of("pm_alex") + (1 - voice.alex) * styles_of("pf_dora")
            pcm = framed(model.speak(phonemes.of(text), mixed), round(RATE_HZ * voice.higher))
            kept.put(pcm, *key)
        return pcm

    return speak


# --- manifests ------------------------------------------------------------------------------------------------------


def _sentence(name: str, text: str, pcm: bytes) -> Written:
    start_ms, end_ms = speech_edges_ms(pcm)
    return Written(
        {
            "file": f"{name}.wav",
            "text": text,
            "language": "pt-BR",
            "voice": "mixed",
            "duration_ms": len(pcm) // 16,
            "speech_start_ms": start_ms,
            "speech_end_ms": end_ms,
            "licence": sounds.APACHE,
        },
        pcm,
    )


def _sound(made: sounds.Made) -> Written:
    pcm = sounds.levelled(made)
    return Written(sounds.entry(made, pcm), pcm)


def _write(folder: Path, written: Sequence[Written]) -> None:
    for one in written:
        path = folder / str(one.entry["file"])
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(wav_bytes(one.pcm, rate_hz=sounds.RATE_HZ))
    text = io.StringIO()
    yaml = YAML()
    yaml.allow_unicode = True
    yaml.dump([one.entry for one in written], text)
    (folder / "manifest.yaml").write_text(text.getvalue(), encoding="utf-8")
