"""Which microphone and which loudspeaker: listed for people, chosen by number or by part of a name. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Device", "DeviceError", "choose", "listing"]


class DeviceError(Exception):
    """No such device, or more than one, or none at all. One line that says what there is."""


@dataclass(frozen=True, slots=True)
class Device:
    """As the system tells it. `inputs`, `outputs`: channels; `rate_hz`: its own rate."""

    number: int
    name: str
    system: str
    inputs: int
    outputs: int
    rate_hz: int
    default_input: bool = False
    default_output: bool = False

    def __str__(self) -> str:
        return f"{self.number} {self.name}"


def choose(devices: Sequence[Device], wanted: str | None, what: str) -> Device:
    """The one that is meant. what: `input` or `output`; wanted: a number, a part of a name, or None for the default.

    Raises DeviceError.
    """
    able = [device for device in devices if (device.inputs if what == "input" else device.outputs)]
    if not able:
        needed = "microphone" if what == "input" else "loudspeaker"
        raise DeviceError(f"this machine has no {what} device: a {needed} is needed")
    if wanted is None:
        default = [d for d in able if (d.default_input if what == "input" else d.default_output)]
        return (default or able)[0]
    if wanted.isdecimal():
        found = [device for device in able if device.number == int(wanted)]
    else:
        found = [device for device in able if wanted.casefold() in device.name.casefold()]
        exact = [device for device in found if wanted.casefold() == device.name.casefold()]
        found = exact or found
    if len(found) == 1:
        return found[0]
    there = "; ".join(map(str, found or able))
    if found:
        raise DeviceError(f"--{what} {wanted}: more than one has that in its name: {there}. Say its number")
    raise DeviceError(f"--{what} {wanted}: no such {what} device. There are: {there}")


def listing(devices: Sequence[Device]) -> str:
    """A line each, for `--list-devices`."""
    if not devices:
        return "this machine has no sound devices"
    width = max(len(device.name) for device in devices)
    lines = []
    for device in devices:
        ways = [
            f"{word}{' (default)' if default else ''}"
            for word, channels, default in (
                ("input", device.inputs, device.default_input),
                ("output", device.outputs, device.default_output),
            )
            if channels
        ]
        about = f"{device.name:<{width}}  {device.rate_hz:>6} Hz  {device.system:<10}"
        lines.append(f"{device.number:>3}  {about}  {', '.join(ways)}")
    return "\n".join(lines)
