"""What is wrong with a live call at this moment, in words for the person who makes it. Pure; times in seconds."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["LiveTrouble", "troubles"]

DEVICE_GONE = 2.0
NOTHING_SENT = 3.0
FAR_AHEAD = 2.0

_Kind = Literal["microphone", "loudspeaker", "never_sent", "nothing_sent", "ahead"]


@dataclass(frozen=True, slots=True)
class LiveTrouble:
    """`text` stands in the status line while it lasts. `note`: a line of the transcript; "" if it may be as it is."""

    kind: _Kind
    text: str
    note: str


def troubles(
    now: float,
    *,
    microphone_at: float,
    loudspeaker_at: float,
    answered_at: float | None,
    bot_at: float | None,
    waiting: float,
) -> list[LiveTrouble]:
    """Return what is wrong now, the nearest to the user first.

    microphone_at, loudspeaker_at: when the device last gave or took sound. answered_at: since when the bot could have
    sent something; None while connecting. bot_at: when its newest sound came. waiting: how much sound waits (s).
    """
    found = []
    if now - microphone_at > DEVICE_GONE:
        gone = "no sound comes from the microphone, not even silence"
        found.append(LiveTrouble("microphone", "no sound from the microphone", gone))
    if now - loudspeaker_at > DEVICE_GONE:
        gone = "the loudspeaker takes no sound any more: hang up, choose another with --output, and call again"
        found.append(LiveTrouble("loudspeaker", "the loudspeaker takes no sound", gone))
    elif waiting > FAR_AHEAD:
        ahead = f"the bot has sent {waiting:.1f} s ahead of real time"
        found.append(LiveTrouble("ahead", ahead, f"{ahead}: a phone keeps less than a second, and drops the rest"))
    since = answered_at if bot_at is None else bot_at
    if since is not None and now - since > NOTHING_SENT:
        text = f"nothing sent by the bot for {now - since:.0f} s"
        if bot_at is None:
            found.append(
                LiveTrouble("never_sent", text, f"the bot has sent nothing for {NOTHING_SENT:.0f} s, not even silence")
            )
        else:
            found.append(LiveTrouble("nothing_sent", text, ""))  # as it should be if it sends only what it says
    return found
