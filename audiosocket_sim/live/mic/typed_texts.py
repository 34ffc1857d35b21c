"""What the caller said, typed by him after a call whose server reported no texts. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from audiosocket_sim.live.captured_call import CapturedCall, CapturedRecognition, CapturedUtterance
from audiosocket_sim.live.captured_call.segmentation import cut_utterances
from audiosocket_sim.live.captured_call.track import RATE_HZ, assemble_track

__all__ = ["asked_for", "question", "with_texts"]

_PACKET_MS = 20


def asked_for(call: CapturedCall) -> tuple[CapturedUtterance, ...]:
    """Return the utterances whose texts nobody knows; none if the server reported any text."""
    known = any(one.text for one in call.recognised) or any(one.text for one in call.exchanges)
    return () if known or not call.caller else cut_utterances(assemble_track(call.caller, RATE_HZ, _PACKET_MS))


def question(number: int, utterance: CapturedUtterance) -> str:
    """Return what the user is asked; `number` counts from 1."""
    return f"{number}: {utterance.speech_start_ms / 1000:.1f} to {utterance.speech_end_ms / 1000:.1f} s: "


def with_texts(call: CapturedCall, utterances: Sequence[CapturedUtterance], texts: Sequence[str]) -> CapturedCall:
    """Return the call as if the server had recognised these texts. "" leaves an utterance without one."""
    typed = [
        CapturedRecognition(utterance.speech_end_ms + 1, text.strip())
        for utterance, text in zip(utterances, texts, strict=False)
        if text.strip()
    ]
    return replace(call, recognised=tuple(sorted([*call.recognised, *typed], key=lambda one: one.at_ms)))
