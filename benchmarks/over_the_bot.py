"""What callers do over the bot's speech, for the benchmark `turn_taking`: interruptions, sounds, lines.

What ships is the project's own: `recordings/` with `recordings/sounds/`, and a few words in the synthetic voice. It has
two halves: each kind's material in the order of its names, one to this half, one to the other. The first is for tuning;
the second was unseen, until what failed in it was looked at. Unseen material is drawn (`drawn_callers`). A message of
the bot is four prompts in a row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.phrase_book.synthetic_voice import render
from audiosocket_core.slin import read_audio
from audiosocket_core.wav import wav_bytes
from audiosocket_sim.phone.surroundings import active_dbfs
from audiosocket_sim.turn_taking import QUIET_MS, SentencePart, VoiceSegment
from benchmarks.machine import PROJECT

__all__ = [
    "GREETING",
    "HALVES",
    "HUM",
    "LINES",
    "Material",
    "Messages",
    "OverBot",
    "leveled",
    "shipped",
    "write_hum",
    "write_messages",
]

CALLER_DBFS = -22.0
"""The level of what callers say; sounds that are no turn are as they are shipped."""
GAINS_DB = (0, -2, 2)
"""How much louder or softer than in his turns he interrupts."""
HALVES = ("tuning", "second")
BEGINS_MS = (400, 700, 1000)
HUM = "hum.wav"
GREETING = "Condomínio Apoena, em que posso ajudar?"
_SYNTHETIC = ("Espera!", "Não.", "Para!", "Espera aí!", "Para, por favor.", "Não é isso.")
_RATE_HZ = 8000
_LONG_PAUSE_MS = 400
"""The prompts have no pause of their own that is so long."""

_MESSAGES = (
    (
        "O apartamento não atendeu, deseja deixar um recado?",
        "Em caso de emergência, ligue para o cento e noventa e três.",
        "Pode deixar a encomenda na portaria.",
        "Sua visita foi registrada. Mais alguma coisa?",
    ),
    (
        "Primeiro, anote o protocolo: quatro, sete, dois, um.",
        "Depois, aguarde o contato da portaria.",
        "O síndico já foi avisado sobre o vazamento.",
        "Obrigado, João da Silva. Com quem deseja falar?",
    ),
    (
        "Ainda estou tentando falar com o morador, por favor aguarde.",
        "Vou transferir a sua ligação para a administração.",
        "A autorização foi confirmada, pode entrar.",
        "Entendi, apartamento 301. Só um instante.",
    ),
)
_GAP_MS = 150
OPENINGS = ("obrigado_tchau", "sim_pode_confirmar", "apartamento_202")
"""What the caller says in his own turns."""


@dataclass(frozen=True, slots=True)
class OverBot:
    """One thing that a caller does over the bot: a recording or a text, at a gain. `kind`: yield, or that of a sound.

    `text`: what the backend is to be asked of an interruption.
    """

    kind: str
    name: str
    gain_db: float
    duration_ms: int = 0
    text: str = ""
    synthetic: bool = False

    def step(self) -> str:
        """The step of a scenario."""
        source = f'text: "{self.name}"' if self.synthetic else f"recording: {self.name}"
        return f"say: {{{source}, gain_db: {self.gain_db:.1f}}}"


@dataclass(frozen=True, slots=True)
class Material:
    """What happens over the bot."""

    events: Mapping[str, Sequence[OverBot]]
    """By kind: yield (interruptions), backchannel, vocal_tic, non_directed."""
    openings: Sequence[str]
    """Steps in which the caller says something in his own turn."""
    begins_ms: Sequence[int]
    """How long the bot has spoken when something happens; the calls take turns."""
    books: Sequence[Path] = ()
    """Phrase books that the engine knows beside the shipped ones."""


def shipped(which: str, count: int) -> Material:
    """Return `count` events a kind of one half: its material over and over, interruptions each time at another gain."""
    first = HALVES.index(which)
    events = {kind: _rounds(everything[first::2], count) for kind, everything in _everything().items()}
    return Material(events, [_opening(name) for name in OPENINGS], BEGINS_MS)


def _everything() -> Mapping[str, Sequence[OverBot]]:
    made: dict[str, list[OverBot]] = {"yield": [], "backchannel": [], "vocal_tic": [], "non_directed": []}
    for phrase in sorted(PhraseBook.load(PROJECT / "recordings").phrases, key=lambda phrase: phrase.name):
        words = phrase.text.split()
        if phrase.language == "pt-BR" and (len(words) > 1 or phrase.text == "Não."):
            made["yield"].append(OverBot("yield", phrase.name, leveled(phrase.pcm), phrase.duration_ms, phrase.text))
    for text in _SYNTHETIC:
        pcm = render(text, cache=PROJECT / ".cache" / "speech")
        made["yield"].append(OverBot("yield", text, leveled(pcm), len(pcm) // 16, text, synthetic=True))
    for path in sorted((PROJECT / "recordings" / "sounds").glob("*.wav")):
        kind = _kind(path.stem)
        made[kind].append(OverBot(kind, f"sounds/{path.stem}", 0.0, len(read_audio(path)) // 16))
    return made


def _rounds(own: Sequence[OverBot], count: int) -> list[OverBot]:
    rounds = (
        replace(one, gain_db=one.gain_db + (GAINS_DB[turn % 3] if one.kind == "yield" else 0))
        for turn in range(count)
        for one in own
    )
    return [one for one, _ in zip(rounds, range(count), strict=False)]


def _opening(name: str) -> str:
    gain_db = leveled(read_audio(PROJECT / "recordings" / "pt-br" / f"{name}.wav"))
    return f"say: {{recording: pt-br/{name}, gain_db: {gain_db:.1f}}}"


def leveled(pcm: bytes) -> float:
    """The gain that brings a voice to the level of all callers."""
    return CALLER_DBFS - (active_dbfs(pcm, _RATE_HZ) or CALLER_DBFS)


def write_hum(folder: Path) -> None:
    """Mains hum with its harmonics, 4 s that go round without a seam; its level is the line's matter."""
    seconds = np.arange(4 * _RATE_HZ) / _RATE_HZ
    parts = ((50, 1.0), (100, 0.8), (150, 0.6), (250, 0.4), (350, 0.25), (550, 0.1))
    sound = sum((level * np.sin(2 * np.pi * hz * seconds + hz) for hz, level in parts), np.zeros(len(seconds)))
    pcm = np.rint(sound / np.max(np.abs(sound)) * 8000).astype("<i2").tobytes()
    (folder / HUM).write_bytes(wav_bytes(pcm, rate_hz=_RATE_HZ))


@dataclass(frozen=True, slots=True)
class Messages:
    """What the bot says: `texts`, and where each sentence is in them."""

    texts: Sequence[str]
    places: Mapping[str, tuple[str, int, bool]]
    """By sentence: its message, where its recording begins in that (ms), and whether it is the last one."""

    def placed(self, bot: Sequence[VoiceSegment]) -> list[VoiceSegment]:
        """The bot's voice, with the places in its messages instead of those in their sentences.

        Sentences that follow one another without a stop are one segment: else a pause in the second one would be taken
        for one at the end of the first.
        """
        found: list[VoiceSegment] = []
        for segment in sorted(map(self._placed, _each_with_its_part(bot)), key=lambda segment: segment.start_ms):
            before = found[-1] if found else None
            if (
                before is None
                or before.said is None
                or segment.said is None
                or before.said.sentence != segment.said.sentence
                or segment.start_ms - before.end_ms >= QUIET_MS
            ):
                found.append(segment)
            else:
                said = SentencePart(segment.said.sentence, before.said.from_ms, segment.said.to_ms)
                found[-1] = replace(before, end_ms=segment.end_ms, whole=segment.whole, said=said)
        return found

    def _placed(self, segment: VoiceSegment) -> VoiceSegment:
        said = segment.said
        if said is None or said.sentence not in self.places:
            return segment
        message, offset_ms, is_last = self.places[said.sentence]
        part = SentencePart(message, offset_ms + said.from_ms, offset_ms + said.to_ms)
        return replace(segment, said=part, whole=bool(segment.whole) and is_last)


def _each_with_its_part(bot: Sequence[VoiceSegment]) -> Iterator[VoiceSegment]:
    """The segments, each with what was said in it, instead of what was said in its whole turn.

    How much longer a turn took than its words is known: they were paused for so long, or said twice. That is in its
    long pauses, or in all of them if none is long.
    """
    turns: dict[int, list[VoiceSegment]] = {}
    for segment in bot:
        turns.setdefault(segment.turn, []).append(segment)
    for parts in turns.values():
        said, began_ms = parts[0].said, parts[0].start_ms
        if said is None or len(parts) == 1:
            yield from parts
            continue
        pauses_ms = [after.start_ms - before.end_ms for before, after in pairwise(parts)]
        long_ms = [ms if ms >= _LONG_PAUSE_MS else 0 for ms in pauses_ms]
        shares = long_ms if any(long_ms) else pauses_ms
        too_long_ms = parts[-1].end_ms - began_ms - (said.to_ms - said.from_ms)
        spent_ms = 0.0
        for part, share in zip(parts, [0, *shares], strict=True):
            spent_ms += too_long_ms * share / max(1, sum(shares))
            at_ms = round(said.from_ms + part.start_ms - began_ms - spent_ms)
            yield replace(part, said=SentencePart(said.sentence, at_ms, at_ms + part.end_ms - part.start_ms))


def write_messages(folder: Path) -> Messages:
    """Write the bot's messages as a folder of prompts, with the greeting."""
    book = PhraseBook.load(PROJECT / "audio" / "prompts")
    sounds: dict[str, bytes] = {}
    places: dict[str, tuple[str, int, bool]] = {}
    for sentences in _MESSAGES:
        text, sound = " ".join(sentences), b""
        for number, sentence in enumerate(sentences):
            phrase = book.by_text(sentence)
            assert phrase is not None, sentence
            places[sentence] = (text, len(sound) // 16, number == len(sentences) - 1)
            sound += phrase.pcm[phrase.speech_start_ms * 16 : phrase.speech_end_ms * 16] + bytes(16 * _GAP_MS)
        sounds[text] = sound
    greeting = book.by_text(GREETING)
    assert greeting is not None
    lines = []
    for number, (text, sound) in enumerate([*sounds.items(), (GREETING, greeting.pcm)]):
        (folder / f"message_{number}.wav").write_bytes(wav_bytes(sound, rate_hz=_RATE_HZ))
        lines.append(f'- {{file: message_{number}.wav, text: "{text}", language: pt-BR, voice: pm_alex, licence: MIT}}')
    (folder / "manifest.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Messages(list(sounds), places)


def _kind(name: str) -> str:
    head = name.split("_")[0]
    if head in ("aham", "uhum", "sei", "isso"):
        return "backchannel"
    return "vocal_tic" if head in ("breath", "cough", "laugh") else "non_directed"


def _noise(name: str, snr_db: int) -> Sequence[str]:
    source = f"file: {HUM}" if name == "hum" else f"recording: sounds/{name}"
    return [f"{{noise_dbfs: -65, noise: {{{source}, snr_db: {snr_db}}}}}"]


def _echo(gain_db: int) -> Sequence[str]:
    """Each delay with each noise of the line; the calls of a cell take turns."""
    return [
        f"{{noise_dbfs: {noise}, echo: {{delay: {delay}ms, gain_db: {gain_db}, spread: {spread}ms}}}}"
        for delay, spread in ((20, 8), (120, 8), (200, 60), (400, 8))
        for noise in (-57, -70)
    ]


LINES: Mapping[str, Sequence[str]] = {
    "quiet": ["{noise_dbfs: -65}"],
    **{f"{name} {snr} dB": _noise(name, snr) for snr in (20, 15, 10, 5) for name in ("street", "music", "hum")},
    **{f"echo {gain} dB": _echo(gain) for gain in (-6, -12, -20, -30, -36, -42, -50)},
}
"""The line of each cell, as the calls of a cell take turns."""
