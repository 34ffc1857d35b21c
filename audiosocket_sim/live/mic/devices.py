"""List the sound devices for people, and choose one by its number or a part of its name. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Device", "DeviceError", "choose", "listing"]


class DeviceError(Exception):
    """No device matches, or several do. One line that names the devices that exist."""


@dataclass(frozen=True, slots=True)
class Device:
    """A sound device as the system describes it. `inputs` and `outputs` count channels; `rate_hz` is its own rate."""

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
    """Return the device that the user wants.

    what: `input` for a microphone, `output` for a loudspeaker. wanted: the number of a device, a part of its name in
    any case, or None for the system's default. A whole name goes before a part of one.

    Raises DeviceError if no device fits, or more than one.
    """
    able = [device for device in devices if (device.inputs if what == "input" else device.outputs)]
    if not able:
        needed = "microphone" if what == "input" else "loudspeaker"
        raise DeviceError(f"this machine has no {what} device; the call needs a {needed}")
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
        raise DeviceError(f"--{what} {wanted}: more than one {what} device fits: {there}. Give its number")
    raise DeviceError(f"--{what} {wanted}: no such {what} device. There are: {there}")


def listing(devices: Sequence[Device]) -> str:
    """Return the text of `--list-devices`: one line for each device."""
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
