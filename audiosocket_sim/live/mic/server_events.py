"""Turn the control API's events of this call into entries of the call log, and into data for a scenario. Pure.

The reference server sends all of these events (docs/server.md); another server may send fewer.
"""

from collections.abc import Callable
from dataclasses import replace

from audiosocket_sim.call_log import events as log
from audiosocket_sim.call_log.events import LogEvent, Noted, Source
from audiosocket_sim.live.captured_call import Answer, CapturedPush, CapturedRecognition, Exchange, ReportedState
from audiosocket_sim.net.control_client import ControlEvent

__all__ = ["ServerEvents"]


MOST_EVENTS = 10_000
"""Of one call; those that follow are not kept."""


class ServerEvents:
    """Collects the events of one call. `record` is called with ms since the UUID, a source and an event of the log."""

    def __init__(self, conversation_id: str, record: Callable[[int, Source, LogEvent], None]) -> None:
        self._conversation_id = conversation_id
        self._record = record
        self.any_received = False
        self._taken = 0
        self.state: str | None = None
        self.interim = ""
        """The interim transcript of the utterance in progress; "" for none."""
        self.recognised: list[CapturedRecognition] = []
        self.states: list[ReportedState] = []
        self.exchanges: list[Exchange] = []
        self.pushes: list[CapturedPush] = []

    def take(self, event: ControlEvent) -> None:
        """Take one event. Raises ControlError if it is not as docs/targets.md says."""
        self.any_received = True
        at_ms = round(event.at_seconds * 1000)
        self._taken += 1
        if self._taken == MOST_EVENTS + 1:
            self._note(at_ms, f"more than {MOST_EVENTS} events of the server: those that follow are not kept")
        if self._taken > MOST_EVENTS:
            return
        match event.type:
            case "state_changed":
                self.state = event.text("after")
                self.states.append(ReportedState(at_ms, event.text("before"), self.state))
                self._record(at_ms, Source.STATE, log.StateTold(event.text("before"), self.state))
            case "transcript_interim":
                self.interim = event.text("text")
            case "transcript_final":
                self._final(at_ms, event)
            case "backend_asked":
                self._asked(at_ms, event.text("content"))
            case "backend_answered" | "backend_failed":
                self._answered(at_ms, event)
            case "message_pushed":
                says, status = event.text("message"), event.text("set_call_status")
                self.pushes.append(CapturedPush(at_ms, _body(says, status)))
                self._record(at_ms, Source.BACKEND, log.BackendPushed(says, status, 202))
            case "stage_took":
                took = log.StageTook(
                    event.text("stage"), event.ms("duration_ms"), event.ms_or_none("since_last_word_ms")
                )
                self._record(at_ms, Source.LATENCY, took)
            case "warned":
                self._note(at_ms, f"the server warns: {event.text('what')}")
            case "synthesis_failed":
                self._note(at_ms, f"the server's speech failed: {event.text('detail')}")

    def _final(self, at_ms: int, event: ControlEvent) -> None:
        text, self.interim = event.text("text"), ""
        self.recognised.append(CapturedRecognition(at_ms, text))
        if not text:
            detail = event.fields.get("detail")
            what = f"the server's recognition failed: {detail}" if detail else "the server recognised nothing"
            self._record(at_ms, Source.HEARD, Noted(what))

    def _asked(self, at_ms: int, content: str) -> None:
        self.exchanges.append(Exchange(at_ms, content, self._conversation_id))
        self._record(at_ms, Source.HEARD, log.BackendAsked(len(self.exchanges), self._conversation_id, content))

    def _answered(self, at_ms: int, event: ControlEvent) -> None:
        if not self.exchanges:
            return
        asked, number = self.exchanges[-1], len(self.exchanges)
        after_ms = at_ms - asked.at_ms
        if event.type == "backend_answered":
            says, status = event.text("message"), event.text("set_call_status")
            answer = Answer(at_ms, 200, _body(says, status))
            replied = log.BackendReplied(number, says, status, after_ms)
        else:
            unreachable = event.text("kind") == "unreachable"
            answer = Answer(at_ms, fault="no_answer") if unreachable else Answer(at_ms, 500)
            replied = log.BackendReplied(number, None, None, after_ms, event.text("kind"))
        self.exchanges[-1] = replace(asked, answer=answer)
        self._record(at_ms, Source.BACKEND, replied)

    def _note(self, at_ms: int, what: str) -> None:
        self._record(at_ms, Source.PEER, Noted(what))


def _body(says: str, status: str) -> dict[str, object]:
    return {"content": {"mensagem": says}, "set_call_status": status}
