"""Asks the judges that a scenario names about what the bot said, after the call."""

from collections.abc import Iterator, Sequence

from audiosocket_sim.call_log.events import BotSpoke, CallerSpoke, Entry
from audiosocket_sim.call_log.transcript import transcript
from audiosocket_sim.checks.words import as_line
from audiosocket_sim.reading import JudgedCall, load_judge
from audiosocket_sim.running.call_fixture import CallFixture
from audiosocket_sim.scenario.paths import cache_folder

__all__ = ["JUDGE", "ask_the_judges"]

JUDGE = "judge"
"""The title of a step that failed in the opinion of its judge."""


def ask_the_judges(fixture: CallFixture) -> bool:
    """Ask the judge of each step that names one, and log a failure for each text that it does not accept.

    It is asked about all that the bot said from the speech that met the step to the caller's next words. Returns
    whether all were accepted. Raises JudgeError.
    """
    accepted = True
    for place, says, number in fixture.to_judge:
        assert says.judge is not None
        entries, scenario = fixture.log.entries, fixture.scenario
        spoken = list(_turn(entries, number))
        text = " ".join(entry.event.text or "" for entry in spoken if isinstance(entry.event, BotSpoke))
        judge = load_judge(says.judge, cache_folder() / "judgements", scenario.folder)
        verdict = judge.opinion(text, says.text or "", JudgedCall(scenario.name, transcript(scenario, entries)))
        if not verdict.ok:
            accepted = False
            expected = f"the bot to say something that {says.judge} takes for “{says.text}”"
            reason = f"{says.judge}: {verdict.reason or 'no'}"
            fixture.fail(spoken[0].at_ms, place, JUDGE, expected, *map(as_line, spoken), reason)
    return accepted


def _turn(entries: Sequence[Entry], number: int) -> Iterator[Entry]:
    """Yield what the bot said from this entry on, until the caller speaks."""
    begun = False
    for entry in entries:
        begun |= entry.number == number
        if begun and isinstance(entry.event, CallerSpoke):
            return
        if begun and isinstance(entry.event, BotSpoke) and entry.event.text is not None:
            yield entry
