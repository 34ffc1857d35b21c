"""The waits for a bot's answers at the end of a call, measured on the sound of both sides."""

from pathlib import Path

import pytest

from audiosocket_core.slin import read_audio, silence
from audiosocket_sim.call_log.events import BotSpoke, CallEnded, CallLog, Source
from audiosocket_sim.live.captured_call import Packet
from audiosocket_sim.live.mic.latencies import answer_waits, waits_line

SAID = read_audio(Path(__file__).resolve().parents[4] / "recordings/pt-br/quero_falar_com_o_apartamento_202.wav")


def test_the_waits_of_two_answers() -> None:
    said_ms = len(SAID) // 16
    second_ms = 1000 + said_ms + 6000
    voice = silence(1000) + SAID + silence(6000) + SAID + silence(6000)
    packets = [Packet(at // 16, voice[at : at + 320]) for at in range(0, len(voice), 320)]
    log = CallLog()
    for at_ms in (1000 + said_ms + 800, second_ms + said_ms + 2000):
        log.add(at_ms, Source.BOT, BotSpoke(None, 900, None))
    log.add(len(voice) // 16, Source.END, CallEnded("caller", "hangup_message", True, "", None))
    waits = answer_waits(packets, log.entries)
    assert waits == pytest.approx([800, 2000], abs=250)  # the recording ends with some silence
    assert waits_line(waits).startswith("answers: 2, after median 1.")
    assert f"worst {waits[1] / 1000:.2f} s" in waits_line(waits)


def test_one_answer_and_none() -> None:
    assert waits_line([640]) == "answers: 1, after 0.64 s from the end of your last word to the bot's first sound"
    assert waits_line(answer_waits([], [])) == "answers: none measured"
