"""docs/check.md and docs/check-cases.md: what they show is what the command prints and takes."""

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from audiosocket_sim.cli.main import main
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.features import FEATURES, ROLES
from audiosocket_sim.conformance.probe import LATER_CALLS, TWO_CALLS
from audiosocket_sim.conformance.stated.check_file import read_check_file

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
sys.path.append(str(ROOT / "docs"))
make_check_cases: Any = importlib.import_module("make_check_cases")
BOT = """
from planted import good_server
from planted.handshake import OneReadIsTheUuid
from planted.ways import KINDS


async def serve(**how):
    how["settings"] = {**how["settings"], "planted": {"ways": KINDS["sink"], "fault": OneReadIsTheUuid}}
    return await good_server.serve(**how)
"""


def test_the_table_of_cases_is_that_of_the_catalogue() -> None:
    assert make_check_cases.PAGE.read_text(encoding="utf-8") == make_check_cases.page(), "`make docs` writes it"


def test_the_section_of_a_case_is_one_of_the_protocol() -> None:
    assert [case.id for case in CASES if make_check_cases.anchor_of(case.section) is None] == []


@pytest.mark.long("quicker tests of this file are run")
def test_the_failure_is_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["audiosocket-sim"])
    (tmp_path / "bad_bot.py").write_text(BOT, encoding="utf-8")
    assert main(["check", "--target", "bad_bot:serve", "--only", "HS-02"]) == 1
    shown = re.search(r"```\n(✗ HS-02 .*?)```", PAGE, re.DOTALL)
    assert shown is not None
    assert shown[1] in capsys.readouterr().out


def test_check_yaml_of_the_page_is_valid_and_has_all_roles(tmp_path: Path) -> None:
    shown = re.search(r"```yaml\n(roles: .*?)```", PAGE, re.DOTALL)
    assert shown is not None
    (tmp_path / "check.yaml").write_text(shown[1], encoding="utf-8")
    stated = read_check_file(tmp_path / "check.yaml")
    assert list(stated.roles) == list(ROLES)
    assert (stated.lives, stated.answer_seconds, stated.most_calls) == (30.0, 8.0, 10)
    assert [name for name in FEATURES if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize("name", FEATURES)
def test_check_yaml_takes_each_feature(tmp_path: Path, name: str) -> None:
    (tmp_path / "check.yaml").write_text(f"features: {{{name}: false}}\n", encoding="utf-8")
    stated = read_check_file(tmp_path / "check.yaml")
    assert stated.has(name) is False
    assert stated.stated == {name}


@pytest.mark.parametrize(
    "page", ["README.md", "CHANGELOG.md", "docs/check.md", "audiosocket_sim/cli/check_arguments.py"]
)
def test_a_page_knows_how_many_cases_and_calls_there_are(page: str) -> None:
    calls = sum(case.n_calls(heavy=False) for case in CASES if not case.only_heavy) + len(TWO_CALLS) + len(LATER_CALLS)
    text = " ".join((ROOT / page).read_text(encoding="utf-8").split())
    assert re.findall(r"(\d+) cases.{,15} in at most (\d+) short calls", text) == [
        (str(len(CASES)), str(-calls // 100 * -100))
    ]
