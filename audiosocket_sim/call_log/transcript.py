"""The call log as text for people: one line for each event, with seconds since the UUID. Snapshots hold it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallBegan,
    CallEnded,
    CallerAction,
    CallerSpoke,
    DefectFound,
    Entry,
    ExpectationJudged,
    HoldStarted,
    HoldStopped,
    LogEvent,
    Noted,
    PhoneLostSound,
    PhoneUsed,
    StageTook,
    StateTold,
    StepFailed,
    VoicesOverlapped,
    WireSummary,
)
from audiosocket_sim.call_log.resumption import how_much_was_said
from audiosocket_sim.scenario import BackgroundNoise, Line, Scenario, SecondTalker

__all__ = [
    "around",
    "heading",
    "how_it_ended",
    "is_shown",
    "line_of",
    "snapshot",
    "transcript",
    "visible",
    "words_of",
]

_NOTE_COLUMN = 88
_NAME_WIDTH = 8
_READ = "read"
_SOUNDS = {
    "speech": "speech that the ear cannot read",
    "music": "music",
    "tone": "a tone",
    "noise": "steady noise",
    "click": "a click",
    _READ: "speech whose words no step asks for",
}
_KINDS = {"backchannel": "back-channel", "vocal_tic": "vocal tic", "non_directed": "not for the bot"}
_TOO_FAR_AHEAD_MS = 200
"""The usual size of a phone's jitter buffer. What a bot has sent ahead it cannot take back (docs/protocol.md 4.4)."""
_FRAME_MS = 20
_HOW = {
    "hangup_message": "00 00 00",
    "fin": "closed without 00 00 00",
    "orderly": "00 00 00, or closed",
    "reset": "reset",
    "refused": "connection refused",
    "unanswered": "not answered",
    "protocol": "protocol error",
}
_DIALPLAN = {
    "continues": "the dialplan continues",
    "ends": "the dialplan ends",
    "channel_ends": "the AudioSocket channel ends",
}


_TURNS_TEXT_ROUND = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
_HALF_CHARACTERS = range(0xD800, 0xE000)  # JSON can hold them, but no terminal and no file can
_VISIBLE = {
    code: repr(chr(code))[1:-1]
    for code in (*range(32), *range(127, 160), 0x2028, 0x2029, *_TURNS_TEXT_ROUND, *_HALF_CHARACTERS)
}
"""Escapes for control characters and line breaks, so that every event stays on one line, as it was written."""


def heading(scenario: Scenario) -> str:
    """Return the first line of a transcript: `greeting_then_hold · Asterisk 22.10, app · µ-law, noise −55 dBFS`.

    Of several calls it has that of the first one, and a line for each other one that differs.
    """
    if not scenario.has_several_calls:
        return f"{scenario.name} · {_of_the_call(scenario)}"
    first = _of_the_call(scenario.calls[0])
    others = [(call.caller.name, _of_the_call(call)) for call in scenario.calls]
    lines = [f"  {name} · {what}" for name, what in others if what != first]
    return "\n".join([f"{scenario.name} · {len(scenario.calls)} calls · {first}", *lines])


def _of_the_call(scenario: Scenario) -> str:
    peer = f"Asterisk {scenario.asterisk.version}, {scenario.asterisk.attach}"
    if scenario.asterisk.packet_time != 20:
        peer += f", {scenario.asterisk.packet_time} ms packets"
    if scenario.asterisk.rate_hz != 8000:
        peer += f", {scenario.asterisk.rate_hz} Hz"
    ear = "" if scenario.ear.model == "phone" else f" · ear: {scenario.ear.title}"
    return f"{peer} · {_line(scenario.line, scenario.asterisk.rate_hz)}{ear}"


def snapshot(scenario: Scenario, entries: Iterable[Entry], asserted: Mapping[int, str]) -> str:
    """Return the transcript as it is compared with that of another run: without a recogniser's whims.

    Of what a reader has read it has the words that a step asked for, `asserted` by the number of the entry.
    """
    return transcript(scenario, [_without_whims(entry, asserted) for entry in entries])


def _without_whims(entry: Entry, asserted: Mapping[int, str]) -> Entry:
    event = entry.event
    if not isinstance(event, BotSpoke) or event.read_by is None:
        return entry
    text = asserted.get(entry.number)
    return replace(entry, event=replace(event, text=text, sound=event.sound if text else _READ, confidence=None))


def transcript(scenario: Scenario, entries: Iterable[Entry]) -> str:
    """Return the heading and one line for each entry, with a final newline."""
    width = max([_NAME_WIDTH, *(len(call.caller.name) for call in scenario.calls)])
    return "\n".join([heading(scenario), *(line_of(entry, width) for entry in entries if is_shown(entry))]) + "\n"


def around(entries: Sequence[Entry], at_ms: int, before: int = 12, after: int = 4) -> list[str]:
    """Return the lines around an instant for a failure message: at most `before` up to it and `after` following it."""
    entries = [entry for entry in entries if is_shown(entry)]
    index = next((i for i, entry in enumerate(entries) if entry.at_ms > at_ms), len(entries))
    first, last = max(0, index - before), min(len(entries), index + after)
    lines = [line_of(entry) for entry in entries[first:last]]
    return (["     …"] if first else []) + lines + (["     …"] if last < len(entries) else [])


def is_shown(entry: Entry) -> bool:
    """Return whether the transcript has a line for the entry: the judge's own records, and sums, have none."""
    return not isinstance(entry.event, ExpectationJudged | WireSummary)


def visible(text: str) -> str:
    """Return the text on one line, with control characters written as escapes that no terminal obeys."""
    return text.translate(_VISIBLE)


def line_of(entry: Entry, name_width: int = _NAME_WIDTH) -> str:
    """Return the line of an entry: the time in seconds, a word for the kind of event, the text, and a note.

    Of several calls it has the caller's name behind the time, in a column of `name_width`.
    """
    word, text, note = words_of(entry.event)
    name = f"{entry.caller:<{name_width}}  " if entry.caller else ""
    left = f"{entry.at_ms / 1000:9.3f}  {name}{word:<8} {visible(text)}".rstrip()
    return f"{left:<{_NOTE_COLUMN - 2}}  {note}" if note else left


def words_of(event: LogEvent) -> tuple[str, str, str]:
    """Return a line's word for the kind of event, its text, and the note at its right side."""
    match event:
        case CallBegan():
            return "begin", "the call begins", ""
        case CallerSpoke(text=text, recording=recording, duration_ms=duration, kind=kind):
            what = f"“{text}”" if text is not None else f"plays {recording}" if recording is not None else "speaks"
            label = "" if kind == "turn" else f", {_KINDS[kind]}"
            return "caller", what, f"{_s(duration)}{label}"
        case CallerAction(what=what, detail=detail, duration_ms=duration):
            return "caller", f"{what} {detail}".rstrip(), "" if duration is None else _s(duration)
        case BackendAsked(content=content):
            return "heard", f"“{content}”", ""
        case BackendReplied():
            return "backend", _reply(event), _reply_note(event)
        case BackendPushed(says=says, status=status, http_status=http):
            return (
                "backend",
                f"pushes {status or 'no status'} {_quoted(says)}",
                "" if http == 202 else f"answered {http}",
            )
        case HoldStarted(into_waiting_ms=into):
            return "hold", "starts", "" if into is None else f"{_s(into)} into WAITING"
        case HoldStopped(duration_ms=duration, seamless=seamless):
            return "hold", f"stops after {_s(duration)}", "seamless" if seamless else "with a jump"
        case StateTold(before=before, after=after):
            return "state", f"{before} → {after}", ""
        case StageTook(stage=stage, duration_ms=duration, since_last_word_ms=waited):
            note = "" if waited is None else f"{_s(waited)} after the last word"
            note = note if waited != duration else "after the last word"
            return "latency", f"{stage.replace('_', ' ')} {_s(duration)}", note
        case BotSpoke():
            return (
                "bot",
                f"“{event.text}”" if event.text is not None else _SOUNDS[event.sound],
                _bot_note(event),
            )
        case VoicesOverlapped(both_ms=both):
            return "overlap", _overlap(event), f"both spoke {_s(both)}"
        case DefectFound(what=what):
            return "defect", what, ""
        case StepFailed(number=0, step="quality", expected=expected):  # the defect has its own line
            return _failed(event), f"quality: expected {expected}", ""
        case StepFailed(number=0, expected=expected, happened=happened):
            return _failed(event), f"{event.named}: expected {expected}; {'; '.join(happened)}", ""
        case StepFailed(expected=expected):  # the lines above show what happened instead
            return _failed(event), f"{event.named}: expected {expected}", ""
        case Noted(what=what):
            return "note", what, ""
        case ExpectationJudged(number=number, step=step, opened_ms=opened, closed_ms=closed):
            return "judged", f"step {number} ({step}), from {opened / 1000:.3f} until {closed / 1000:.3f}", ""
        case WireSummary(from_server=theirs, to_server=ours):
            messages = [sum(one.messages for one in side) for side in (theirs, ours)]
            return "wire", f"{messages[0]} messages from the server, {messages[1]} to it", ""
        case PhoneLostSound(model=model, lost_ms=lost, why=why):
            return "ear", f"{model} lost {_s(lost)} of the bot's sound: {why}", ""
        case PhoneUsed():
            return "ear", _phone_use(event), ""
        case CallEnded():
            return "end", how_it_ended(event), ""


def _reply(event: BackendReplied) -> str:
    if event.fault is not None:
        return f"fault: {event.fault.replace('_', ' ')}"
    return f"{event.status or 'no status'} {_quoted(event.says)}"


def _reply_note(event: BackendReplied) -> str:
    note = f"{_s(event.after_ms)}, reply {event.number}"
    return note if event.delivered else f"{note}, nobody there to take it"


def _bot_note(event: BotSpoke) -> str:
    said = how_much_was_said(event)
    is_whole = event.resumed_ms is None and not event.cut_off
    note = ", ".join(part for part in (_s(event.heard_ms) if is_whole else "", said) if part)
    if event.voice == "synthetic":
        note += ", synthetic voice"
    if event.read_by is not None:
        note += f", read by {event.read_by}"
    if event.confidence is not None:
        note += f" ({event.confidence:.0%} sure)"
    if event.gap_ms:
        note += f", gaps of {event.gap_ms} ms"
    if event.own_gap_ms:
        note += f", {event.own_gap_ms} ms of them this machine's"
    if event.ahead_ms - event.own_ahead_ms >= _TOO_FAR_AHEAD_MS:
        note += f", sent {_s(event.ahead_ms)} ahead: a phone drops it"
    return note + _wait(event)


def _phone_use(event: PhoneUsed) -> str:
    """Return the line on what the model of a phone played and lost in the whole call."""
    lost = f"{_s(event.lost_ms)} lost" if event.lost_ms else "nothing lost"
    if event.delays_ms is None:
        return f"{event.model} (a model): nothing was played, {lost}"
    least, most = event.delays_ms
    delay = _s(least) if least == most else f"{_s(least)} to {_s(most)}"
    return f"{event.model} (a model): sound was played {delay} after it had come, {lost}"


def _wait(event: BotSpoke) -> str:
    """The wait for an answer: `, 1.23 s after the last word`."""
    if event.wait_ms is None:
        return ""
    when = "after" if event.wait_ms >= 0 else "before"
    unmeasured = "" if event.wait_measured else " (not measured: threads)"
    return f", {_s(abs(event.wait_ms))} {when} the last word{unmeasured}"


def _failed(event: StepFailed) -> str:
    """The word in front of a failure: it is not the bot's if this machine's lateness may have caused it."""
    return "unsure" if event.unsure else "FAILED"


def _overlap(event: VoicesOverlapped) -> str:
    """Who interrupted whom, and how that ended."""
    if event.began == "bot":
        early = "" if event.early_ms is None else f", {_s(event.early_ms)} before his last word is over"
        return f"the bot begins over the caller{early}"
    if event.stopped_after_ms is None:
        return "the caller begins over the bot, until the call ends"
    how = "its sentence is over" if event.natural else "the bot stops"
    return f"the caller begins over the bot; {how} after {_s(event.stopped_after_ms)}"


def how_it_ended(event: CallEnded) -> str:
    """Return the end of a call in words: `server hung up (00 00 00); last word heard; the dialplan continues`."""
    who = {"asterisk": "Asterisk ended the call"}.get(event.who, f"{event.who} hung up")
    how = "" if event.who == "caller" and event.how == "fin" else f" ({_HOW.get(event.how, event.how)})"
    parts = [f"{who}{how}"]
    if event.who == "asterisk" and event.reason:
        parts[0] = f"{who}: {event.reason}"
    if event.last_word_heard is not None:
        unheard = f": {_s(event.unheard_ms)} were sent and not heard" if event.unheard_ms else ""
        parts.append("last word heard" if event.last_word_heard else f"last word NOT heard{unheard}")
    if event.who != "caller":
        parts.append(_DIALPLAN.get(event.dialplan, event.dialplan))
    return "; ".join(parts)


def _line(line: Line, rate_hz: int) -> str:
    """Describe the line. G.711 exists at 8 kHz only: at any other rate the line has no codec (`line.LineModel`)."""
    names = {"ulaw": "µ-law", "alaw": "A-law", "gsm": "GSM", "none": "no codec"}
    codec = names[line.codec if rate_hz == 8000 else "none"]
    noise = "" if line.noise_dbfs is None else f", noise {_dbfs(line.noise_dbfs)}"
    gain = "" if line.gain_db == 0 else f", gain {line.gain_db:+g} dB".replace("-", "−")
    echo = line.echo
    back = "" if echo is None else f", echo {echo.gain_db:g} dB after {echo.delay} ms".replace("-", "−")
    behind = [_behind("behind the caller", line.noise), _behind("a second talker", line.talker)]
    room = "" if line.room is None else f", a room of {line.room.reverb} ms"
    return codec + noise + "".join(behind) + room + gain + back


def _behind(what: str, sound: BackgroundNoise | SecondTalker | None) -> str:
    if sound is None:
        return ""
    return f", {what}: {sound.recording or sound.file} {sound.snr_db:g} dB below".replace(" -", " −")


def _dbfs(level: float) -> str:
    return f"{level:g} dBFS".replace("-", "−")


def _quoted(text: str | None) -> str:
    return "nothing" if text is None else f"“{text}”"


def _s(ms: int) -> str:
    return f"{ms / 1000:.2f} s"
