"""The order of what happened, and that looking at it costs nothing."""

import pytest

from audiosocket_sim.call_log.events import BotSpoke, CallLog, Noted, Source, last_word_heard


def test_entries_stand_in_the_order_of_time_source_and_number() -> None:
    log = CallLog()
    log.add(30, Source.END, Noted("d"))
    log.add(10, Source.BOT, Noted("b"))
    log.add(10, Source.PEER, Noted("a"))
    log.add(10, Source.BOT, Noted("c"))
    assert [entry.event for entry in log.entries] == [Noted(what) for what in "abcd"]
    assert [entry.number for entry in log.entries] == [3, 2, 4, 1]


def test_what_was_given_does_not_change_when_something_is_added() -> None:
    log = CallLog()
    log.add(10, Source.PEER, Noted("a"))
    given = log.entries
    log.add(5, Source.PEER, Noted("b"))
    assert len(given) == 1
    assert len(log.entries) == 2


def test_looking_again_sorts_nothing() -> None:
    log = CallLog()
    log.add(10, Source.PEER, Noted("a"))
    assert log.entries is log.entries


@pytest.mark.parametrize(
    ("heard_ms", "skipped_ms", "lost_end_ms"),
    [(1780, 0, 0), (400, 0, 1380), (400, 1380, 0), (400, 1000, 380), (380, 1770, 0)],
)
def test_a_phrase_without_its_beginning_may_be_heard_to_its_end(
    heard_ms: int, skipped_ms: int, lost_end_ms: int
) -> None:
    spoke = BotSpoke("Até logo, tenha um bom dia.", heard_ms, 1780, "prompt", skipped_ms=skipped_ms)
    log = CallLog()
    log.add(1000, Source.BOT, spoke)
    assert spoke.lost_end_ms == lost_end_ms
    assert last_word_heard(log, "server", 1000 + heard_ms) is (not lost_end_ms)
