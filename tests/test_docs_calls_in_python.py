"""The examples of docs/calls-in-python.md, run as they stand."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from audiosocket_sim.python_calls.phone_call import PhoneCall

pytest_plugins = ["pytester"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "calls-in-python.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"```python\n# (\S+\.py)\n(.*?)```", PAGE, re.DOTALL))


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    for name, text in EXAMPLES.items():
        (pytester.path / name).write_text(f"# {name}\n{text}", encoding="utf-8")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'server'}")
    return pytester


@pytest.mark.long("the page's names are checked")
def test_the_tests_pass(project: pytest.Pytester) -> None:
    project.runpytest_subprocess("-p", "audiosocket_sim.pytest_plugin.plugin").assert_outcomes(passed=2)
    assert (project.path / "runs/pytest/test_greeting/test_greets/call.jsonl").is_file()


@pytest.mark.long("the page's names are checked")
def test_the_failure_reads_as_the_page_says(project: pytest.Pytester) -> None:
    text = (project.path / "test_greeting.py").read_text(encoding="utf-8")
    (project.path / "test_greeting.py").write_text(text.replace("em que posso ajudar", "em que posso servir"), "utf-8")
    failed = project.runpytest_subprocess("-p", "audiosocket_sim.pytest_plugin.plugin", "test_greeting.py")
    shown = re.search(r"(?:^    .*\n)+", PAGE[PAGE.index("## When it fails") :], re.MULTILINE)
    assert shown is not None
    failed.stdout.fnmatch_lines([line[4:] for line in shown[0].splitlines()])


@pytest.mark.long("the page's names are checked")
def test_the_program_says_what_it_heard(project: pytest.Pytester) -> None:
    """In virtual time here: it runs on the clock of whatever loop there is."""
    program = (
        "from audiosocket_sim.virtual_time import run; import call_the_bot; run(call_the_bot.main)\n"
        "from pathlib import Path; assert Path('runs/main/call.wav').is_file()"
    )
    assert out_of(project, program) == "passed greeted for 2.33 s\n"


@pytest.mark.long("the page's names are checked")
def test_the_scenarios_run(project: pytest.Pytester) -> None:
    (project.path / "scenarios").symlink_to(ROOT / "scenarios")
    told = out_of(project, "import run_all")
    assert re.findall(r"passed$", told, re.MULTILINE) == ["passed", "passed"]


def out_of(project: pytest.Pytester, program: str) -> str:
    path = {"PYTHONPATH": f"{ROOT}:{ROOT / 'server'}:{project.path}", "PATH": ""}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=project.path, env=path, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_names_every_step() -> None:
    methods = [name for name, part in vars(PhoneCall).items() if not name.startswith("_") and callable(part)]
    assert [name for name in methods if f"`{name}" not in PAGE] == []
