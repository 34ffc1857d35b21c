"""What the logs of several calls tell: answers for another caller, questions in another's conversation."""

from dataclasses import replace

from helpers.logs import moment, within

from audiosocket_sim.call_log.events import (
    BackendAsked,
    BackendPushed,
    BackendReplied,
    BotSpoke,
    CallEnded,
    CallerAction,
    CallerSpoke,
    CallLog,
    HoldStarted,
    LogEvent,
    Source,
)
from audiosocket_sim.call_log.several import LoggedCall, as_one_log
from audiosocket_sim.checks import OtherCalls, Sent
from audiosocket_sim.checks.cross_talk import CallHeard, broken_off, by_words, has_a_turn_to_answer, said_at
from audiosocket_sim.checks.in_other_calls import ended_with_another, in_other_calls
from audiosocket_sim.scenario.callers import CallerPlace
from audiosocket_sim.scenario.loading import load_text

HIS, HERS = "Pode subir.", "Vou verificar, aguarde um momento."


def says(text: str | None, heard_ms: int = 900) -> BotSpoke:
    return BotSpoke(text, heard_ms, voice="unread" if text is None else "prompt")


def replied(text: str) -> BackendReplied:
    return BackendReplied(1, text, "USER_TURN", 0)


def call(
    name: str,
    *events: tuple[int, LogEvent],
    began_ms: int = 0,
    steps: str = "[{wait: 1s}]",
    ai: str = "[]",
    line: str = "{}",
) -> CallHeard:
    log = CallLog()
    for at_ms, event in events:
        log.add(at_ms, Source.BOT, event)
    scenario = load_text(f"summary: x\nai: {ai}\nline: {line}\nsteps: {steps}\n", name)
    return CallHeard(scenario.model_copy(update={"caller": CallerPlace(name)}), log.entries, began_ms)


def found(*calls: CallHeard) -> list[str]:
    return [f"{name} {at_ms}: {defect.what}" for name, at_ms, defect in by_words(calls)]


def test_an_answer_that_was_given_for_another_is_found_on_both_clocks() -> None:
    ana = call("ana", (3000, replied(HERS)), (3300, says(HERS)))
    bruno = call("bruno", (2000, replied(HIS)), (2800, says(HERS)), began_ms=700)
    assert found(ana, bruno) == [
        f"bruno 2800: bruno heard “{HERS}”: the AI backend had answered ana so 0.50 s before, and not bruno"
    ]


def test_a_part_of_it_and_what_was_pushed_are_found_too() -> None:
    ana = call("ana", (3000, BackendPushed(f"{HIS} {HERS}", None, 202)))
    bruno = call("bruno", (3500, says(HERS)), (5000, says(None)))
    assert len(found(ana, bruno)) == 1


def test_what_was_answered_to_him_too_is_his() -> None:
    ana, bruno = call("ana", (3000, replied(HIS))), call("bruno", (3500, says(HIS)), (4000, replied(HIS)))
    assert found(ana, bruno) == []


def test_what_his_own_steps_expect_is_his() -> None:
    ana = call("ana", (3000, replied(HIS)))
    bruno = call("bruno", (3500, says(HIS)), steps="[{expect: {bot_says: Pode subir}}]")
    assert found(ana, bruno) == []


def test_what_the_bot_had_said_of_itself_is_its_own() -> None:
    """“One moment” is said to everybody, before any backend said so."""
    ana = call("ana", (3000, replied(HIS)), (3300, says(HIS)))
    bruno, carla = call("bruno", (3500, says(HIS))), call("carla", (1000, says(HIS)))
    assert len(found(ana, bruno)) == 1
    assert found(ana, bruno, carla) == []


def test_a_sentence_that_the_bot_may_have_said_of_itself_is_no_cross_talk() -> None:
    """It says goodbye of itself to one caller; to another, in his time, because the backend says so."""
    ana = call("ana", (3000, replied(HIS)), (3300, says(HIS)))
    heard = (8000, says(HIS))
    assert found(ana, call("bruno", (2000, replied(HERS)), (2300, says(HERS)), heard)) == []
    assert found(ana, call("bruno", heard)) == []
    assert len(found(ana, call("bruno", (2000, replied(HERS)), heard))) == 1  # in the place of his own answer
    assert len(found(ana, call("bruno", heard, ai="[{says: x}]"))) == 1  # his backend was never asked
    assert len(found(ana, call("bruno", (3400, says(HIS))))) == 1  # at once
    stopped = call("ana", (3000, replied(HIS)), (3300, replace(says(HIS, 300), whole_ms=990)))
    assert len(found(stopped, call("bruno", heard))) == 1  # she did not hear it to its end


def test_words_that_came_before_the_answer_are_not_the_answer() -> None:
    assert found(call("ana", (3000, replied(HIS))), call("bruno", (2900, says(HIS)))) == []


def test_a_question_in_the_conversation_of_another_is_found() -> None:
    words = "Sim, pode confirmar."
    ana = call("ana", (1000, CallerSpoke("Quero falar.", None, 900)), (9000, BackendAsked(1, "x", words)))
    bruno = call("bruno", (5000, CallerSpoke(words, None, 1700)))
    line = f"ana 9000: the AI backend was asked, for ana, “{words}”: bruno had said that"
    assert found(ana, bruno) == [line]
    assert found(ana, call("bruno", (9500, CallerSpoke(words, None, 1700)))) == []  # he says it later
    both = call("ana", (1000, CallerSpoke(words, None, 900)), (9000, BackendAsked(1, "x", words)))
    assert found(both, bruno) == []
    short = call("ana", (9000, BackendAsked(1, "x", "Sim.")))
    assert found(short, call("bruno", (5000, CallerSpoke("Sim.", None, 700)))) == []


def test_whether_speech_can_be_an_answer() -> None:
    spoke, key = CallerSpoke("x", None, 900), CallerAction("dtmf", "4")
    assert not has_a_turn_to_answer(call("a", (500, says(HIS))).entries, 500)
    assert has_a_turn_to_answer(call("a", (500, says(HIS)), (2000, spoke)).entries, 4000)
    assert has_a_turn_to_answer(call("a", (500, says(HIS)), (2000, key)).entries, 4000)
    assert not has_a_turn_to_answer(call("a", (500, spoke), (2000, says(HIS)), (4000, says(HIS))).entries, 4000)


def test_what_was_being_said() -> None:
    said = call("a", (1000, CallerSpoke("Oi", None, 900)), (3000, CallerSpoke(None, "sounds/dog", 900))).entries
    assert [said_at(said, at_ms) for at_ms in (1500, 3500, 5000)] == ["“Oi”", "the recording sounds/dog", None]


# --- a sentence that another caller stops

CUT = replace(says(HIS, 400), whole_ms=990)


def stopped(*more: tuple[int, LogEvent], onset_ms: int = 1300, line: str = "{}") -> list[str]:
    bruno = call("bruno", (1000, CUT), *more, line=line)
    ana = call("ana", (0, says(None)), (onset_ms - 100, CallerSpoke("Oi", None, 900, ((100, 800),))))
    return [f"{name} {at_ms}: {defect.what}" for name, at_ms, defect in broken_off([ana, bruno])]


def test_a_sentence_that_stops_for_another_caller_is_found() -> None:
    assert stopped() == [f"bruno 1400: the bot broke off “{HIS}” to bruno 0.10 s after ana began to speak"]
    assert stopped(onset_ms=1500) == []  # it had stopped before
    assert stopped(onset_ms=700) == []  # too long before
    assert stopped((6000, CallerSpoke("x", None, 900)), (7000, says(HERS))) != []  # all of that comes later


def test_a_sentence_that_its_own_call_can_have_stopped_is_no_cross_talk() -> None:
    spoke, key = CallerSpoke("x", None, 900), CallerAction("dtmf", "4")
    ended = CallEnded("server", "fin", "ends", "")
    for event in (spoke, key, replied(HIS), BackendPushed(HIS, None, 202), HoldStarted(), says(HERS), ended):
        assert stopped((1350, event)) == []
    for line in ("{noise_dbfs: -50}", "{noise: sounds/street}", "{talker: sounds/talker_a}", "{echo: 80ms}"):
        assert stopped(line=line) == []


# --- what the others tell of a step that failed

NOTHING = Sent((), None, 0, 0, None, (0, 4000))


def lines(others: OtherCalls, sent: Sent | None = NOTHING, *, over: bool = False, text: str = HIS) -> list[str]:
    end = [(100, CallEnded("server", "fin", "ends", ""))] if over else []
    entries = call("a", *end).entries
    return in_other_calls(within(bot_says=text), entries, moment(4000, sent=sent, others=others))


def test_whom_the_bot_serves_meanwhile() -> None:
    ana = OtherCalls(("ana",), ("ana",))
    assert lines(ana) == ["meanwhile it serves ana: can it serve one call at a time only?"]
    assert lines(ana, over=True) == ["it has taken the call of ana"]
    assert lines(OtherCalls(("ana", "bruno", "carla"), ())) == ["it has taken the calls of ana, bruno and carla"]
    assert lines(OtherCalls()) == []
    assert lines(ana, None) == []


def test_whose_call_had_ended_just_before() -> None:
    end = call("a", (100, CallEnded("server", "fin", "ends", ""))).entries
    together = "ana's call had ended 0.04 s before: does the end of one call end all?"
    assert ended_with_another(end, OtherCalls(ended=(("bruno", 200), ("carla", 10), ("ana", 60)))) == [together]
    assert ended_with_another(end, OtherCalls(ended=(("carla", 10),))) == []
    assert ended_with_another([], OtherCalls(ended=(("ana", 60),))) == []


def test_since_when_all_goes_to_the_newest_call() -> None:
    others = OtherCalls(("ana",), (), (), (("ana", 700), ("bruno", -300)))
    sent = Sent((), None, 0, 30, None, (690, 4000))
    assert lines(others, sent) == ["it sent nothing here from 0.690 on, when ana's call began: does it send all to its newest call?"]  # fmt: skip  # noqa: E501


def test_who_heard_the_words_that_were_expected() -> None:
    heard = (("ana", HIS, 3210), ("bruno", HERS, 3000), ("ana", HIS, -5000))
    assert lines(OtherCalls(heard=heard)) == [f"ana heard “{HIS}” at 3.210"]


def test_one_log_of_several_calls() -> None:
    ana = LoggedCall("ana", 0, "x", call("ana", (-5, says(None)), (100, says(HIS)), (700, says(HERS))).entries)
    bruno = LoggedCall("bruno", 700, None, call("bruno", (0, says(HIS))).entries)
    entries, numbers = as_one_log([ana, bruno])
    told = [(one.at_ms, one.caller, one.number, type(one.event).__name__) for one in entries]
    assert told == [
        (-5, "ana", 1, "BotSpoke"),
        (0, "ana", 2, "CallBegan"),
        (100, "ana", 3, "BotSpoke"),
        (700, "ana", 4, "BotSpoke"),
        (700, "bruno", 5, "BotSpoke"),
    ]
    assert numbers == {("ana", 1): 1, ("ana", 0): 2, ("ana", 2): 3, ("ana", 3): 4, ("bruno", 1): 5}
    assert "caller" not in ana.entries[0].to_json()
    assert entries[0].to_json()["caller"] == "ana"
    nothing, _ = as_one_log([LoggedCall("ana", 0, "x", ())])
    assert [type(one.event).__name__ for one in nothing] == ["CallBegan"]
