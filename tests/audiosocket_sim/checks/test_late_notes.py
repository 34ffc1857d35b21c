"""The notes on what our own late packets can have done to a bot. Arithmetic, no call."""

from helpers.logs import entries

from audiosocket_sim.call_log.events import BackendAsked, CallerSpoke
from audiosocket_sim.checks.late_notes import late_notes
from audiosocket_sim.checks.lateness import LateBy, LatenessRecord, WasLate

SENTENCE = (2000, CallerSpoke("Quero falar com o 202.", "x", 3000))


def late(*found: tuple[int, int]) -> LatenessRecord:
    return LatenessRecord(WasLate(LateBy.PACKET, at_ms, late_ms) for at_ms, late_ms in found)


def test_a_hole_is_noted_once_where_it_began() -> None:
    record = late((2500, 80), (2500, 60), (2500, 40), (4000, 50), (9000, 500))
    notes = late_notes(entries(SENTENCE), record)
    assert [at_ms for at_ms, _ in notes] == [2420, 3950]
    assert notes[0][1].startswith("our own packets left up to 80 ms late: a hole in the caller's words for the bot")
    assert "reacted" not in notes[0][1]


def test_what_the_bot_did_behind_it_is_not_put_down_to_him() -> None:
    log = entries(SENTENCE, (3300, BackendAsked(1, "", "Quero falar")))
    first, second = late_notes(log, late((2500, 80), (4000, 50)))
    assert first[1].endswith("which may have taken it for their end: it reacted at 3.300")
    assert "reacted" not in second[1]


def test_without_late_packets_there_is_no_note() -> None:
    assert late_notes(entries(SENTENCE), late((2500, 39))) == []


def test_the_stalls_of_a_bot_that_this_machine_kept_from_running() -> None:
    log = entries(SENTENCE, (3300, BackendAsked(1, "", "Quero falar")))
    record = LatenessRecord(WasLate(LateBy.BOT, *one) for one in ((500, 600), (2500, 250), (7000, 1500), (8000, 199)))
    kept = "this machine kept the bot from running for"
    why = "(no processor, stopped, or waiting for a disk)"
    assert late_notes(log, record) == [
        (0, f"{kept} 600 ms {why}"),
        (2250, f"{kept} 250 ms {why}, which may have taken it for their end: it reacted at 3.300"),
    ]
    assert late_notes([*log, *entries((7000, BackendAsked(2, "", "x")))], record)[2:] == [
        (5500, f"{kept} 1.50 s {why}")
    ]
