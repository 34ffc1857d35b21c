"""What the server reports through its control API, as entries of the call's log. Pure."""

from audiosocket_sim.call_log import events as log
from audiosocket_sim.call_log.events import LogEvent, Noted, Source
from audiosocket_sim.net.control_client import ControlEvent

__all__ = ["reported"]


def reported(event: ControlEvent) -> tuple[Source, LogEvent] | None:
    """Return what is logged of an event of the control API; None if nothing is."""
    match event.type:
        case "state_changed":
            return Source.STATE, log.StateTold(event.text("before"), event.text("after"))
        case "stage_took":
            times = event.ms("duration_ms"), event.ms_or_none("since_last_word_ms")
            return Source.LATENCY, log.StageTook(event.text("stage"), *times)
        case "warned":
            return Source.PEER, Noted(f"the server warns: {event.text('what')}")
        case "transcript_final" if event.text("text") == "":
            detail = event.fields.get("detail")
            failed = f"the server's recognition failed: {detail}" if detail else "the server recognised nothing"
            return Source.HEARD, Noted(failed)
        case _:
            return None
