"""Write a captured call as a scenario: `NAME.yaml`, and the folder `NAME/` with utterances, recording and cassette.

It reads and writes files and blocks: run it in an executor. The loader has accepted a scenario before it appears.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audiosocket_core.files import create_private_file
from audiosocket_sim.live.captured_call.ai_replies import Replies, captured_replies, guessed_replies, message_text
from audiosocket_sim.live.captured_call.analysis import Analysis, KnownSounds, analyse, load_known_sounds
from audiosocket_sim.live.captured_call.caller_actions import caller_actions
from audiosocket_sim.live.captured_call.cassette import cassette
from audiosocket_sim.live.captured_call.edge_fading import fade_edges
from audiosocket_sim.live.captured_call.files import put_in_place
from audiosocket_sim.live.captured_call.model import Answer, CapturedCall, CapturedUtterance, Exchange
from audiosocket_sim.live.captured_call.scenario_yaml import scenario_yaml
from audiosocket_sim.live.captured_call.server_settings import infer_settings, is_reference_server
from audiosocket_sim.live.captured_call.steps import steps_of
from audiosocket_sim.live.captured_call.track import RATE_HZ
from audiosocket_sim.live.captured_call.wav import mono_wav, stereo_wav
from audiosocket_sim.scenario import format_duration
from audiosocket_sim.scenario.cassette import answer_words
from audiosocket_sim.scenario.loading import load

__all__ = ["write_scenario"]

_USUAL_LIMIT_MS = 240_000
_INTO_A_VOICE_MS = 1_000
"""How long the caller listens at most to a sentence that was not recognised before he talks over it."""
_NOT_RECOGNISED = "not recognised"
_TEXT_UNKNOWN = "text unknown: neither a control API nor the AI backend reported it"
_INTO_A_LABEL_MS = 200
"""The same limit in a redacted call, where the bot says only «utterance 7», which takes about a second."""


def write_scenario(
    call: CapturedCall,
    folder: Path,
    name: str,
    *,
    server: Mapping[str, Any] | None = None,
    ear: KnownSounds | None = None,
) -> Path:
    """Write the call into `folder` and return the path of the scenario. Only the owner can read the files.

    server: settings of the server under test, as in the scenario's `server:`. With None they are inferred if the bot
    reported the states of the reference server, and none are written otherwise: they would be guessed.
    ear: the prompts and the hold loop of the bot; None for those near the folder and the project's.

    Raises NameTaken if the folder has a call of this name, OSError, PhraseBookError, AudioFileError, and ScenarioError
    if the loader does not accept the scenario.
    """
    ear = load_known_sounds(folder.resolve()) if ear is None else ear
    seen = analyse(call, ear)
    if server is None:
        server = infer_settings(call, seen) if is_reference_server(call) else {}
        guesses = is_reference_server(call)
    else:
        guesses = bool(server)
    settings = server

    def fill(staging: Path) -> None:
        sounds = staging / name
        sounds.mkdir(mode=0o700)
        for number, utterance in enumerate(seen.utterances, 1):
            create_private_file(sounds / f"utterance_{number}.wav", mono_wav(_sound(seen, utterance)))
        create_private_file(sounds / "call.wav", stereo_wav(seen.track.pcm, seen.bot.sound))
        if call.backend_captured:
            create_private_file(sounds / "cassette.json", cassette(call).encode("utf-8", "backslashreplace"))
        create_private_file(
            staging / f"{name}.yaml",
            _text(call, seen, name, settings, guesses=guesses).encode("utf-8", "backslashreplace"),
        )
        load(staging / f"{name}.yaml")

    return put_in_place(folder, name, fill)


def _text(call: CapturedCall, seen: Analysis, name: str, settings: Mapping[str, Any], *, guesses: bool) -> str:
    """Return the scenario. guesses: infer the AI backend's replies if it was not captured."""
    bot = seen.bot
    replies = Replies(())
    if call.backend_captured:
        replies = captured_replies(call)
    elif guesses:
        replies = guessed_replies(call, seen.turns, bot.sentences, bot.holds)
    messages = [e.answer.at_ms for e in call.exchanges if e.answer is not None] + [push.at_ms for push in call.pushes]
    steps = steps_of(
        caller_actions(seen.utterances, call.keys, seen.track, call.ending, call.mutes),
        bot.sentences,
        bot.holds,
        call.ending,
        apart=messages,
        files=name,
        hints=_hints(call, seen),
        without_text=_NOT_RECOGNISED if _anybody_reported_texts(call) else _TEXT_UNKNOWN,
        into_a_voice_ms=_INTO_A_LABEL_MS if call.redacted else _INTO_A_VOICE_MS,
    )
    line: dict[str, Any] = {"codec": "none"}
    if seen.noise_dbfs is not None:
        line["noise_dbfs"] = seen.noise_dbfs
    limit = call.ending.at_ms + 120_000
    return scenario_yaml(
        _summary(call, seen),
        _asterisk(call),
        line,
        settings,
        replies.replies,
        steps,
        ai_cassette=f"{name}/cassette.json" if call.has_raw_exchanges else None,
        max_duration=None if limit <= _USUAL_LIMIT_MS else format_duration(limit // 60_000 * 60_000 + 60_000),
        notes=_notes(call, seen, replies),
    )


def _anybody_reported_texts(call: CapturedCall) -> bool:
    return bool(call.recognised or call.states or any(exchange.text for exchange in call.exchanges))


def _times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n} times")


def _summary(call: CapturedCall, seen: Analysis) -> str:
    spoke, heard = len(seen.utterances), len(seen.bot.sentences)
    parts = [f"the caller speaks {_times(spoke)}" if spoke else "the caller never speaks"]
    if call.keys:
        parts.append(f"presses {len(call.keys)} key{'s' if len(call.keys) > 1 else ''}")
    parts.append(f"the bot is heard {_times(heard)}" if heard else "the bot is never heard")
    ends = {"server": "the server hangs up", "caller": "the caller hangs up", "asterisk": "Asterisk drops the call"}
    parts.append(ends.get(call.ending.who, "the capture was stopped before its end"))
    redacted = ", redacted" if call.redacted else ""
    return f"A captured call of {call.ending.at_ms / 1000:.1f} s{redacted}: {', '.join(parts)}."


def _asterisk(call: CapturedCall) -> dict[str, Any]:
    asterisk: dict[str, Any] = {"version": call.version}
    if call.attach != "app":
        asterisk["attach"] = call.attach
    if call.packet_time_ms != 20:
        asterisk["packet_time"] = format_duration(call.packet_time_ms)
    if call.rate_hz != RATE_HZ:
        asterisk["rate_hz"] = call.rate_hz
    if not call.redacted:
        asterisk["uuid"] = str(call.uuid)
    return asterisk


def _notes(call: CapturedCall, seen: Analysis, replies: Replies) -> list[str]:
    notes = [f"left out: {what}" for what in dict.fromkeys(replies.left_out)]
    if call.ending.how == "interrupted":
        notes.append("cut off: the call went on after this")
    if call.n_unredacted:
        questions = "1 question" if call.n_unredacted == 1 else f"{call.n_unredacted} questions"
        notes.append(f"left out: {questions} to the AI backend, whose protocol cannot be redacted")
    if seen.echo is not None:
        notes.append(f"left out: the line's echo of the bot, {seen.echo.delay_ms:.0f} ms late")
    if not call.backend_captured and replies.replies:
        notes.append("the AI backend was not captured: its replies are guessed from what the bot was heard to say")
    return notes


def _hints(call: CapturedCall, seen: Analysis) -> dict[int, str]:
    """Return, for sentences that were not recognised, the backend's last text before each, by the sentence's start."""
    if call.redacted:
        return {}
    given = [(e.answer.at_ms, _answer_text(e, e.answer)) for e in call.exchanges if e.answer is not None]
    given += [(push.at_ms, message_text(push.body)) for push in call.pushes]
    texts = sorted((at, text) for at, text in given if text)
    hints: dict[int, str] = {}
    for sentence in seen.bot.sentences:
        before = [text for at, text in texts if at <= sentence.start_ms]
        if before and before[-1] not in hints.values():
            hints[sentence.start_ms] = before[-1]
    return hints


def _answer_text(exchange: Exchange, answer: Answer) -> str | None:
    raw = exchange.raw
    if raw is None:
        return message_text(answer.body)
    return None if raw.answer is None else answer_words(raw.answer.body)


def _sound(seen: Analysis, utterance: CapturedUtterance) -> bytes:
    pcm = seen.track.part(utterance.start_ms, utterance.end_ms)
    return fade_edges(pcm, utterance.speech_start_ms - utterance.start_ms, utterance.end_ms - utterance.speech_end_ms)
