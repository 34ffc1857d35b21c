"""The zoo as data: kinds of bad bots, three of each, and the cause that a failure has to give first.

`NOT_YET` holds the bots whose fault is not found yet, each with what is said of it meanwhile.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

__all__ = ["KINDS", "NOT_YET", "Animal", "Kind", "animals"]


@dataclass(frozen=True, slots=True)
class Animal:
    """One bad bot: how large its fault is, with which voice at which gain (dB), and how it runs."""

    size: float = 0.0
    voice: str = "doorman"
    gain_db: float = 0.0
    runs: Literal["here", "program", "node"] = "here"

    def __str__(self) -> str:
        louder = f" {self.gain_db:+g} dB" if self.gain_db else ""
        return f"{self.size:g} {self.voice}{louder}" + ("" if self.runs == "here" else f" ({self.runs})")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of bad bots. `wrong`: what is wrong with them. `cause`: what the first failure has to say, a regular
    expression; `also`: what other failures may say, since it is true as well; `report`: what the first sentence of the
    report says, where it is worded otherwise. `call`: the scenario."""

    fault: str
    wrong: str
    cause: str
    three: tuple[Animal, Animal, Animal]
    call: str = "plain"
    also: str = ""
    asks: bool = False
    asks_again: float = 0.0
    report: str = ""

    @property
    def name(self) -> str:
        """`Bytes swapped` of `BytesSwapped`."""
        words = re.findall(r"[A-Z]\d+|[A-Z][a-z]*", self.fault)
        return " ".join([words[0], *(word.lower() for word in words[1:])])


_A = Animal
KINDS = (
    # --- the sound
    Kind(
        "BytesSwapped",
        "samples in network byte order: loud noise",
        "bytes (are )?swapped",
        (_A(0), _A(0.5, "stranger", -6), _A(0, "receptionist", runs="node")),
    ),
    Kind(
        "ByteLost",
        "a byte is lost, and the rest of the sentence is made of halves of samples",
        "shifted by a byte|bytes swapped or of another format",
        (_A(0), _A(0.4, "foreigner"), _A(0.7, "receptionist", -8)),
    ),
    Kind(
        "CodecAsLinear",
        "G.711 bytes labelled as linear samples",
        "(µ|A)-law bytes|G.711 bytes|or of another format",
        (_A(0), _A(1, "synthetic"), _A(0, "stranger", -10)),
    ),
    Kind(
        "UnsignedSamples",
        "unsigned samples sent as signed ones",
        "unsigned samples",
        (_A(), _A(voice="foreigner"), _A(voice="receptionist", gain_db=-8)),
    ),
    Kind(
        "TooManySamples",
        "samples of a higher rate sent as 8 kHz: a slow, deep voice",
        "too slow",
        (_A(16), _A(12, "receptionist"), _A(24, gain_db=-6)),
    ),
    Kind(
        "TooFewSamples",
        "samples of a lower rate sent as 8 kHz: a fast, high voice",
        "too fast",
        (_A(4), _A(5.333, "receptionist"), _A(2.667, gain_db=-6)),
    ),
    Kind(
        "TwoChannels",
        "two channels sent as one: a slow, deep voice",
        "each sample is there twice|every other sample is zero|two times too slow",
        (_A(0, "stranger"), _A(1, "foreigner", -6), _A(0, "receptionist")),
    ),
    Kind(
        "WideSamples",
        "samples of 32 bits in the kind of 16: a slow, deep voice that buzzes",
        "every other sample is zero|two times too slow",
        (_A(1, "foreigner"), _A(0, "stranger", -10), _A(0, "doorman")),
    ),
    Kind(
        "Overflows",
        "a gain too high whose samples overflow: the tops of the wave come out at the bottom",
        "tops of the wave are folded over",
        (_A(1.6, "foreigner"), _A(1.6, "synthetic"), _A(2, "receptionist")),
    ),
    Kind(
        "ConstantOffset",
        "a constant offset under the voice",
        "constant offset",
        (_A(9000), _A(-5000, "foreigner"), _A(3000, "receptionist", -10)),
    ),
    Kind(
        "OtherSilence",
        "the silence of another format between the sentences",
        "samples stay at .* where silence should be",
        (_A(0xD5), _A(0x80, "stranger"), _A(0x7F, "foreigner")),
    ),
    Kind(
        "Clipped",
        "a gain far too high: the tops of the wave are cut off",
        "clipped",
        (_A(26), _A(20, "stranger"), _A(32, "receptionist")),
    ),
    Kind(
        "TooQuiet",
        "a voice that is hard to hear",
        "too quiet|the loudest sample heard at −[4-6]",
        (_A(24), _A(25, "foreigner"), _A(36, "receptionist")),
    ),
    Kind(
        "FileHeader",
        "the header of the sound file is played too",
        "header of a WAV file",
        (_A(0), _A(0, "foreigner"), _A(0.5, "receptionist", -6)),
    ),
    Kind(
        "ClicksAtSeams",
        "each chunk is converted alone: a click at every seam",
        "click",
        (_A(0.32), _A(0.2, "stranger"), _A(0.1, "synthetic")),
    ),
    Kind(
        "FadedChunks",
        "each chunk is faded in and out alone: a flutter",
        "faded out and in again every",
        (_A(0.02, "stranger"), _A(0.04, "foreigner"), _A(0.06, "synthetic")),
    ),
    Kind(
        "SilentFrames",
        "frames of zeros in the midst of words",
        "silence in the midst of words|are silence",
        (_A(5), _A(8, "stranger"), _A(12, "receptionist")),
    ),
    Kind(
        "PiecesLost",
        "pieces of the sentence are never sent",
        "lost|missing|left out",
        (_A(4), _A(3, "receptionist"), _A(5, "receptionist", -8)),
        also="without its first",
    ),
    Kind(
        "PiecesTwice",
        "pieces of the sentence are sent twice",
        "played twice|repeated",
        (_A(4), _A(3, "stranger"), _A(5, "receptionist", -8)),
    ),
    Kind(
        "WhiteNoise",
        "noise instead of a voice",
        "white noise",
        (_A(-20), _A(-30, "receptionist"), _A(-12, "stranger")),
    ),
    Kind(
        "ErrorAsSound",
        "the voice service's error is played as sound: a click, and nothing said",
        "text of about",
        (_A(120), _A(400), _A(1500)),
        also=r"^noise of|not been heard at all",
    ),
    Kind(
        "TwoVoicesInTurn",
        "two sentences at once, a frame of each in turn",
        "frames in turn",
        (_A(), _A(voice="receptionist"), _A(voice="doorman", gain_db=-8)),
        also="its chunks do not fit together",
    ),
    Kind(
        "MixedAnswers",
        "two parts of the bot speak at once: two sentences are mixed",
        "another sentence is mixed with it",
        (_A(0), _A(0.25), _A(0.3, "receptionist")),
        also="without its first",
    ),
    # --- the wire
    Kind(
        "WrongLabel",
        "samples of 8 kHz in the kind of 16 kHz: twice too fast, half of the time nothing",
        "as samples of 8 kHz are that are sent as 16 kHz",
        (_A(), _A(voice="foreigner"), _A(voice="receptionist", gain_db=-8)),
        also="two times too fast: 8 kHz sent as 16 kHz",
    ),
    Kind(
        "Blocked",
        "a call that blocks the loop in the midst of a sentence",
        "holes of|nothing was sent for",
        (_A(0.4), _A(1.5, "stranger"), _A(1.2, "receptionist", runs="node")),
        also=r"^the server sent nothing from",
        report="too late: its speech .* has holes|sent nothing for .* in the midst of its speech",
    ),
    Kind(
        "Stutters",
        "many short holes",
        "holes of .* of speech",
        (_A(0.06), _A(0.1, "stranger"), _A(0.09, "receptionist", -8)),
        report="too late: its speech .* has holes",
    ),
    Kind(
        "AsFastAsMade",
        "speech is sent as fast as it is made",
        "ahead of what was playing",
        (_A(1.5), _A(5, "foreigner"), _A(20, "receptionist", runs="program")),
        also=r"^[0-9.]+ s of speech were sent and not heard|^unread speech of|the bot said .*, cut off",
    ),
    Kind(
        "WrongClock",
        "a clock of frames that is slow, or fast",
        r"\d % too (slow|fast)",
        (_A(0.0205), _A(0.0195, "stranger"), _A(0.03, "receptionist", runs="program")),
        also=r"^0.09 s of speech were sent and not heard",
    ),
    Kind(
        "SleepsEachFrame",
        "a frame's time is slept away after each frame, and the work comes on top",
        r"\d % too slow",
        (_A(0.0004), _A(0.001, "foreigner"), _A(0.01, "receptionist", runs="node")),
    ),
    Kind(
        "LongMessages",
        "a sentence in one message",
        "over 1 s\\), dropped|ahead of what was playing",
        (_A(4), _A(1.5, "foreigner"), _A(0.9, "receptionist")),
        also=r"^(unread speech|noise) of|the bot said .*, cut off|too long for Asterisk's translators",
    ),
    Kind(
        "LengthWraps",
        "a sentence longer than a message's length can say",
        "length (is|that is) wrong",
        (_A(66_000), _A(70_000, "stranger"), _A(100_000, "receptionist")),
        also=r"^the server hung up|too long for Asterisk's translators",
    ),
    Kind(
        "GoesOnAfterTheEnd",
        "sound is sent behind the hang-up message",
        "after the hang-up message",
        (_A(1), _A(3, "foreigner"), _A(50, "receptionist")),
    ),
    Kind(
        "LeavesItOpen",
        "the connection is not closed after the call",
        "had not closed its connection",
        (_A(60), _A(5, "foreigner"), _A(2.5, "receptionist")),
        "caller_hangs_up",
    ),
    Kind(
        "HeaderApart",
        "a header, and its payload later: Asterisk drops such a call",
        "more than 5 ms passed inside a message",
        (_A(0.0065), _A(0.008, "stranger"), _A(0.015, "receptionist")),
    ),
    Kind(
        "WrongLength",
        "a length in the wrong byte order, or one that counts the header too",
        "bytes were announced in big-endian order, and 320 came",
        (_A(0), _A(3, "stranger"), _A(320, "receptionist")),
    ),
    Kind(
        "WrongKind",
        "sound in messages of a kind that is none of sound",
        "kind 0x",
        (_A(0x02), _A(0x01, "foreigner"), _A(0x20, "receptionist")),
    ),
    Kind(
        "QuietBetween",
        "nothing is sent between the sentences: Asterisk drops the call of a muted caller",
        "2000 ms",
        (_A(), _A(voice="foreigner"), _A(voice="receptionist", gain_db=-8)),
        "muted",
    ),
    Kind(
        "HangsUpTooSoon",
        "the end of making a goodbye is taken for the end of playing it",
        "the server ended the call (while it was speaking|before they had been played)",
        (_A(0.8), _A(0.6, gain_db=-6), _A(1, runs="node")),
        also=r"the server hung up",
        report="ended the call at .* while it was speaking|sent and not heard|not been played",
    ),
    Kind(
        "HangsUpBehindABurst",
        "the goodbye is sent in one go, and the end right behind it",
        "ahead of what was playing|sent and not heard",
        (_A(0), _A(0.1, "foreigner"), _A(0.5, "receptionist")),
        also=r"sent and not heard|the server hung up",
    ),
    Kind(
        "DiesInMidCall",
        "the connection breaks off in the midst of an answer",
        "the server ended the call while it was speaking|the server (closed|reset) the connection",
        (_A(1.5), _A(1.2, "stranger"), _A(1.2, "receptionist")),
        also=r"^it ended at",
        report="ended the call",
    ),
    # --- the talk
    Kind(
        "StaysOn",
        "says goodbye, and does not hang up",
        "the call was still in progress",
        (_A(), _A(voice="foreigner"), _A(voice="receptionist", gain_db=-8)),
        "goodbye",
        report="had not hung up by",
    ),
    Kind(
        "DiesOfAKey",
        "a key that the caller presses ends the call",
        r"it ended at .* \(server: the server closed the connection\)",
        (_A(), _A(voice="foreigner"), _A(voice="receptionist", gain_db=-8)),
        "key",
        report=r"it ended at .* \(server: the bot closed the connection\)",
    ),
    Kind(
        "DeafAfter",
        "hears nothing after some turns",
        "the backend has not been asked since the caller spoke",
        (_A(1), _A(0), _A(1, gain_db=-6)),
        "asked",
        asks=True,
        report="did not ask its backend after",
    ),
    Kind(
        "ShortAnswersIgnored",
        "a short answer counts as none",
        "the backend has not been asked since the caller spoke",
        (_A(0.7), _A(1), _A(1.5, gain_db=-6)),
        "asked",
        asks=True,
        report="did not ask its backend after",
    ),
    Kind(
        "HardOfHearing",
        "a quiet caller is not heard",
        "the backend has not been asked since the caller spoke",
        (_A(-26), _A(-20), _A(-24, gain_db=-6)),
        "quiet_caller",
        asks=True,
        report="did not ask its backend after",
    ),
    Kind(
        "AnswersTwice",
        "two parts of the bot answer the same sentence",
        "request 2, .* fits no reply",
        (_A(0.05), _A(0.3), _A(1, gain_db=-6)),
        "once",
        asks=True,
        report="asked its backend twice for one turn",
    ),
    Kind(
        "AnswersIntoThePause",
        "an answer falls into the caller's pause for thought",
        "began to speak in the midst of the caller's",
        (_A(0.2), _A(0.15, "foreigner"), _A(0.25, "receptionist")),
        "thinks",
    ),
    Kind(
        "OldAnswerComesBack",
        "the rest of an interrupted answer starts anew",
        "never silent for 300 ms|the bot said|unread speech of",
        (_A(0.5), _A(0.4, "stranger"), _A(0.9, gain_db=-6)),
        "interrupts",
        report="but began to speak again|did not stop when the caller spoke over it|with the rest of an answer",
    ),
    Kind(
        "DoesNotStop",
        "speaks on, whoever interrupts",
        "the bot was never silent",
        (_A(), _A(voice="stranger"), _A(voice="receptionist", gain_db=-8)),
        "interrupts",
        report="did not stop when the caller spoke over it",
    ),
    Kind(
        "UuidAsText",
        "expects the UUID as text, and refuses its sixteen bytes",
        "refuse the UUID",
        (_A(), _A(voice="foreigner"), _A(voice="receptionist")),
    ),
    Kind(
        "HoldLoopWithAHole",
        "the hold loop has a hole at each round",
        "each round|hole|jump",
        (_A(0.3), _A(0.6), _A(1.2)),
        "hold_rounds",
        asks=True,
    ),
    Kind(
        "MusicUnderTheAnswer",
        "the hold music goes on under the answer",
        "hold audio played",
        (_A(0), _A(10), _A(20)),
        "hold",
        asks=True,
    ),
    Kind(
        "WaitsForTheCaller",
        "says nothing before the caller does",
        "the bot has not been heard at all",
        (_A(), _A(voice="foreigner"), _A(voice="receptionist")),
        "goodbye",
    ),
    Kind(
        "AsksTooSoon",
        "the time of its own speech counts as the caller's silence",
        "the bot said|unread speech of",
        (_A(0.5), _A(1.0), _A(1.5, "receptionist")),
        "patient",
        asks_again=8,
    ),
    Kind(
        "NoiseIsSpeech",
        "a noise at the caller's mutes the bot",
        "not been heard at all",
        (_A(-48), _A(-50, "foreigner"), _A(-55, "receptionist")),
        "noisy_room",
    ),
    Kind(
        "AnswersItsEcho",
        "its own echo is a sentence of the caller's",
        "the bot said|unread speech of",
        (_A(-55), _A(-58, gain_db=-2), _A(-60, gain_db=-4)),
        "echo",
        asks=True,
        also=r"request [23], .* fits no reply|before this step began",
    ),
    Kind(
        "PlayedBackwards",
        "the samples of a sentence from the last to the first",
        "played backwards",
        (_A(), _A(1, "receptionist"), _A(1, "doorman", -10)),
    ),
)

NOT_YET: dict[str, str] = {}
"""The failures of each, a regular expression; empty: it passes."""


def animals() -> Iterator[tuple[Kind, Animal]]:
    for kind in KINDS:
        for animal in kind.three:
            yield kind, animal
