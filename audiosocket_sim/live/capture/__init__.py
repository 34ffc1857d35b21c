"""Live calls taken down as they pass: `session` is the door; message_splitter, relay, tape, backend, convert and scribe
are its parts, `command` is for people. What a call becomes is `live_call`'s."""

from audiosocket_sim.live.capture.options import CaptureOptions
from audiosocket_sim.live.capture.session import Capture

__all__ = ["Capture", "CaptureOptions"]
