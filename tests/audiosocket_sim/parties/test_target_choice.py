"""Which target a scenario calls: the order of precedence, the shipped scenarios, and what cannot be used."""

from pathlib import Path

import pytest

from audiosocket_core.phrase_book.shipped import SHIPPED
from audiosocket_sim.parties.target import TargetUsageError
from audiosocket_sim.parties.target_choice import NoTargetError, TargetChoice, choose_target, configured_target


def pyproject(folder: Path, text: str = '[tool.audiosocket-sim]\ntarget = "bot:serve"\n') -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(text, encoding="utf-8")
    return folder


def test_the_command_line_then_the_ini_key_then_pyproject(tmp_path: Path) -> None:
    pyproject(tmp_path)
    choice = choose_target(tmp_path, command_line="a:b", ini="c:d", folder=tmp_path)
    assert choice == TargetChoice("a:b", "--target")
    assert choose_target(tmp_path, ini="c:d", folder=tmp_path).text == "c:d"
    assert choose_target(tmp_path, ini="", folder=tmp_path).text == "bot:serve"


def test_the_folder_of_the_file_that_named_it(tmp_path: Path) -> None:
    inner = pyproject(tmp_path) / "scenarios"
    assert choose_target(tmp_path, folder=inner).folder == tmp_path
    assert choose_target(tmp_path, ini="c:d", folder=inner).folder == inner
    assert choose_target(tmp_path, command_line="a:b", folder=inner).folder is None


def test_the_nearest_pyproject_that_has_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyproject(tmp_path)
    inner = pyproject(tmp_path / "a" / "b", "[project]\nname = 'b'\n")
    monkeypatch.chdir(inner)
    found = choose_target(None)
    assert (found.text, found.origin) == ("bot:serve", f"{tmp_path / 'pyproject.toml'}, [tool.audiosocket-sim]")
    pyproject(inner, "[tool.audiosocket-sim]\ntarget = 'nearer:serve'\n")
    assert str(choose_target(None)) == "nearer:serve (pyproject.toml, [tool.audiosocket-sim])"


def test_a_shipped_scenario_falls_back_on_the_shipped_server(tmp_path: Path) -> None:
    choice = choose_target(SHIPPED / "scenarios", folder=tmp_path)
    assert choice.text == "audiosocket_server:serve"
    assert "shipped" in choice.origin
    assert choose_target(SHIPPED / "scenarios", folder=pyproject(tmp_path)).text == "bot:serve"


@pytest.mark.parametrize("folder", [None, SHIPPED / "scenarios" / "transcripts", SHIPPED, Path("/")])
def test_any_other_scenario_has_no_fallback(folder: Path | None, tmp_path: Path) -> None:
    with pytest.raises(NoTargetError) as none:
        choose_target(folder, folder=tmp_path)
    for word in ("module:callable", "command: PROGRAM", "{port}", "tcp://HOST:PORT", "--target", "pyproject.toml"):
        assert word in str(none.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.audiosocket-sim]\ntraget = 'a:b'\n", "unknown key 'traget'; did you mean 'target'?"),
        ("[tool.audiosocket-sim]\nport = 1\n", "unknown key 'port'; there is 'target'"),
        ("[tool.audiosocket-sim]\ntarget = 1\n", "target: expected module:callable"),
        ("[tool.audiosocket-sim]\ntarget = ' '\n", "target: expected module:callable"),
        ("[tool", "cannot be read for"),
    ],
)
def test_a_pyproject_that_cannot_be_used(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(TargetUsageError) as wrong:
        configured_target(folder=pyproject(tmp_path, text))
    assert str(tmp_path / "pyproject.toml") in str(wrong.value)
    assert said in str(wrong.value)
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("text", ["", "tool = 1\n", "[tool]\naudiosocket-sim = 1\n", "[tool.audiosocket-sim]\n"])
def test_a_pyproject_that_names_none(text: str, tmp_path: Path) -> None:
    assert configured_target(folder=pyproject(tmp_path, text)) is None


@pytest.mark.parametrize(
    ("text", "visible"),
    [
        ("command: bot --api-key s3cret --port {port}", "command: bot --api-key *** --port {port}"),
        ("command: env API_TOKEN=s3cret bot {port}", "command: env API_TOKEN=*** bot {port}"),
        ('command: bot --password "s3 cret" {port}', "command: bot --password *** {port}"),
        ("command: bot --apikey=s3cret {port}", "command: bot --apikey=*** {port}"),
        ("command: token-bot --port {port}", "command: token-bot --port {port}"),
        ("command: bot --monkey wrench {port}", "command: bot --monkey wrench {port}"),
        ("command: bot\n {port}", "command: bot {port}"),
        ("bot:serve", "bot:serve"),
    ],
)
def test_secrets_of_a_command_are_not_shown(text: str, visible: str) -> None:
    assert TargetChoice(text, "--target").visible == visible
