"""docs/own-project.md is true: its files are written, its commands are run, and what they print is what it shows."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from helpers.page_follower import VENV_COMMANDS, Follower, NotAsThePageSays, blocks_of, sections_of
from ruamel.yaml import YAML

from audiosocket_sim.scenario.cassette import read_cassette

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "own-project.md").read_text(encoding="utf-8")
SECTIONS = sections_of(PAGE)
PROGRAMS = {"audiosocket-sim": "-m audiosocket_sim", "pytest": "-m pytest", "python3": ""}


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder with what an environment's bin/ has, for the interpreter of this test."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, arguments in PROGRAMS.items():
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n', encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def follow(heading: str, tmp_path: Path, programs: Path) -> list[str]:
    """The commands that were run."""
    folder = tmp_path / "project"
    folder.mkdir()
    follower = Follower(folder, [programs])
    follower.follow(SECTIONS[heading])
    return follower.commands


def commands_of(heading: str) -> list[str]:
    sessions = [block.text for block in blocks_of(SECTIONS[heading]) if block.kind == "console"]
    return [command for text in sessions for command in re.findall(r"^\$ (.*)", text, re.MULTILINE)]


@pytest.mark.timeout(300)
@pytest.mark.long("the tests of the plug-in stand in")
def test_a_bot_in_python(tmp_path: Path, programs: Path) -> None:
    commands = follow("A bot in Python", tmp_path, programs)
    assert commands == commands_of("A bot in Python")
    assert len(commands) == 7


@pytest.mark.apt
@pytest.mark.real_time
def test_a_bot_in_node(tmp_path: Path, programs: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("node is not installed: `make test-all` installs it")
    assert follow("A bot in Node", tmp_path, programs) == ["pytest", "pytest"]


@pytest.mark.real_time
@pytest.mark.long("the tests of the plug-in stand in")
def test_any_other_program(tmp_path: Path, programs: Path) -> None:
    commands = follow("Any other program", tmp_path, programs)
    assert commands == commands_of("Any other program")
    assert len(commands) == 3


def test_the_pages_cassette_is_one() -> None:
    written = re.findall(r"^    .*\n", SECTIONS["Your bot's services"], re.MULTILINE)
    (exchange,) = read_cassette("".join(written))
    assert (exchange.method, exchange.path, exchange.body) == ("POST", "/v1/chat/completions", b"")
    assert exchange.answer is not None
    assert b"How can I help you?" in exchange.answer.body


def test_nothing_on_the_page_goes_unread() -> None:
    """The tests above follow each file and each session, but for those that make an environment."""
    followed = {"A bot in Python", "A bot in Node", "Any other program"}
    beside = [block for heading, text in SECTIONS.items() if heading not in followed for block in blocks_of(text)]
    assert [block.kind for block in beside] == ["sh"]
    before = next(blocks_of(PAGE.partition("\n## ")[0]))
    commands = re.findall(r"^\$ (.*)", before.text, re.MULTILINE)
    assert len(commands) == 3
    assert all(VENV_COMMANDS.match(command) for command in commands)


def test_the_workflow_installs_and_tests_as_the_page_does() -> None:
    workflow = YAML(typ="safe").load((ROOT / "docs" / "examples" / "calls.yml").read_text(encoding="utf-8"))
    (job,) = workflow["jobs"].values()
    (lines,) = [block.text for block in blocks_of(SECTIONS["In CI"])]
    assert [step["run"] for step in job["steps"] if "run" in step and "if" not in step] == lines.splitlines()
    assert [step["uses"].partition("@")[0] for step in job["steps"] if "uses" in step] == [
        "actions/checkout",
        "actions/setup-python",
        "actions/upload-artifact",
        "actions/upload-artifact",
    ]


def test_the_workflow_uploads_the_report_of_a_failure_as_one_file_that_opens() -> None:
    text = (ROOT / "docs" / "examples" / "calls.yml").read_text(encoding="utf-8")
    (job,) = YAML(typ="safe").load(text)["jobs"].values()
    (moved,) = [step for step in job["steps"] if step.get("run", "").startswith("mv ")]
    (opened,) = [step for step in job["steps"] if step.get("with", {}).get("archive") is False]
    assert moved["run"].split()[1] == "runs/pytest/report/index.html"
    assert moved["run"].split(maxsplit=2)[2] == opened["with"]["path"]
    assert "failure()" in moved["if"]
    assert "failure()" in opened["if"]
    assert int(opened["uses"].rpartition("@v")[2]) >= 7  # `archive` came with it


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("```console\n$ echo one\ntwo\n```\n", "$ echo one\n--- the page shows\ntwo\n"),
        ("```console\n$ (exit 3)\n$ echo $?\n0\n```\n", "$ echo $?\n--- the page shows\n0\n"),
        ("```console\n$ printf 'a\\nb\\nc\\n'\na\n…\nd\n```\n", "--- printed (exit code 0)\na\nb\nc\n"),
        ("**`a.txt`**\n\n```text\nold\n```\n\n**`a.txt`**\n\n```diff\n-older\n+new\n```\n", "is there 0 times: older"),
    ],
)
def test_a_page_that_is_not_true_is_found_out(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(NotAsThePageSays) as caught:
        Follower(tmp_path, []).follow(text)
    assert said in str(caught.value)


def test_an_ellipsis_stands_for_any_lines_and_for_any_text_of_a_line(tmp_path: Path) -> None:
    follower = Follower(tmp_path, [])
    follower.follow("```console\n$ printf 'a\\nb 1 c\\nd\\n'\n…\nb … c\n…\n$ mkdir x\n$ cd x\n$ pwd\n…/x\n```\n")
    assert follower.commands == ["printf 'a\\nb 1 c\\nd\\n'", "mkdir x", "pwd"]


def _a_project_as_on_the_page(folder: Path) -> Path:
    """The Python part's files, with the bot mended as the page does it."""
    follower = Follower(folder, [])
    section = SECTIONS["A bot in Python"]
    follower.follow(re.sub(r"^```console\n.*?^```$", "", section, flags=re.MULTILINE | re.DOTALL))
    return folder


def _call(folder: Path, scenario: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "audiosocket_sim", "run", scenario]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=100)


@pytest.mark.long("the page's bot is called")
def test_a_bot_that_raises_fails_the_pages_scenario(tmp_path: Path) -> None:
    bot = _a_project_as_on_the_page(tmp_path) / "bot.py"
    text = bot.read_text(encoding="utf-8")
    raising = re.sub(r"writer\.write\(bytes\(3\)\).*\n +break", 'raise RuntimeError("my database is down")', text)
    assert raising != text
    bot.write_text(raising, encoding="utf-8")
    done = _call(tmp_path, "scenarios/greets.yaml")
    assert done.returncode == 1, done.stdout
    assert "closed without 00 00 00" in done.stdout
    assert "my database is down" in done.stderr


@pytest.mark.long("the page's bot is called")
@pytest.mark.parametrize(
    "steps",
    [
        "[{wait: 0s}]",
        *(
            pytest.param(steps, marks=pytest.mark.long("the caller hangs up at once"))
            for steps in ("[{wait: 1s}]", "[{hang_up: close, after: 1s}, {wait: 1s}]")
        ),
    ],
)
def test_the_pages_bot_says_nothing_when_the_caller_hangs_up_last(steps: str, tmp_path: Path) -> None:
    _a_project_as_on_the_page(tmp_path)
    (tmp_path / "call.yaml").write_text(f"summary: The caller hangs up.\nsteps: {steps}\n", encoding="utf-8")
    done = _call(tmp_path, "call.yaml")
    assert (done.returncode, done.stderr) == (0, ""), done.stdout


def test_yaml_reads_each_summary_to_its_last_word() -> None:
    """Where a text has ` #`, YAML takes the rest for a comment unless the text is quoted."""
    scenarios = [block.text for text in SECTIONS.values() for block in blocks_of(text) if block.kind == "yaml"]
    assert len(scenarios) == 3
    for text in scenarios:
        (written,) = re.findall(r"^summary: (.*)$", text, re.MULTILINE)
        assert YAML(typ="safe").load(text)["summary"] == written.strip('"')
