"""Of one stretch of speech the page tells one thing, with one set of figures."""

from dataclasses import replace

from helpers.reported_calls import saved

from audiosocket_sim.call_log.events import BotSpoke, CallEnded, DefectFound, LogEvent
from audiosocket_sim.report.call.lane_items import lanes_of
from audiosocket_sim.report.call.tables import transcript_rows

SENTENCE = BotSpoke("Até logo.", 400, 1760, "prompt")
MISSING = DefectFound("damage", "“Até logo.”: 500 ms are missing in it, in 5 places", 500, 500, "lost")


def told(*events: tuple[int, LogEvent]) -> tuple[str, str, str, str]:
    """The note and the tone of the bot's row in the transcript, and its text and its tooltip in the lanes."""
    call = saved(*events)
    row = next(one for one in transcript_rows(call.entries) if one.who == "bot")
    item = next(lane for lane in lanes_of(call) if lane.id == "bot").items[0]
    return row.note, row.tone, item.text, item.title


def ended(who: str) -> LogEvent:
    return CallEnded(who, "fin", "ends", "")


def test_a_sentence_that_the_bot_breaks_off_is_cut_off() -> None:
    assert told((10_000, SENTENCE), (12_000, ended("caller"))) == (
        "cut off: 0.40 s of 1.76 s",
        "bad",
        "Até logo. ✂",
        "the bot: Até logo.; cut off: 0.40 s of 1.76 s",
    )
    assert told((10_000, SENTENCE), (10_400, ended("server")))[0] == "cut off: 0.40 s of 1.76 s"


def test_a_sentence_that_the_bot_pauses_and_goes_on_with_is_not_cut_off() -> None:
    paused, rest = replace(SENTENCE, paused_ms=800), replace(SENTENCE, heard_ms=1360, skipped_ms=400, resumed_ms=800)
    call = saved((10_000, paused), (11_200, rest), (14_000, ended("caller")))
    rows = [(row.note, row.tone) for row in transcript_rows(call.entries) if row.who == "bot"]
    assert rows == [("paused at 0.40 s of 1.76 s", "bot"), ("goes on after 0.80 s where it was, to its end", "bot")]
    items = next(lane for lane in lanes_of(call) if lane.id == "bot").items
    assert [(item.text, item.title) for item in items] == [
        ("Até logo.", "the bot: Até logo.; paused at 0.40 s of 1.76 s"),
        ("Até logo.", "the bot: Até logo.; goes on after 0.80 s where it was, to its end"),
    ]


def test_what_is_gone_on_with_until_the_test_hangs_up_is_not_cut_off_by_the_bot() -> None:
    rest = replace(SENTENCE, heard_ms=600, skipped_ms=400, resumed_ms=800)
    note, tone, text, title = told((10_000, rest), (10_600, ended("caller")))
    assert note == "goes on after 0.80 s where it was, 1.00 s of 1.76 s, when the caller hung up"
    assert (tone, text, title) == ("bot", "Até logo.", "the bot: Até logo.; 1.00 s of 1.76 s, when the caller hung up")


def test_a_sentence_in_which_the_test_hangs_up_is_not_cut_off_by_the_bot() -> None:
    assert told((10_000, SENTENCE), (10_400, ended("caller"))) == (
        "0.40 s of 1.76 s, when the caller hung up",
        "bot",
        "Até logo.",
        "the bot: Até logo.; 0.40 s of 1.76 s, when the caller hung up",
    )


def test_where_pieces_are_missing_the_defect_alone_says_how_much() -> None:
    lost = BotSpoke("Até logo.", 1740, 2330, "prompt", skipped_ms=80)
    note, tone, text, title = told((10_000, lost), (10_300, MISSING), (12_000, ended("server")))
    assert (note, tone, text) == ("1.74 s heard, with pieces missing", "bad", "Até logo.")
    assert title == "the bot: Até logo.; with pieces missing"


def test_what_a_phone_drops_of_sound_that_comes_too_soon_is_not_cut_off_by_the_bot() -> None:
    note, tone, text, _ = told((10_000, BotSpoke("Até logo.", 1200, 1760, ahead_ms=900)), (20_000, ended("server")))
    assert note == "1.20 s heard, with pieces missing, sent 0.90 s ahead: a phone drops it"
    assert (tone, text) == ("bad", "Até logo.")


def test_holes_are_told_apart_from_pauses_that_got_longer() -> None:
    note, _, _, title = told((900, BotSpoke(None, 2330, gap_ms=600, hole_ms=360)))
    assert (note, title) == ("2.33 s, holes of 360 ms, pauses longer by 240 ms", "the bot: speech; holes of 360 ms")
    assert told((900, BotSpoke(None, 2330, gap_ms=360, hole_ms=360)))[0] == "2.33 s, holes of 360 ms"
