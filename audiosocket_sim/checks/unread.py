"""Decides whether the bot's voice is one that the ear cannot read, which is a matter of the set-up. Pure."""

from collections.abc import Sequence

from audiosocket_sim.call_log.events import BotSpoke, Entry
from audiosocket_sim.checks.words import clock, seconds

__all__ = ["unread_voice"]

_A_VOICE_MS = 200
"""Sound of at least so many ms may be a voice; a click is none."""

_SOUNDS = {"tone": "a tone"}


def unread_voice(entries: Sequence[Entry]) -> str | None:
    """Return what is wrong with the set-up if the bot spoke and nothing of the whole call could be read; else None.

    If a single stretch was read, the voice is known, and what could not be read is a matter of the bot.
    """
    spoken = [(entry.at_ms, entry.event) for entry in entries if isinstance(entry.event, BotSpoke)]
    if any(event.text is not None for _, event in spoken):
        return None
    voiced = [(at_ms, event) for at_ms, event in spoken if event.heard_ms >= _A_VOICE_MS]
    if not voiced:
        return None
    at_ms, event = next((one for one in voiced if one[1].sound == "speech"), voiced[0])
    nothing = "nothing that the bot said in this call could be read"
    first = f"first at {clock(at_ms)} for {seconds(event.heard_ms)}"
    if event.sound != "speech":
        sounds = " and ".join(dict.fromkeys(_SOUNDS.get(spoke.sound, spoke.sound) for _, spoke in voiced))
        return f"{nothing}, {first}: it was {sounds}, in which there are no words; use bot_speaks"
    if any(event.read_by is not None for _, event in voiced):
        reader = next(event.read_by for _, event in voiced if event.read_by is not None)
        return f"{nothing}, {first}: the reader {reader} has found no words in it; use bot_speaks"
    return (
        f"{nothing}, {first}: its voice is not in the phrase book, so name a reader (reader: local), use bot_speaks, "
        "or add its prompts (docs/targets.md)"
    )
