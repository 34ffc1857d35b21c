"""Has the words of a voice that no phrase book knows read by a recogniser: the local one, or any `module:callable`.

A reader is code of the user's, so a scenario that names one must be trusted. What was read is kept in the user's cache
folder by its sound, so that a second run costs nothing and says the same. Blocking: `running` calls it in a thread.
"""

from audiosocket_sim.reading.choice import NO_READER, reader_problem
from audiosocket_sim.reading.judge import JudgedCall, JudgeError, JudgeVerdict, SpeechJudge, load_judge
from audiosocket_sim.reading.read_speech import ReadSpeech, ReadWord
from audiosocket_sim.reading.reader import ReaderError, StretchReader, load_reader

__all__ = [
    "NO_READER",
    "JudgeError",
    "JudgeVerdict",
    "JudgedCall",
    "ReadSpeech",
    "ReadWord",
    "ReaderError",
    "SpeechJudge",
    "StretchReader",
    "load_judge",
    "load_reader",
    "reader_problem",
]
