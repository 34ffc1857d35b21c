"""Which side of a call broke, for the report: told from the kind of a defect, or from what a failure says. Pure."""

import re
from dataclasses import dataclass

from audiosocket_sim.report.saved.saved_call import SavedFailure

__all__ = ["Side", "side_of", "side_of_defect", "side_of_fault"]


@dataclass(frozen=True, slots=True)
class Side:
    """Who broke (`the bot`, `the backend`, `this machine`, …), and which part of it (`the sound that it sends`)."""

    who: str
    part: str

    @property
    def words(self) -> str:
        """Both: `the bot (the sound that it sends)`."""
        return f"{self.who} ({self.part})" if self.part else self.who

    @property
    def sentence(self) -> str:
        """What it did, as the beginning of a sentence: `The bot did not ask its backend`."""
        if self.part.startswith("it "):
            words = f"{self.who} {self.part.removeprefix('it ')}"
        else:
            words = f"{self.who} {_DID.get(self.part, f'is at fault ({self.part})')}"
        return words[0].upper() + words[1:]


_DID = {
    "the sound that it sends": "sent damaged sound",
    "how loud its voice is": "spoke too loudly or too quietly",
    "the clock by which it sends": "sent at the wrong pace",
    "its words were cut off": "was not heard to the end",
    "its hold audio": "did not play its hold audio as expected",
    "what it sent on the wire": "sent what Asterisk does not take",
    "no answer": "gave no answer",
    "its answer was a fault": "answered with a fault",
    "what it asked its backend": "did not ask its backend as expected",
    "its program ended": "ended: its program is gone",
    "its turn-taking": "did not take turns as expected",
    "its words": "did not say what was expected",
    "its speech": "did not speak as expected",
    "how the call ended": "did not end the call as expected",
    "its state": "was not in the expected state",
    "it did not end in time": "did not end in time",
}
"""What a side did, where `part` only names a part of it."""
_OF_DEFECTS = {
    "damage": "the sound that it sends",
    "level": "how loud its voice is",
    "holes": "it sent too late",
    "ahead": "it sent too far ahead",
    "pace": "the clock by which it sends",
    "wire_silence": "it sent nothing at all",
    "unheard": "its words were cut off",
    "premature": "it interrupted the caller",
    "left_open": "it did not close its connection",
    "after_end": "it sent on after the end",
    "hold_seam": "its hold audio",
    "cross_talk": "it mixed up two calls",
}
_OF_WORDS = (
    (r"Asterisk ended the call|\(asterisk: ", "the bot", "what it sent on the wire"),
    (r"and has not answered", "the backend", "no answer"),
    (r"answered at [\d.]+ with a fault", "the backend", "its answer was a fault"),
    (r"has not been asked since", "the bot", "it did not ask its backend"),
    (r"nothing of it was heard|answered “.*”.*heard since then", "the bot", "it did not say the answer"),
    (r"refuse the UUID", "the bot", "it refused the call"),
    (r"sent no audio since", "the bot", "it sent no sound"),
    (r"not been heard at all|said nothing new", "the bot", "it said nothing"),
    (r"never silent for", "the bot", "it did not stop"),
    (r"still in progress", "the bot", "it did not hang up"),
    (r"fits no reply|not used so far", "the bot", "what it asked its backend"),
    (r"it ended at|the server (closed|reset|hung up)", "the bot", "it ended the call"),
)
_OF_KINDS = {
    "ai": ("the bot", "what it asked its backend"),
    "ai_cassette": ("the bot", "what it asked its backend"),
    "target": ("the bot", "its program ended"),
    "turn_taking": ("the bot", "its turn-taking"),
    "max_duration": ("the call", "it did not end in time"),
    "before": ("the set-up", "before the call"),
    "callers": ("the bot", "it took no second call"),
    "then": ("the bot", "it took no further call"),
    "after": ("the bot", "what is looked at after the call"),
    "judge": ("the bot", "its words"),
    "expect bot_says": ("the bot", "its words"),
    "expect bot_speaks": ("the bot", "its speech"),
    "expect bot_silent": ("the bot", "it did not stop"),
    "expect bot_stops": ("the bot", "it did not stop in time"),
    "expect bot_goes_on": ("the bot", "it stopped for no turn"),
    "expect responds": ("the bot", "it answered too late"),
    "expect resumes": ("the bot", "it did not go on"),
    "expect asks_again": ("the bot", "it did not ask again"),
    "expect hangs_up": ("the bot", "how the call ended"),
    "expect hold_audio": ("the bot", "its hold audio"),
    "expect state": ("the bot", "its state"),
    "expect backend_asked": ("the bot", "what it asked its backend"),
}
_OF_FAULTS = {
    "set_up": Side("the set-up", "not the bot"),
    "inconclusive": Side("this machine", "too busy to judge"),
    "invalid": Side("the scenario", "not valid"),
}


def side_of_defect(kind: str) -> Side:
    """Return the side that a kind of defect is a fault of: always the bot."""
    return Side("the bot", _OF_DEFECTS.get(kind, kind))


def side_of(failure: SavedFailure, kind: str) -> Side:
    """Return the side that a failed step tells of: by what happened first, else by the kind of the step."""
    text = "\n".join(failure.happened[:3])
    if not kind.startswith("never "):
        for pattern, who, part in _OF_WORDS:
            if re.search(pattern, text):
                return Side(who, part)
    if kind.startswith("never "):
        return Side("the bot", "it did what it must never do")
    return Side(*_OF_KINDS.get(kind, ("the bot", kind)))


def side_of_fault(outcome: str, fault: str) -> Side:
    """Return the side to which the reason for no verdict belongs: never the bot."""
    if outcome == "inconclusive" and fault.startswith("interrupted"):
        return Side("the user", "who interrupted the call")
    return _OF_FAULTS.get(outcome, Side("the set-up", ""))
