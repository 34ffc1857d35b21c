"""A project of its own with pytest in it, for tests of the pytest plug-in."""

import os
from importlib import import_module
from pathlib import Path

import pytest
import soxr  # noqa: F401 - it cannot be loaded twice, and a session that loads it first would unload it at its end

from helpers import scripted_bot  # noqa: F401 - else each session would load it anew, and all that it imports

LOADED_BY_A_CALL = (
    "audiosocket_core.phrase_book.synthetic_voice",
    "audiosocket_sim.report.github",
    "audiosocket_sim.report.pass_rate",
    "audiosocket_sim.running.outcome_rows",
    "audiosocket_sim.running.turns_file",
    "starlette.applications",
    "starlette.routing",
    "uvicorn.lifespan.off",
    "uvicorn.protocols.http.h11_impl",
)
"""What a session loads when it makes a call or writes its summary. It would be unloaded at the session's end, too."""

for _name in LOADED_BY_A_CALL:
    import_module(_name)

ROOT = Path(__file__).resolve().parents[2]

CALL = """
summary: A short call.
tags: [{tag}]
server: {{script: [[0.5, say, pt-br/pode_subir], [{end}, hang_up]]}}
steps:
  - expect: {{bot_says: Pode subir.}}
  - expect: {{hangs_up: server, within: 1s}}
"""
TRANSCRIPT = """\
short · Asterisk 22.10, app · µ-law
    0.810  bot      “Pode subir.”                                                       0.99 s
    2.500  end      server hung up (00 00 00); last word heard; the dialplan continues
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
        monkeypatch.delenv(name)  # syrupy reports nothing in a worker
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    configure(pytester)
    write(pytester, "scenarios/short.yaml")
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    return pytester


def configure(project: pytest.Pytester, *lines: str, pages: bool = False) -> None:
    """Write pytest.ini: the folders of scenarios, and these lines. `pages`: failed calls get pages, as by default."""
    lines = lines if pages else ("audiosocket_report_of = none", *lines)
    for folder in ("scenarios", "other/scenarios"):
        (project.path / folder).mkdir(parents=True, exist_ok=True)
    text = "\n".join(["[pytest]", "audiosocket_scenarios = scenarios other/scenarios", *lines])
    (project.path / "pytest.ini").write_text(f"{text}\n", encoding="utf-8")


def write(project: pytest.Pytester, path: str, text: str = CALL, *, tag: str = "quick", end: float = 2.5) -> Path:
    file = project.path / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text.format(tag=tag, end=end) if text is CALL else text, encoding="utf-8")
    return file


def run(
    project: pytest.Pytester, *arguments: str, target: str | None = "helpers.scripted_bot:serve"
) -> pytest.RunResult:
    plugins = ["-p", "audiosocket_sim.pytest_plugin.plugin"]
    if "no:syrupy" not in arguments:
        plugins += ["-p", "syrupy"]
    named = [] if target is None else ["--audiosocket-target", target]
    return project.runpytest_inprocess(*plugins, *named, *arguments)


def update(project: pytest.Pytester) -> None:
    run(project, "--snapshot-update").assert_outcomes(passed=len(list(project.path.rglob("*.yaml"))))


def collected(project: pytest.Pytester, *arguments: str) -> set[str]:
    lines = run(project, "--collect-only", "-q", *arguments).outlines
    return {line for line in lines if "::" in line}
