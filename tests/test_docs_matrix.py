"""docs/matrix.md and what it is made of: each server with its commit, each failure looked at. No network."""

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "matrix"
PAGE = (ROOT / "docs" / "matrix.md").read_text(encoding="utf-8")
SERVERS: list[dict[str, Any]] = YAML(typ="safe").load((FOLDER / "servers.yaml").read_text(encoding="utf-8"))
FINDINGS: dict[str, Any] = YAML(typ="safe").load((FOLDER / "findings.yaml").read_text(encoding="utf-8"))
SAYS_WHAT = {"name", "language", "what", "from", "licence", "start", "call"}
MAY_SAY = SAYS_WHAT | {"main", "built", "needs", "listens"}


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


matrix_page = module("matrix_page")
make_matrix = module("make_matrix")


def run_of(**outcomes: str) -> dict[str, Any]:
    cases = [{"id": id_.replace("_", "-"), "outcome": outcome} for id_, outcome in outcomes.items()]
    counts = {outcome: [*outcomes.values()].count(outcome) for outcome in outcomes.values()}
    return {"cases": cases, "counts": counts, "trouble": ""}


def test_there_are_ten_servers_or_more_in_four_languages_or_more() -> None:
    assert len({server["name"] for server in SERVERS}) == len(SERVERS) >= 10
    assert len({server["language"] for server in SERVERS}) >= 4


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server["name"])
def test_a_server_is_described_in_full(server: dict[str, Any]) -> None:
    assert SAYS_WHAT <= set(server) <= MAY_SAY
    origin = server["from"]
    assert origin["repository"].startswith("https://github.com/")
    assert re.fullmatch("[0-9a-f]{40}", origin.get("commit", "")) or origin["version"]
    assert ("{port}" in server["start"]) != ("listens" in server)
    assert ("{main}" in server["start"] or "{bin}" in server["start"]) or server["from"].get("npm")
    if "main" in server:
        assert (FOLDER / "mains" / server["main"]).is_file()


def test_each_main_is_one_servers() -> None:
    assert sorted(path.name for path in (FOLDER / "mains").iterdir() if path.is_file()) == sorted(
        server["main"] for server in SERVERS if "main" in server
    )


@pytest.mark.parametrize("server", SERVERS, ids=lambda server: server["name"])
def test_the_page_names_the_server_and_its_commit(server: dict[str, Any]) -> None:
    origin = server["from"]
    assert f"| `{server['name']}` |" in PAGE
    assert f"### {server['name']}" in PAGE
    assert origin["repository"] in PAGE
    assert str(origin.get("commit") or origin["version"]) in PAGE


def test_the_page_has_all_findings() -> None:
    assert set(FINDINGS["theirs"]) <= {server["name"] for server in SERVERS}
    for one in [*FINDINGS["ours"], *[one for found in FINDINGS["theirs"].values() for one in found]]:
        assert one["says"].strip() in PAGE


def test_a_failure_that_nobody_looked_at_is_named() -> None:
    runs = {"ava": run_of(HS_01="pass", HS_02="fail", HS_03="fail", AO_06="warn")}
    found = {"theirs": {"ava": [{"cases": ["HS-02"], "says": "…"}]}, "ours": []}
    assert matrix_page.not_looked_at(runs, found) == ["ava HS-03"]


def test_the_page_tells_the_mains_failures_from_the_librarys() -> None:
    server = next(server for server in SERVERS if server["name"] == "ava")
    found = {
        "theirs": {
            "ava": [
                {"cases": ["HS-02"], "says": "reads one byte"},
                {"cases": ["AO-06"], "whose": "main", "says": "is silent"},
            ]
        },
        "ours": [{"says": "a wrong word", "seen_on": ["ava", "fonoster"]}],
    }
    text = matrix_page.page(
        [server, *SERVERS[-1:]], {"ava": run_of(HS_02="fail", AO_06="fail")}, found, "| the table |"
    )
    assert "- HS-02: reads one byte" in text
    assert "- AO-06 (the main's, not the library's): is silent" in text
    assert "- a wrong word (seen on ava, fonoster)" in text
    assert "2 **failed**" in text
    assert "| the table |" in text


def test_a_folder_at_another_commit_is_refused(tmp_path: Path) -> None:
    server = next(server for server in SERVERS if "commit" in server["from"])
    with pytest.raises(make_matrix.NotAsNamed, match=server["from"]["commit"]):
        make_matrix.look_at(server, tmp_path)


def test_a_package_of_another_version_is_refused(tmp_path: Path) -> None:
    server = next(server for server in SERVERS if "npm" in server["from"])
    package = tmp_path / server["name"] / "node_modules" / server["from"]["npm"]
    package.mkdir(parents=True)
    (package / "package.json").write_text('{"version": "0.0.1"}')
    with pytest.raises(make_matrix.NotAsNamed, match=r"found 0\.0\.1"):
        make_matrix.look_at(server, tmp_path)
    (package / "package.json").write_text(f'{{"version": "{server["from"]["version"]}"}}')
    make_matrix.look_at(server, tmp_path)


def test_the_command_keeps_the_place_of_the_port(tmp_path: Path) -> None:
    for server in SERVERS:
        command = make_matrix.start(server, tmp_path)
        assert command.count("{") == ("{port}" in server["start"])
