"""Hooks before and after the call: a request, a command, what they cost the verdict, and who may have them."""

# ruff: noqa: E501 - a case stands on a line

import json
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from helpers.scripted_calls import flat

from audiosocket_sim.parties.target import StartedTarget, close_target
from audiosocket_sim.running import bot_under_test
from audiosocket_sim.running.call_hooks import CallHooks
from audiosocket_sim.running.runner import Options, Outcome, Result, run
from audiosocket_sim.scenario.loading import ScenarioError, load_text
from audiosocket_sim.virtual_time import CannotFollow

ROOT = Path(__file__).resolve().parents[3]
UUID = "0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57"
HEAD = f"summary: A call.\nasterisk: {{version: '22.10', uuid: {UUID}}}\nsteps: [{{wait: 200ms}}]\n"
SERVER = "audiosocket_server:serve"
BOT = "helpers.scripted_bot:serve"


def call(hooks: str, target: str = BOT, *, trust: bool = False, folder: Path = ROOT / "scenarios") -> Result:
    scenario = load_text(HEAD + hooks, "call", file="call.yaml", folder=folder)
    return run(scenario, Options(target=target, trust=trust))


def test_a_call_is_announced_to_the_bot_before_it_and_looked_at_afterwards() -> None:
    hooks = """
server: {server: {expected_uuids: []}}
before:
  post: "{control_url}/expected"
  json: {uuid: "{uuid}"}
  status: 201
after:
  - get: "{control_url}/calls/{uuid}"
    contains: '"id":"{uuid}"'
  - {get: "{control_url}/calls/40325ec2-5efd-4bd3-805f-53576e581d13", status: 404}
"""
    result = call(hooks, SERVER)
    assert result.problems == []
    lines = flat(result.transcript).splitlines()
    assert lines[1] == "0.000 note before: POST {control_url}/expected: 201"
    assert lines[-2].endswith("note after: GET {control_url}/calls/40325ec2-5efd-4bd3-805f-53576e581d13: 404")


def test_a_request_before_the_call_that_is_refused_is_no_fault_of_the_bot() -> None:
    result = call('before: [{post: "{control_url}/expected", json: {uuid: "{uuid}"}, status: 201}]', SERVER)
    assert result.outcome is Outcome.SET_UP
    assert result.uuid == result.calls[0].uuid
    (line,) = result.faults
    assert line.startswith(
        'call.yaml:4: before, hook 1 (POST {control_url}/expected): expected 201, and got 409 “{"err'
    )
    assert not any("BotSpoke" in type(entry.event).__name__ for entry in result.entries)


def test_a_door_that_is_open_after_the_call_fails_it() -> None:
    result = call('after: [{get: "{control_url}/calls/{uuid}", status: [403, 404]}]', SERVER)
    assert result.outcome is Outcome.FAILED
    (failure,) = result.failures
    assert failure.headline == "call.yaml:4: call, after, hook 1 (GET {control_url}/calls/{uuid})"
    assert failure.expected == "403 or 404"
    assert failure.happened[0].startswith("200 “{")
    assert "FAILED after, hook 1 (GET {control_url}/calls/{uuid}): expected 403 or 404; 200" in flat(result.transcript)
    result = call('after: [{get: "{control_url}/calls", contains: "{uuid}, and more"}]', SERVER)
    assert result.failures[0].happened[0].endswith(f", without '{UUID}, and more'")
    assert result.failures[0].expected == "200 to 299, with '{uuid}, and more'"


def test_nobody_answers() -> None:
    result = call('after: [{get: "http://127.0.0.1:9/door"}, {get: "http://{host}:{port}/"}]', trust=True)
    assert result.outcome is Outcome.SET_UP
    assert result.faults[0].startswith("call.yaml:4: after, hook 1 (GET http://127.0.0.1:9/door): http://127.0.0.1:9/")
    assert result.faults[0].endswith("door: Connection refused")
    result = call('before: {get: "{control_url}/health"}')
    assert result.outcome is Outcome.INVALID
    where = "call.yaml:4: before, hook 1 (GET {control_url}/health)"
    assert result.faults == (f"{where}: the target has no control URL (docs/targets.md)",)
    result = call('before: {get: "http://[::1/"}', trust=True)
    assert result.outcome is Outcome.SET_UP


@pytest.mark.every(5)
@pytest.mark.parametrize(
    "hook",
    [
        'get: "{control_url}/health"',
        'get: "{ai_url}/health", contains: "{control_url}"',
        'post: "{ai_url}/health", json: {a: [{"{control_url}": 1}]}',
        'get: "{ai_url}/health", headers: {"{control_url}": x}',
        'command: ["true", "{control_url}"]',
    ],
)
def test_a_hook_after_the_call_without_its_control_url_is_refused_before_it(hook: str, tmp_path: Path) -> None:
    first = "before: {command: [touch, done.txt]}"
    result = call(f"{first}\nafter: [{{{hook}}}]", trust=True, folder=tmp_path)
    assert result.outcome is Outcome.INVALID
    assert result.faults[0].startswith("call.yaml:5: after, hook 1 (")
    assert result.faults[0].endswith(": the target has no control URL (docs/targets.md)")
    assert result.duration_ms == 0
    assert not (tmp_path / "done.txt").exists()


@pytest.fixture
def registry() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A service in a thread on the kernel's network, as another process would be; it takes requests and counts them."""
    seen: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append({"path": self.path, "token": self.headers["X-Token"], "body": body.decode()})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_service_of_another_process_is_reached_while_the_clock_is_held(
    registry: tuple[str, list[dict[str, Any]]],
) -> None:
    url, seen = registry
    hooks = f"before: {{put: '{url}/calls/{{uuid}}', body: 'ring {{uuid}}', headers: {{X-Token: 't {{uuid}}'}}}}"
    result = call(hooks, trust=True)
    assert result.problems == []
    assert seen == [{"path": f"/calls/{UUID}", "token": f"t {UUID}", "body": f"ring {UUID}"}]
    assert result.duration_ms == 200


def test_the_port_of_the_bot_on_another_machine_is_not_the_bots() -> None:
    result = call("before: {get: 'http://192.0.2.1:{port}/', within: 50ms}", trust=True)
    assert result.outcome is Outcome.SET_UP
    assert "in-memory" not in result.faults[0]


class Slow(BaseHTTPRequestHandler):
    """Answers `/drip` a byte at a time, never for long silent; anything else in Latin-1."""

    def do_GET(self) -> None:
        drips = self.path == "/drip"
        body = b"x" * 500 if drips else "não".encode("latin-1")
        self.send_response(200)
        self.send_header("Content-Type", f"text/plain; charset={'base64' if self.path == '/odd' else 'latin-1'}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):
            for at in range(0, len(body), 1 if drips else len(body)):
                self.wfile.write(body[at : at + (1 if drips else len(body))])
                if drips:
                    threading.Event().wait(0.01)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def slow() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slow)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_answer_that_drips_is_no_answer_in_time(slow: str) -> None:
    result = call(f"before: {{get: '{slow}/drip', within: 100ms}}", trust=True)
    assert result.outcome is Outcome.SET_UP
    assert result.faults[0].endswith("no answer within 0.1 s")


def test_an_answer_is_read_in_its_own_character_set(slow: str) -> None:
    assert call(f"after: {{get: '{slow}/', contains: não}}", trust=True).problems == []
    assert call(f"after: {{get: '{slow}/odd', contains: n}}", trust=True).problems == []


WRITES = "import os, sys; open(sys.argv[1], 'w').write(os.environ['AUDIOSOCKET_UUID'] + ' ' + sys.argv[2])"


def test_a_command_of_a_trusted_scenario(tmp_path: Path) -> None:
    words = json.dumps([sys.executable, "-c", WRITES, "said.txt", "for {uuid} {{uuid}} {3} ${HOME}".replace("$", "$$")])
    result = call(f"before: {{command: {words}}}", trust=True, folder=tmp_path)
    assert result.problems == []
    assert (tmp_path / "said.txt").read_text() == f"{UUID} for {UUID} {{uuid}} {{3}} ${{HOME}}"
    result = call(f"before: {{command: {words}}}", folder=tmp_path)
    assert result.outcome is Outcome.INVALID
    assert result.faults[0].startswith(f"call.yaml:4:10: command: '{sys.executable}' is a program, which is not taken")


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("key", "program", "more", "outcome", "told"),
    [
        ("before", "import sys; sys.exit(3)", "", Outcome.SET_UP, "expected exit code 0, and got exit code 3"),
        ("before", "import sys; sys.exit(3)", ", exit_code: 3", Outcome.PASSED, ""),
        ("after", "print('the door is open'); raise SystemExit(1)", "", Outcome.FAILED, "exit code 1 “the door is open”"),
        ("after", "import os; os.kill(os.getpid(), 9)", "", Outcome.FAILED, "it was ended by SIGKILL"),
        ("after", "import os; os.kill(os.getpid(), 40)", "", Outcome.FAILED, "it was ended by signal 40"),
        ("after", "import time; time.sleep(60)", ", within: 100ms", Outcome.SET_UP, "did not end within 0.1 s, and was killed"),
    ],
)  # fmt: skip
def test_how_a_command_ends(key: str, program: str, more: str, outcome: Outcome, told: str) -> None:
    words = json.dumps([sys.executable, "-c", program])
    result = call(f"{key}: [{{command: {words}{more}}}]", trust=True)
    assert result.outcome is outcome, result.problems
    assert told in " ".join(result.problems)


WRITES_MUCH = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
for _ in range(300):
    sys.stdout.write("a" * 9_999 + chr(10))
sys.exit("and the door is open")
"""


def test_the_output_of_a_command_is_in_no_file() -> None:
    words = json.dumps([sys.executable, "-c", WRITES_MUCH])
    result = call(f"after: [{{command: {words}}}]", trust=True)
    assert result.failures[0].happened == ("exit code 1 “and the door is open”",)


ESCAPES = """
import subprocess, sys
left = subprocess.Popen(["sleep", "60"], start_new_session=True)
print(left.pid)
sys.exit(1)
"""


def test_what_has_left_a_commands_group_does_not_hold_up_the_call() -> None:
    words = json.dumps([sys.executable, "-c", ESCAPES])
    result = call(f"after: [{{command: {words}}}]", trust=True)
    (said,) = result.failures[0].happened
    os.kill(int(said.removeprefix("exit code 1 “").removesuffix("”")), signal.SIGKILL)


LEAVES = """
import subprocess, sys
left = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
open("left.txt", "w").write(str(left.pid))
"""


def test_what_a_command_leaves_running_ends_with_it(tmp_path: Path) -> None:
    words = json.dumps([sys.executable, "-c", LEAVES])
    result = call(f"before: {{command: {words}}}", trust=True, folder=tmp_path)
    assert result.problems == []
    try:
        left = os.pidfd_open(int((tmp_path / "left.txt").read_text()))
    except ProcessLookupError:
        return
    try:
        ended, _, _ = select.select([left], [], [], 20)  # it was killed: a busy machine may need a moment for it
        assert ended
    finally:
        os.close(left)


def test_a_program_that_does_not_exist() -> None:
    result = call("after: [{command: [there-is-no-such-program]}]", trust=True)
    assert result.outcome is Outcome.SET_UP
    assert result.faults[0].endswith("there-is-no-such-program: cannot be started: No such file or directory")


def test_a_request_to_an_address_of_its_own_needs_trust() -> None:
    result = call("before: [{post: 'http://127.0.0.1:2375/containers/create', json: {}}]")
    assert result.outcome is Outcome.INVALID
    assert result.faults[0].startswith("call.yaml:4:11: post: http://127.0.0.1:2375/containers/create is an address of")
    assert call('before: [{get: "{ai_url}@evil.example/"}]').outcome is Outcome.INVALID


def test_what_follows_the_call_is_done_also_after_a_failure_and_a_fault(tmp_path: Path) -> None:
    words = json.dumps([sys.executable, "-c", "open('done.txt', 'a').write('x')"])
    hooks = f"after: [{{command: {words}}}]"
    text = HEAD.replace("[{wait: 200ms}]", "[{expect: {bot_speaks: 1s, within: 100ms}}]") + hooks
    scenario = load_text(text, "call", folder=tmp_path)
    assert run(scenario, Options(target=BOT, trust=True)).outcome is Outcome.FAILED
    assert (tmp_path / "done.txt").read_text() == "x"
    late = load_text(text.replace("bot_speaks: 1s", "state: WAITING"), "call", folder=tmp_path)
    assert run(late, Options(target=BOT, trust=True)).outcome is Outcome.INVALID
    assert (tmp_path / "done.txt").read_text() == "xx"


def test_a_hook_that_is_interrupted_leaves_no_bot_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """By Ctrl-C, or because the bot is found not to follow the virtual clock."""
    closed: list[StartedTarget] = []

    async def interrupted(_: CallHooks) -> bool:
        raise CannotFollow("the bot", "it reads a clock of its own")

    async def close(target: StartedTarget) -> None:
        closed.append(target)
        await close_target(target)

    monkeypatch.setattr(CallHooks, "after", interrupted)
    monkeypatch.setattr(bot_under_test, "close_target", close)
    text = HEAD.replace("{wait: 200ms}", "{expect: {state: WAITING, within: 1s}}")
    assert run(load_text(text, "call", folder=ROOT / "scenarios"), Options(target=BOT)).outcome is not Outcome.PASSED
    assert len(closed) == 1


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("hook", "line"),
    [
        ("→{status: 200}", "before: a hook has exactly one of: get, post, put, patch, delete, command"),
        ("{get: →ftp://x/}", "get: an address begins with http://, https://, {control_url} or {ai_url}, not 'ftp://x/'"),
        ("{get: →'{control_url}/{uid}'}", "get: there is no placeholder {uid}; did you mean {uuid}?"),
        ("{get: →'{control_url}/{xyzzy}'}", "get: there is no placeholder {xyzzy}; known: {uuid}, {control_url}, {ai_url}, {host}, {port}; {{xyzzy}} is the text {xyzzy}"),
        ("{post: '{ai_url}', json: {a: [1, {b: →'{uid}'}]}}", "b: there is no placeholder {uid}; did you mean {uuid}?"),
        ("{post: '{ai_url}', json: →{'{uid}': 1}}", "json: there is no placeholder {uid}; did you mean {uuid}?"),
        ("{post: '{ai_url}', body: →'call { uuid }'}", "body: there is no placeholder { uuid }; did you mean {uuid}?"),
        ("{post: '{ai_url}', body: →'{AI_URL}'}", "body: there is no placeholder {AI_URL}; did you mean {ai_url}?"),
        ("{get: '{ai_url}', contains: →'{xyzzy}'}", "contains: there is no placeholder {xyzzy}; known: {uuid}, {control_url}, {ai_url}, {host}, {port}; {{xyzzy}} is the text {xyzzy}"),
        ("{get: '{ai_url}', headers: {X: →'{control-url}'}}", "X: there is no placeholder {control-url}; did you mean {control_url}?"),
        ("{command: [curl, →'{prot}']}", "there is no placeholder {prot}; did you mean {port}?"),
        ("{get: '{ai_url}', json: →{a: 1}}", "json: get sends nothing"),
        ("{delete: '{ai_url}', body: →x}", "body: delete sends nothing"),
        ("{post: '{ai_url}', json: {a: 1}, body: →x}", "body: json and body exclude each other"),
        ("{post: '{ai_url}', status: →42}", "status: an HTTP status is from 100 to 599"),
        ("{post: '{ai_url}', exit_code: →1}", "exit_code: belongs to a command"),
        ("{command: [x], status: →200}", "status: belongs to an HTTP request"),
        ("{command: →[]}", "command: needs a program and its arguments, such as [curl, -f, 'http://127.0.0.1:9000/{uuid}']"),
        ("{command: →curl -f}", "command: needs a list (lines that begin with `- `), not 'curl -f'"),
        ("{command: →[\"a\\0b\"]}", "command: a word of a command cannot contain a NUL character"),
        ("{→pots: '{ai_url}'}", "unknown key 'pots'; did you mean 'post'?"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_hook(hook: str, line: str) -> None:
    """The arrow marks the place."""
    column = len("before: ") + hook.index("→") + 1
    with pytest.raises(ScenarioError) as caught:
        load_text(f"summary: x\nbefore: {hook.replace('→', '')}\nsteps: [{{wait: 1s}}]\n", file="b.yaml")
    assert str(caught.value) == f"b.yaml:2:{column}: {line}"
