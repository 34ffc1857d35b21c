"""How long the caller waited for the bot's answers, of any bot: from the sound of both sides. Pure; times in ms.

A wait is from the end of the caller's last word to the bot's first audible sound, both on the wire.
"""

from collections.abc import Sequence
from statistics import median

from audiosocket_sim.call_log.events import Entry
from audiosocket_sim.call_log.voices import bot_voice, over_ms
from audiosocket_sim.live.captured_call import Packet
from audiosocket_sim.live.captured_call.segmentation import cut_utterances
from audiosocket_sim.live.captured_call.track import RATE_HZ, assemble_track
from audiosocket_sim.turn_taking import VoiceSegment, responses

__all__ = ["answer_waits", "waits_line"]

_PACKET_MS = 20


def answer_waits(caller: Sequence[Packet], entries: Sequence[Entry]) -> list[int]:
    """Return the wait for each answer. caller: the packets that he sent; entries: the log of the whole call."""
    spoken = cut_utterances(assemble_track(caller, RATE_HZ, _PACKET_MS)) if caller else ()
    turns = [VoiceSegment(one.speech_start_ms, one.speech_end_ms, turn=i) for i, one in enumerate(spoken)]
    found = responses(turns, bot_voice(entries), over_ms(entries))
    return [response.wait_ms for response in found if response.wait_ms is not None]


def waits_line(waits: Sequence[int]) -> str:
    """Return the line of the summary."""
    if not waits:
        return "answers: none measured"
    worst = f", worst {max(waits) / 1000:.2f} s" if len(waits) > 1 else ""
    middle = f"median {median(waits) / 1000:.2f} s" if len(waits) > 1 else f"{waits[0] / 1000:.2f} s"
    return f"answers: {len(waits)}, after {middle}{worst} from the end of your last word to the bot's first sound"
