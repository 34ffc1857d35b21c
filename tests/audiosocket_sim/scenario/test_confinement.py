"""What a scenario may ask of a server when nobody trusts it: files of its own folders, and no code."""

import shutil
from pathlib import Path

import pytest

from audiosocket_core.phrase_book.shipped import SHIPPED
from audiosocket_sim.scenario.confinement import is_within, own_folders, untrusted_settings
from audiosocket_sim.scenario.paths import nearest_folder

SIM = SHIPPED / "recordings" / "pt-br" / "sim.wav"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's project with scenarios from elsewhere, and beside it what is nobody's business.

    home/ is the home folder, and home/work the working folder.
    """
    nearest_folder.cache_clear()
    own = ("project/scenarios/own", "project/recordings", "project/audio/prompts")
    for name in ("home/work", "home/.ssh", *own, "etc"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "project/recordings/manifest.yaml").write_text("[]\n")
    for name in ("etc/secret.wav", "home/secret.wav", "home/work/mine.wav", "project/scenarios/own/music.slin"):
        shutil.copy(SIM, tmp_path / name)
    shutil.copy(SIM, tmp_path / "project/audio/waiting.slin")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "home" / "work")
    return tmp_path


def faults(project: Path, text: str) -> list[str]:
    found = list(untrusted_settings({"audio": {"file": text}}, project / "project" / "scenarios"))
    assert all(path == ("audio", "file") for path, _ in found)
    return [what for _, what in found]


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "text",
    [
        "",
        "…",
        "Condomínio Apoena, em que posso ajudar?",
        "Horário: das 8:00 às 18:00.",
        "12:30",
        "pt-BR-AntonioNeural",
        "embedded",
        "http://127.0.0.1:8000/messages",
        "ws://127.0.0.1:9090",
        "localhost:8080",
        "own/music.slin",
        "recordings",
        "audio/prompts",
        "audio/waiting.slin",
        "mine.wav",
        "not/there/yet.wav",
        "a\0b",
        "Bom dia.\nEm que posso ajudar?",
        "x" * 10_000,
        "{here}/project/scenarios/own/music.slin",
        "{here}/project/scenarios/new/log.txt",
        "{here}/project/audio/waiting.slin",
        "{here}/project/recordings",
        "{here}/home/work/mine.wav",
        "~/work/mine.wav",
        f"{SHIPPED}/audio/waiting.slin",
        "own/../own/music.slin",
    ],
)
def test_what_a_scenario_may_name(text: str, project: Path) -> None:
    assert faults(project, text.replace("{here}", str(project))) == []


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "text",
    [
        "evil:make",
        "os:system",
        "helpers.scripted_bot:serve",
        "a.b.c:D.e",
        "módulo:faz",
        " evil:make\n",
        "_x:_y",
        "e·l:load",
        "mo\u0301d:load",
    ],
)
def test_code_is_not_named(text: str, project: Path) -> None:
    (what,) = faults(project, text)
    assert what.startswith(f"file: {text!r} names code, which is not taken from a scenario that is not trusted")


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "text",
    [
        "/etc/passwd",
        "{here}/etc/secret.wav",
        "{here}/project",
        "{here}/project/scenarios/../../etc/secret.wav",
        "{here}/projects",
        "{here}/home/secret.wav",
        "~/secret.wav",
        "~",
        "~/.ssh",
        "../../etc/secret.wav",
        "../secret.wav",
        "own/../../../etc/new.log",
        "..",
        "linked/secret.wav",
        "link.wav",
        "book",
        "{here}/nothing/is/here",
        " /etc/passwd",
        "/etc/passwd\n",
        "{here}/a\n/../b",
        "own\n/../../../../etc/secret.wav",
    ],
)
def test_files_of_other_folders_are_not_named(text: str, project: Path) -> None:
    scenarios = project / "project" / "scenarios"
    (scenarios / "linked").symlink_to(project / "etc")
    (scenarios / "link.wav").symlink_to(project / "etc" / "secret.wav")
    (scenarios / "book").symlink_to(project / "etc", target_is_directory=True)
    text = text.replace("{here}", str(project))
    (what,) = faults(project, text)
    assert what.startswith(f"file: {text!r} leads out of the scenario's folders, which is not taken")


def test_an_address_of_a_file_is_a_file(project: Path) -> None:
    assert "is an address of a file" in faults(project, "file:///etc/passwd")[0]
    assert "is an address of a file" in faults(project, " FILE:/etc/passwd")[0]


@pytest.mark.every(3)
@pytest.mark.parametrize("listed", ["../../../etc/secret.wav", "{here}/etc/secret.wav", "link.wav"])
@pytest.mark.parametrize("key", ["file", '"fi\\u006ce"'])
def test_a_phrase_book_lists_no_file_of_another_folder(listed: str, key: str, project: Path) -> None:
    book = project / "project" / "scenarios" / "own"
    (book / "link.wav").symlink_to(project / "etc" / "secret.wav")
    file = listed.replace("{here}", str(project))
    (book / "manifest.yaml").write_text(f'- {{{key}: "{file}", text: Oi., language: pt-BR}}\n')
    for text in ("own", "own/manifest.yaml"):
        assert "has a manifest.yaml that leads out of the scenario's folders" in faults(project, text)[0]
    (book / "manifest.yaml").write_text("- {file: music.slin, text: Oi., language: pt-BR}\n")
    assert faults(project, "own") == []
    (book / "manifest.yaml").write_text("- [\n")
    assert faults(project, "own") == [], "what cannot be read lists nothing"


def test_every_text_is_looked_at(project: Path) -> None:
    settings = {
        "speech": {"engine": "evil:make", "phrase_books": ["recordings", "/etc"], "language": "pt-BR"},
        "deep": [{"evil:key": [1, None, True, {"x": "~/y"}]}],
    }
    found = dict(untrusted_settings(settings, project / "project" / "scenarios"))
    assert set(found) == {
        ("speech", "engine"),
        ("speech", "phrase_books", 1),
        ("deep", 0, "evil:key"),
        ("deep", 0, "evil:key", 3, "x"),
    }
    assert found["speech", "phrase_books", 1].startswith("phrase_books: '/etc' leads out")


def test_the_working_folder_counts_unless_it_holds_the_home_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert project / "home" / "work" in own_folders(None)
    for wide in (project / "home", project, Path("/")):
        monkeypatch.chdir(wide)
        assert wide not in own_folders(None)
        assert "leads out" in faults(project, "/etc/hostname")[0]


def test_without_a_folder_of_its_own_a_scenario_has_the_shipped_files(project: Path) -> None:
    assert list(untrusted_settings({"a": f"{SHIPPED}/audio/waiting.slin"}, None)) == []
    assert len(list(untrusted_settings({"a": str(project / "project" / "scenarios" / "x")}, None))) == 1


def test_links_count_as_what_they_point_to(project: Path) -> None:
    (project / "etc" / "back").symlink_to(project / "project")
    assert is_within(project / "etc" / "back" / "x", (project / "project",))
    assert not is_within(project / "etc" / "x", (project / "project",))
    (project / "alias").symlink_to(project / "project")
    assert is_within(project / "project" / "x", (project / "alias",))
