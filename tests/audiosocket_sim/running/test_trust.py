"""A scenario from elsewhere, run: what its `server:` asks for is refused before anything of it happens, or trusted."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.plugin_bench import project, write
from helpers.plugin_bench import run as run_pytest

from audiosocket_core.slin import write_wav
from audiosocket_sim import place_call
from audiosocket_sim.cli.main import main
from audiosocket_sim.running.runner import Options, Outcome, run
from audiosocket_sim.scenario.loading import load
from audiosocket_sim.virtual_time import run as run_virtually

__all__ = ["project"]

pytest_plugins = ["pytester"]

EVIL = """
from pathlib import Path
from audiosocket_server.speech.recordings import EmbeddedEngine

Path("it_ran").touch()


def make(settings):
    folder = Path(__file__).parent
    return EmbeddedEngine.load([folder / "book"], folder / "book", language="pt-BR", cache_folder=folder / "cache")
"""
CALL = """\
summary: It came from elsewhere.
server:
  greeting: {{message: ""}}
  {section}: {{{key}: {value}}}
steps: [{{wait: 1s}}]
"""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a scenario, its module beside it, and the working folder another one."""
    (tmp_path / "download").mkdir()
    (tmp_path / "work").mkdir()
    target = '[tool.audiosocket-sim]\ntarget = "audiosocket_server:serve"\n'
    (tmp_path / "work" / "pyproject.toml").write_text(target)
    (tmp_path / "home").mkdir()
    (tmp_path / "download" / "evil_engine.py").write_text(EVIL)
    book = tmp_path / "download" / "book"
    book.mkdir()
    write_wav(book / "a.wav", b"\0\x20\0\xe0" * 4000)
    (book / "manifest.yaml").write_text("- {file: a.wav, text: Oi., language: pt-BR}\n")
    write_wav(tmp_path / "secret.wav", b"\0\x20\0\xe0" * 4000)
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.syspath_prepend(tmp_path / "download")
    yield tmp_path
    sys.modules.pop("evil_engine", None)


def scenario(folder: Path, section: str, key: str, value: str) -> Path:
    path = folder / "download" / "call.yaml"
    path.write_text(CALL.format(section=section, key=key, value=value))
    return path


def test_code_is_run_for_a_trusted_scenario_only(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = scenario(elsewhere, "speech", "engine", "evil_engine:make")
    arguments = ["run", str(path), "--target", "audiosocket_server:serve"]
    assert main(arguments) == 2
    out = capsys.readouterr().out
    line = f"{path}:4:12: engine: 'evil_engine:make' names code, which is not taken from a scenario that is not trusted"
    assert line in out
    assert "evil_engine" not in sys.modules
    assert not (elsewhere / "work" / "it_ran").exists()
    assert main([*arguments, "--trust"]) == 0
    assert (elsewhere / "work" / "it_ran").exists()


@pytest.mark.parametrize("key", ["waiting_file", "prompts_folder"])
def test_files_are_read_for_a_trusted_scenario_only(key: str, elsewhere: Path) -> None:
    outside = elsewhere / "secret.wav"
    if key == "prompts_folder":
        outside = elsewhere / "other"
        (elsewhere / "download" / "book").rename(outside)
    made = load(scenario(elsewhere, "audio", key, str(outside)))
    assert run(made, Options(trust=True)).outcome is Outcome.PASSED
    result = run(made, Options(artefacts=elsewhere / "out"))
    assert result.outcome is Outcome.INVALID
    (line,) = result.problems
    assert line.startswith(f"{elsewhere}/download/call.yaml:4:11: {key}: ")
    assert "leads out of the scenario's folders" in line
    assert "Trust" in line


def test_files_of_its_own_need_no_trust(elsewhere: Path) -> None:
    made = load(scenario(elsewhere, "audio", "prompts_folder", str(elsewhere / "download" / "book")))
    assert run(made).outcome is Outcome.PASSED


def test_all_that_is_refused_is_told_at_once(elsewhere: Path) -> None:
    path = elsewhere / "download" / "call.yaml"
    path.write_text(
        "summary: A call.\nserver:\n  speech:\n    engine: os:system\n"
        "    phrase_books: [recordings, /etc, ~/x]\nsteps: [{wait: 1s}]\n"
    )
    places = [problem.partition(": ")[0] for problem in run(load(path)).problems]
    assert places == [f"{path}:4:5", f"{path}:5:32", f"{path}:5:38"]


def test_settings_made_in_python_are_refused_without_a_place(elsewhere: Path) -> None:
    made = load(scenario(elsewhere, "system", "barge_in", "true"))
    result = run(made.model_copy(update={"server": {"speech": {"engine": "os:system"}}}))
    assert result.outcome is Outcome.INVALID
    assert "engine: 'os:system' names code" in result.problems[0]


def test_json_has_the_place(elsewhere: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = scenario(elsewhere, "speech", "engine", "os:system")
    assert main(["run", str(path), "--json", "--target", "audiosocket_server:serve"]) == 2
    told = json.loads(capsys.readouterr().out)
    assert (told["outcome"], told["exit_code"]) == ("invalid", 2)
    assert told["problems"][0].startswith(f"{path}:4:12: engine: ")


NAMES_CODE = """
summary: A short call.
server: {script: [[0.5, hang_up]], module: "os:system"}
steps:
  - expect: {hangs_up: server, within: 1s}
"""


@pytest.mark.long("the command asks for trust, and the fixture does")
@pytest.mark.parametrize(
    ("arguments", "ini", "is_trusted"),
    [((), "", False), (("--audiosocket-trust",), "", True), ((), "audiosocket_trust = true", True)],
)
def test_the_plug_in_asks_for_trust_too(
    arguments: tuple[str, ...], ini: str, is_trusted: bool, project: pytest.Pytester
) -> None:
    write(project, "scenarios/short.yaml", NAMES_CODE)
    write(project, "pytest.ini", f"[pytest]\naudiosocket_scenarios = scenarios\n{ini}\n")
    outcome = run_pytest(project, "-p", "no:syrupy", *arguments)
    outcome.assert_outcomes(passed=int(is_trusted), failed=int(not is_trusted))
    if not is_trusted:
        outcome.stdout.fnmatch_lines(["scenarios/short.yaml:3:36: module: 'os:system' names code, which *"])


def test_a_call_in_python_may_name_what_it_likes() -> None:
    """Its settings stand in the test itself."""
    settings = {"script": [[0.5, "hang_up"]], "module": "os:system", "log": "/nowhere"}
    call = place_call("helpers.scripted_bot:serve", name="own", server=settings, artefacts=None)

    async def main() -> None:
        async with call:
            await call.expect_hangs_up("server")

    run_virtually(main)
    assert call.result.outcome is Outcome.PASSED


def test_the_fixture_for_calls_may_too(project: pytest.Pytester) -> None:
    project.makepyfile(
        test_own="""
        import pytest

        @pytest.mark.audiosocket(server={"script": [[0.5, "hang_up"]], "module": "os:system"})
        async def test_own(audiosocket_call):
            await audiosocket_call.expect_hangs_up("server")
        """
    )
    run_pytest(project, "-p", "no:syrupy", "test_own.py").assert_outcomes(passed=1)
