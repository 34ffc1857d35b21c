"""`run` with folders, globs and lists; the target in its output; the table, the version, completion and GitHub."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from audiosocket_sim.cli.chosen_scenarios import choose_scenarios, no_such_scenario
from audiosocket_sim.cli.main import main
from audiosocket_sim.cli.run import RunRequest, run_command
from audiosocket_sim.cli.run_output import pace_of

ROOT = Path(__file__).resolve().parents[3]
GREETS = """
summary: {summary}
server: {{greeting: {{delay_seconds: 0.2}}}}
steps:
  - expect: {{{expected}, within: 2s}}
"""

BOT = """
import asyncio, sys, types

async def serve(*, host, port, control_port=0, settings=None):
    server = await asyncio.start_server(take, host, port)
    async def close(): server.close()
    port = server.sockets[0].getsockname()[1]
    return types.SimpleNamespace(host=host, port=port, control_url=None, close=close)

async def take(reader, writer):
    await reader.read()
    writer.close()

async def main(port):
    await (await asyncio.start_server(take, "127.0.0.1", port)).serve_forever()

if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return tmp_path


def write(path: str, *, fails: bool = False) -> str:
    expected = 'bot_says: "Boa noite."' if fails else "bot_speaks: {at_least: 300ms}"
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(GREETS.format(summary=f"Call {file.stem}.", expected=expected), encoding="utf-8")
    return path


def named() -> None:
    Path("pyproject.toml").write_text('[tool.audiosocket-sim]\ntarget = "audiosocket_server:serve"\n', encoding="utf-8")


def objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


# --- the target


def test_a_file_of_ones_own_without_a_target_is_not_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", write("call.yaml")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("call.yaml: no target: ")
    for word in ("module:callable", "'command: PROGRAM … {port}'", "tcp://HOST:PORT", "--target", "pyproject.toml"):
        assert word in line
    assert not Path("runs").exists()


def test_without_a_target_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--json", write("call.yaml")]) == 2
    (told,) = objects(capsys.readouterr().out)
    assert (told["scenario"], told["outcome"], told["exit_code"]) == ("call", "invalid", 2)


def test_a_shipped_scenario_calls_the_shipped_server_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "hang_up_in_standby"]) == 0
    heading = capsys.readouterr().out.splitlines()[1]
    assert heading == "target: audiosocket_server:serve (the shipped server, as the scenario is a shipped one)"


def test_a_copy_of_a_shipped_scenario_is_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_bytes((ROOT / "scenarios" / "hang_up_in_standby.yaml").read_bytes())
    assert main(["run", "mine"]) == 2
    assert "no target" in capsys.readouterr().err


def test_the_target_of_pyproject_stands_in_heading_json_and_call_log(capsys: pytest.CaptureFixture[str]) -> None:
    named()
    assert main(["run", "--json", write("call.yaml")]) == 0
    captured = capsys.readouterr()
    assert "target: audiosocket_server:serve (pyproject.toml, [tool.audiosocket-sim])" in captured.err
    (told,) = objects(captured.out)
    assert told["target"] == "audiosocket_server:serve"
    first = json.loads(Path("runs/call/call.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert first == told["environment"]
    assert (first["type"], first["source"], first["at_ms"]) == ("Environment", "environment", 0)
    assert (first["target"], first["clock"], first["peer"]) == ("audiosocket_server:serve", "virtual", "simulated")
    assert first["python"].endswith(sys.version.split()[0])
    assert first["seed"] == 1
    assert first["packages"]["numpy"]
    assert "audiosocket_server" not in Path("runs/call/transcript.txt").read_text(encoding="utf-8")


def test_secrets_in_a_command_are_masked_everywhere(capsys: pytest.CaptureFixture[str]) -> None:
    Path("call.yaml").write_text("summary: A call.\nsteps: [{wait: 1s}]\n", encoding="utf-8")
    assert main(["run", "--target", "command: false --api-key s3cret {port}", "call.yaml"]) == 3
    captured = capsys.readouterr()
    assert "command: false --api-key *** {port}" in captured.out
    assert "s3cret" not in captured.out + captured.err + Path("runs/call/call.jsonl").read_text(encoding="utf-8")


@pytest.mark.long("modules of the working folder are found")
def test_files_of_common_names_in_the_working_folder_break_nothing() -> None:
    for name in ("server.py", "audiosocket.py", "audiosocket_sim.yaml"):
        Path(name).write_text("raise RuntimeError('imported')\n", encoding="utf-8")
    command = [sys.executable, "-m", "audiosocket_sim", "run", "hang_up_in_standby"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "server")])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def no_server() -> Iterator[None]:
    before = sys.modules.pop("server", None)
    yield
    sys.modules.pop("server", None)
    if before is not None:
        sys.modules["server"] = before


@pytest.mark.every(3)
@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize(
    "text", [None, "", "class Bot: pass\n"], ids=["no module", "an empty module", "another module"]
)
def test_the_servers_old_name(text: str | None, capsys: pytest.CaptureFixture[str]) -> None:
    if text is not None:
        Path("server.py").write_text(text, encoding="utf-8")
    assert main(["run", "--target", "server:serve", write("call.yaml")]) == 2
    missing = f"no module `server` with `serve` in {Path.cwd()}"
    reference = "the reference server, once server:serve, is audiosocket_server:serve"
    assert f"  {missing}; {reference}\n" in capsys.readouterr().out


@pytest.mark.usefixtures("no_server")
def test_a_server_of_ones_own_keeps_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    Path("server.py").write_text("from audiosocket_server import serve\n", encoding="utf-8")
    assert main(["run", "--target", "server:serve", write("call.yaml")]) == 0
    assert "target: server:serve (--target)" in capsys.readouterr().out


@pytest.mark.every(2)
@pytest.mark.usefixtures("no_server")
@pytest.mark.parametrize("text", ["import no_such_library\n", "None.serve\n"])
def test_a_fault_inside_a_server_of_ones_own_is_named(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("server.py").write_text(text, encoding="utf-8")
    assert main(["run", "--target", "server:serve", write("call.yaml")]) == 3
    out = capsys.readouterr().out
    assert "server:serve cannot be imported: " in out
    assert "is now" not in out


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("started_as", "called"),
    [
        ("/some/bin/audiosocket-sim", "audiosocket-sim"),
        ("/some/audiosocket_sim/__main__.py", "python -m audiosocket_sim"),
        ("/some/bin/pytest", "python -m audiosocket_sim"),
    ],
)
@pytest.mark.parametrize("command", [[], ["run"]])
def test_help_calls_the_program_by_the_name_that_started_it(
    started_as: str,
    called: str,
    command: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", [started_as])
    with pytest.raises(SystemExit):
        main([*command, "--help"])
    out = capsys.readouterr().out
    assert out.startswith(f"usage: {' '.join([called, *command])} [-h] ")
    assert f"\nexample: {called} run greeting_then_hold.yaml\n" in out
    assert ("'greets[noise=-60]'" in out) is (command == ["run"])


@pytest.mark.every(2)
@pytest.mark.parametrize(("target", "code"), [("no_such_module:serve", 3), ("server:no_such_name", 3)])
def test_a_call_that_was_not_made_has_no_pace(target: str, code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--target", target, write("call.yaml")]) == code
    assert "real time" not in capsys.readouterr().out
    assert main(["run", "--target", "audiosocket_server:serve", "call.yaml"]) == 0
    assert " times real time)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("times", "words"), [(0.65, "0.7 times"), (1, "1.0 times"), (1.5, "2 times"), (30.2, "30 times")]
)
def test_a_pace_below_that_of_real_time_has_a_decimal(times: float, words: str) -> None:
    assert pace_of(times) == f"({words} real time)"


@pytest.mark.long("it starts processes; the target of a pyproject.toml is that of `check`")
@pytest.mark.parametrize("key", ["bot_of_a_project:serve", "command: {python} bot_of_a_project.py {port}"])
def test_a_target_of_a_pyproject_above_is_found_from_a_folder_below(key: str) -> None:
    Path("bot_of_a_project.py").write_text(BOT, encoding="utf-8")
    Path("pyproject.toml").write_text(f'[tool.audiosocket-sim]\ntarget = "{key}"\n', encoding="utf-8")
    Path("scenarios").mkdir()
    Path("scenarios/call.yaml").write_text("summary: A call.\nsteps: [{wait: 100ms}]\n", encoding="utf-8")
    command = [sys.executable, "-m", "audiosocket_sim", "run", "call.yaml"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "server")])}
    done = subprocess.run(command, cwd="scenarios", env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_servers_old_module_in_a_checkout() -> None:
    done = subprocess.run([sys.executable, "-m", "server"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "python -m server is now python -m audiosocket_server\n")


# --- folders, globs, lists


def test_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    named()
    for name in ("calls/b.yaml", "calls/deep/a.yml"):
        write(name)
    Path("calls/compose.yaml").write_text("services: {}\n", encoding="utf-8")
    assert main(["run", "--json", "calls"]) == 0
    captured = capsys.readouterr()
    assert [told["scenario"] for told in objects(captured.out)] == ["b", "a"]
    note = "calls: passed over 1 YAML file without summary or steps: calls/compose.yaml"
    assert captured.err.splitlines()[0] == note


@pytest.mark.long("names are looked up")
def test_a_glob_here_in_scenarios_and_among_the_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    named()
    for name in ("a_1.yaml", "scenarios/b_1.yaml", "scenarios/b_2.yaml"):
        write(name)
    for pattern, names in (("a_*", ["a_1"]), ("b_?.yaml", ["b_1", "b_2"]), ("**/b_1.yaml", ["b_1"])):
        assert main(["run", "--json", pattern]) == 0
        assert [told["scenario"] for told in objects(capsys.readouterr().out)] == names
    assert main(["run", "--json", "hang_up_in_s*"]) == 0
    assert [told["scenario"] for told in objects(capsys.readouterr().out)] == ["hang_up_in_standby"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("empty", "empty: no such scenario, and no scenario below this folder"),
        ("foreign", "foreign: no such scenario, and no scenario below this folder: passed over 1 YAML file "),
        ("none_such_*.yaml", "none_such_*.yaml: no scenario matches, here or in scenarios/"),
    ],
)
def test_what_means_no_scenario(name: str, line: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    Path("foreign").mkdir()
    Path("foreign/molecule.yaml").write_text("driver: {}\n", encoding="utf-8")
    assert main(["run", name]) == 2
    assert capsys.readouterr().err.startswith(line)


@pytest.mark.every(2)
@pytest.mark.parametrize("name", ["talk", "scenarios"])
def test_a_scenarios_folder_that_may_not_be_read_is_named(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The superuser may read everything: the system's answer is played."""
    write("scenarios/talk.yaml")
    real_scandir, real_is_file = os.scandir, Path.is_file

    def scandir(path: Any = ".") -> Any:
        if Path(path).name == "scenarios" and Path(path).resolve().parent == Path.cwd():
            raise PermissionError(13, "Permission denied", str(path))
        return real_scandir(path)

    def listdir(path: Any = ".") -> list[str]:
        with scandir(path) as entries:
            return [entry.name for entry in entries]

    def is_file(path: Path) -> bool:
        if path.parent == Path.cwd() / "scenarios":
            raise PermissionError(13, "Permission denied", str(path))
        return real_is_file(path)

    monkeypatch.setattr(os, "scandir", scandir)
    monkeypatch.setattr(os, "listdir", listdir)
    monkeypatch.setattr(Path, "is_file", is_file)
    assert main(["run", name]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "scenarios" in line
    assert "may not be read: Permission denied" in line


@pytest.mark.long("quicker tests of this file are run")
def test_the_list_of_ones_own_and_of_the_shipped(capsys: pytest.CaptureFixture[str]) -> None:
    write("scenarios/mine.yaml")
    Path("scenarios/folded.yaml").write_text("summary: >\n  One\n  sentence.\nsteps: []\n", encoding="utf-8")
    Path("scenarios/broken.yaml").write_text("summary: [\n", encoding="utf-8")
    assert main(["run", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "scenarios/, your own:"
    assert lines[1].startswith("  broken.yaml  (line ")
    assert lines[2:5] == ["  folded.yaml  One sentence.", "  mine.yaml    Call mine.", ""]
    assert lines[5] == "shipped with the reference server:"
    shipped = [line.split("  ") for line in lines[6:]]
    assert any(words[1] == "greeting_then_hold" for words in shipped)
    assert [words[1] for words in shipped if words[1].endswith("takes_keys")] == ["needs/takes_keys"]
    assert all(choose_scenarios(words[1]).files for words in shipped)
    assert not Path("runs").exists()


def test_the_list_of_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    write("calls/mine.yaml")
    assert main(["run", "--list", "calls"]) == 0
    assert capsys.readouterr().out == "  calls/mine.yaml  Call mine.\n"
    assert main(["run", "--list", "missing"]) == 2


# --- after several


@pytest.mark.long("quicker tests of this file are run")
def test_a_table_after_several(capsys: pytest.CaptureFixture[str]) -> None:
    named()
    assert main(["run", write("good.yaml"), write("bad_one.yaml", fails=True)]) == 1
    lines = capsys.readouterr().out.splitlines()[-3:]
    assert lines == [
        "2 scenarios: 1 failed, 1 passed",
        "  good     passed",
        "  bad_one  failed  bad_one.yaml:5: bad_one, step 1 (expect bot_says)",
    ]


def test_no_table_after_one(capsys: pytest.CaptureFixture[str]) -> None:
    named()
    assert main(["run", write("good.yaml")]) == 0
    assert "scenario:" not in capsys.readouterr().out


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize("as_json", [False, True])
def test_in_a_job_of_github(as_json: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    named()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(Path("summary.md").resolve()))
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    flags = ["--json"] if as_json else []
    assert main(["run", *flags, write("good.yaml"), write("calls/bad.yaml", fails=True)]) == 1
    captured = capsys.readouterr()
    annotations = [line for line in (captured.out + captured.err).splitlines() if line.startswith("::")]
    assert len(annotations) == 1
    assert annotations[0].startswith(
        "::error file=calls/bad.yaml,line=5,title=bad%3A failed::calls/bad.yaml:5: bad, step 1 (expect bot_says)%0A"
    )
    if as_json:
        assert len(objects(captured.out)) == 2
    summary = Path("summary.md").read_text(encoding="utf-8")
    assert "2 scenarios: 1 failed, 1 passed" in summary
    assert "| good | passed |  | audiosocket&#95;server:serve |" in summary


def test_what_is_not_valid_in_a_job_of_github(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    Path("wrong.yaml").write_text("summary: A call.\nstep: []\nsteps: [{wat: 1s}]\n", encoding="utf-8")
    assert main(["run", "wrong.yaml"]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("::")[1] for line in lines] == [
        "error file=wrong.yaml,line=2,title=wrong%3A invalid",
        "error file=wrong.yaml,line=3,title=wrong%3A invalid",
    ]


# --- the program itself


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--version"])
    assert left.value.code == 0
    assert capsys.readouterr().out.startswith("audiosocket-sim ")


def test_the_completion_of_bash_completes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    Path("complete.sh").write_text(capsys.readouterr().out, encoding="utf-8")
    script = (
        "source complete.sh; COMP_WORDS=(audiosocket-sim run --pe); COMP_CWORD=2; COMP_LINE='audiosocket-sim run --pe';"
        "_shtab_audiosocket_sim; echo ${COMPREPLY[@]}"
    )
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["--peer"], done.stderr


@pytest.mark.every(2)
@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_the_completion_of_other_shells_names_the_commands(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    out = capsys.readouterr().out
    assert "audiosocket-sim" in out
    assert "mock-ai" in out


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("greting_then_hold.yaml", "; did you mean greeting_then_hold.yaml?"),
        ("greting_then_hold", "; did you mean greeting_then_hold.yaml?"),
        ("greets_in_time", "; did you mean needs/greets_in_time.yaml?"),
        ("a.yaml", ""),
        ("call7.yaml", ""),
    ],
)
def test_a_name_is_near_by_its_own_letters_and_not_by_yaml(name: str, meant: str) -> None:
    assert no_such_scenario(name) == f"{name}: no such scenario, here or in scenarios/{meant}"


# --- the calls of one file


MATRIX = """
summary: A greeting after ${delay} s.
for_each: {delay: [0.2, 0.4]}
server: {greeting: {delay_seconds: "${delay}"}}
steps:
  - include: parts/greeted.yaml
"""


@pytest.fixture
def matrix() -> str:
    named()
    Path("calls/parts").mkdir(parents=True)
    Path("calls/parts/greeted.yaml").write_text("- expect: {bot_speaks: 300ms, within: 2s}\n", encoding="utf-8")
    Path("calls/defaults.yaml").write_text("line: {codec: alaw}\n", encoding="utf-8")
    Path("calls/greets.yaml").write_text(MATRIX, encoding="utf-8")
    return "calls/greets.yaml"


def test_each_cell_is_a_call_with_files_of_its_own(matrix: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--json", "calls"]) == 0
    captured = capsys.readouterr()
    told = objects(captured.out)
    assert [(one["scenario"], one["cell"]) for one in told] == [
        ("greets[delay=0.2]", {"delay": "0.2"}),
        ("greets[delay=0.4]", {"delay": "0.4"}),
    ]
    assert "passed over" not in captured.err  # they are parts of a scenario
    first = Path("runs/greets[delay=0.2]/transcript.txt").read_text(encoding="utf-8").splitlines()
    assert first[:2] == ["greets[delay=0.2] · Asterisk 22.10, app · A-law", "    0.200  state    STANDBY → IA_TURN"]
    assert Path("runs/greets[delay=0.4]/call.wav").is_file()


@pytest.mark.long("a value is set, and each cell is a call with files of its own")
def test_one_cell_is_run_by_its_name(matrix: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--json", f"{matrix}[delay=0.4]"]) == 0
    assert [told["scenario"] for told in objects(capsys.readouterr().out)] == ["greets[delay=0.4]"]
    assert main(["run", f"{matrix}[delay=0.5]"]) == 2
    why = "for_each makes no such call; did you mean 'greets[delay=0.4]'?"
    assert capsys.readouterr().err == f"greets[delay=0.5]: {why}\n"
    assert main(["run", "none_such[delay=0.5]"]) == 2
    assert "no scenario matches" in capsys.readouterr().err


@pytest.mark.long("the place of a step in an included file is tried without a call")
def test_a_failure_in_an_included_step_is_placed_there(matrix: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("calls/parts/greeted.yaml").write_text("\n- expect: {bot_says: Boa noite., within: 1s}\n", encoding="utf-8")
    assert main(["run", f"{matrix}[delay=0.4]"]) == 1
    assert "calls/parts/greeted.yaml:2: greets[delay=0.4], step 1 (expect bot_says)" in capsys.readouterr().out


def test_a_setting_that_the_bot_refuses_is_placed_where_it_is_written(
    matrix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("calls/defaults.yaml").write_text("server: {system: {barge_inn: true}}\n", encoding="utf-8")
    assert main(["run", f"{matrix}[delay=0.4]"]) == 2
    assert "calls/defaults.yaml:1:19: unknown key 'barge_inn'; did you mean 'barge_in'?" in capsys.readouterr().out


def test_a_value_is_set_and_shown(matrix: str, capsys: pytest.CaptureFixture[str]) -> None:
    setting = ["--set", "line.codec=ulaw", "--set", "asterisk=20.6"]
    assert main(["run", f"{matrix}[delay=0.2]", *setting]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "greets[delay=0.2] · Asterisk 20.6, app · µ-law"
    assert lines[2] == "set: line.codec=ulaw, asterisk=20.6"


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("line.codec", "--set 'line.codec': expected KEY.KEY=VALUE, such as line.noise_dbfs=-40"),
        ("line.codex=x", "--set line.codex=x: unknown key 'codex'; did you mean 'codec'?"),
        (
            "for_each.dela=[0.3]",
            "--set for_each.dela=[0.3]: no scenario of this run has 'dela' in its for_each; did you mean 'delay'?",
        ),
        (
            "for_each={dela: [0.3]}",
            "--set for_each={dela: [0.3]}: no scenario of this run has 'dela' in its for_each; did you mean 'delay'?",
        ),
        ("for_each.codec=[ulaw]", "--set for_each.codec=[ulaw]: no scenario of this run has 'codec' in its for_each"),
    ],
)
def test_what_cannot_be_set(setting: str, line: str, matrix: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", matrix, "--set", setting]) == 2
    assert capsys.readouterr().err == f"{line}\n"


@pytest.mark.long("values are given to one scenario")
def test_values_for_a_name_that_only_some_scenarios_have(matrix: str, capsys: pytest.CaptureFixture[str]) -> None:
    setting = ("for_each.delay=[0.3]",)
    write("calls/other.yaml")
    request = RunRequest(["calls"], target="audiosocket_server:serve", overrides=setting)
    assert run_command(request) == 0
    assert "greets[delay=0.3] " in capsys.readouterr().out
    assert run_command(replace(request, names=["calls/other.yaml"], is_part=True)) == 0
    assert run_command(replace(request, names=["calls/other.yaml"])) == 2


def test_the_mock_ai_takes_one_of_several_calls(matrix: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mock-ai", matrix]) == 2
    why = f"{matrix}: for_each makes 2 calls of it: name one, such as 'greets[delay=0.2]'\n"
    assert capsys.readouterr().err == why
    assert main(["mock-ai", f"{matrix}[delay=0.3]"]) == 2
    assert "no such call" in capsys.readouterr().err
    assert main(["mock-ai", f"{matrix}[delay=0.4]"]) == 2
    assert "this scenario has no `ai:`" in capsys.readouterr().err


# --- several runs


def test_a_scenario_is_run_several_times_and_its_rate_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    named()
    write("call.yaml", fails=True)
    assert main(["run", "--repeat", "2", "call.yaml"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("run ")] == ["run 1 of 2: line.seed=1", "run 2 of 2: line.seed=2"]
    assert lines[-3:] == [
        "call: 0 of 2 passed (0 %, 95 % interval 0 to 66 %)",
        "  2 × failed: call.yaml:5: step 1 (expect bot_says): expected the bot says “Boa noite.”",
        "      in runs 1 (line.seed=1), 2 (line.seed=2)",
    ]
    assert sorted(path.name for path in Path("runs").glob("call*")) == ["call[run=1]", "call[run=2]"]


@pytest.mark.long("a scenario is run several times")
def test_runs_of_the_scenario_itself_in_json_and_in_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    named()
    for name in ("a.yaml", "b.yaml"):
        text = Path(write(name)).read_text(encoding="utf-8") + "runs: 2\n"
        Path(name).write_text(text, encoding="utf-8")
    assert main(["run", "--json", "a.yaml", "b.yaml"]) == 0
    captured = capsys.readouterr()
    told = objects(captured.out)
    assert [(one["scenario"], one["run"], one["runs"], one["seeds"]) for one in told] == [
        (name, run, 2, {"line.seed": run}) for name in "ab" for run in (1, 2)
    ]
    assert captured.err.splitlines()[-1] == "  b  passed  2 of 2 passed (100 %, 95 % interval 34 to 100 %)"


@pytest.mark.parametrize("number", ["0", "x", "-1"])
def test_a_number_of_runs_that_is_none(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", f"--repeat={number}", "call.yaml"])
    assert "expected a number from 1 to 1000" in capsys.readouterr().err
