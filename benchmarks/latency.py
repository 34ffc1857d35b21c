"""What the caller waits for, from his last word to the first audio of the answer, in real time and through Azure's own
SDK: our way against the original's, in one run.

The service is the fake one, which answers at once, and so does the AI: what is left is the waiting that the server
itself adds. The original's way is 2 s of silence, then one-shot recognition of the whole utterance, then synthesis of
the whole sentence.
"""

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from audiosocket_sim.call_log.events import StageTook
from audiosocket_sim.running.runner import Options, Outcome
from audiosocket_sim.running.runner import run as run_scenario
from audiosocket_sim.scenario.loading import load
from benchmarks.machine import PROJECT, Unavailable
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "from the caller's last word to the first audio of the answer, real time, Azure's SDK against the fake service"
_GOAL_MS = 150
_WAYS: Mapping[str, tuple[str, float]] = {
    "ours, 0.7 s of silence": ("azure", 0.7),
    "ours, 2.0 s of silence": ("azure", 2.0),
    "the original's way": ("benchmarks.original_speech:load", 2.0),
}


def run(quick: bool = False) -> list[Row]:
    try:
        from audiosocket_sim.fake_azure import FakeAzure

        with FakeAzure.in_thread() as fake:
            waits = {name: _waits(fake.endpoint, *way, calls=1 if quick else 5) for name, way in _WAYS.items()}
    except ImportError as error:
        raise Unavailable(f"{error}: pip install 'audiosocket-sim[azure,fake-azure]'") from error
    rows = []
    for name, stages in waits.items():
        whole, after_endpoint = statistics.median(stages["whole"]), statistics.median(stages["after the endpoint"])
        parts = ", ".join(f"{stage.replace('_', ' ')} {statistics.median(stages[stage]):.0f}" for stage in _STAGES)
        rows.append(Row(name, whole, "ms", f"medians of {len(stages['whole'])} answers, ms: {parts}"))
        if name.startswith("ours"):
            note = f"worst {max(stages['after the endpoint']):.0f} ms"
            met = after_endpoint < _GOAL_MS
            rows.append(Row("  endpoint to first audio", after_endpoint, "ms", note, f"< {_GOAL_MS}", met))
        else:
            rows.append(Row("  endpoint to first audio", after_endpoint, "ms"))
    original = statistics.median(waits["the original's way"]["whole"])
    for name in [name for name in waits if name.startswith("ours")]:
        rows.append(
            Row(f"the original's way against {name}", original / statistics.median(waits[name]["whole"]), "times")
        )
    return rows


_STAGES = ("endpoint", "recognition", "backend", "first_audio")


def _waits(endpoint: str, engine: str, silence_seconds: float, *, calls: int) -> Mapping[str, Sequence[float]]:
    """Milliseconds of each stage, of each answer in so many calls; and of all stages, with the endpoint and without."""
    scenario = load(PROJECT / "benchmarks" / "calls" / "three_questions.yaml")
    speech = {"engine": engine, "azure_key": "benchmark", "azure_endpoint": endpoint}
    settings: dict[str, Any] = {
        **scenario.server,
        "speech": speech,
        "system": {"silence_threshold_seconds": silence_seconds},
    }
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(calls):
        call = scenario.model_copy(update={"server": settings})
        result = run_scenario(call, Options(real_time=True))
        if result.worth_repeating:  # the machine was busy
            result = run_scenario(call, Options(real_time=True))
        if result.outcome is not Outcome.PASSED:
            raise RuntimeError(f"{engine}: {'; '.join(result.problems)}")
        told = [entry.event for entry in result.entries if isinstance(entry.event, StageTook)]
        for took in told:
            found[took.stage].append(took.duration_ms)
            if took.stage == "first_audio" and took.since_last_word_ms is not None:
                found["whole"].append(took.since_last_word_ms)
                found["after the endpoint"].append(took.since_last_word_ms - found["endpoint"][-1])
    return found
