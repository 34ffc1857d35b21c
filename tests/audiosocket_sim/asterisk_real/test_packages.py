"""Which Asterisk is found, chosen and fetched, with a mirror of the test's own. No Asterisk, no network is needed."""

import os
import shutil
from pathlib import Path

import pytest
from helpers.fake_debian import FakeDebian

from audiosocket_sim.asterisk_real import AsteriskMissing, Installation, choose, fetch, find, installations
from audiosocket_sim.asterisk_real.__main__ import main
from audiosocket_sim.asterisk_real.apt import madison_version
from audiosocket_sim.asterisk_real.packages import fetch_suites, results
from audiosocket_sim.asterisk_real.suites import SUITES, SuiteResult, base_of, read_record
from audiosocket_sim.asterisk_real.versions import BadVersion

FORKY = "1:22.10.1+dfsg+~cs6.17.60671434-1"
EXPERIMENTAL = "1:22.11.0-rc2+dfsg+~cs6.17.60671434-1"


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeDebian:
    if os.name == "nt":
        pytest.skip("apt's programs are shell scripts here")
    fake = FakeDebian(tmp_path, monkeypatch)
    fake.has(forky=FORKY, sid=FORKY, experimental=EXPERIMENTAL, trixie="", bullseye="1:16.28.0~dfsg-0+deb11u4")
    return fake


def downloads(debian: FakeDebian) -> int:
    return sum("download" in line for line in debian.asked())


# --- fetched from the suites


@pytest.mark.long("what is settled is not asked again")
def test_each_suite_is_tried_and_each_version_fetched_once(debian: FakeDebian) -> None:
    found = {result.suite: result for result in fetch_suites(SUITES)}
    assert list(found) == list(SUITES)
    assert downloads(debian) == 2  # forky and sid have the same
    runs = {suite: result.release for suite, result in found.items() if result.outcome == "runs"}
    assert runs == {"forky": "22.10.1", "sid": "22.10.1", "experimental": "22.11.0-rc2"}
    assert str(found["trixie"]) == "trixie: it has no Asterisk"
    assert str(found["bookworm"]) == "bookworm: the mirror has no such suite"
    assert str(found["bullseye"]).startswith(
        "bullseye: it has no AudioSocket, which came with Asterisk 18 (package 1:16"
    )
    assert [one.version for one in installations()] == ["22.11.0-rc2", "22.10.1"]
    assert results() == found


@pytest.mark.long("it starts processes")
def test_what_is_settled_is_not_asked_again(debian: FakeDebian) -> None:
    suites = ["forky", "trixie", "bullseye"]
    before = list(fetch_suites(suites))
    debian.asked()
    assert list(fetch_suites(suites)) == before
    assert debian.asked() == []
    debian.has(trixie=FORKY)
    assert next(fetch_suites(["trixie"])).outcome == "no_asterisk"
    assert next(fetch_suites(["trixie"], again=True)).release == "22.10.1"


@pytest.mark.long("what is settled is not asked again")
def test_a_version_that_was_deleted_is_fetched_again(debian: FakeDebian) -> None:
    list(fetch_suites(["forky"]))
    shutil.rmtree(debian.cache / "22.10.1")
    assert find() is None
    assert next(fetch_suites(["forky"])).outcome == "runs"
    assert find() is not None


@pytest.mark.long("what is settled is not asked again")
def test_a_mirror_that_cannot_be_reached_is_asked_the_next_time(debian: FakeDebian) -> None:
    debian.has(forky="unreachable")
    failed = next(fetch_suites(["forky"]))
    assert (failed.outcome, failed.is_settled) == ("failed", False)
    assert "Connection failed" in str(failed)
    debian.has(forky=FORKY)
    assert next(fetch_suites(["forky"])).outcome == "runs"


@pytest.mark.long("it starts processes")
def test_a_package_that_does_not_run_here_says_why(debian: FakeDebian) -> None:
    debian.has(forky="0:broken-22.10.1")
    result = next(fetch_suites(["forky"]))
    assert (result.outcome, result.is_settled) == ("does_not_run", False)
    assert "it does not run here: libxml2.so.16: cannot open shared object file" in str(result)
    assert installations() == []


def test_an_unfinished_fetch_leaves_nothing(debian: FakeDebian) -> None:
    debian.has(forky="unreachable")
    list(fetch_suites(["forky"]))
    assert [path.name for path in debian.cache.iterdir()] == ["suites.json"]


@pytest.mark.long("it starts processes")
def test_fetch_alone_takes_the_first_suite_that_has_one(debian: FakeDebian) -> None:
    debian.has(forky="")
    assert fetch().version == "22.10.1"
    assert list(results()) == ["forky", "sid"]
    debian.asked()
    assert fetch().version == "22.10.1"
    assert debian.asked() == []


@pytest.mark.long("the first suite that has one is taken")
def test_fetch_says_what_each_suite_lacked(debian: FakeDebian) -> None:
    debian.has(forky="", sid="", experimental="")
    with pytest.raises(AsteriskMissing, match=r"forky: it has no Asterisk; sid: it has no Asterisk; .*no AudioSocket"):
        fetch()


def test_without_apt_it_is_said_what_is_lacking(debian: FakeDebian, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(AsteriskMissing, match="no apt-get, apt-cache, dpkg-deb to fetch Debian's Asterisk with"):
        fetch()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"sid": 1}', '{"sid": {"outcome": "x"}}', '{"sid": {"no": "field"}}'])
def test_a_record_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "suites.json").write_text(text, encoding="utf-8")
    assert read_record(tmp_path / "suites.json") == {}


def test_madison_names_the_suites_own_version() -> None:
    lines = f"  asterisk | {FORKY} | http://m/debian sid/main amd64 Packages\n"
    lines += f"  asterisk | {EXPERIMENTAL} | http://m/debian experimental/main amd64 Packages\n"
    assert madison_version(lines, "experimental") == EXPERIMENTAL
    assert madison_version(lines, "sid") == FORKY
    assert madison_version(lines, "forky") is None


@pytest.mark.parametrize(
    ("suite", "base"), [("experimental", "sid"), ("trixie-backports", "trixie"), ("sid", None), ("forky", None)]
)
def test_some_suites_are_completed_by_another(suite: str, base: str | None) -> None:
    assert base_of(suite) == base


# --- the command


@pytest.mark.long("a fetch says what was tried")
def test_the_command_lists_what_is_here_and_what_was_tried(
    debian: FakeDebian, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list"]) == 3
    nothing = capsys.readouterr().out
    assert "Here: none" in nothing
    assert "  sid: not tried yet (python -m audiosocket_sim.asterisk_real fetch --all)" in nothing
    assert main(["fetch", "--all"]) == 0
    assert f"experimental: 22.11.0-rc2 runs here (package {EXPERIMENTAL})" in capsys.readouterr().out
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    assert "  Asterisk 22.11.0-rc2: " in listed
    assert "  bullseye: it has no AudioSocket" in listed


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize(("suite", "code"), [("sid", 0), ("trixie", 3), ("nonesuch", 3)])
def test_the_command_fetches_one_suite(
    debian: FakeDebian, capsys: pytest.CaptureFixture[str], suite: str, code: int
) -> None:
    assert main(["fetch", "--suite", suite]) == code
    assert capsys.readouterr().out.startswith(f"{suite}: ")


def test_again_needs_suites_to_ask_again(debian: FakeDebian, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["fetch", "--again"])
    assert "fetch --again: expected --all or --suite NAME beside it" in capsys.readouterr().err
    assert debian.asked() == []


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["fetch", "--help"])
    assert "example: python -m audiosocket_sim.asterisk_real fetch --suite sid" in capsys.readouterr().out


# --- found and chosen


def installed(*versions: str) -> list[Installation]:
    return [Installation(("asterisk",), Path("modules"), Path("data"), version) for version in versions]


HERE = installed("22.11.0-rc2", "22.10.1", "20.6.0", "22.9.0", "22.7.0")


@pytest.mark.parametrize(
    ("asked", "scenario", "chosen"),
    [
        (None, "22.10", "22.10.1"),  # the scenario's own version
        (None, "20.6", "20.6.0"),
        (None, "24.0", "22.11.0-rc2"),  # the newest with the same rules
        (None, "22.8", "22.7.0"),
        (None, "22.4", "22.11.0-rc2"),  # the newest: that its rules are others is said elsewhere
        ("22", "20.6", "22.11.0-rc2"),
        ("22.9", "22.10", "22.9.0"),
        ("22.10.1", "22.10", "22.10.1"),
        ("22.11.0-rc2", "22.10", "22.11.0-rc2"),
    ],
)
def test_one_is_chosen(asked: str | None, scenario: str, chosen: str) -> None:
    assert choose(HERE, asked, scenario).version == chosen


def test_one_that_is_not_here_is_refused_with_those_that_are() -> None:
    with pytest.raises(
        AsteriskMissing, match=r"there is no Asterisk 23 here, only 22\.11\.0-rc2, 22\.10\.1, 20\.6\.0, 22\.9\.0"
    ):
        choose(HERE, "23", "22.10")
    with pytest.raises(AsteriskMissing, match=r"there is no Asterisk here: python -m .* fetch"):
        choose([], None, "22.10")
    with pytest.raises(BadVersion):
        choose(HERE, "newest", "22.10")


@pytest.mark.long("one is chosen from a list")
def test_find_takes_a_version(debian: FakeDebian) -> None:
    list(fetch_suites(["forky", "experimental"]))
    for wanted, version in (("22.10", "22.10.1"), ("22", "22.11.0-rc2"), (None, "22.11.0-rc2")):
        found = find(wanted)
        assert found is not None
        assert found.version == version
    assert find("23") is None


@pytest.mark.long("one is chosen from a list")
def test_the_machines_own_goes_first(debian: FakeDebian, monkeypatch: pytest.MonkeyPatch) -> None:
    list(fetch_suites(["experimental"]))
    own = installed("20.6.0")[0]
    monkeypatch.setattr("audiosocket_sim.asterisk_real.packages._own", lambda: own)
    assert find() == own
    assert find("22") != own
    assert choose(installations(), None, "22.10").version == "22.11.0-rc2"


def test_a_result_is_one_line() -> None:
    assert str(SuiteResult("sid", "runs", "1:22.10.1-1", "22.10.1")) == "sid: 22.10.1 runs here (package 1:22.10.1-1)"
