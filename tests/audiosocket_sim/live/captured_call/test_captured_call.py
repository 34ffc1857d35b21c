"""A captured call becomes a scenario: track, utterances, texts, and the files written. Pure parts."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from audiosocket_core.messages import Kind, encode
from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_core.slin import gain, mix, read_audio, silence
from audiosocket_sim.live.capture.convert import captured_call
from audiosocket_sim.live.capture.tape import ReportedEvent, Tape
from audiosocket_sim.live.captured_call import (
    Answer,
    CapturedCall,
    CapturedPush,
    CapturedRecognition,
    CapturedUtterance,
    Ending,
    Exchange,
    KeyPressed,
    NameTaken,
    Packet,
    free_name,
    write_scenario,
)
from audiosocket_sim.live.captured_call.ai_replies import captured_replies, guessed_replies
from audiosocket_sim.live.captured_call.analysis import KnownSounds
from audiosocket_sim.live.captured_call.bot_hearing import HoldStretch, Sentence
from audiosocket_sim.live.captured_call.caller_actions import KeyPresses, Muted, Spoke, caller_actions
from audiosocket_sim.live.captured_call.echo_detection import find_echo
from audiosocket_sim.live.captured_call.scenario_yaml import scenario_yaml
from audiosocket_sim.live.captured_call.segmentation import cut_utterances, mutes, noise_floor_dbfs
from audiosocket_sim.live.captured_call.steps import WrittenStep, steps_of
from audiosocket_sim.live.captured_call.text_pairing import Turn, pair_with_texts, understood_turns
from audiosocket_sim.live.captured_call.track import Gap, assemble_track
from audiosocket_sim.phone.line import LineModel
from audiosocket_sim.scenario.loading import load, load_text
from audiosocket_sim.scenario_files import has_modeline

RECORDINGS = Path(__file__).resolve().parents[4] / "recordings" / "pt-br"
SPEECH = read_audio(RECORDINGS / "obrigado_tchau.wav")
PROMPT = read_audio(RECORDINGS / "quero_falar_com_o_apartamento_202.wav")
ID = UUID("0f3b6c1e-5d2a-4c7e-9b1f-2a6d8e4c0b57")
NOTHING_KNOWN = KnownSounds(PhraseBook([]), b"")


def packets(pcm: bytes, at_ms: int = 20, size: int = 320) -> list[Packet]:
    pieces = [pcm[at : at + size] for at in range(0, len(pcm), size)]
    return [Packet(at_ms + 20 * index, piece) for index, piece in enumerate(pieces)]


def call(caller: Sequence[Packet] = (), **more: Any) -> CapturedCall:
    more.setdefault("ending", Ending(20_000, "server", "hangup_message"))
    return CapturedCall(ID, caller=tuple(caller), **more)


# --- laying


def test_late_packets_that_come_in_a_burst_leave_no_hole() -> None:
    sent = packets(bytes(320 * 50))
    late = [Packet(max(p.at_ms, 460) if 300 < p.at_ms < 460 else p.at_ms, p.payload) for p in sent]
    assert assemble_track(late, 8000, 20).gaps == ()
    assert assemble_track(late, 8000, 20).end_ms == 1020  # the first packet stands at 20 ms


def test_what_never_came_is_a_hole_and_the_rest_stands_where_it_belongs() -> None:
    sent = packets(b"\1\0" * 160 * 50)
    gone = [p for p in sent if not 300 <= p.at_ms < 700]
    track = assemble_track(gone, 8000, 20)
    assert track.gaps == (Gap(300, 700),)
    assert track.part(300, 700) == bytes(16 * 400)
    assert track.part(700, 1020) == b"\1\0" * 8 * 320


def test_a_phone_that_begins_late_was_mute_before() -> None:
    assert mutes(assemble_track(packets(bytes(3200), at_ms=1_000), 8000, 20)) == (Gap(0, 1_000),)


def test_a_flood_at_one_instant_is_one_sound() -> None:
    """Comparing each packet with all others of the same instant would take minutes."""
    track = assemble_track([Packet(1_000, b"\x01\x00")] * 100_000, 8000, 20)
    assert [(gap.start_ms, gap.end_ms) for gap in track.gaps] == []
    assert len(track.pcm) == 2 * 100_000


def test_other_rates_are_resampled_to_8_khz() -> None:
    track = assemble_track([Packet(20 * (n + 1), bytes(640)) for n in range(50)], 16_000, 20)
    assert track.end_ms == 1020


# --- cutting


def noisy(pcm: bytes, dbfs: float | None) -> bytes:
    return LineModel("none", dbfs).send(pcm)


@pytest.mark.parametrize("noise", [None, -60.0, -50.0])
def test_an_utterance_is_cut_with_some_sound_around_it(noise: float | None) -> None:
    sound = noisy(silence(2_000) + SPEECH + silence(3_000) + SPEECH + silence(2_000), noise)
    track = assemble_track(packets(sound, at_ms=0), 8000, 20)
    first, second = cut_utterances(track)
    length = len(SPEECH) // 16
    assert 2_000 - 100 <= first.speech_start_ms <= 2_000 + 400
    assert first.start_ms == first.speech_start_ms - 300
    assert first.end_ms == first.speech_end_ms + 300
    assert 5_000 + length - 100 <= second.speech_start_ms <= 5_000 + length + 400
    floor = noise_floor_dbfs(track, (first, second))
    assert floor == noise if noise is None else floor == pytest.approx(noise, abs=1)


def test_a_cut_reaches_into_no_mute_and_no_other_utterance() -> None:
    start = 2_000
    sent = packets(silence(start) + SPEECH + SPEECH, at_ms=0)
    muted = [p for p in sent if not 1_000 <= p.at_ms < 2_100]
    (only, *others) = cut_utterances(assemble_track(muted, 8000, 20))
    assert only.start_ms >= 2_100
    assert all(other.start_ms >= only.end_ms for other in others)


def test_noise_alone_is_not_an_utterance() -> None:
    assert cut_utterances(assemble_track(packets(noisy(silence(5_000), -45.0), at_ms=0), 8000, 20)) == ()


@pytest.mark.parametrize("behind_ms", [0, 1, 20])
def test_a_bot_that_repeats_the_caller_is_not_an_echo_on_the_line(behind_ms: int) -> None:
    """An echo server, the first that anyone writes, sends back what it got."""
    heard = noisy(silence(1_000) + SPEECH + silence(1_000), -60.0)
    track = assemble_track(packets(heard, at_ms=0), 8000, 20)
    assert find_echo(track, silence(behind_ms) + heard) is None


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize("noise", [None, -60.0])
def test_a_line_that_brings_back_nothing_but_the_bot_has_no_utterance(noise: float | None) -> None:
    bot = PROMPT + silence(500) + PROMPT + silence(500)
    track = assemble_track(packets(noisy(silence(40) + bot, noise), at_ms=0), 8000, 20)
    assert cut_utterances(track, find_echo(track, bot)) == ()


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize(("delay_ms", "gain_db"), [(80, -12.0), (300, -25.0)])
def test_the_bots_echo_is_not_an_utterance_but_the_caller_over_it_is(delay_ms: int, gain_db: float) -> None:
    bot = silence(1_000) + PROMPT + silence(6_000)
    echo = silence(delay_ms) + gain(bot, gain_db)
    caller = silence(5_500) + SPEECH
    track = assemble_track(packets(noisy(mix(echo, caller), -60.0), at_ms=0), 8000, 20)
    found = find_echo(track, bot)
    assert found is not None
    assert found.delay_ms == pytest.approx(delay_ms, abs=1)
    (only,) = cut_utterances(track, found)
    assert 5_500 - 100 <= only.speech_start_ms <= 5_900
    assert find_echo(assemble_track(packets(noisy(caller, -60.0), at_ms=0), 8000, 20), bot) is None


# --- pairing


def said(start: int, end: int) -> CapturedUtterance:
    return CapturedUtterance(start - 300, end + 300, start, end)


def texts(utterances: Sequence[CapturedUtterance]) -> list[tuple[int, int, str | None]]:
    return [(u.speech_start_ms, u.speech_end_ms, u.text) for u in utterances]


def test_each_text_belongs_to_the_last_speech_before_it() -> None:
    paired = pair_with_texts([said(1_000, 2_000), said(8_000, 9_000)], [Turn(4_000, "a"), Turn(11_000, "b")], [])
    assert texts(paired) == [(1_000, 2_000, "a"), (8_000, 9_000, "b")]


def test_what_came_to_no_text_was_not_recognised() -> None:
    paired = pair_with_texts([said(1_000, 2_000), said(8_000, 9_000)], [Turn(11_000, "b")], [])
    assert texts(paired) == [(1_000, 2_000, None), (8_000, 9_000, "b")]


def test_a_pause_that_did_not_end_the_turn_is_inside_the_utterance() -> None:
    paired = pair_with_texts([said(1_000, 2_000), said(3_200, 4_000)], [Turn(6_000, "a b")], [])
    assert texts(paired) == [(1_000, 4_000, "a b")]
    assert (paired[0].start_ms, paired[0].end_ms) == (700, 4_300)


def test_speech_over_a_bot_that_went_on_is_not_part_of_the_turn() -> None:
    greeting = Sentence(500, 2_500)
    paired = pair_with_texts([said(1_000, 2_000), said(3_200, 4_000)], [Turn(6_000, "b")], [greeting])
    assert texts(paired) == [(1_000, 2_000, None), (3_200, 4_000, "b")]


def test_a_turn_that_was_too_long_is_paired_with_the_speech_that_goes_on() -> None:
    assert texts(pair_with_texts([said(1_000, 18_000)], [Turn(16_000, "a")], [])) == [(1_000, 18_000, "a")]


def test_texts_come_from_the_backend_else_from_the_control_api() -> None:
    known = [CapturedRecognition(900, ""), CapturedRecognition(1_000, "sim")]
    asked = [Exchange(1_010, "sim", "x"), Exchange(1_200, "sim", "x"), Exchange(9_000, "sim", "x")]
    assert understood_turns(call(recognised=tuple(known))) == (Turn(1_000, "sim"),)
    both = call(recognised=tuple(known), exchanges=tuple(asked), backend_captured=True)
    assert understood_turns(both) == (Turn(1_010, "sim"), Turn(9_000, "sim"))  # asked again at once: a redirect


# --- keys and mutes


def test_a_key_is_as_long_as_the_hole_before_it() -> None:
    sent = [p for p in packets(bytes(320 * 100)) if not 500 <= p.at_ms < 640]
    track = assemble_track(sent, 8000, 20)
    assert caller_actions((), [KeyPressed(635, "5")], track, Ending(2_000, "caller", "fin")) == (
        KeyPresses(495, 635, "5"),
    )


def test_keys_in_one_gap_are_separated() -> None:
    """A real Asterisk sends no sound between two keys that are pressed in quick succession."""
    sent = [p for p in packets(bytes(320 * 100)) if not 500 <= p.at_ms < 900]
    found = caller_actions(
        (), [KeyPressed(620, "4"), KeyPressed(880, "2")], assemble_track(sent, 8000, 20), Ending(2_000, "caller", "fin")
    )
    assert found == (KeyPresses(480, 620, "4"), KeyPresses(780, 880, "2"))


def test_a_phone_that_stops_sending_is_muted_to_the_end() -> None:
    track = assemble_track(packets(bytes(320 * 100)), 8000, 20)
    assert caller_actions((), (), track, Ending(5_000, "server", "fin")) == (Muted(2_020, None),)


def test_where_the_mutes_are_known_other_gaps_are_none() -> None:
    """With the microphone: this machine stood still for a second, which is no mute of the caller's."""
    sent = [p for p in packets(bytes(320 * 200)) if not 1_000 <= p.at_ms < 2_000]
    track, known = assemble_track(sent, 8000, 20), Muted(2_500, 2_600)
    assert caller_actions((), (), track, Ending(6_000, "server", "fin"), [known]) == (known,)


# --- steps


def written(*events: object, ending: Ending | None = None, **more: Any) -> list[WrittenStep]:
    did = [e for e in events if isinstance(e, Spoke | KeyPresses | Muted)]
    bot = [e for e in events if isinstance(e, Sentence)]
    holds = [e for e in events if isinstance(e, HoldStretch)]
    return steps_of(did, bot, holds, ending or Ending(20_000, "server", "hangup_message"), files="f", **more)


SERVER_ENDS = WrittenStep("expect", {"hangs_up": {"who": "server", "how": "hangup_message"}, "within": "2.5s"})


def test_the_caller_answers_the_bots_words() -> None:
    steps = written(
        Sentence(2_300, 4_600, "Alô?"),
        Spoke(1, CapturedUtterance(5_000, 8_000, 5_300, 7_700, "Sim.")),
        Sentence(10_000, 12_000, "Tchau."),
        ending=Ending(12_500, "server", "hangup_message"),
    )
    assert steps == [
        WrittenStep("expect", {"bot_says": "Alô?", "within": "4.5s"}),
        WrittenStep("say", {"file": "f/utterance_1.wav", "text": "Sim."}, {"after": "390ms"}),
        WrittenStep("expect", {"bot_says": "Tchau.", "within": "4s"}),
        WrittenStep("expect", {"hangs_up": {"who": "server", "how": "hangup_message"}, "within": "3.5s"}),
    ]


def test_talking_over_the_bot_hangs_on_its_voice() -> None:
    steps = written(
        Sentence(2_300, 4_000, None),
        Spoke(1, CapturedUtterance(2_900, 5_000, 3_200, 4_700)),
        ending=Ending(5_000, "nobody", "interrupted"),
    )
    assert steps == [
        WrittenStep("expect", {"bot_speaks": {"at_least": "600ms"}, "within": "4.5s"}),
        WrittenStep("say", {"file": "f/utterance_1.wav"}, {"after": "0ms"}, "not recognised"),
    ]


def test_an_unread_voice_is_waited_for_until_it_is_silent() -> None:
    steps = written(
        Sentence(2_300, 4_000),
        Sentence(4_900, 6_000),
        Spoke(1, CapturedUtterance(7_000, 9_000, 7_300, 8_700, "Sim.")),
        ending=Ending(9_000, "nobody", "interrupted"),
    )
    assert steps == [
        WrittenStep("expect", {"bot_speaks": {"at_least": "500ms"}, "within": "4.5s"}),
        WrittenStep("expect", {"bot_silent": {"at_least": "600ms"}, "within": "9s"}),
        WrittenStep("say", {"file": "f/utterance_1.wav", "text": "Sim."}, {"after": "390ms"}),
    ]


def test_two_answers_in_an_unread_voice_are_two_steps() -> None:
    steps = written(Sentence(2_300, 4_000), Sentence(5_300, 6_000), apart=[5_000], hints={5_300: "Pode subir."})
    keys = [next(iter(step.value)) for step in steps]
    assert keys == ["bot_speaks", "bot_silent", "bot_speaks", "hangs_up"]
    assert steps[2].comment == "the backend had said: Pode subir."


def test_a_bot_that_speaks_while_the_caller_does_is_expected_all_the_same() -> None:
    steps = written(
        Spoke(1, CapturedUtterance(1_000, 5_000, 1_300, 4_700, "Alô.")), Sentence(4_000, 6_000, "Pois não?")
    )
    assert steps[0].value["blocks"] is False
    assert steps[1] == WrittenStep("expect", {"bot_says": "Pois não?", "within": "5.5s"})


def test_keys_pressed_alike_are_one_step_and_others_are_not() -> None:
    even = [KeyPresses(1_000 + 300 * n, 1_100 + 300 * n, str(n)) for n in range(3)]
    steps = written(*even, KeyPresses(4_000, 4_200, "#"))
    assert steps[:2] == [
        WrittenStep("dtmf", "012", {"gap": "200ms", "after": "1s"}),
        WrittenStep("dtmf", "#", {"tone": "200ms", "after": "2.1s"}),
    ]


def test_what_follows_a_key_sooner_than_another_key_does_is_not_delayed() -> None:
    even = [KeyPresses(1_000 + 300 * n, 1_100 + 300 * n, str(n)) for n in range(3)]
    muted = written(*even, Muted(1_800, 3_000))  # sooner after the last key than the keys after each other
    assert [(step.key, step.value, step.beside) for step in muted[:3]] == [
        ("dtmf", "01", {"after": "1s", "gap": "200ms"}),
        ("dtmf", "2", {"after": "0ms", "gap": "80ms"}),
        ("mute", "1.2s", {"after": "10ms"}),
    ]


def test_keys_pressed_unevenly_are_steps_of_their_own() -> None:
    uneven = [KeyPresses(1_000, 1_100, "1"), KeyPresses(1_200, 1_300, "2"), KeyPresses(1_900, 2_000, "3")]
    steps = written(*uneven)
    assert [(step.value, step.beside.get("after")) for step in steps[:2]] == [("12", "1s"), ("3", "500ms")]


def test_a_mute_with_nothing_in_it_is_one_step() -> None:
    assert written(Muted(1_000, 3_000))[0] == WrittenStep("mute", "2s", {"after": "990ms"})


def test_a_mute_in_which_the_bot_speaks_is_switched_on_and_off() -> None:
    steps = written(Muted(1_000, 6_000), Sentence(2_000, 3_000, "Alô?"))
    assert [(step.key, step.value) for step in steps if step.key == "mute"] == [("mute", "on"), ("mute", "off")]
    assert [step.key for step in steps] == ["mute", "expect", "mute", "expect"]


def test_hold_audio_is_expected_where_it_began() -> None:
    steps = written(HoldStretch(5_000, 9_000), Sentence(9_300, 10_000, "Pode subir."))
    assert [step.value for step in steps[:2]] == [
        {"hold_audio": "playing", "within": "8s"},
        {"bot_says": "Pode subir.", "within": "7s"},
    ]


@pytest.mark.parametrize(
    ("ending", "wanted"),
    [
        (Ending(3_000, "caller", "fin"), [("hang_up", "close"), ("expect", {"hangs_up": "caller", "within": "1s"})]),
        (Ending(3_000, "caller", "reset"), [("hang_up", "reset"), ("expect", {"hangs_up": "caller", "within": "1s"})]),
        (Ending(3_000, "asterisk", "protocol"), [("expect", {"hangs_up": "asterisk", "within": "6.5s"})]),
        (Ending(3_000, "nobody", "interrupted"), [("wait", "3s")]),
    ],
)
def test_it_ends_as_it_ended(ending: Ending, wanted: list[tuple[str, Any]]) -> None:
    assert [(step.key, step.value) for step in written(ending=ending)] == wanted


# --- the backend


BODY = {"content": {"mensagem": "Oi.", "dados": {}, "valid_for_action": False}, "set_call_status": "WAITING"}


def replies(*exchanges: Exchange, pushes: Sequence[CapturedPush] = ()) -> list[Any]:
    return list(captured_replies(call(exchanges=exchanges, pushes=tuple(pushes), backend_captured=True)).replies)


def test_a_plain_answer_is_said_and_any_other_is_its_body() -> None:
    rich = {**BODY, "content": {**BODY["content"], "dados": {"intent_type": "x"}}}  # type: ignore[dict-item]
    assert replies(
        Exchange(1_000, "Sim.", "x", Answer(1_400, 200, BODY)), Exchange(5_000, "Não.", "x", Answer(5_000, 200, rich))
    ) == [
        {"hears": "Sim.", "after": "400ms", "says": "Oi.", "set_call_status": "WAITING"},
        {"hears": "Não.", "after": "0ms", "body": rich},
    ]


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (Answer(1_300, 404, None), "http_404"),
        (Answer(1_300, 503, {}), "http_500"),
        (Answer(1_300, 200, None), "invalid_json"),
        (Answer(1_300, fault="reset"), "reset"),
    ],
)
def test_a_fault_is_a_fault(answer: Answer, fault: str) -> None:
    assert replies(Exchange(1_000, "Sim.", "x", answer)) == [{"hears": "Sim.", "after": "300ms", "fault": fault}]


def test_no_answer_and_a_backend_that_refuses() -> None:
    assert replies(Exchange(1_000, "Sim.", "x")) == [{"hears": "Sim.", "fault": "no_answer"}]
    assert replies(Exchange(1_000, "Sim.", "x", Answer(1_000, fault="refused"))) == [{"fault": "refused"}]


def test_pushes_stand_behind_their_answer_each_after_the_one_before() -> None:
    (reply,) = replies(
        Exchange(1_000, "Sim.", "x", Answer(2_000, 200, BODY)),
        pushes=[CapturedPush(7_000, BODY), CapturedPush(9_000, BODY, 409), CapturedPush(30_000, BODY)],
    )
    assert reply["then_pushes"] == [
        {"after": "5s", "says": "Oi.", "set_call_status": "WAITING"},
        {"after": "2s", "says": "Oi.", "set_call_status": "WAITING", "expect_http": 409},
    ]


def test_without_a_cassette_the_answers_are_what_the_bot_was_heard_to_say() -> None:
    heard = [Sentence(500, 900, "Alô?"), Sentence(3_000, 4_000, "Um momento."), Sentence(9_000, 9_900, "Suba.")]
    guessed = guessed_replies(call(), [Turn(2_000, "Sim.")], heard, [HoldStretch(6_000, 9_000)])
    assert guessed.replies == (
        {
            "hears": "Sim.",
            "says": "Um momento.",
            "set_call_status": "WAITING",
            "then_pushes": [{"after": "6s", "says": "Suba.", "set_call_status": "STANDBY"}],
        },
    )
    silent = guessed_replies(call(), [Turn(2_000, "Sim."), Turn(10_000, "Alô?")], heard, [])
    assert silent.left_out == ("1 answer of the backend: no words of the bot were recognised after the question",)


def test_a_backend_that_was_never_asked_through_the_capture_was_not_captured() -> None:
    tape = Tape(0.0, 3600.0, uuid=ID.hex, caller=[(0.0, encode(Kind.UUID, ID.bytes))], backend_captured=True)
    assert _converted(tape).backend_captured
    tape.reported.append(ReportedEvent(1.0, "sim"))
    assert not _converted(tape).backend_captured


def _converted(tape: Tape) -> CapturedCall:
    found = captured_call(tape, version="22.10", attach="app")
    assert found is not None
    return found


def test_a_tape_is_read_as_messages_with_times_since_the_uuid() -> None:
    frame = encode(Kind.SLIN16, bytes(640))
    tape = Tape(5.0, 3600.0, uuid=ID.hex)
    tape.caller += [(7.0, encode(Kind.UUID, ID.bytes) + frame), (7.5, encode(Kind.DTMF, b"5") + frame + frame)]
    tape.bot += [(7.02, encode(Kind.SLIN8, bytes(320)) + encode(0x77, b"?")), (9.0, encode(Kind.HANGUP) + b"rest")]
    tape.end(9.0, "server", "hangup_message")
    found = _converted(tape)
    assert (found.rate_hz, found.attach, found.packet_time_ms) == (16_000, "chan", 20)
    assert [packet.at_ms for packet in found.caller] == [0, 500, 500]
    assert found.keys == (KeyPressed(500, "5"),)
    assert [(packet.at_ms, packet.rate_hz) for packet in found.bot] == [(20, 8_000)]
    assert found.ending == Ending(2_000, "server", "hangup_message")


def test_an_end_right_after_what_asterisk_does_not_take_is_asterisks() -> None:
    tape = Tape(0.0, 3600.0, uuid=ID.hex, caller=[(0.0, encode(Kind.UUID, ID.bytes))])
    tape.bot.append((3.0, encode(Kind.SLIN8, b"")))
    tape.end(3.01, "caller", "reset")
    assert _converted(tape).ending == Ending(3_010, "asterisk", "protocol")


# --- the files


def test_what_anybody_said_breaks_no_yaml(tmp_path: Path) -> None:
    words = 'Não: "isso" #1 {x} \n- say: pt-br/sim'
    sound = packets(silence(2_000) + SPEECH + silence(2_000))
    asked = Exchange(6_000, words, "x", Answer(6_100, 200, {"content": {"mensagem": words}}))
    path = write_scenario(call(sound, exchanges=(asked,), backend_captured=True), tmp_path, "odd", ear=NOTHING_KNOWN)
    scenario = load(path)
    assert scenario.ai[0].hears == words
    assert scenario.ai[0].says == words
    assert len(scenario.steps) == 3  # say, mute (nothing came after it), hangs_up


def test_a_name_that_is_taken_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "call.yaml").write_text("mine", encoding="utf-8")
    with pytest.raises(NameTaken):
        write_scenario(call(), tmp_path, "call", ear=NOTHING_KNOWN)
    assert [path.name for path in tmp_path.iterdir()] == ["call.yaml"]
    assert free_name(tmp_path, "call") == "call_2"


def test_a_folder_of_that_name_is_left_alone_too(tmp_path: Path) -> None:
    (tmp_path / "call").mkdir()
    (tmp_path / "call" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(NameTaken):
        write_scenario(call(), tmp_path, "call", ear=NOTHING_KNOWN)
    assert [path.name for path in tmp_path.rglob("*")] == ["call", "mine.txt"]


@pytest.mark.long("quicker tests of this file are run")
@settings(deadline=None, max_examples=min(60, settings.default.max_examples))
@example("0\x85", "\x85", "\u2028")
@example("${x}", "$${y $${", "${")
@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_words_come_out_of_the_yaml_as_they_went_in(hears: str, says: str, comment: str) -> None:
    """Also `no`, `12:30`, `- x`, quotes, colons and line ends; lone surrogates become escapes."""
    steps = [WrittenStep("wait", "1s", comment=comment)]
    ai = [{"hears": f"a {hears}", "says": says, "body": None}]
    text = scenario_yaml(f"s {hears}", {"version": "22.10"}, {"codec": "none"}, {}, [{**ai[0]}], steps, notes=[comment])
    scenario = load_text(text)
    assert scenario.ai[0].hears == f"a {hears}"
    assert scenario.ai[0].says == says
    assert len(scenario.steps) == 1


def test_half_characters_become_ones_that_can_be_sent(tmp_path: Path) -> None:
    answer = Answer(6_100, 200, {"content": {"mensagem": "a\udfff", "\ud800": ["\udc00", 1]}})
    asked = Exchange(6_000, "sim \ud800", "x", answer)
    path = write_scenario(call(exchanges=(asked,), backend_captured=True), tmp_path, "half", ear=NOTHING_KNOWN)
    reply = load(path).ai[0]
    assert reply.hears == "sim \ufffd"
    assert reply.body == {"content": {"mensagem": "a\ufffd", "\ufffd": ["\ufffd", 1]}}
    assert "\\ud800" in (path.parent / "half" / "cassette.json").read_text(encoding="utf-8")


def test_a_long_call_may_take_its_time(tmp_path: Path) -> None:
    long = call(ending=Ending(400_000, "server", "fin"))
    assert load(write_scenario(long, tmp_path, "long", ear=NOTHING_KNOWN)).max_duration == 540_000


def test_the_recording_has_both_sides(tmp_path: Path) -> None:
    import wave

    write_scenario(call(packets(SPEECH)), tmp_path, "call", ear=NOTHING_KNOWN)
    with wave.open(str(tmp_path / "call" / "call.wav")) as file:
        stereo = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    assert np.abs(stereo[:, 0]).max() > 1_000
    assert not stereo[:, 1].any()


@pytest.mark.parametrize("notes", [(), ("a note",) * 9])
def test_a_captured_scenario_is_known_as_one_by_its_modeline(notes: tuple[str, ...], tmp_path: Path) -> None:
    text = scenario_yaml("A call.", {"version": "22.10"}, {}, {}, [], [], notes=notes)
    (tmp_path / "call.yaml").write_text(text, encoding="utf-8")
    assert has_modeline(tmp_path / "call.yaml")
    assert text.count("# a note\n") == len(notes)
