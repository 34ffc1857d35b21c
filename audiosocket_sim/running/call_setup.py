"""Prepares all that one call needs: sounds, the target's settings, hold music, line, caller, the phrases that the ear
can read, and the two parties.

Reads files and renders speech, in the loop's executor if that takes long. Starts nothing: `call_fixture` does.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import SAMPLE_BYTES, AudioFileError, read_audio
from audiosocket_sim.hearing.hold_loop import WINDOW
from audiosocket_sim.parties.peer import MakeLeg, MakeLegs, simulated_leg
from audiosocket_sim.parties.target import Target, TargetUsageError
from audiosocket_sim.phone.caller import Caller
from audiosocket_sim.phone.line import LineModel
from audiosocket_sim.phone.line_echo import LineEcho
from audiosocket_sim.phone.sounds import Sounds, named_sound
from audiosocket_sim.phone.surroundings import RoundSound, SpeakingRoom
from audiosocket_sim.reading import NO_READER, load_reader, reader_problem
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.readings import CallReader
from audiosocket_sim.scenario import BackgroundNoise, Say, Scenario, SecondTalker, all_steps, expectations_in
from audiosocket_sim.scenario.paths import cache_folder, nearest_folder
from audiosocket_sim.scenario.trust import what_needs_trust
from audiosocket_sim.scenario.written import KeyPath
from audiosocket_sim.words import likely_language

__all__ = ["CallSetup", "NotTrusted", "hold_music", "hold_music_in", "peer_of_a_run", "set_up_call"]

_OF_HOLD = ("hold_starts", "hold_stops")
"""The anchors for which hold audio must be told apart."""


class NotTrusted(TargetUsageError):
    """A scenario that is not trusted names code, a program, or files outside its folders.

    `parts`: the path of each such part, and why it needs trust.
    """

    def __init__(self, message: str, parts: Sequence[tuple[KeyPath, str]]) -> None:
        super().__init__(message)
        self.parts = tuple(parts)


@dataclass(frozen=True, slots=True)
class CallSetup:
    """The parts of one call, for a single use: line and caller keep state while the call runs."""

    scenario: Scenario
    target: Target
    settings: dict[str, Any]
    """Settings of the server under test: the scenario's `server:`, and the phrase book of texts that are in no other
    phrase book."""
    sounds: Sounds
    ear_book: PhraseBook
    """The phrases that the ear can read."""
    hold_pcm: bytes
    """One loop of the hold music, SLIN at 8 kHz; empty if there is none."""
    music: Mapping[str, bytes]
    """What the scenario's steps on hold audio mean, SLIN at 8 kHz by name: the files that they name, and the loop, "",
    where a step names none. Empty: no step is about hold audio."""
    any_music: bool
    """Whether music and tones that nobody knows are hold audio too."""
    reader: CallReader | None
    """Who reads the words of a voice that is not in the ear's book; None: nobody."""
    line: LineModel
    caller: Caller
    make_leg: MakeLeg
    ai_port: int
    """The port on which the mock AI listens; 0: any free port."""
    control_token: SecretStr | None


async def set_up_call(
    scenario: Scenario,
    target: Target,
    options: Options,
    folder: Path,
    make_legs: MakeLegs,
    more_says: Sequence[Say] = (),
) -> CallSetup:
    """Prepare all that the call needs, on the running loop. `folder`: where a phrase book may be written.

    `make_legs`: who calls, the same for all calls of a run. `more_says`: further sounds that the caller may say, beside
    those of the scenario's `say` steps. Raises TargetUsageError, NotTrusted, PhraseBookError, VoiceMissing and
    AudioFileError.
    """
    if not options.trust:
        _refuse_untrusted(scenario, takes_settings=target.in_process)
    reader = await _reader(scenario, options)
    make_leg = make_legs(scenario)
    sounds = Sounds(scenario, more_says)
    await sounds.prepare()
    ear_book = await sounds.bot_book() if options.ear else PhraseBook([])
    line = await _line(scenario, sounds)
    hold_pcm, music, any_music = hold_music(scenario)
    return CallSetup(
        scenario,
        target,
        await _settings(scenario, target, sounds, folder),
        sounds,
        ear_book,
        hold_pcm,
        music,
        any_music,
        reader,
        line,
        Caller(line, scenario.asterisk.rate_hz, asyncio.get_running_loop().time),
        make_leg,
        options.ai_port,
        options.control_token,
    )


def _refuse_untrusted(scenario: Scenario, *, takes_settings: bool) -> None:
    """Raise NotTrusted for what only a trusted scenario may have. Called before anything is imported or started."""
    if refused := list(what_needs_trust(scenario, takes_settings=takes_settings)):
        (key, *path), what = refused[0]
        raise NotTrusted(f"{key}: {'.'.join(map(str, path))}: {what}", refused)


async def _reader(scenario: Scenario, options: Options) -> CallReader | None:
    """Return who reads, ready to read; None: nobody. Raises NotTrusted, ReaderError."""
    own = scenario.reader
    name = options.reader or (None if own is None else own.use) or options.default_reader or NO_READER
    if name == NO_READER:
        return None
    problem = reader_problem(name)
    if problem is not None:
        raise TargetUsageError(problem)
    loop = asyncio.get_running_loop()
    reader = load_reader(name, cache_folder() / "readings", scenario.folder)
    await loop.run_in_executor(None, reader.prepare)
    given = None if own is None else own.language
    return CallReader(reader, spoken_language(scenario) if given is None else given)


def spoken_language(scenario: Scenario) -> str:
    """Return the language of the scenario's texts as a tag, or "" if none of its words tells."""
    said = [text for reply in scenario.ai for text in (reply.says, *(push.says for push in reply.then_pushes))]
    asked = [expected.bot_says for _, expected in expectations_in(scenario.steps) if expected.bot_says is not None]
    wanted = [text for says in asked for text in says.texts]
    return {"pt": "pt-BR"}.get(code := likely_language([text for text in (*said, *wanted) if text]) or "", code)


def peer_of_a_run(options: Options) -> MakeLegs:
    """Return who makes all calls of a run."""
    if options.peer == "simulated":
        return lambda scenario: simulated_leg
    from audiosocket_sim.asterisk_real.leg import RealLegs

    return RealLegs(options.asterisk_version)


async def _line(scenario: Scenario, sounds: Sounds) -> LineModel:
    line, back, rate_hz = scenario.line, scenario.line.echo, scenario.asterisk.rate_hz
    echo = None if back is None else LineEcho(back.delay, back.gain_db, back.spread, line.seed)
    room = None if line.room is None else SpeakingRoom(line.room.reverb, line.room.reverb_db, rate_hz, line.seed)
    behind = [one for one in (await _behind(line.noise, sounds), await _behind(line.talker, sounds)) if one is not None]
    return LineModel(line.codec, line.noise_dbfs, line.gain_db, line.seed, rate_hz, echo, room, behind)


async def _behind(sound: BackgroundNoise | SecondTalker | None, sounds: Sounds) -> RoundSound | None:
    """What is heard behind the caller, as much softer than his words as the scenario says."""
    if sound is None:
        return None
    after, pause = (sound.after, sound.pause) if isinstance(sound, SecondTalker) else (0, 0)
    rate_hz = sounds.rate_hz
    pcm = await sounds.pcm(Say(recording=sound.recording, file=sound.file))
    level = await sounds.speech_dbfs() - sound.snr_db
    return RoundSound(pcm, level, rate_hz, after=after * rate_hz // 1000, pause=pause * rate_hz // 1000)


async def _settings(scenario: Scenario, target: Target, sounds: Sounds, folder: Path) -> dict[str, Any]:
    """Return the scenario's settings; an in-process target also gets a phrase book of texts that are in no other."""
    settings = dict(scenario.server)
    if target.in_process and sounds.unlisted:
        speech = settings.get("speech", {})
        if not isinstance(speech, dict) or not isinstance(speech.get("more_phrase_books", []), list):
            raise TargetUsageError(
                f"server: speech: must be a mapping with more_phrase_books as a list, not {speech!r}"
            )
        book = await sounds.write_book(folder / "said")
        books = [*speech.get("more_phrase_books", []), str(book.resolve())]
        settings["speech"] = {**speech, "more_phrase_books": books}
    return settings


def hold_music(scenario: Scenario) -> tuple[bytes, dict[str, bytes], bool]:
    """Return the loop, all music that the steps on hold audio mean, and whether other music counts. Raises
    AudioFileError. In a call without steps of its own, one in Python, hold audio may be asked for at any time."""
    folder = scenario.folder or Path.cwd()
    asked = [expected.hold_audio for _, expected in expectations_in(scenario.steps) if expected.hold_audio is not None]
    files = dict.fromkeys(hold.file for hold in asked if hold.file is not None)
    named = {file: hold_music_in(file, folder) for file in files}
    anchored = any(step.at is not None and step.at.after in _OF_HOLD for _, step in all_steps(scenario.steps))
    if not asked and not anchored and scenario.steps:
        return _nearest_loop(folder), {}, False
    loop = _nearest_loop(folder)
    any_music = not asked or any(hold.file is None for hold in asked)
    music = {**({"": loop} if any_music and loop else {}), **named}
    return next(iter(music.values()), b""), music, any_music


def hold_music_in(file: str, folder: Path) -> bytes:
    """Return the hold music in a file that a step names, as SLIN of 8 kHz. Raises AudioFileError."""
    return _long_enough(named_sound(file, folder), file)


def _nearest_loop(folder: Path) -> bytes:
    """Return one loop of the nearest hold music, or of the project's, as SLIN of 8 kHz. Raises AudioFileError."""
    near = nearest_folder("audio", folder, "waiting.slin")
    if near is None:
        return b""
    return _long_enough(read_audio(near / "waiting.slin"), str(near / "waiting.slin"))


def _long_enough(music: bytes, name: str) -> bytes:
    if len(music) < WINDOW * SAMPLE_BYTES:
        raise AudioFileError(f"{name}: {len(music)} bytes long: too short to be recognised as hold music")
    return music
