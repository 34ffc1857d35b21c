"""The dialplan by which a real Asterisk makes the calls of a run: a part of it for each call, by its number. Pure.

Each part says where its call is, in lines of the log that have its `mark` and so can be told from those of the others.
"""

__all__ = ["address_of", "dial_command", "hang_up_command", "key_command", "mark", "part_of_the_dialplan"]

# The phone's channel runs the application itself. For keys it is bridged to one half of a Local channel, the other half
# of which runs the application: chan_rtp takes no telephone-events, but a Local channel can be sent keys. That half has
# no media before it is answered: without «i» it would wait 500 ms for some, and every call that dials after it.
_PART = """
[call-{number}]
exten => phone,1,Answer()
 same => n,Log(NOTICE,{mark} phone ${{UNICASTRTP_LOCAL_PORT}} ${{CHANNEL}})
 same => n,{way}
exten => bot,1,Answer(0,i)
 same => n,Set(GLOBAL(BOT_{number})=${{CHANNEL}})
 same => n,{limit}
 same => n,Log(NOTICE,{mark} bot)
 same => n,{application}
 same => n,Log(NOTICE,{mark} @continues ${{DIALSTATUS}})
 same => n,Hangup()
exten => h,1,Log(NOTICE,{mark} over)

[keys-{number}]
exten => _X!,1,SendDTMF(${{EXTEN:0:1}},0,${{EXTEN:1}},${{BOT_{number}:0:-1}}1)
exten => _[*#A-D]X.,1,SendDTMF(${{EXTEN:0:1}},0,${{EXTEN:1}},${{BOT_{number}:0:-1}}1)
"""


def part_of_the_dialplan(
    number: int, uuid: str, *, channel: str | None, has_keys: bool, absolute_timeout_ms: int | None
) -> str:
    """Return the part for the call with this number.

    channel: what follows the UUID in `Dial(AudioSocket/…)`, such as `/c(slin)`; None: the application is run. has_keys:
    the caller presses keys. absolute_timeout_ms: TIMEOUT(absolute), or None.
    """
    server = f"${{SERVER_{number}}}"
    return _PART.format(
        number=number,
        mark=mark(number),
        way=f"Dial(Local/bot@call-{number}/n)" if has_keys else "Goto(bot,1)",
        limit="NoOp()" if absolute_timeout_ms is None else f"Set(TIMEOUT(absolute)={absolute_timeout_ms / 1000:g})",
        application=f"AudioSocket({uuid},{server})"
        if channel is None
        else f"Dial(AudioSocket/{server}/{uuid}{channel},,g)",
    )


def mark(number: int) -> str:
    """The word that a line of the log has which is about the call with this number."""
    return f"@{number}:"


def address_of(number: int, host: str, port: int) -> str:
    """Return the console command that says where the server of a call is: not known when the dialplan is read."""
    return f"dialplan set global SERVER_{number} {f'[{host}]' if ':' in host else host}:{port}"


def dial_command(number: int, phone: str) -> str:
    """Return the console command that makes the call. `phone`: the channel at which the phone is reached."""
    return f"channel originate {phone} extension phone@call-{number}"


def key_command(number: int, digit: str, tone_ms: float) -> str:
    """Return the console command that presses a key in a call."""
    return f"channel originate Local/{digit}{tone_ms:.0f}@keys-{number}/n application NoOp"


def hang_up_command(channel: str) -> str:
    """Return the console command that hangs a channel up."""
    return f"channel request hangup {channel}"
