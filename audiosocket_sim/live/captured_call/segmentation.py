"""Cut the caller's track into utterances. Pure. It finds where speech is; `text_pairing` finds its text.

Speech is what webrtcvad marks as voice, frame by frame, and what is louder than the line's own noise. Each cut keeps
some sound before and after the speech, so that a soft start and a soft end are not lost.
"""

import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

import webrtcvad

from audiosocket_core.slin import frames, level_dbfs
from audiosocket_sim.live.captured_call.echo_detection import EstimatedEcho
from audiosocket_sim.live.captured_call.model import CapturedUtterance
from audiosocket_sim.live.captured_call.track import RATE_HZ, Gap, Track

__all__ = ["MUTE_MS", "cut_utterances", "mutes", "noise_floor_dbfs"]

MUTE_MS = 200
"""A gap longer than this is a mute: the phone sends nothing."""

FRAME_MS = 20
_AGGRESSIVENESS = 2
_SAME_STRETCH_MS = 400
"""A pause up to this long does not end an utterance."""
_SHORTEST_VOICED_FRAMES = 5
_ABOVE_NOISE_DB = 6.0
_PRE_ROLL_MS = 300
_TAIL_MS = 300
_SILENT_DBFS = -75.0
_ECHO_AROUND_MS = 300


def cut_utterances(track: Track, echo: EstimatedEcho | None = None) -> tuple[CapturedUtterance, ...]:
    """Return the utterances of the track, in order.

    No utterance overlaps another, extends into a mute, or is the bot's echo (`echo`, None if the line has none).
    """
    stretches = _stretches(track, echo)
    found: list[CapturedUtterance] = []
    for index, (start, end) in enumerate(stretches):
        before = (stretches[index - 1][1] + start) // 2 if index else 0
        behind = (end + stretches[index + 1][0]) // 2 if index + 1 < len(stretches) else track.end_ms
        for gap in mutes(track):
            before = max(before, gap.end_ms) if gap.end_ms <= start else before
            behind = min(behind, gap.start_ms) if gap.start_ms >= end else behind
        found.append(CapturedUtterance(max(before, start - _PRE_ROLL_MS), min(behind, end + _TAIL_MS), start, end))
    return tuple(found)


def mutes(track: Track) -> tuple[Gap, ...]:
    """Return the gaps that are too long to be lost packets. A pressed key may still explain one (`caller_actions`)."""
    return tuple(gap for gap in track.gaps if gap.length_ms > MUTE_MS)


def noise_floor_dbfs(track: Track, utterances: Sequence[CapturedUtterance]) -> float | None:
    """Return the median level of the line outside the utterances, in whole dBFS.

    Returns None if the line is silent there, or if all of the track is speech.
    """
    levels = [
        level_dbfs(frame)
        for at, frame in _frames(track)
        if frame.strip(b"\0") and not any(u.start_ms <= at < u.end_ms for u in utterances)
    ]
    floor = statistics.median(levels) if levels else _SILENT_DBFS
    return None if floor <= _SILENT_DBFS else float(round(floor))


def _frames(track: Track) -> list[tuple[int, bytes]]:
    n_bytes = 2 * RATE_HZ // 1000 * FRAME_MS
    return [(FRAME_MS * index, frame) for index, frame in enumerate(frames(track.pcm, n_bytes))]


def _stretches(track: Track, echo: EstimatedEcho | None) -> list[tuple[int, int]]:
    """Return the stretches of speech as (start, end) in ms: from the first to the end of the last voiced frame."""
    vad = webrtcvad.Vad(_AGGRESSIVENESS)
    voiced = [(at, level_dbfs(frame)) for at, frame in _frames(track) if vad.is_speech(frame, RATE_HZ)]
    if echo is not None:
        voiced = _without_echo(voiced, echo)
    runs: list[list[tuple[int, float]]] = []
    for at, level in voiced:
        if runs and at - runs[-1][-1][0] <= _SAME_STRETCH_MS and not _muted_between(track, runs[-1][-1][0], at):
            runs[-1].append((at, level))
        else:
            runs.append([(at, level)])
    quiet = _quietest_dbfs(track)
    return [
        (run[0][0], run[-1][0] + FRAME_MS)
        for run in runs
        if len(run) >= _SHORTEST_VOICED_FRAMES and max(level for _, level in run) >= quiet + _ABOVE_NOISE_DB
    ]


def _without_echo(voiced: list[tuple[int, float]], echo: EstimatedEcho) -> list[tuple[int, float]]:
    """Return the frames that are not echo: those with mostly speech around them.

    A single frame at the soft end of an echo cannot be judged by itself.
    """
    times = [at for at, _ in voiced]
    echoes = [0, *accumulate(echo.explains(at + FRAME_MS // 2) for at in times)]
    kept: list[tuple[int, float]] = []
    for at, level in voiced:
        first, behind = bisect_left(times, at - _ECHO_AROUND_MS), bisect_right(times, at + _ECHO_AROUND_MS)
        if 2 * (echoes[behind] - echoes[first]) < behind - first:
            kept.append((at, level))
    return kept


def _muted_between(track: Track, start_ms: int, end_ms: int) -> bool:
    return any(start_ms < gap.end_ms and gap.start_ms < end_ms for gap in mutes(track))


def _quietest_dbfs(track: Track) -> float:
    """Return an estimate of the noise level that needs no knowledge of the speech: the lowest tenth of the frames."""
    levels = sorted(level_dbfs(frame) for _, frame in _frames(track) if frame.strip(b"\0"))
    return levels[len(levels) // 10] if levels else _SILENT_DBFS
