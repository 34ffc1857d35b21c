"""The caller's track cut into utterances. Pure; it decides where speech is, not what is said (`pairing`).

Voice activity is webrtcvad's, frame by frame, beside the level of the line's own noise. A stretch is cut with some
sound before and behind it, so that a soft start and a soft end are kept.
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
"""A hole longer than this is a phone that sends nothing."""

FRAME_MS = 20
_AGGRESSIVENESS = 2
_SAME_STRETCH_MS = 400
"""A shorter pause does not end an utterance."""
_SHORTEST_VOICED_FRAMES = 5
_ABOVE_NOISE_DB = 6.0
_PRE_ROLL_MS = 300
_TAIL_MS = 300
_SILENT_DBFS = -75.0
_ECHO_AROUND_MS = 300


def cut_utterances(track: Track, echo: EstimatedEcho | None = None) -> tuple[CapturedUtterance, ...]:
    """The utterances of a track, in order; none overlaps another, none reaches into a mute, none is the bot's echo."""
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
    """The holes that are no lost packet and no pressed key."""
    return tuple(gap for gap in track.gaps if gap.length_ms > MUTE_MS)


def noise_floor_dbfs(track: Track, utterances: Sequence[CapturedUtterance]) -> float | None:
    """The level of the line where nobody speaks, in whole dB; None where it is silent, or nothing but speech."""
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
    """Where speech is, from its first to the end of its last voiced frame."""
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
    """Without the frames around which most are echo: its soft ends are told from nothing by themselves."""
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
    """The noise before it is known what speech is: what a tenth of the frames stay below."""
    levels = sorted(level_dbfs(frame) for _, frame in _frames(track) if frame.strip(b"\0"))
    return levels[len(levels) // 10] if levels else _SILENT_DBFS
