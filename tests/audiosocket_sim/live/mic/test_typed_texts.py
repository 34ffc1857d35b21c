"""Texts that the caller types after a call, for the scenario of a bot that reports none."""

from pathlib import Path

import pytest

from audiosocket_core.slin import read_audio, silence
from audiosocket_sim.cli import mic as command
from audiosocket_sim.live.captured_call import CapturedCall, Ending, Packet, write_scenario
from audiosocket_sim.live.mic.options import MicOptions
from audiosocket_sim.live.mic.typed_texts import asked_for, question, with_texts

RECORDINGS = Path(__file__).resolve().parents[4] / "recordings" / "pt-br"


@pytest.fixture(scope="module")
def call() -> CapturedCall:
    """A call in which two sentences were said, to a bot that reports nothing."""
    said = [read_audio(RECORDINGS / f"{name}.wav") for name in ("quero_falar_com_o_apartamento_202", "sim")]
    voice = silence(1000) + said[0] + silence(2000) + said[1] + silence(1000)
    packets = tuple(Packet(20 + at // 16, voice[at : at + 320]) for at in range(0, len(voice) - 319, 320))
    return CapturedCall(
        "5f3f0f8e-0000-4000-8000-000000000001", Ending(12_000, "caller", "hangup_message"), caller=packets
    )


def test_each_utterance_is_asked_for_and_gets_its_text(call: CapturedCall, tmp_path: Path) -> None:
    utterances = asked_for(call)
    assert len(utterances) == 2
    assert question(1, utterances[0]).startswith("1: 1.")
    typed = with_texts(call, utterances, ["Quero falar com o 202.", " "])
    assert [one.text for one in typed.recognised] == ["Quero falar com o 202."]
    written = write_scenario(typed, tmp_path, "call").read_text(encoding="utf-8")
    assert "Quero falar com o 202." in written
    assert "\nserver:" not in written  # nothing is guessed of a bot because its caller typed


def test_nobody_is_asked_for_what_the_server_reported(call: CapturedCall) -> None:
    assert asked_for(with_texts(call, asked_for(call), ["Sim."])) == ()
    assert asked_for(CapturedCall(call.uuid, call.ending)) == ()


@pytest.mark.parametrize("answers", [["a", "b"], ["a"]])
def test_the_terminal_asks_until_ctrl_c(
    answers: list[str], call: CapturedCall, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(prompt: str) -> str:
        if not answers:
            raise KeyboardInterrupt
        return answers.pop(0)

    wanted = list(answers)
    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    assert [one.text for one in command._asked(call).recognised] == wanted
    assert "no server reported what you said" in capsys.readouterr().out


def test_the_next_command_names_the_bot_that_was_called(call: CapturedCall) -> None:
    assert command._target(call, MicOptions(host="::1", port=9092)) == "tcp://[::1]:9092"
    assert command._target(call, MicOptions(host="pbx", port=9092)) == "tcp://pbx:9092"
