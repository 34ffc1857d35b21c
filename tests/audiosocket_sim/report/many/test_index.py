"""The index of many calls: its figures, what it says against runs before, its page, and the files that are written."""

import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from helpers.saved_calls import CALL, HASHES, save_call

from audiosocket_core.slin import interleave, silence, write_wav
from audiosocket_sim.call_log.events import BotSpoke, CallEnded, CallerSpoke, StepFailed
from audiosocket_sim.report.many.call_reports import holds_many_calls, read_run, write_folder_reports, write_index
from audiosocket_sim.report.many.index_baseline import SavedRun, against, trend
from audiosocket_sim.report.many.index_data import figures_of, histogram, slowest, unsteady
from audiosocket_sim.report.many.index_page import IndexContent, index_page
from audiosocket_sim.report.saved.call_folders import named_calls
from audiosocket_sim.report.saved.saved_call import NoSavedCall

SECRET = "Segredo <b>da</b> portaria"


def answered(wait_ms: int) -> list[tuple[int, object]]:
    return [*CALL[:2], (4500 + wait_ms, BotSpoke("Um momento.", 1200, 1200, wait_ms=wait_ms))]


def failed(**more: object) -> dict[str, object]:
    failure = {"where": "c.yaml:3", "what": "step 2 (expect bot_says)", "expected": SECRET, "happened": ["silence"]}
    return {"outcome": "failed", "failures": [{**failure, "at_ms": 7000, **more}]}


def save_run(folder: Path, waits: dict[str, int], **more: object) -> Path:
    for name, wait_ms in waits.items():
        save_call(folder / name, answered(wait_ms), **more)  # type: ignore[arg-type]
    return folder


def run_of(folder: Path) -> SavedRun:
    run, notes = read_run(folder, named_calls(folder))
    assert notes == []
    return run


# --- figures


def test_percentiles_are_measured_values_and_never_is_longer_than_any(tmp_path: Path) -> None:
    save_run(tmp_path, {"a": 400, "b": 800, "c": 1000})
    rows = list(run_of(tmp_path).rows.values())
    figures = figures_of(rows)
    assert (figures.calls, figures.passed, figures.responses) == (3, 3, 3)
    assert (figures.response_p50_ms, figures.response_p95_ms) == (800, 1000)
    asked_in_vain = [
        (1000, CALL[0][1]),
        (3000, CallerSpoke("Alô?", "alo", 500)),
        (30_000, CallEnded("caller", "fin", "", "")),
    ]
    save_call(tmp_path / "d", asked_in_vain)
    figures = figures_of(list(run_of(tmp_path).rows.values()))
    assert (figures.responses, figures.response_p95_ms) == (4, math.inf)


def test_the_slowest_come_first_and_what_asked_for_nothing_is_not_among_them(tmp_path: Path) -> None:
    save_run(tmp_path, {"quick": 300, "slow": 2000, "middling": 900})
    save_call(tmp_path / "silent", [(1000, BotSpoke("Bom dia.", 900))])
    rows = list(run_of(tmp_path).rows.values())
    assert [row.place for row in slowest(rows, lambda row: row.longest_wait_ms)] == ["slow", "middling", "quick"]
    assert len(slowest(rows, lambda row: row.longest_wait_ms, most=1)) == 1


def test_flaky_is_what_passed_and_failed(tmp_path: Path) -> None:
    for number in range(1, 5):
        save_call(tmp_path / f"one[run={number}]", name="one", **(failed() if number == 4 else {}))
        save_call(tmp_path / f"half[run={number}]", name="half", **(failed() if number > 2 else {}))
        save_call(tmp_path / f"good[run={number}]", name="good")
        save_call(tmp_path / f"bad[run={number}]", name="bad", **failed())
    found = unsteady(list(run_of(tmp_path).rows.values()))
    assert [(one.scenario, one.passed, one.failed) for one in found] == [("half", 2, 2), ("one", 3, 1)]
    assert found[1].rate.startswith("3 of 4 passed (75 %")
    assert [row.place for row in found[1].failures] == ["one[run=4]"]


@pytest.mark.parametrize(
    ("values", "never", "bins"),
    [
        ([], 0, []),
        ([], 2, [(math.inf, 2)]),
        ([0, 19, 20, 100], 1, [(0, 2), (20, 1), (40, 0), (60, 0), (80, 0), (100, 1), (math.inf, 1)]),
        ([-30, 10], 0, [(-40, 1), (-20, 0), (0, 1)]),
        ([10**9], 0, [(0, 1)]),
    ],
)
def test_a_histogram_has_equal_bins_and_each_value_in_one(
    values: list[int], never: int, bins: list[tuple[float, int]]
) -> None:
    assert [(one.from_ms, one.count) for one in histogram(values, never)] == bins


def test_a_histogram_has_at_most_16_bins_and_one_for_never() -> None:
    found = histogram(range(0, 60_000, 7), 3)
    assert len(found) <= 17
    assert sum(one.count for one in found) == len(range(0, 60_000, 7)) + 3


# --- against runs before


def test_what_got_slower_or_different_is_named_and_the_rest_counted(tmp_path: Path) -> None:
    before = run_of(save_run(tmp_path / "before", {"slower": 500, "quicker": 900, "same": 700, "gone": 500}))
    save_run(tmp_path / "now", {"slower": 900, "quicker": 600, "same": 715, "new": 500})
    save_call(tmp_path / "before" / "words", answered(700))  # type: ignore[arg-type]
    other = [*CALL[:2], (5200, BotSpoke("Outra coisa.", 1200, 1200, wait_ms=700))]
    save_call(tmp_path / "now" / "words", other)
    before = run_of(tmp_path / "before")
    found = against(before, run_of(tmp_path / "now"))
    assert [(one.now.place, one.slower_ms) for one in found.slower] == [("slower", 400)]
    assert [(one.now.place, one.slower_ms) for one in found.quicker] == [("quicker", -300)]
    assert [one.now.place for one in found.different] == ["words"]
    assert (found.same, found.new, found.gone, found.refused) == (1, ("new",), ("gone",), ())


def test_an_answer_that_no_longer_comes_is_no_slower_one(tmp_path: Path) -> None:
    before = run_of(save_run(tmp_path / "before", {"call": 500}))
    silent = [*CALL[:2], (30_000, CallEnded("caller", "fin", "", ""))]
    save_call(tmp_path / "now" / "call", silent)  # type: ignore[arg-type]
    found = against(before, run_of(tmp_path / "now"))
    assert (found.slower, found.quicker) == ((), ())
    assert [one.now.place for one in found.different] == ["call"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"hashes": {**HASHES, "audio": "x"}}, "another sound of the caller"),
        ({"hashes": {**HASHES, "scenario": "x"}}, "another scenario"),
        ({"hashes": {**HASHES, "profile": "x"}}, "another Asterisk, line, network or ear"),
        ({"seeds": {"line.seed": 2}}, "another seed: line.seed 1 → 2"),
        ({"hashes": {}}, "what it was made from is not known"),
    ],
)
def test_a_call_that_was_made_from_something_else_is_refused(
    more: dict[str, object], reason: str, tmp_path: Path
) -> None:
    before = run_of(save_run(tmp_path / "before", {"call": 500}))
    now = run_of(save_run(tmp_path / "now", {"call": 900}, **more))
    found = against(before, now)
    assert [(one.place, one.reasons) for one in found.refused] == [("call", (reason,))]
    assert (found.slower, found.same) == ((), 0)
    assert trend([before, now])[1] == 0


def test_a_trend_is_over_the_calls_that_every_run_has(tmp_path: Path) -> None:
    runs = [
        run_of(save_run(tmp_path / "1", {"a": 500, "b": 600})),
        run_of(save_run(tmp_path / "2", {"a": 700, "b": 800, "c": 100})),
        run_of(save_run(tmp_path / "3", {"a": 900, "c": 100})),
    ]
    points, calls = trend(runs)
    assert calls == 1
    assert [(point.name, point.figures.response_p50_ms) for point in points] == [("1", 500), ("2", 700), ("3", 900)]


# --- the page


class Seen(HTMLParser):
    """The elements, the text and the attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def page_of(folder: Path, **more: object) -> str:
    return index_page(IndexContent(title="runs", run=run_of(folder), **more))  # type: ignore[arg-type]


def test_the_head_says_which_words_the_page_has(tmp_path: Path) -> None:
    save_run(tmp_path, {"a": 500, "b": 600})
    well = Seen(page_of(tmp_path, links={"a": "./a/report.html"})).text
    assert "This page has no words of the calls and no sound. Each call's own page has its words and its sound." in well
    save_call(tmp_path / "c", **failed())
    badly = Seen(page_of(tmp_path)).text
    assert "This page has a line of each call that did not pass, with words of that call. It has no sound." in badly


def test_the_page_has_each_call_what_went_wrong_and_how_often(tmp_path: Path) -> None:
    save_run(tmp_path, {"a": 500, "b": 600})
    save_call(tmp_path / "c", **failed())
    seen = Seen(page_of(tmp_path, links={"c": "./c/report.html"}))
    assert "3 calls: 1 failed, 2 passed" in seen.text
    assert re.search(r"1 ×\s*expect bot says: the bot", seen.text)
    assert SECRET in seen.text
    assert ("href", "./c/report.html") in seen.attributes
    assert "b" not in seen.tags


def test_the_page_loads_and_runs_nothing_but_itself(tmp_path: Path) -> None:
    hostile = "x\"'><script>alert(1)</script>\u202e\x1b"
    save_call(tmp_path / "a", name=hostile, tags=[hostile], target=hostile, **failed(expected=hostile))
    page = page_of(tmp_path, links={"a": "./a/report.html"}, notes=[hostile])
    seen = Seen(page)
    assert seen.tags.count("script") == 1
    assert not {name for name, _ in seen.attributes if name.startswith("on") or name in ("src", "srcset", "style")}
    assert "\u202e" not in page
    assert "\x1b" not in page
    policy = next(value for name, value in seen.attributes if name == "content" and "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "innerHTML" not in page


def test_redacted_the_index_has_names_times_and_kinds_only(tmp_path: Path) -> None:
    save_call(tmp_path / "pede[nome=Maria]", tags=["maria"], target="maria:serve", **failed(happened=["Maria"]))
    save_call(tmp_path / "pede[nome=Ana]", name="pede[nome=Ana]")
    written = write_folder_reports(tmp_path, redact=True)
    assert written.path == tmp_path / "redacted" / "index.html"
    page = written.path.read_text(encoding="utf-8")
    for word in ("Maria", "maria", "Ana", "Segredo", "portaria"):
        assert word not in page
    assert "pede (2)" in Seen(page).text
    assert "no words of the calls" in page
    assert {path.name for path in written.path.parent.iterdir()} == {"index.html", "1.html", "2.html"}


# --- the files


def test_each_call_has_its_page_beside_it_and_the_index_links_to_it(tmp_path: Path) -> None:
    save_call(tmp_path / "menu" / "a b#[x=1]")
    save_call(tmp_path / "menu" / "a b#[x=1]" / "second-run")
    written = write_folder_reports(tmp_path)
    assert (written.path, written.calls, written.pages) == (tmp_path / "index.html", 1, 1)
    assert (tmp_path / "menu" / "a b#[x=1]" / "report.html").is_file()
    links = [value for name, value in Seen(written.path.read_text(encoding="utf-8")).attributes if name == "href"]
    assert "./menu/a%20b%23%5Bx%3D1%5D/report.html" in links
    assert written.path.stat().st_mode & 0o777 == 0o600


def test_a_folder_of_captured_calls_has_an_index_too(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}.yaml").write_text("steps:\n  - wait: 1s\n", encoding="utf-8")
        write_wav(tmp_path / name / "call.wav", interleave(silence(1000), silence(1000)), channels=2)
    (tmp_path / "sounds").mkdir()  # a sound that is no call
    write_wav(tmp_path / "sounds" / "call.wav", silence(100))
    assert holds_many_calls(tmp_path)
    assert not holds_many_calls(tmp_path / "first")
    written = write_folder_reports(tmp_path)
    assert (written.calls, written.pages, written.notes) == (2, 2, ())
    links = [value for name, value in Seen(written.path.read_text(encoding="utf-8")).attributes if name == "href"]
    assert {"./first/report.html", "./second/report.html"} <= {*links}


def test_a_call_that_cannot_be_read_is_noted(tmp_path: Path) -> None:
    save_call(tmp_path / "a")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "call.jsonl").write_text("nothing\n", encoding="utf-8")
    written = write_folder_reports(tmp_path)
    assert written.calls == 1
    assert len(written.notes) == 1
    assert "b" in written.notes[0]


def test_a_baseline_without_calls_is_refused(tmp_path: Path) -> None:
    run = run_of(save_run(tmp_path / "now", {"a": 500}))
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoSavedCall, match="there is no call in it"):
        write_index(run, tmp_path / "index.html", {}, baselines=[tmp_path / "empty"])


def test_against_a_baseline_the_page_says_what_got_slower_and_shows_the_trend(tmp_path: Path) -> None:
    first, second, now = (
        save_run(tmp_path / name, {"a": wait, "b": 500}) for name, wait in (("1", 500), ("2", 600), ("3", 900))
    )
    written = write_folder_reports(now, baselines=[first, second])
    text = Seen(written.path.read_text(encoding="utf-8")).text
    assert "Against 2" in text
    assert "+300 ms" in text
    assert "Trend over 3 runs" in text
    assert "1 the same" in text


def test_a_step_that_failed_in_an_older_call_has_its_cause(tmp_path: Path) -> None:
    place = save_call(tmp_path / "a", [*CALL, (7000, StepFailed(2, "expect bot_says", "“Pode subir.”", ("silence",)))])
    (place / "result.json").unlink()
    (row,) = run_of(tmp_path).rows.values()
    assert row.outcome == "failed"
    assert row.cause.startswith("expect bot says: the bot")
