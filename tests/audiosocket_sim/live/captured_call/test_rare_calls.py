"""What few captured calls have: a wideband phone, a mute in the middle, odd answers, a file system without links."""

import json
import os
import stat
import wave
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from audiosocket_core.messages import Kind, encode
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import mix, read_audio, silence
from audiosocket_sim.live.capture.convert import captured_call
from audiosocket_sim.live.capture.tape import Tape
from audiosocket_sim.live.captured_call import (
    Answer,
    BotPacket,
    CapturedCall,
    CapturedPush,
    CapturedRecognition,
    Ending,
    Exchange,
    NameTaken,
    Packet,
    ReportedState,
    free_name,
    redact,
    write_scenario,
    write_sound_and_cassette,
)
from audiosocket_sim.live.captured_call import files as captured_files
from audiosocket_sim.live.captured_call.ai_replies import captured_replies
from audiosocket_sim.live.captured_call.analysis import KnownSounds
from audiosocket_sim.live.captured_call.bot_hearing import HoldStretch, Sentence
from audiosocket_sim.live.captured_call.caller_actions import Muted, caller_actions
from audiosocket_sim.live.captured_call.cassette import cassette
from audiosocket_sim.live.captured_call.steps import steps_of
from audiosocket_sim.live.captured_call.track import assemble_track
from audiosocket_sim.phone.line import tone
from audiosocket_sim.scenario.loading import load

ROOT = Path(__file__).resolve().parents[4]
WORDS = read_audio(ROOT / "recordings" / "pt-br" / "obrigado_tchau.wav")
HOLD = (ROOT / "audio" / "waiting.slin").read_bytes()
ID = UUID("0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57")
NOTHING_KNOWN = KnownSounds(PhraseBook([]), b"")
PLAIN: dict[str, Any] = {"content": {"mensagem": "Oi."}}


def packets(pcm: bytes, at_ms: int = 20, size: int = 320, every_ms: int = 20) -> tuple[Packet, ...]:
    return tuple(Packet(at_ms + every_ms * n, pcm[at : at + size]) for n, at in enumerate(range(0, len(pcm), size)))


def bot_packets(pcm: bytes) -> tuple[BotPacket, ...]:
    return tuple(BotPacket(packet.at_ms, 8000, packet.payload) for packet in packets(pcm))


def call(caller: Sequence[Packet] = (), **more: Any) -> CapturedCall:
    more.setdefault("ending", Ending(20_000, "server", "hangup_message"))
    return CapturedCall(ID, caller=tuple(caller), **more)


def pushed(answered: Mapping[str, Any], *pushes: CapturedPush, at_ms: int = 2_000) -> list[Any]:
    asked = Exchange(1_000, "Sim.", "x", Answer(at_ms, 200, answered))
    found = captured_replies(call(exchanges=(asked,), pushes=pushes, backend_captured=True))
    return [*found.replies, *found.left_out]


# --- the phone


def test_a_phone_that_is_mute_in_mid_call_is_muted_there() -> None:
    sent = [p for p in packets(bytes(320 * 300)) if not 2_000 <= p.at_ms < 4_000]
    track = assemble_track(sent, 8000, 20)
    assert caller_actions((), (), track, Ending(6_000, "server", "fin")) == (Muted(2_000, 4_000),)


def test_how_the_call_came_is_written(tmp_path: Path) -> None:
    sound = silence(4_000) + silence(4_000)  # 4 s at 16 kHz
    wide = call(packets(sound, size=1280, every_ms=40), attach="chan", rate_hz=16_000, packet_time_ms=40)
    asterisk = load(write_scenario(wide, tmp_path, "wide", ear=NOTHING_KNOWN)).asterisk
    assert (asterisk.attach, asterisk.rate_hz, asterisk.packet_time, asterisk.uuid) == ("chan", 16_000, 40, str(ID))


@pytest.mark.long("quicker tests of this file are run")
def test_a_lines_echo_of_the_bot_is_left_out_and_noted(tmp_path: Path) -> None:
    bot = silence(1_000) + WORDS + silence(1_000) + WORDS + silence(3_000)
    late = bytes(16 * 120) + bot[: -16 * 120]
    path = write_scenario(
        call(packets(mix(silence(len(bot) // 16), late)), bot=bot_packets(bot)), tmp_path, "echo", ear=NOTHING_KNOWN
    )
    assert "# left out: the line's echo of the bot, 1" in path.read_text(encoding="utf-8")
    assert not list((tmp_path / "echo").glob("utterance_*.wav"))


def test_a_piece_at_the_end_of_a_stream_is_no_message() -> None:
    frame = encode(Kind.SLIN8, bytes(320))
    caller = [(0.0, encode(Kind.UUID, ID.bytes)), (0.02, frame + frame[:100])]
    found = captured_call(Tape(0.0, 3600.0, uuid=ID.hex, caller=caller), version="22.10", attach="app")
    assert found is not None
    assert found.caller == (Packet(20, bytes(320)),)


def test_sound_that_catches_up_slowly_leaves_the_gap_that_200_ms_do_not_make_good() -> None:
    """100 ms late, and then a packet every 18 ms: the eleventh after it, 198 ms later, is late by 78 ms still."""
    early, late = packets(bytes(3200)), packets(bytes(19_200), at_ms=320, every_ms=18)
    track = assemble_track((*early, *late), 8000, 20)
    assert [(gap.start_ms, gap.end_ms) for gap in track.gaps] == [(220, 298)]


# --- the bot


def hold_music(ear: KnownSounds) -> CapturedCall:
    music = (HOLD * 3)[: 320 * 300]
    return redact(call(packets(bytes(320 * 300)), bot=bot_packets(music), ending=Ending(6_000, "caller", "fin")), ear)


def test_hold_music_that_plays_until_the_end_is_kept_when_a_call_is_redacted() -> None:
    redacted = hold_music(KnownSounds(PhraseBook([]), HOLD))
    sound = b"".join(packet.payload for packet in redacted.bot)
    assert sound[320 * 100 : 320 * 200] in HOLD * 3


def test_a_greeting_that_is_known_and_not_ours_is_set(tmp_path: Path) -> None:
    book = PhraseBook.load(ROOT / "audio" / "prompts")
    phrase = next(p for p in book.phrases if "Vou verificar" in p.text)
    sound = silence(1_000) + phrase.pcm + silence(4_000)
    states = (ReportedState(100, "STANDBY", "IA_TURN"),)
    heard = call(packets(bytes(len(sound))), bot=bot_packets(sound), states=states)
    path = write_scenario(heard, tmp_path, "greeted", ear=KnownSounds(book, b""))
    assert load(path).server["greeting"]["message"] == phrase.text


@pytest.mark.every(4)
@pytest.mark.parametrize("states", [(), (ReportedState(100, "idle", "speaking"),)], ids=["none", "its own"])
@pytest.mark.parametrize("server", [None, {}], ids=["inferred", "--no-server"])
def test_of_a_bot_that_is_not_ours_no_setting_and_no_reply_is_guessed(
    states: tuple[ReportedState, ...], server: dict[str, object] | None, tmp_path: Path
) -> None:
    book = PhraseBook.load(ROOT / "audio" / "prompts")
    phrase = next(p for p in book.phrases if "Vou verificar" in p.text)
    bot = bot_packets(silence(100) + phrase.pcm + silence(6_000) + phrase.pcm + silence(1_000))
    heard = (CapturedRecognition(6_500, "Obrigado, tchau."),) if states else ()
    told = call(packets(silence(4_000) + WORDS + silence(7_000)), bot=bot, states=states, recognised=heard)
    path = write_scenario(told, tmp_path, "theirs", ear=KnownSounds(book, b""), server=server)
    assert (load(path).server, load(path).ai) == ({}, ())
    text = path.read_text(encoding="utf-8")
    assert phrase.text in text
    assert ("# text unknown: neither" in text, "not recognised" in text) == (not states, False)


def test_what_lies_in_a_sentence_that_was_waited_for_is_no_step_of_its_own() -> None:
    bot = [Sentence(1_000, 5_000, "Um momento."), Sentence(2_000, 3_000, "Alô?")]
    steps = steps_of((), bot, [HoldStretch(2_500, 4_000)], Ending(9_000, "caller", "fin"), files="f")
    assert [step.value for step in steps] == [
        {"bot_says": "Um momento.", "within": "3s"},
        "close",
        {"hangs_up": "caller", "within": "1s"},
    ]


# --- the backend


def test_a_status_inside_the_content_is_written_as_nested() -> None:
    answered = {"content": {"mensagem": "Oi.", "set_call_status": "WAITING"}}
    asked = Exchange(1_000, "Sim.", "x", Answer(1_000, 200, answered))
    (reply,) = captured_replies(call(exchanges=(asked,), backend_captured=True)).replies
    assert reply == {
        "hears": "Sim.", "after": "0ms", "says": "Oi.", "set_call_status": "WAITING", "nested_status": True
    }  # fmt: skip


def test_of_a_push_with_more_than_words_and_status_those_two_are_written() -> None:
    rich = {"content": {"mensagem": "Suba.", "dados": {"bloco": 2}}, "set_call_status": "STANDBY"}
    odd = {"content": "Suba.", "set_call_status": 7}
    (reply,) = pushed(PLAIN, CapturedPush(3_000, rich), CapturedPush(4_000, odd))
    first, second = reply["then_pushes"]
    assert first == {"after": "1s", "says": "Suba.", "set_call_status": "STANDBY"}
    assert second["after"] == "1s"
    assert "set_call_status" not in second


def test_a_push_before_any_answer_is_left_out_with_its_reason() -> None:
    assert pushed(PLAIN, CapturedPush(1_500, PLAIN))[1:] == ["a push that came before any answer"]
    assert pushed(PLAIN, CapturedPush(25_000, PLAIN))[1:] == ["a push that came after the end of the call"]


def test_a_fault_is_kept_in_the_cassette() -> None:
    asked = Exchange(1_000, "Sim.", "x", Answer(1_300, fault="reset"))
    kept = json.loads(cassette(call(exchanges=(asked,), backend_captured=True)))
    assert kept["exchanges"][0]["answer"] == {"at_ms": 1_300, "fault": "reset"}


# --- files


def test_a_scenario_that_appears_while_ours_is_written_is_left_alone(tmp_path: Path) -> None:
    def fill(making: Path) -> None:
        (making / "call").mkdir()
        (making / "call.yaml").write_text("ours", encoding="utf-8")
        (tmp_path / "call.yaml").write_text("theirs", encoding="utf-8")

    with pytest.raises(FileExistsError):
        captured_files.put_in_place(tmp_path, "call", fill)
    assert [(p.name, p.read_text(encoding="utf-8")) for p in tmp_path.iterdir()] == [("call.yaml", "theirs")]


def test_a_file_system_without_links_gets_the_files_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(made: Path, place: Path) -> None:
        raise PermissionError(1, "Operation not permitted", str(place))

    monkeypatch.setattr(os, "link", no_links)
    path = write_scenario(call(packets(WORDS)), tmp_path, "call", ear=NOTHING_KNOWN)
    assert load(path).asterisk.uuid == str(ID)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_names_run_out_with_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(captured_files, "_MOST_NAMES", 4)
    for name in ("call", "call_2", "call_3"):
        (tmp_path / name).mkdir()
    with pytest.raises(NameTaken, match="there are already 4 calls named call"):
        free_name(tmp_path, "call")


def test_what_remains_of_a_call_takes_no_name_twice_and_is_laid_at_8_khz(tmp_path: Path) -> None:
    wide = call(packets(tone(1_000, 440, -12) * 2, size=640), rate_hz=16_000, attach="chan")
    with wave.open(str(write_sound_and_cassette(wide, tmp_path, "call") / "call.wav")) as file:
        assert (file.getframerate(), file.getnchannels()) == (8000, 2)
        stereo = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert len(stereo) == pytest.approx(8000, abs=200)
    with pytest.raises(NameTaken, match="call"):
        write_sound_and_cassette(wide, tmp_path, "call")


def test_a_tape_without_a_uuid_or_of_another_protocol_holds_no_call() -> None:
    assert captured_call(Tape(0.0, 10.0), version="22.10", attach="app") is None
