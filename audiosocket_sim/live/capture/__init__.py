"""Live calls taken down as they pass: `session` is the door; message_splitter, relay, tape, backend, convert and scribe
are its parts; the command is `cli.capture`. `captured_call` makes a scenario of a call."""

from audiosocket_sim.live.capture.options import CaptureOptions
from audiosocket_sim.live.capture.session import Capture

__all__ = ["Capture", "CaptureOptions"]
