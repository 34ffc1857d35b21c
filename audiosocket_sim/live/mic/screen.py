"""The status lines below the transcript while the call runs: both levels, time, state and keys. It only draws.

Words of a call are shown as plain text: never as markup, and without any control sequence for the terminal.
"""

from rich.console import Group
from rich.text import Text

from audiosocket_sim.call_log.transcript import visible
from audiosocket_sim.live.mic.level_meter import bar
from audiosocket_sim.live.mic.session import MicCall
from audiosocket_sim.live.mic.sound_card import SoundCard

__all__ = ["keys_line", "status"]

_WIDTH = 24
_LOUD_DBFS = -3.0


def status(call: MicCall, card: SoundCard, *, keys: bool) -> Group:
    """Return the status lines. `keys` is True if keys can be pressed; then a line explains them."""
    phone = call.phone
    lines = [
        _level("you", phone.caller_meter.dbfs, _of_the_microphone(call, card), muted=phone.muted),
        _level("bot", phone.bot_meter.dbfs, _of_the_loudspeaker(call, card)),
        Text("  ·  ".join(_state(call)), style="reverse"),
    ]
    if call.server_events.interim:
        lines.append(Text(f"you say: {visible(call.server_events.interim)}", style="cyan"))
    if trouble := call.troubles:
        lines.append(Text("  ·  ".join(one.text for one in trouble), style="bold yellow"))
    if keys:
        mute = "unmute" if phone.muted else "mute"
        lines.append(Text(keys_line(mute), style="dim"))
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Group(*lines)


def keys_line(mute: str) -> str:
    """Return the line that says which keys there are. mute: what the space bar does now."""
    return f"0-9 * # A-D: press a key of the phone · space: {mute} · q: hang up · r: call again"


def _level(who: str, dbfs: float, more: list[str], *, muted: bool = False) -> Text:
    style = "dim" if muted else "red" if dbfs > _LOUD_DBFS else "green"
    text = Text(f"{who} ▕")
    text.append(bar(dbfs, _WIDTH), style=style)
    text.append(f"▏{dbfs:5.0f} dBFS")
    text.append("".join(f"  ·  {part}" for part in more), style="dim")
    return text


def _of_the_microphone(call: MicCall, card: SoundCard) -> list[str]:
    phone = call.phone
    parts = ["MUTED"] if phone.muted else []
    if phone.echo:
        parts.append("echo of the bot, turned down")
    if card.overruns:
        parts.append(f"lost by us {card.overruns}×")
    return parts


def _of_the_loudspeaker(call: MicCall, card: SoundCard) -> list[str]:
    playout = call.phone.playout
    parts = [f"{playout.depth_ms:.0f} ms waiting, {playout.target_ms:.0f} wanted"]
    if playout.underruns:
        parts.append(f"ran dry {playout.underruns}×")
    if card.underruns:
        parts.append(f"late by us {card.underruns}×")
    return parts


def _state(call: MicCall) -> list[str]:
    if call.leg.t0 is None:
        return ["connecting …"]
    parts = [f"{call.now_ms / 1000:7.1f} s", visible(call.state or "no state reported")]
    if call.ear.speaking_since is not None:
        parts.append("the bot speaks")
    if call.ear.hold_since is not None:
        parts.append("hold audio")
    return parts
