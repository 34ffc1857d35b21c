"""The sounds of a call: the caller's (a recording by name, a file beside the scenario, or a text in the synthetic
voice), and the phrases that the ear can read (the bot's prompts, and the scenario's texts in the synthetic voice).

Texts of the caller that are in no phrase book are listed by `unlisted`; `write_book` writes them as a phrase book, from
which an embedded recogniser of the bot can learn them.
"""

import asyncio
import hashlib
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from ruamel.yaml import YAML

from audiosocket_core.files import make_private_folder, write_private_file
from audiosocket_core.phrase_book.book import (
    CallerSoundKind,
    Phrase,
    PhraseBook,
    PhraseBookError,
    normalise,
    speech_edges_ms,
)
from audiosocket_core.slin import AudioFileError, duration_ms, gain, is_silent, read_audio, resample, silence
from audiosocket_core.wav import wav_bytes
from audiosocket_sim.phone import line
from audiosocket_sim.phone.surroundings import active_dbfs
from audiosocket_sim.phone.voices import spoken_in
from audiosocket_sim.scenario import Noise, Say, Scenario, Tone, Within, expectations_in, format_duration, says_in
from audiosocket_sim.scenario.confinement import is_within
from audiosocket_sim.scenario.loading import sound_file
from audiosocket_sim.scenario.paths import (
    PROJECT,
    SOUNDS,
    cache_folder,
    nearest_folder,
    recordings_folders,
    sounds_folders,
)

__all__ = ["Recording", "Sounds", "named_sound"]

_RATE_HZ = 8000
_USUAL_DBFS = -22.0
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Recording:
    """A sound of the caller: SLIN at 8 kHz, its words, or None if they are not known, and its kind: a turn, or not."""

    name: str
    text: str | None
    pcm: bytes
    kind: CallerSoundKind = "turn"

    @property
    def duration_ms(self) -> int:
        """The length in ms."""
        return round(duration_ms(self.pcm, _RATE_HZ))


class Sounds:
    """The sounds of one scenario. Slow work is done in the loop's executor, and once for each sound.

    `more_says`: further sounds that the caller may say, beside those of the scenario's `say` steps.
    """

    def __init__(self, scenario: Scenario, more_says: Iterable[Say] = ()) -> None:
        self._more_says = tuple(more_says)
        self._folder = scenario.folder or Path.cwd()
        self._scenario = scenario
        self.rate_hz = self._rate_hz = scenario.asterisk.rate_hz
        """The rate of the call's SLIN, in Hz."""
        self._book: PhraseBook | None = None
        self._recordings: dict[Say, Recording] = {}
        self._pcm: dict[Say, bytes] = {}

    async def prepare(self) -> None:
        """Read and render all sounds of the caller, so that a call need not wait and errors are known before it starts.

        Raises what `recording` raises.
        """
        for say in self._says():
            await self.pcm(say)

    async def recording(self, say: Say) -> Recording:
        """Return the sound of one `say`, cut to `start` and `for`, at 8 kHz and without `gain_db`.

        Raises PhraseBookError, also for a sound that is silent throughout, VoiceMissing, NamedVoiceFailed,
        AudioFileError and OSError.
        """
        if say not in self._recordings:
            whole = _checked(await self._whole(say))
            self._recordings[say] = _checked(_cut(whole, say), " in the part that is said")
        return self._recordings[say]

    async def _whole(self, say: Say) -> Recording:
        if say.recording is not None:
            known = await _in_executor(self._known, say.recording)
            return known if say.kind is None else replace(known, kind=say.kind)
        kind = say.kind or "turn"
        if say.file is not None:
            try:
                path = sound_file(say.file, self._folder)
            except ValueError as error:
                raise PhraseBookError(str(error)) from None
            return Recording(say.file, say.text, await _in_executor(read_audio, path), kind)
        assert say.text is not None
        if say.voice is not None:
            cache = cache_folder() / "voices"
            pcm = await _in_executor(spoken_in, say.voice, say.text, cache, self._scenario.folder)
            return Recording("text", say.text, pcm, kind)
        return Recording("text", say.text, await _spoken(say.text), kind)

    async def pcm(self, say: Say) -> bytes:
        """Return the sound of one `say` as the caller sends it: with `gain_db`, as SLIN at the call's rate."""
        if say not in self._pcm:
            pcm = (await self.recording(say)).pcm
            self._pcm[say] = await self._at_rate(gain(pcm, say.gain_db) if say.gain_db else pcm)
        return self._pcm[say]

    async def speech_dbfs(self) -> float:
        """Return the level of the caller's turns on this line, in dBFS: the mean of their active parts, louder or
        softer by `gain_db`; −22 dBFS if he says nothing."""
        levels = []
        for say in self._says():
            recording = await self.recording(say)
            level = active_dbfs(recording.pcm, _RATE_HZ) if recording.kind == "turn" else None
            if level is not None:
                levels.append(level + say.gain_db)
        mean = sum(levels) / len(levels) if levels else _USUAL_DBFS
        return mean + self._scenario.line.gain_db

    async def noise(self, noise: Noise) -> bytes:
        """Return the noise of a step, as SLIN at the call's rate."""
        pcm = await _in_executor(line.noise, noise.for_, noise.dbfs, noise.color, self._scenario.line.seed)
        return await self._at_rate(pcm)

    async def tone(self, tone: Tone) -> bytes:
        """Return the tone of a step, as SLIN at the call's rate."""
        return await self._at_rate(await _in_executor(line.tone, tone.for_, tone.hz, tone.dbfs))

    def silence(self, ms: int) -> bytes:
        """Return `ms` of silence, as SLIN at the call's rate."""
        return silence(ms, self._rate_hz)

    async def _at_rate(self, pcm: bytes) -> bytes:
        return pcm if self._rate_hz == _RATE_HZ else await _in_executor(resample, pcm, _RATE_HZ, self._rate_hz)

    def _says(self) -> list[Say]:
        return [*dict.fromkeys(step.say for step in says_in(self._scenario.steps)), *self._more_says]

    def content_hash(self) -> str:
        """Return a hash of all that the caller says, in the order of his steps: sounds that were read so far."""
        found = hashlib.sha256()
        for say in self._says():
            if say in self._pcm:
                found.update(len(self._pcm[say]).to_bytes(8, "big") + self._pcm[say])
        return found.hexdigest()

    @property
    def unlisted(self) -> list[Say]:
        """The sounds of the caller that are in no phrase book and whose text is known: files, and synthetic texts."""
        return [say for say in dict.fromkeys(self._says()) if say.recording is None and say.text is not None]

    async def write_book(self, folder: Path) -> Path:
        """Write a phrase book of the unlisted sounds to `folder`, and return that. Raises OSError."""
        _write_book(folder, [await self.recording(say) for say in self.unlisted])
        return folder

    async def bot_book(self) -> PhraseBook:
        """Return the phrases that the bot is known to say: the prompts in `audio/prompts` near the scenario and in the
        project, and the other texts that the scenario gives it or expects of it, if the synthetic voice is installed.
        """
        folders = (nearest_folder("audio/prompts", self._folder, "manifest.yaml"), PROJECT / "audio" / "prompts")
        prompts = PhraseBook.load(*dict.fromkeys(f for f in folders if f is not None and f.is_dir()))
        others = [text for text in _bot_texts(self._scenario) if prompts.by_text(text) is None]
        return PhraseBook([*prompts.phrases, *await self.synthetic_phrases(others)])

    async def synthetic_phrases(self, texts: Iterable[str]) -> list[Phrase]:
        """Return the texts as phrases of the synthetic voice; an empty list if that voice is not installed."""
        from audiosocket_core.phrase_book.synthetic_voice import VoiceMissing

        worded = [text for text in texts if normalise(text)]
        try:
            return [Phrase.from_pcm(text, text, await _spoken(text), voice="synthetic") for text in worded]
        except VoiceMissing:
            return []

    def _known(self, name: str) -> Recording:
        folders = recordings_folders(self._folder)
        within = (*folders, *sounds_folders(self._folder))
        phrase = self._sound(name)
        if phrase is None:
            if self._book is None:
                self._book = PhraseBook.load(*folders)
            phrase = self._book.by_name(name)
        if phrase is None or phrase.path is None:
            raise PhraseBookError(f"there is no recording {name}")
        if not is_within(phrase.path, within):
            raise PhraseBookError(f"the recording {name} is a link that leads out of recordings/")
        return Recording(name, phrase.text or None, phrase.pcm, phrase.kind)

    def _sound(self, name: str) -> Phrase | None:
        """A sound of recordings/sounds/ by its name (`sounds/cough_low`); None: it is none."""
        if not name.startswith(f"{SOUNDS}/"):
            return None
        return PhraseBook.load(*sounds_folders(self._folder)).by_name(name.removeprefix(f"{SOUNDS}/"))


def named_sound(name: str, folder: Path) -> bytes:
    """Return the sound of a file that a scenario in `folder` names, as SLIN of 8 kHz. Raises AudioFileError."""
    try:
        return read_audio(sound_file(name, folder))
    except ValueError as error:
        raise AudioFileError(str(error)) from error


async def _in_executor(function: Callable[..., _T], *args: Any) -> _T:
    return await asyncio.get_running_loop().run_in_executor(None, function, *args)


async def _spoken(text: str) -> bytes:
    from audiosocket_core.phrase_book.synthetic_voice import render

    return await _in_executor(partial(render, text, cache=cache_folder() / "voice"))


def _bot_texts(scenario: Scenario) -> list[str]:
    """Return all texts that the scenario gives the bot to say or expects of it, each once."""
    said = [says for reply in scenario.ai for says in (reply.says, *(push.says for push in reply.then_pushes))]
    wanted = [
        text
        for _, expected in expectations_in(scenario.steps)
        if isinstance(expected, Within) and expected.bot_says is not None and not expected.bot_says.part
        for text in expected.bot_says.texts
    ]
    return list(dict.fromkeys(text for text in [*said, *wanted] if text))


def _cut(whole: Recording, say: Say) -> Recording:
    if not say.start and say.for_ is None:
        return whole
    if say.start >= whole.duration_ms:
        raise PhraseBookError(
            f"say: {whole.name} is {whole.duration_ms / 1000:.2f} s long, so nothing of it is left from "
            f"start: {format_duration(say.start)}"
        )
    per_ms = 2 * _RATE_HZ // 1000
    end = len(whole.pcm) if say.for_ is None else per_ms * (say.start + say.for_)
    return replace(whole, pcm=whole.pcm[per_ms * say.start : end])


def _checked(recording: Recording, part: str = "") -> Recording:
    """Return the recording. Raises PhraseBookError if it is silent; `part`: words for the part that was checked."""
    if is_silent(recording.pcm):
        raise PhraseBookError(f"say: {recording.name} is silent throughout{part}: use `silence` if that is meant")
    return recording


def _entry(file: str, recording: Recording) -> dict[str, str | int]:
    start_ms, end_ms = speech_edges_ms(recording.pcm)
    return {
        "file": file,
        "text": recording.text or "",
        "language": "pt-BR",
        "voice": "synthetic" if recording.name == "text" else "own",
        "duration_ms": recording.duration_ms,
        "speech_start_ms": start_ms,
        "speech_end_ms": end_ms,
        "licence": "as its source",
    }


def _write_book(folder: Path, recordings: Iterable[Recording]) -> None:
    entries = []
    make_private_folder(folder)
    for number, recording in enumerate(recordings, 1):
        write_private_file(folder / f"{number}.wav", wav_bytes(recording.pcm, _RATE_HZ))
        entries.append(_entry(f"{number}.wav", recording))
    yaml, text = YAML(), io.StringIO()
    yaml.allow_unicode = True
    yaml.dump(entries, text)
    write_private_file(folder / "manifest.yaml", text.getvalue().encode())
