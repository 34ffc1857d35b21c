"""`learn-voice`: the speech of a recorded call becomes prompts, which the ear reads from then on without a reader."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import interleave, silence
from audiosocket_core.wav import wav_bytes
from audiosocket_sim.cli.main import main
from audiosocket_sim.running.runner import Options, run
from audiosocket_sim.scenario.loading import load_text
from audiosocket_sim.scenario.paths import nearest_folder

CALL = """\
summary: A call to a bot with a voice of its own.
server:
  script: [[0.5, say, recordings/pt-br/sim], [2.5, say, recordings/pt-br/obrigado_tchau], [5, say, pt-br/pode_subir]]
steps:
  - expect: {bot_says: "Obrigado, tchau.", within: 4s}
  - wait: 4s
"""
BOOK = "helpers.readers:of_the_book"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def called(folder: Path, text: str = CALL, **how: Any) -> Any:
    scenario = load_text(text, name="learns", folder=folder)
    return run(scenario, Options(target="helpers.scripted_bot:serve", artefacts=folder / "runs" / "learns", **how))


def made_call(folder: Path, *events: dict[str, Any], sound: bytes | None = None) -> Path:
    call = folder / "made"
    call.mkdir()
    (call / "call.jsonl").write_text("".join(json.dumps({"type": "BotSpoke", **event}) + "\n" for event in events))
    tone = b"\0\x10\0\xf0" * 8000
    wav = wav_bytes(interleave(silence(2000), tone), 8000, channels=2) if sound is None else sound
    (call / "call.wav").write_bytes(wav)
    return call


@pytest.mark.long("what is learnt is held by the tests of the ear")
def test_a_voice_that_was_learned_is_read_by_its_sound(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(folder, f"{CALL.partition('steps:')[0]}steps: [{{wait: 7s}}]").passed
    assert main(["learn-voice", "runs/learns", "--reader", BOOK, "--text", "1=Sim, claro."]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("1  0.851  “Sim, claro.”  audio/prompts/pt-br/sim_claro.wav")
    assert said[1].endswith("“Obrigado, tchau.”  audio/prompts/pt-br/obrigado_tchau.wav")
    assert said[2].endswith("left out: the ear knows it already")
    assert [(p.text, p.voice) for p in PhraseBook.load(folder / "audio" / "prompts").phrases] == [
        ("Sim, claro.", "bot"),
        ("Obrigado, tchau.", "bot"),
    ]
    nearest_folder.cache_clear()  # a run of its own looks for the folder anew
    result = called(folder)
    assert result.passed, result.problems
    assert "“Sim, claro.”" in result.transcript
    assert main(["learn-voice", "runs/learns", "--text", "1=Sim, claro."]) == 0
    assert capsys.readouterr().out.count("the ear knows it already") == 3


@pytest.mark.long("texts are typed")
def test_texts_that_were_read_in_the_call_are_taken(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = called(folder, reader=BOOK)
    assert first.passed, first.problems
    assert main(["learn-voice", "runs/learns"]) == 0
    assert "“Sim.”" in capsys.readouterr().out


def test_texts_may_be_typed(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    call = made_call(folder, *({"at_ms": at, "heard_ms": 300, "text": "Bom dia."} for at in (100, 600, 1200)))
    monkeypatch.setattr("sys.stdin", io.StringIO("\nBoa tarde.\n\n"))
    assert main(["learn-voice", str(call), "--ask", "--language", "pt-PT", "--voice", "ana"]) == 0
    asked = capsys.readouterr()
    assert asked.err.count("text [Bom dia.]: ") == 3
    assert "3  1.200  left out: “Bom dia.” is in audio/prompts already" in asked.out
    phrases = PhraseBook.load(folder / "audio" / "prompts").phrases
    assert [(p.text, p.language, p.voice) for p in phrases] == [
        ("Bom dia.", "pt-PT", "ana"),
        ("Boa tarde.", "pt-PT", "ana"),
    ]


def test_a_sound_that_is_there_with_another_text_is_not_written_again(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = made_call(folder, {"at_ms": 100, "heard_ms": 300, "text": "Bom dia."})
    assert main(["learn-voice", str(call), "--language", "pt-BR"]) == 0
    assert main(["learn-voice", str(call), "--language", "pt-BR", "--text", "1=Boa tarde."]) == 0
    assert capsys.readouterr().out.splitlines()[1] == (
        "1  0.100  left out: this sound is in audio/prompts already, as “Bom dia.”: correct its text in "
        "audio/prompts/manifest.yaml"
    )
    assert [phrase.text for phrase in PhraseBook.load(folder / "audio" / "prompts").phrases] == ["Bom dia."]


def test_what_cannot_be_learned_is_left_out_with_its_reason(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = made_call(
        folder,
        {"at_ms": 100, "heard_ms": 300, "text": None},
        {"at_ms": 600, "heard_ms": 300, "sound": "music"},
        {"at_ms": 1000, "heard_ms": 100},
        {"at_ms": 1200, "heard_ms": 300, "gap_ms": 40},
    )
    assert main(["learn-voice", str(call)]) == 2
    said = capsys.readouterr()
    assert [line.split("left out: ")[1] for line in said.out.splitlines()] == [
        "its words are not known",
        "no speech",
        "no speech",
        "it has gaps of 40 ms",
    ]
    assert said.err == (
        "nothing was learned: the words are not known: give them (--text '1=…'), or name a reader (--reader local)\n"
    )


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("arguments", "code", "line"),
    [
        (
            ["nowhere"],
            2,
            "nowhere/call.jsonl: no such file: expected the folder of a call, with call.jsonl and call.wav",
        ),
        (["made", "--text", "Oi"], 2, "--text Oi: expected NUMBER=TEXT, such as --text '1=Bom dia.'"),
        (["made", "--text", "7=Oi"], 2, "--text 7=…: the bot's speech in made has the numbers 1 to 1"),
        (["made", "--reader", "lokal"], 2, "--reader: a reader is local, none, or module:callable"),
        (["made", "--reader", "no_such_module:read"], 3, "the reader no_such_module:read cannot be imported"),
        (
            ["made", "--text", "1=Xyzzy"],
            2,
            "the language of the texts is not certain: give it, such as",
        ),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    arguments: list[str], code: int, line: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made_call(folder, {"at_ms": 100, "heard_ms": 300})
    assert main(["learn-voice", *arguments]) == code
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(line)


GOOD = '{"type": "BotSpoke", "at_ms": 100, "heard_ms": 300, "text": "Bom dia."}'


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('{"type": "BotSp', "no JSON: the call log is damaged or cut off"),
        ("[" * 100_000, "no JSON: the call log is damaged or cut off"),
        ("\udcff", "no JSON: the call log is damaged or cut off"),
        (GOOD.replace("100", "[]"), "at_ms: expected whole milliseconds from 0 on, not []"),
        (GOOD.replace("100", "1e400"), "at_ms: expected whole milliseconds from 0 on, not inf"),
        (GOOD.replace("300", '"long"'), "heard_ms: expected whole milliseconds from 0 on, not 'long'"),
        (GOOD.replace("300", "-300"), "heard_ms: expected whole milliseconds from 0 on, not -300"),
        (GOOD.replace("300", '300, "gap_ms": {}'), "gap_ms: expected whole milliseconds from 0 on, not {}"),
    ],
    ids=["cut_off", "too_deep", "no_utf_8", "a_list", "no_end", "a_text", "negative", "a_mapping"],
)
def test_a_damaged_call_log_is_said_with_its_line(
    line: str, why: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = made_call(folder)
    (call / "call.jsonl").write_text(f'{GOOD}\n"odd"\n{line}\n', errors="surrogateescape")
    assert main(["learn-voice", str(call)]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.startswith(f"{call}/call.jsonl:3: {why}")


def test_speech_that_the_recording_does_not_hold_is_left_out(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = made_call(
        folder, {"at_ms": 1500, "heard_ms": 900, "text": 5}, {"at_ms": 100, "heard_ms": 300, "text": "Oi."}
    )
    assert main(["learn-voice", str(call), "--language", "pt-BR"]) == 0
    assert capsys.readouterr().out.splitlines()[0] == "1  1.500  left out: call.wav ends before it"


def test_a_folder_that_holds_no_call_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call = made_call(folder)
    assert main(["learn-voice", str(call)]) == 2
    assert "the bot was not heard to speak in this call" in capsys.readouterr().err
    (call / "call.jsonl").write_text("{")
    assert main(["learn-voice", str(call)]) == 2
    (call / "call.wav").write_bytes(wav_bytes(silence(100), 8000))
    (call / "call.jsonl").write_text("")
    assert main(["learn-voice", str(call)]) == 2
    assert "expected two channels at 8 kHz" in capsys.readouterr().err
