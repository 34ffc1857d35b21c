"""`add-recording`: what it takes, what it refuses, and that the recording can be said at once."""

import shutil
from pathlib import Path

import pytest

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import silence, write_wav
from audiosocket_sim.cli.main import main

ROOT = Path(__file__).resolve().parents[3]
PORTUGUESE = ("--language", "pt-BR")
SIM = ROOT / "recordings" / "pt-br" / "sim.wav"


@pytest.mark.long("quicker tests of this file are run")
def test_it_is_listed_with_its_speech_and_can_be_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["add-recording", str(SIM), "--text", "Claro que sim.", "--language", "pt-BR"]) == 0
    assert capsys.readouterr().out == "recordings/pt-br/claro_que_sim.wav: say it with `- say: pt-br/claro_que_sim`\n"
    phrase = PhraseBook.load(tmp_path / "recordings").by_name("pt-br/claro_que_sim")
    assert phrase is not None
    assert (phrase.text, phrase.duration_ms) == ("Claro que sim.", 1050)
    (tmp_path / "call.yaml").write_text(
        "summary: A call.\nsteps:\n  - expect: {state: USER_TURN, within: 7s}\n  - say: pt-br/claro_que_sim\n"
    )
    assert main(["run", "--target", "audiosocket_server:serve", "call.yaml"]) == 0
    assert "“Claro que sim.”" in capsys.readouterr().out


ADDED = """\
- file: pt-br/claro_que_sim.wav
  text: "Claro que sim."
  language: pt-BR
  voice: own
  duration_ms: 1050
  speech_start_ms: 360
  speech_end_ms: 730
  licence: own
"""


@pytest.mark.long("quicker tests of this file are run")
def test_the_manifest_stays_as_it_is_and_one_entry_more(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    shutil.copytree(ROOT / "recordings", folder)
    before = (folder / "manifest.yaml").read_text(encoding="utf-8")
    assert main(["add-recording", str(SIM), "--text", "Claro que sim.", *PORTUGUESE, "--to", str(folder)]) == 0
    assert (folder / "manifest.yaml").read_text(encoding="utf-8") == before + ADDED
    assert len(PhraseBook.load(folder).phrases) == len(PhraseBook.load(ROOT / "recordings").phrases) + 1


@pytest.mark.every(9)
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ADDED),
        ("# mine\n", "# mine\n" + ADDED),
        ("- {file: a.wav, text: 'A', language: x} # soft", "- {file: a.wav, text: 'A', language: x} # soft\n" + ADDED),
        (
            "  - file: a.wav\n    text: 'A'\n    language: x\n",
            "  - file: a.wav\n    text: 'A'\n    language: x\n" + "".join(f"  {line}\n" for line in ADDED.splitlines()),
        ),
        (
            "- file: a.wav\r\n  text: A\r\n  language: x\r\n",
            "- file: a.wav\r\n  text: A\r\n  language: x\r\n" + ADDED.replace("\n", "\r\n"),
        ),
    ],
    ids=["empty", "a comment", "no newline at its end", "indented", "lines of Windows"],
)
def test_a_manifest_in_its_own_manner(before: str, after: str, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    shutil.copy(SIM, folder / "a.wav")
    (folder / "manifest.yaml").write_bytes(before.encode())
    assert main(["add-recording", str(SIM), "--text", "Claro que sim.", *PORTUGUESE, "--to", str(folder)]) == 0
    assert (folder / "manifest.yaml").read_bytes() == after.encode()


def test_a_manifest_in_one_line_keeps_its_quotes(tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    folder.mkdir()
    shutil.copy(SIM, folder / "a.wav")
    (folder / "manifest.yaml").write_text("[{file: a.wav, text: 'A', language: x, voice: \"x\"}]  # mine\n")
    assert main(["add-recording", str(SIM), "--text", "Claro que sim.", *PORTUGUESE, "--to", str(folder)]) == 0
    text = (folder / "manifest.yaml").read_text(encoding="utf-8")
    assert "{file: a.wav, text: 'A', language: x, voice: \"x\"}" in text
    assert "# mine" in text
    assert [phrase.text for phrase in PhraseBook.load(folder).phrases] == ["A", "Claro que sim."]


DOG = """\
- file: my_dog_1.wav
  kind: non_directed
  voice: own
  duration_ms: 1050
  speech_start_ms: 360
  speech_end_ms: 730
  licence: own
"""
AHA = """\
- file: aha_ana.wav
  kind: backchannel
  text: "Ahã."
  language: pt-BR
  voice: ana
"""


def test_a_sound_that_is_no_turn_goes_to_the_sounds_and_can_be_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(SIM, "My Dog (1).wav")
    assert main(["add-recording", "My Dog (1).wav", "--kind", "non_directed"]) == 0
    assert capsys.readouterr().out == "recordings/sounds/my_dog_1.wav: say it with `- say: sounds/my_dog_1`\n"
    words = ["--text", "Ahã.", *PORTUGUESE, "--voice", "ana", "--name", "sounds/aha_ana"]
    assert main(["add-recording", str(SIM), "--kind", "backchannel", *words, "--to", "recordings/sounds"]) == 0
    assert capsys.readouterr().out == "recordings/sounds/aha_ana.wav: say it with `- say: sounds/aha_ana`\n"
    assert (tmp_path / "recordings/sounds/manifest.yaml").read_text(encoding="utf-8").startswith(DOG + AHA)
    assert not (tmp_path / "recordings/manifest.yaml").exists()
    (tmp_path / "call.yaml").write_text(
        "summary: A dog.\nsteps:\n  - {say: sounds/my_dog_1, after: 0ms}\n  - {say: sounds/aha_ana, after: 0ms}\n"
    )
    assert main(["run", "--target", "audiosocket_server:serve", "call.yaml"]) == 0
    said = capsys.readouterr().out
    assert "sounds/my_dog_1" in said
    assert "“Ahã.”" in said
    assert main(["add-recording", "My Dog (1).wav", "--kind", "vocal_tic"]) == 2
    taken = "sounds/my_dog_1 is in recordings/sounds/manifest.yaml already: choose another --name\n"
    assert capsys.readouterr().err == taken


@pytest.mark.every(8)
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no.wav", "--text", "Oi."], "no.wav: no such file"),
        (["quiet.wav", "--text", "Oi."], "nothing can be heard in it"),
        (["long.wav", "--text", "Oi."], "at most 60 s are taken"),
        (["sim.wav", "--text", " ... "], "--text is empty"),
        (["sim.wav"], "--text is missing: the words that are spoken (none for --kind vocal_tic or non_directed)"),
        (["sim.wav", "--kind", "backchannel"], "--text is missing"),
        (["sim.wav", "--kind", "vocal_tic"], "--language: a sound of the kind vocal_tic has no words"),
        (["sim.wav", "--kind", "vocal_tic", "--text", "Oi."], "--text: a sound of the kind vocal_tic has no words"),
        (["sim.wav", "--text", "Oi.", "--name", "../oi"], "expected lower-case letters"),
        (["sim.wav", "--text", "Oi.", "--name", "pt-br/taken"], "choose another --name"),
        (["text.wav", "--text", "Oi."], "text.wav"),
        (["empty.wav", "--text", "Oi."], "empty.wav: empty: there is no sound in it"),
        (["none.mp3", "--text", "Oi."], "none.mp3: empty: there is no sound in it"),
        (["cut.wav", "--text", "Oi."], "cut.wav: cut off: 56 bytes of sound, and its header says"),
        (["nine.wav", "--text", "Oi."], "nine.wav: 9 channels: from 1 to 8 were expected"),
        (["slow.wav", "--text", "Oi."], "slow.wav: a rate of 500 Hz: from 1000 to 768000 Hz were expected"),
        ([".", "--text", "Oi."], ".: Is a directory: no sound can be read from it"),
    ],
)
def test_what_is_refused_is_one_line_and_leaves_nothing(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(SIM, "sim.wav")
    write_wav(tmp_path / "quiet.wav", silence(1000), 8000)
    write_wav(tmp_path / "long.wav", b"\0\x20\0\xe0" * 8000 * 31, 8000)
    (tmp_path / "text.wav").write_text("no audio")
    write_wav(tmp_path / "empty.wav", b"")
    (tmp_path / "none.mp3").touch()
    (tmp_path / "cut.wav").write_bytes(SIM.read_bytes()[:100])
    write_wav(tmp_path / "nine.wav", b"\0\x20\0\xe0" * 9000, channels=9)
    write_wav(tmp_path / "slow.wav", b"\0\x20\0\xe0" * 9000, rate_hz=500)
    assert main(["add-recording", "sim.wav", "--text", "Taken.", "--name", "pt-br/taken"]) == 0
    capsys.readouterr()
    listed = (tmp_path / "recordings" / "manifest.yaml").read_text()
    assert main(["add-recording", *arguments, "--language", "pt-BR"]) in (2, 3)
    captured = capsys.readouterr()
    assert says in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
    assert (tmp_path / "recordings" / "manifest.yaml").read_text() == listed
    assert {path.name for path in (tmp_path / "recordings").rglob("*.wav")} == {"taken.wav"}


def test_a_file_that_is_there_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "recordings" / "pt-br" / "mine.wav"
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"precious")
    assert main(["add-recording", str(SIM), "--text", "Sim.", "--name", "pt-br/mine"]) == 2
    assert "is there already, and in no manifest" in capsys.readouterr().err
    assert mine.read_bytes() == b"precious"
    shutil.copy(SIM, mine)  # put there by hand, then listed: that is no writing over
    assert main(["add-recording", str(mine), "--text", "Sim.", "--name", "pt-br/mine"]) == 0
