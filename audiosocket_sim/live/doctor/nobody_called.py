"""Why nobody called: the causes, by what Asterisk's console shows of each, and what to change. Pure.

All lines of the console were seen on a real Asterisk 22.10; tests/audiosocket_sim/asterisk_real holds them to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

__all__ = ["Cause", "causes", "named", "nobody_called"]

_LOOPBACK = ("127.", "::1", "localhost")
_ANY = ("0.0.0.0", "::", "")


@dataclass(frozen=True, slots=True)
class Cause:
    """One cause. console: a part of the line on Asterisk's console by which it is known; change: the cure."""

    console: str
    cause: str
    change: str


def causes(host: str, port: int) -> tuple[Cause, ...]:
    """Return the causes for a doctor that listens on `host` and `port`, in the order of a call's way."""
    here = f"127.0.0.1:{port}" if host.startswith(_LOOPBACK) else f"{named(host)}:{port}"
    elsewhere = (
        "; an Asterisk on another machine or in a container needs `doctor --host 0.0.0.0` and this machine's address"
        if host.startswith(_LOOPBACK)
        else ""
    )
    return (
        Cause(
            "sent to invalid extension",
            "the dialplan has no such extension in the caller's context",
            "`dialplan show CONTEXT` lists what it has; after an edit, `dialplan reload`",
        ),
        Cause(
            "No application 'AudioSocket'",
            "the modules are not loaded",
            "`module show like audiosocket` must name three: `module load app_audiosocket.so`",
        ),
        Cause(
            "UUID is required",
            "the UUID is empty: a variable that was never set",
            "Set(BOT_CALL=${UUID()}) before it",
        ),
        Cause(
            "Failed to parse UUID",
            "what stands there is no UUID of 36 characters, or the address stands before it",
            "AudioSocket(${UUID()},HOST:PORT), in this order",
        ),
        Cause("Port missing in", "the address has no port", f"write {here}"),
        Cause("Name or service not known", "the host's name is unknown on Asterisk's machine", f"write {here}"),
        Cause(
            "Connection refused",
            "Asterisk calls another address than the doctor's",
            f"write {here}{elsewhere}",
        ),
        Cause(
            "No route to host",
            "no machine in Asterisk's network has that address",
            f"write {here}{elsewhere}",
        ),
        Cause(
            "timedout after MAX_CONNECT_TIMEOUT_MSEC",
            "the address does not answer: a firewall, or a wrong address",
            f"open port {port} for Asterisk's machine; `timeout 3 bash -c '</dev/tcp/{here.replace(':', '/')}' && echo "
            "open` there tries it",
        ),
    )


def named(host: str) -> str:
    """Return the host as a dialplan must name it; one that stands for all addresses is put in words."""
    return "ADDRESS-OF-THIS-MACHINE" if host in _ANY else host


def nobody_called(host: str, port: int, seconds: float) -> Iterator[str]:
    """Yield the lines of the report, for people."""
    yield f"nobody called within {round(seconds, 1):g} s: no connection came to {host}:{port}"
    yield ""
    yield "to tell the causes apart, type `asterisk -rvvv` on Asterisk's machine, and call again. If no line says"
    yield "«Executing», the call does not get into the dialplan: `core show channels` shows where it is. Look for:"
    for cause in causes(host, port):
        yield f"  «{cause.console}»: {cause.cause}"
        yield f"      {cause.change}"
