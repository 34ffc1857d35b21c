"""Speech over a message of the bot: does the caller take the turn, or shall the bot go on? Pure.

The message is paused as soon as a sound begins. Then, whatever comes first:
- words that are more than back-channels are a caller who takes the turn;
- so is a voice that lasts for longer than a back-channel does (`endpointing.lasting`), whether or not its words are
  understood, unless they are understood as a back-channel. It does so while it goes on: once it is over, its words
  decide, since a message that is stopped for no words is only said again;
- at a short silence the sound was too short to be speech, or a recognition of all that was heard so far says what it
  was: a back-channel, and the bot goes on; or nothing that was understood, and it goes on a little later, since a
  caller may take breath, and a cough has two bursts; but not into a sound that begins, for which it would pause again;
- when the longest pause is over, a sound that lasts is a caller, if the engine tells no words before an utterance ends.
  If it does, and has understood none, the bot speaks on, and the utterance is listened to all the same: a laugh, a dog
  or television lasts longer than a pause may, and words that are understood later still take the turn.

A voice that is softer than the caller's own is a television, or somebody else in the room: it does not take the turn,
whatever it says. That is known after 0.6 to 0.8 s, so words wait for it, and an engine that no longer tells them does
not take them back while it goes on. But when it pauses, it may sound just like the caller: then what is understood of
it takes the turn. If it may be his, that is kept (`kept`) until the message is over. A back-channel near the end of a
message is an answer to it («Isso.»), so it takes the turn.
"""

from enum import Enum, auto

from audiosocket_server.turns.backchannels import takes_turn
from audiosocket_server.turns.vocabulary import (
    SoundStirs,
    Tried,
    TurnRules,
    UtteranceEnded,
    UtterancePaused,
    UtteranceWentOn,
    VoiceLasts,
    VoiceWeighed,
    WordsHeard,
)

__all__ = [
    "BACKCHANNEL",
    "IN_DOUBT",
    "NOT_UNDERSTOOD",
    "OTHER_MESSAGE",
    "TOO_SHORT",
    "TOO_SOFT",
    "Overheard",
    "OverheardEvent",
    "Weighed",
]

# Why the bot goes on.
TOO_SHORT = "too_short"
TOO_SOFT = "too_soft"
BACKCHANNEL = "backchannel"
NOT_UNDERSTOOD = "not_understood"
IN_DOUBT = "in_doubt"
OTHER_MESSAGE = "other_message"

ANSWERS_MS = 600
"""A caller who begins when so much of the message is left, or less, answers it."""

OverheardEvent = (
    UtterancePaused | UtteranceWentOn | SoundStirs | VoiceLasts | VoiceWeighed | WordsHeard | Tried | UtteranceEnded
)


class Weighed(Enum):
    """What follows from an event: wait for more, or only a little longer (LINGER), try what was heard so far, give the
    floor, or dismiss the sound."""

    WAIT = auto()
    LINGER = auto()
    TRY = auto()
    CALLER = auto()
    DISMISS = auto()


class Overheard:
    """One utterance over a message. `job`: of its recognition. `left_ms`: how much of the message was left at its
    beginning; None: that is not known.

    After LINGER call `time_is_up` once that little time is over, unless `UtteranceWentOn` came first. LINGER for
    `SoundStirs`: not before it is known whether a sound begins."""

    def __init__(self, job: int, rules: TurnRules, left_ms: int | None) -> None:
        self.job = job
        self.over = False
        """Whether the utterance has ended."""
        self.why = NOT_UNDERSTOOD
        """Why it was dismissed."""
        self.kept = ""
        """What was understood, if it takes the turn, of a voice that is too soft and may be the caller's."""
        self._rules = rules
        self._answers = left_ms is not None and left_ms <= ANSWERS_MS
        self._silent = False
        self._trying = False
        self._soft: bool | None = None
        self._is_alike = self._may_be_his = False
        self._has_words = False  # that take the turn
        self._is_withdrawn = False  # before he was weighed
        self._is_backchannel = False  # as far as it is understood by now
        self._lasts = False
        self._more = False  # he spoke on since the last trial began
        self._lingers = False

    def take(self, event: OverheardEvent) -> Weighed:
        """Take what happened; return what follows."""
        goes_on = True
        match event:
            case UtteranceWentOn():
                self._silent, self._more, self._lingers = False, True, False
                self._soft = None  # of a short sound it was said for want of a level; more follows now
                return Weighed.WAIT
            case SoundStirs():
                return Weighed.LINGER if self._lingers else Weighed.WAIT
            case UtterancePaused(noise):
                self._silent = True
                return self._fell_silent(noise=noise)
            case UtteranceEnded(noise):
                self._silent = self.over = True
                return self._fell_silent(noise=noise)
            case VoiceWeighed(soft, over, is_alike, may_be_his):
                self._soft, goes_on = soft, not over
                self._is_alike, self._may_be_his = is_alike, may_be_his
            case VoiceLasts():
                self._lasts = True
            case WordsHeard(text):
                self._is_withdrawn = not text.strip() and self._soft is None
                if not self._is_withdrawn:
                    self._has_words = self._takes_turn(text)
                    self._is_backchannel = bool(text.strip()) and not self._has_words
            case Tried(_, text):
                self._trying = False
                return self._tried(text)
        has_words = self._has_words and (goes_on or not self._is_withdrawn)
        is_caller = has_words or (self._lasts and goes_on and not self._is_backchannel)
        return Weighed.CALLER if is_caller and self._soft is False else Weighed.WAIT

    def time_is_up(self, *, stirs: bool = False) -> Weighed:
        """The pause is over. CALLER or DISMISS if that is known by now; WAIT: the bot speaks on, and he is heard on.

        `stirs`: a sound may just be beginning.
        """
        if self._lingers and not stirs:
            return Weighed.DISMISS
        lasts = not self._silent and not self._soft and not self._rules.tells_words
        return Weighed.CALLER if lasts else Weighed.WAIT

    def _fell_silent(self, *, noise: bool) -> Weighed:
        if noise:
            return self._was_nothing(TOO_SHORT)
        return Weighed.WAIT if self._trying else self._try()

    def _try(self) -> Weighed:
        self._trying, self._more = True, False
        return Weighed.TRY

    def _tried(self, text: str) -> Weighed:
        takes_turn = self._takes_turn(text)
        if takes_turn and (self._is_alike or not self._soft):
            return Weighed.CALLER
        if not self._silent:
            return Weighed.WAIT
        if self._more:
            return self._try()
        if not text.strip():
            return self._was_nothing(NOT_UNDERSTOOD)
        self.why = TOO_SOFT if takes_turn else BACKCHANNEL
        self.kept = text.strip() if takes_turn and self._may_be_his else ""
        return Weighed.DISMISS

    def _was_nothing(self, why: str) -> Weighed:
        self.why = why
        self._lingers = not self.over
        return Weighed.LINGER if self._lingers else Weighed.DISMISS

    def _takes_turn(self, text: str) -> bool:
        if self._answers and text.strip():
            return True
        return takes_turn(text, self._rules.language, self._rules.backchannels)
