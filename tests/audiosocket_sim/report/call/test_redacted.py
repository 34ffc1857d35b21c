"""A redacted page has no word of the call: each text of it is planted, and found nowhere, also in no coded form."""

import base64
import json
import re
from pathlib import Path

import pytest
from helpers.reported_calls import saved, shipped_call

from audiosocket_core.slin import interleave
from audiosocket_core.wav import wav_bytes
from audiosocket_sim.call_log.events import CallBegan, DefectFound, LogEvent
from audiosocket_sim.report.call.call_report import call_report, write_call_report
from audiosocket_sim.report.call.redacted import redacted
from audiosocket_sim.report.saved.call_source import read_saved_call

SECRET = "Zuleika"
PLACES = (
    "text",
    "recording",
    "detail",
    "content",
    "conversation_id",
    "says",
    "status",
    "fault",
    "file",
    "before",
    "after",
)
MORE = (
    "stage",
    "step",
    "inside",
    "what",
    "kind",
    "model",
    "why",
    "who",
    "how",
    "dialplan",
    "reason",
    "expected",
    "read_by",
)


@pytest.fixture
def planted(tmp_path: Path) -> Path:
    """A call of each event, in which each text is the secret."""
    folder = shipped_call("barge_in", tmp_path / "call")
    lines = []
    numbers: dict[str, object] = {"at_ms": 100, "duration_ms": 100, "number": 1, "http_status": 202, "after_ms": 5}
    numbers |= {"heard_ms": 90, "both_ms": 9, "lost_ms": 9, "played_ms": 9, "delays_ms": [1, 2], "opened_ms": 0}
    numbers |= {
        "closed_ms": 9,
        "met_ms": 8,
        "seamless": True,
        "began": SECRET,
        "since_last_word_ms": 3,
        "voice": SECRET,
    }
    numbers |= {"sound": SECRET, "path": [SECRET], "happened": [SECRET], "loudest_dbfs": -3.0, "from_server": []}
    numbers |= {"to_server": [], "words": [{"text": SECRET, "start_ms": 0, "end_ms": 5}], "into_waiting_ms": 5}
    texts = dict.fromkeys((*PLACES, *MORE, "caller"), SECRET)
    for number, kind in enumerate(LogEvent.__args__):
        record = {**texts, **numbers, "at_ms": 100 * number, "source": "bot", "type": kind.__name__}
        lines.append(json.dumps(record))
    for kind in ("expect bot_says", f"expect {SECRET}"):
        lines.append(
            json.dumps({**texts, **numbers, "at_ms": 3000, "source": "check", "type": "StepFailed", "step": kind})
        )
    environment = {"type": "Environment", "at_ms": 0, "source": "environment", "target": SECRET, "clock": SECRET}
    (folder / "call.jsonl").write_text("\n".join([json.dumps({**environment, SECRET: SECRET, "seed": 4}), *lines]))
    result = json.loads((folder / "result.json").read_text())
    failures = [
        {"where": SECRET, "what": f"step 1 (expect {SECRET})", "expected": SECRET, "happened": [SECRET], "at_ms": 3000},
        {"where": SECRET, "what": "quality", "expected": SECRET, "happened": [f"0.100 {SECRET}"], "at_ms": 1200},
    ]
    result |= {
        "name": f"call[who={SECRET}]",
        "summary": SECRET,
        "heading": SECRET,
        "tags": [SECRET],
        "outcome": "failed",
    }
    result |= {"faults": [SECRET], "failures": failures, "seeds": {SECRET: 1}, "hashes": {SECRET: SECRET}}
    result["scenario"] = {"file": f"{SECRET}.yaml", "text": f"summary: {SECRET}", "lines": []}
    result["late"] = [[SECRET, 0, 900]]
    (folder / "result.json").write_text(json.dumps(result))
    (folder / "transcript.txt").write_text(SECRET)
    return folder


def decoded(page: str) -> list[str]:
    """What stands in the page in base64, as text."""
    return [base64.b64decode(text).decode(errors="replace") for text in re.findall(r"base64,([A-Za-z0-9+/=]+)", page)]


def test_no_word_of_the_call_is_left(planted: Path, tmp_path: Path) -> None:
    whole = call_report(read_saved_call(planted))
    assert whole.count(SECRET) > 40, "the words are planted"
    assert any(SECRET in text for text in decoded(whole)), "in the downloads too"
    page = write_call_report(planted, tmp_path / "page.html", redact=True).read_text(encoding="utf-8")
    assert SECRET.lower() not in page.lower()
    assert decoded(page) == []
    assert "<audio" not in page
    assert "redacted: no words and no sound" in page
    assert str(tmp_path) not in page


@pytest.mark.long("the page of a redacted call is searched")
def test_nothing_of_a_redacted_call_holds_the_words(planted: Path) -> None:
    call = redacted(read_saved_call(planted))
    assert SECRET not in repr(call).replace(str(planted), "")
    assert call.sound is None
    assert call.scenario is None


@pytest.mark.long("quicker tests of this file are run")
def test_times_kinds_and_measured_values_stay(tmp_path: Path) -> None:
    before = read_saved_call(shipped_call("barge_in", tmp_path / "call"))
    after = redacted(before)
    assert [(one.at_ms, type(one.event)) for one in after.entries] == [
        (one.at_ms, type(one.event)) for one in before.entries
    ]
    page = call_report(before, redact=True)
    assert "2.67 s" in page, "the wait for an answer"
    assert "USER_TURN" in page
    assert "Condom" not in page


def test_a_sound_alone_is_redacted_too(tmp_path: Path) -> None:
    (tmp_path / "alone.wav").write_bytes(wav_bytes(interleave(bytes(16000), bytes(16000)), 8000, 2))
    page = write_call_report(tmp_path / "alone.wav", tmp_path / "page.html", redact=True).read_text(encoding="utf-8")
    assert decoded(page) == []


def test_a_kind_of_defect_is_worded_anew() -> None:
    call = redacted(saved((0, DefectFound("damage", "“Bom dia.” with its bytes swapped", None, 900, "bytes"))))
    assert call.entries[0].event == DefectFound("damage", "damaged sound", None, 900)


def test_the_uuid_and_the_name_of_a_caller_are_not_shown() -> None:
    call = redacted(saved((0, CallBegan(f"uuid of {SECRET}")), (900, DefectFound("holes", "x", 1))))
    assert [(one.event, one.caller) for one in call.entries[:1]] == [(CallBegan(""), "")]


def test_the_reason_for_no_verdict_is_not_shown() -> None:
    call = saved((1000, DefectFound("holes", "x", 1)), outcome="set_up", faults=(f"{SECRET} does not answer",))
    page = call_report(call, redact=True)
    assert SECRET not in page
    assert "No verdict, the set-up (not the bot): there was a reason, which is not shown" in page


def test_the_file_of_a_sound_names_the_page_and_words_that_were_heard_are_left_out(tmp_path: Path) -> None:
    page = call_report(saved((0, DefectFound("holes", SECRET, 1)), name=f"a[x={SECRET}]"), redact=True)
    assert SECRET not in page
