"""Capture live calls between Asterisk and a server, and write each one as a scenario.

`session` is the way in. `relay` and `backend_proxy` pass the traffic on and record it on a `tape`; `convert` and
`call_writer` turn the tape into files by means of `live.captured_call`.
"""

from audiosocket_sim.live.capture.options import CaptureOptions
from audiosocket_sim.live.capture.session import Capture

__all__ = ["Capture", "CaptureOptions"]
