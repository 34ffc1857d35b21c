"""The order of what happened, and that looking at it costs nothing."""

from audiosocket_sim.call_log.events import CallLog, Noted, Source


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
