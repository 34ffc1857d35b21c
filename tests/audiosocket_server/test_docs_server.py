"""docs/server.md is held to the code: its JSON, its requests, its events, its settings, its apologies."""

import json
import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import pytest
from audiosocket_server.admission import MOST_EXPECTED, read_announcement
from audiosocket_server.backend.client import MAX_ANSWER_BYTES, MAX_REDIRECTS
from audiosocket_server.backend.question import Interrupted
from audiosocket_server.backend.reply import parse_reply
from audiosocket_server.call.caller_input import MOST_AHEAD_SECONDS
from audiosocket_server.call.session import KEYS_A_SECOND
from audiosocket_server.complaints import WHOLE_A_MINUTE
from audiosocket_server.door import LONGEST_AUDIO_MS, MOST_REFUSED
from audiosocket_server.events import CallEvent, CallState, Recorded
from audiosocket_server.listener import BACKLOG
from audiosocket_server.registry.metrics import OUTCOMES, CallMetrics, Snapshot, as_text
from audiosocket_server.settings.errors import sections_of
from audiosocket_server.settings.settings import FLAT_NAMES, HERMETIC, Settings
from audiosocket_server.turns.machine import COULD_NOT_CONNECT, ERROR_OCCURRED
from audiosocket_server.web.api import BODY_SECONDS, HEAD_SECONDS, MAX_BODY_BYTES, SPARE_FILES, build_app
from audiosocket_server.web.streams import MOST_STREAMS
from starlette.routing import Match

from audiosocket_core.fair_share import SHARE_SECONDS
from audiosocket_core.few_at_once import MOST_AT_ONCE
from audiosocket_core.pacing import Lateness
from audiosocket_core.transport import MESSAGES_A_TURN, MESSAGES_AT_FIRST, PIECES_A_TURN, READ_BUFFER_BYTES

DOC = (Path(__file__).parents[2] / "docs" / "server.md").read_text(encoding="utf-8")
BLOCKS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", DOC, re.DOTALL)]
CURLS = [shlex.split(c.replace("\\\n", " ")) for c in re.findall(r"^curl (?:.*\\\n)*.*$", DOC, re.MULTILINE)]
EVENTS = {Recorded("", 0, 0, kind.__new__(kind)).type: kind for kind in get_args(CallEvent)}


def kind_of(example: Any) -> str:
    if isinstance(example.get("content"), dict):
        return "reply"
    if set(example) == {"id", "content"}:
        return "question"
    if "interrupted" in example:
        return "question after an interruption"
    if set(example) <= set(Settings.model_fields):
        return "settings"
    return "/".join(sorted(example))


def test_every_kind_of_example_is_there_and_known() -> None:
    kinds = {kind_of(example) for example in BLOCKS}
    questions = {"question", "question after an interruption"}
    assert kinds == {"reply", *questions, "settings", "calls", "at/origin/text", "error"}


def test_the_example_of_an_interruption_has_the_keys_that_are_sent() -> None:
    (example,) = (b for b in BLOCKS if "interrupted" in b)
    assert Interrupted(**example["interrupted"]).to_json() == example["interrupted"]


@pytest.mark.parametrize("example", [b for b in BLOCKS if kind_of(b) == "reply"])
def test_replies_are_read_without_a_warning(example: Any) -> None:
    reply = parse_reply(example)
    assert reply.message
    assert reply.warnings == ()
    assert reply.status is not CallState.USER_TURN  # an example that shows the status must not fall back


def test_the_example_of_settings_is_taken() -> None:
    (example,) = (b for b in BLOCKS if kind_of(b) == "settings")
    assert Settings.from_overrides(example).system.barge_in


def test_requests_go_to_routes_that_exist_and_push_a_reply() -> None:
    assert len(CURLS) == 6
    routes = build_app(object()).routes  # type: ignore[arg-type]
    for words in CURLS:
        method = words[words.index("-X") + 1] if "-X" in words else "GET"
        (url,) = (word for word in words if word.startswith("http"))
        scope = {"type": "http", "method": method, "path": url.removeprefix("http://127.0.0.1:8081"), "root_path": ""}
        assert Match.FULL in [route.matches(scope)[0] for route in routes]
        if url.endswith("/expected"):
            assert read_announcement(json.loads(words[words.index("-d") + 1]))
        elif "-d" in words:
            assert parse_reply(json.loads(words[words.index("-d") + 1])).status is CallState.STANDBY


def test_every_route_is_in_the_table() -> None:
    listed = set(re.findall(r"^\| `(GET|POST) ([^`]+)` \|", DOC, re.MULTILINE))
    paths = {path for _, path in listed}
    served = {route.path for route in build_app(object()).routes}  # type: ignore[arg-type, attr-defined]
    assert paths == {path for path in served if not path.startswith("/page/")}


def test_every_event_is_in_the_table_with_its_fields() -> None:
    table = DOC.split("## Events")[1].split("## Metrics")[0]
    rows = re.findall(r"^\| `(\w+)` \|([^|]*)\|", table, re.MULTILINE)
    assert {name: re.findall(r"`(\w+)`", told) for name, told in rows} == {
        name: [field.name for field in fields(kind)] for name, kind in EVENTS.items()
    }


def test_the_example_of_a_stream_is_an_event() -> None:
    (data,) = re.findall(r"^data: (.*)$", DOC, re.MULTILINE)
    told = json.loads(data)
    event = EVENTS[told["type"]](told["before"], told["after"])
    assert Recorded("", told["number"], told["at"], event).to_json() == told


def test_every_setting_is_in_its_table_with_its_default_and_meaning() -> None:
    text = DOC.split("## Settings")[1].split("## Limits")[0]
    tables = dict(re.findall(r"^\| `(\w+)` \| default \| \|\n\|[-|]+\|\n((?:\|.*\n)+)", text, re.MULTILINE))
    told = {
        name: re.findall(r"^\| `(\w+)` \| `(.+?)` \| (.*) \|$", rows, re.MULTILINE) for name, rows in tables.items()
    }
    defaults = Settings().model_dump(mode="json")
    sections = sections_of(Settings)
    assert list(told) == list(sections)
    for section, keys in sections.items():
        assert [(key, json.loads(default), meaning) for key, default, meaning in told[section]] == [
            (key, defaults[section][key], info.description) for key, info in keys.items()
        ]


def test_the_defaults_that_differ_under_a_scenario_are_told() -> None:
    (told,) = re.findall(r"defaults are different\nthere.*?:(.*?)\n\n", DOC, re.DOTALL)
    keys = {f"{section}.{key}": value for section, values in HERMETIC.items() for key, value in values.items()}
    assert dict(re.findall(r"`([\w.]+): ([^`]+)`", told)) == {
        key: value if isinstance(value, str) else json.dumps(value) for key, value in keys.items()
    }


def test_short_names_states_apologies_and_sizes_are_told() -> None:
    for word in (*FLAT_NAMES, *CallState, ERROR_OCCURRED, COULD_NOT_CONNECT, f"over {MAX_REDIRECTS} redirects"):
        assert word in DOC
    assert MAX_BODY_BYTES == MAX_ANSWER_BYTES == 1_000_000  # "1 MB"


def test_every_metric_is_in_the_table_with_its_label_and_every_outcome_is_told() -> None:
    lateness = Lateness()
    text = as_text(Snapshot.of(CallMetrics(), 0, 0, lateness, 0))[0].decode()
    table = DOC.split("## Metrics")[1].split("## Settings")[0]
    told = dict(re.findall(r"^\| `(voicebot_\w+)` \| (?:`(\w+)`)? ?\|", table, re.MULTILINE))
    served = dict.fromkeys(re.findall(r"^# TYPE (voicebot_\w+)", text, re.MULTILINE), "")
    for name, labels in re.findall(r"^(voicebot_\w+)\{(.*)\}", text, re.MULTILINE):
        keys = set(re.findall(r"(\w+)=", labels)) - {"le"}
        served[re.sub("_(bucket|sum|count)$", "", name)] = "".join(keys)
    assert told == served
    for outcome in OUTCOMES:
        assert f"`{outcome}`" in table


def test_limits_without_a_setting_are_told_as_they_are() -> None:
    table = DOC.split("## Limits")[1].split("## The log")[0]
    for told in (
        f"one read ({READ_BUFFER_BYTES // 1024} KB), {MESSAGES_AT_FIRST} messages of it at once, "
        f"{PIECES_A_TURN * LONGEST_AUDIO_MS} ms of sound",
        f"{MESSAGES_A_TURN} messages at a time",
        f"| {MOST_AT_ONCE} |",
        f"get {SHARE_SECONDS * 1000:g} ms a turn",
        f"({BACKLOG} of them)",
        f"beyond {MOST_REFUSED} such",
        f"| {KEYS_A_SECOND} a second |",
        f"| {MOST_AHEAD_SECONDS:g} s ahead of real time |",
        f"| {HEAD_SECONDS:g} s from the connection",
        f"| {BODY_SECONDS:g} s, 1 MB |",
        f"the last {SPARE_FILES} descriptors",
        f"| {MOST_STREAMS} | 503",
        f"| {WHOLE_A_MINUTE} a minute of each kind |",
        f"{MOST_EXPECTED:,}",
    ):
        assert told in table
    for key in Settings().limits.model_dump():
        assert f"`limits.{key}`" in table
