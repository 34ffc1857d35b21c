"""The test function of one scenario: runs the call, then compares its transcript or, in real time, its call log."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from audiosocket_sim.pytest_plugin import options
from audiosocket_sim.pytest_plugin.scenario_record import ScenarioFailed, ScenarioRecord
from audiosocket_sim.pytest_plugin.transcripts import transcript_file

if TYPE_CHECKING:
    from audiosocket_sim.running.runner import Options, Result
    from audiosocket_sim.scenario import Scenario

__all__ = ["make_test"]

_COMPUTE_MS = 20.0
"""The time that the server's own work may take; in virtual time it takes none."""


def make_test(
    scenario: "Scenario", path: Path, config: pytest.Config, record: ScenarioRecord, number: int
) -> Callable[..., None]:
    """Return the test function of one scenario. It compares a snapshot if syrupy is installed and the clock is virtual.

    `number`: the repetition, from 1; each has its own folder for artefacts. Without a target the test fails.
    """
    from audiosocket_sim.parties.target import TargetUsageError, parse_target

    try:
        record.target = options.target_of(config, scenario.folder)
        in_process = parse_target(record.target.text, options.control_url(config)).in_process
    except TargetUsageError as error:
        return _named(scenario, _failing(f"{scenario.name}: {error}"))
    real = options.peer(config) == "asterisk"
    real_time = options.real_time(config) or real or not in_process
    how = _options(path, scenario, config, record, number, real_time=real_time)
    if real_time or not config.pluginmanager.has_plugin("syrupy"):

        def test() -> None:
            if real:
                _skip_what_a_phone_cannot_play(scenario)
            result = _run(scenario, how, record)
            if real_time and in_process:
                _compare(scenario, how, result)
    else:

        def test(scenario_snapshot: Any) -> None:  # type: ignore[misc]
            result = _run(scenario, how, record)
            if options.overrides(config) or options.ear_is_replaced(config) or record.run > 1:
                return  # another call than the one whose transcript is kept
            if _is_compared(path, scenario, config):
                if not (result.snapshot == scenario_snapshot):
                    raise AssertionError("\n".join(_moved_from(path, result)))
            else:
                record.lacks_snapshot = True

    return _named(scenario, test)


def _moved_from(path: Path, result: "Result") -> Iterator[str]:
    """Yield what is different from the snapshot in the words of `diff`, to the millisecond, then the changed lines."""
    from difflib import unified_diff

    from audiosocket_sim.call_log.differences import Tolerances, difference_lines, differences
    from audiosocket_sim.call_log.happenings import of_transcript

    file = transcript_file(path, result.scenario.name)
    named = f"{file.parent.name}/{file.name}"
    if not file.is_file():
        yield f"the snapshot {named} does not exist (--snapshot-update writes it)"
        return
    before, now = file.read_text(encoding="utf-8", errors="replace"), result.snapshot
    yield from difference_lines(differences(of_transcript(before), of_transcript(now), Tolerances(other_ms=0)))
    yield from unified_diff(before.splitlines(), now.splitlines(), named, "this call", n=1, lineterm="")


def _named(scenario: "Scenario", test: Callable[..., None]) -> Callable[..., None]:
    test.__module__ = "scenarios"
    test.__name__ = scenario.name
    return test


def _failing(why: str) -> Callable[[], None]:
    def test() -> None:
        raise ScenarioFailed(why)

    return test


def _is_compared(path: Path, scenario: "Scenario", config: pytest.Config) -> bool:
    """False for a snapshot that does not exist yet, unless it is to be written or required."""
    writes = config.getoption("update_snapshots", False) or config.getoption("update_new_snapshots_only", False)
    return writes or options.snapshots_required(config) or transcript_file(path, scenario.name).exists()


def _options(
    path: Path, scenario: "Scenario", config: pytest.Config, record: ScenarioRecord, number: int, *, real_time: bool
) -> "Options":
    from audiosocket_sim.net.control_client import token_from_environment
    from audiosocket_sim.running.runner import Options
    from audiosocket_sim.scenario.repeats import marked

    root = config.rootpath
    name = scenario.name if record.runs <= 1 else marked(scenario.name, f"run={record.run}")
    folder = path.relative_to(root).with_name(name) if path.is_relative_to(root) else Path(name)
    return Options(
        target=record.target,
        control_url=options.control_url(config),
        control_token=token_from_environment(),
        peer=options.peer(config),
        real_time=real_time,
        again=options.again(config),
        kernel=options.kernel(config),
        reader=options.reader(config),
        default_reader=options.default_reader(config),
        trust=options.trust(config),
        ear_model=options.ear(config, written=any("ear" in call.model_fields_set for call in scenario.calls)),
        artefacts=options.artefacts(config) / (folder if number == 1 else folder.with_name(f"{folder.name}-{number}")),
    )


def _run(scenario: "Scenario", how: "Options", record: ScenarioRecord | None = None) -> "Result":
    """Run the scenario, and once more if the machine was too busy. Raises ScenarioFailed, and KeyboardInterrupt.

    Without a record, which is for a comparison, it returns also the result of a bot that cannot follow virtual time.
    """
    from audiosocket_sim.running.again import run_twice_if_inconclusive
    from audiosocket_sim.running.report_lines import report_lines
    from audiosocket_sim.running.runner import Outcome

    result = run_twice_if_inconclusive(scenario, how)
    if result.cannot_follow and record is None:
        return result
    if record is not None:
        record.result = result
        record.measure(result)
    if result.interrupted:
        raise KeyboardInterrupt
    if result.outcome is not Outcome.PASSED:
        lines = list(report_lines(result))
        if record is not None and record.runs > 1:
            lines.append(f"run {record.run} of {record.runs}: {record.seeds}")
        raise ScenarioFailed("\n".join(lines))
    return result


def _skip_what_a_phone_cannot_play(scenario: "Scenario") -> None:
    from audiosocket_sim.asterisk_real.leg import RealLegs
    from audiosocket_sim.parties.target import TargetUsageError

    legs = RealLegs()
    try:
        for call in scenario.calls:
            legs(call)
    except TargetUsageError as error:
        pytest.skip(str(error))


def _compare(scenario: "Scenario", how: "Options", real: "Result") -> None:
    """Compare the call with one in virtual time, if the bot can follow that.

    On a busy machine a second call decides, if it passes.

    Raises ScenarioFailed.
    """
    from dataclasses import replace

    from audiosocket_sim.call_log.agreement import disagreements
    from audiosocket_sim.running.again import second_run
    from audiosocket_sim.running.runner import LATE_MS

    real_asterisk = how.peer == "asterisk"
    virtual = _run(scenario, replace(how, peer="simulated", real_time=False, artefacts=None))
    if virtual.cannot_follow:
        return  # there is nothing to compare with

    def differences(real: "Result") -> list[str]:
        allowance_ms = _COMPUTE_MS + real.disturbed_ms
        return [
            f"{ours.caller}: {line}" if ours.caller else line
            for ours, theirs in zip(virtual.calls, real.calls, strict=True)
            for line in disagreements(ours.entries, theirs.entries, allowance_ms, real_asterisk=real_asterisk)
        ]

    found = differences(real)
    if found and real.disturbed_ms > LATE_MS:
        second = second_run(real, how)
        found = differences(second) if second.passed else found
    if found:
        where = "with a real Asterisk" if real_asterisk else "in real time"
        lines = [f"{scenario.name}: {where} it is another call than in virtual time", *found]
        raise ScenarioFailed("\n".join(lines))
