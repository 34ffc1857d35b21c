"""Saved calls compared: two of them, and two folders; what their making differed in; the command `diff`."""

import json
from pathlib import Path

import pytest
from helpers.saved_calls import CALL, HASHES, save_call

from audiosocket_sim.call_log.events import BotSpoke, HoldStarted
from audiosocket_sim.cli.main import main
from audiosocket_sim.report.diff.call_diff import compare_paths, diff_lines
from audiosocket_sim.report.saved.call_source import read_saved_call
from audiosocket_sim.report.saved.same_call import made_differently, not_comparable
from audiosocket_sim.report.saved.saved_call import NoSavedCall

SLOWER = (*CALL[:2], (5600, BotSpoke("Um momento.", 1200, 1200, wait_ms=1100)))


def lines(first: Path, second: Path, **more: bool) -> list[str]:
    return list(diff_lines(compare_paths(first, second, {}, **more)))


def test_two_calls_that_are_the_same(tmp_path: Path) -> None:
    assert lines(save_call(tmp_path / "a" / "greets"), save_call(tmp_path / "b" / "greets")) == [
        "greets: the same call"
    ]


def test_a_slower_answer(tmp_path: Path) -> None:
    found = lines(save_call(tmp_path / "a" / "greets"), save_call(tmp_path / "b" / "greets", SLOWER))
    assert found == [
        "greets: 1 difference",
        "  moved       5.600  bot      “Um momento.”",
        f"  {'':28}300 ms later: 2.600 s after caller “Apartamento 202.”, 2.300 s before",
        f"  {'':28}the caller's wait 0.800 s → 1.100 s (+300 ms)",
    ]


def test_an_outcome_that_changed_is_a_difference_where_both_are_known(tmp_path: Path) -> None:
    first, second = save_call(tmp_path / "a"), save_call(tmp_path / "b", outcome="failed")
    assert "  changed     8.000  outcome  passed → failed" in lines(first, second)
    (second / "result.json").unlink()
    assert len(lines(first, second)) == 1


def test_folders_are_compared_call_by_call(tmp_path: Path) -> None:
    before, now = tmp_path / "before", tmp_path / "now"
    for name in ("greets", "holds", "old"):
        save_call(before / name)
    for name, call in (("greets", CALL), ("holds", SLOWER), ("sub/new", CALL)):
        save_call(now / name, call)
    save_call(now / "holds" / "second-run")
    found = lines(before, now)
    assert found[0] == "holds: 1 difference"
    assert found[-3:] == ["gone: old", "new: sub/new", "2 calls compared: 1 different, 1 the same, 1 new, 1 gone"]
    assert not any(line.startswith("greets") for line in found)


def test_a_call_that_cannot_be_read_costs_the_others_nothing(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        save_call(tmp_path / folder / "good")
        save_call(tmp_path / folder / "bad")
    (tmp_path / "b" / "bad" / "call.jsonl").write_text("nothing\n", encoding="utf-8")
    found = lines(tmp_path / "a", tmp_path / "b")
    assert len(found) == 2
    assert found[0].startswith(f"not compared: {tmp_path / 'b' / 'bad'}")
    assert found[1] == "1 call compared: 0 different, 1 the same, 1 not read"
    assert compare_paths(tmp_path / "a", tmp_path / "b", {}).differs
    with pytest.raises(NoSavedCall):
        compare_paths(tmp_path / "a" / "bad", tmp_path / "b" / "bad", {})


def test_on_the_real_clock_more_is_allowed(tmp_path: Path) -> None:
    later = (*CALL[:2], (5340, BotSpoke("Um momento.", 1200, 1200, wait_ms=840)))
    virtual = save_call(tmp_path / "a", later)
    assert compare_paths(save_call(tmp_path / "b"), virtual, {}).differs
    assert not compare_paths(save_call(tmp_path / "b", clock="real"), virtual, {}).differs
    much = (*CALL[:2], (5370, BotSpoke("Um momento.", 1200, 1200, wait_ms=870)))
    late = save_call(tmp_path / "c", much, clock="real", own_lateness_ms=30.0)
    assert not compare_paths(save_call(tmp_path / "b", clock="real"), late, {}).differs


def test_one_call_is_not_compared_with_a_folder(tmp_path: Path) -> None:
    one = save_call(tmp_path / "one")
    save_call(tmp_path / "many" / "a")
    for pair in ((one, tmp_path / "many"), (tmp_path / "many", one)):
        with pytest.raises(NoSavedCall, match=r"is one call, and .*many a folder of calls"):
            compare_paths(*pair, {})


def test_what_the_making_of_two_calls_differed_in(tmp_path: Path) -> None:
    first = read_saved_call(save_call(tmp_path / "a", target="bot:one"), sound=False)
    other = {**HASHES, "audio": "b" * 64}
    second = read_saved_call(save_call(tmp_path / "b", target="bot:two", hashes=other, seeds={"line.seed": 2}))
    assert made_differently(first, second) == [
        "another sound of the caller",
        "another seed: line.seed 1 → 2",
        "another target: bot:one → bot:two",
    ]
    assert not_comparable(first, second) == ["another sound of the caller", "another seed: line.seed 1 → 2"]
    assert not_comparable(first, first) == []
    unknown = read_saved_call(save_call(tmp_path / "c", hashes=None))
    assert not_comparable(first, unknown) == ["what it was made from is not known"]


@pytest.mark.parametrize("key", sorted(HASHES))
def test_each_hash_counts(key: str, tmp_path: Path) -> None:
    first = read_saved_call(save_call(tmp_path / "a"))
    second = read_saved_call(save_call(tmp_path / "b", hashes={**HASHES, key: "other"}))
    assert len(not_comparable(first, second)) == 1


def test_redacted_no_word_of_either_call_is_shown(tmp_path: Path) -> None:
    first = save_call(tmp_path / "a", [*CALL, (8000, HoldStarted(file="segredo.wav"))])
    second = save_call(
        tmp_path / "b", target="segredo:serve", call=[(at, BotSpoke("Outra coisa.", 500)) for at, _ in SLOWER]
    )
    text = "\n".join(lines(first, second, redact=True))
    assert "[words]" in text
    for word in ("Bom dia", "Apartamento", "momento", "Outra", "segredo", "202"):
        assert word not in text


# --- the command


@pytest.mark.parametrize(("second", "code"), [(CALL, 0), (SLOWER, 1)])
def test_the_exit_code_says_whether_they_differ(second: list[object], code: int, tmp_path: Path) -> None:
    places = [save_call(tmp_path / "a"), save_call(tmp_path / "b", second)]  # type: ignore[arg-type]
    assert main(["diff", *map(str, places)]) == code


def test_a_tolerance_is_given_by_class(tmp_path: Path) -> None:
    places = [str(save_call(tmp_path / "a")), str(save_call(tmp_path / "b", SLOWER))]
    assert main(["diff", *places, "--tolerance", "bot=300ms"]) == 0
    assert main(["diff", *places, "--tolerance", "caller=300ms"]) == 1


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ("bot", "--tolerance bot: expected CLASS=TIME, such as bot=100ms"),
        ("bott=1s", "--tolerance bott=1s: there is no class 'bott' of events; did you mean bot?"),
        ("bot=1", "--tolerance bot=1: a duration needs a number and a unit (300ms, 1.2s, 5min), not '1'"),
    ],
)
def test_a_wrong_tolerance_is_one_line(
    given: str, error: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = str(save_call(tmp_path / "a"))
    assert main(["diff", place, place, "--tolerance", given]) == 2
    assert capsys.readouterr().err == f"{error}\n"


def test_nothing_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["diff", str(tmp_path / "empty"), str(save_call(tmp_path / "a"))]) == 2
    assert main(["diff", str(tmp_path / "no"), str(save_call(tmp_path / "a"))]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 2
    assert "expected" in error


def test_json_has_the_differences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["diff", str(save_call(tmp_path / "a")), str(save_call(tmp_path / "b", SLOWER)), "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["differs"] is True
    assert found["calls"][0]["differences"][0]["by_ms"] == 300


def test_escapes_of_a_hostile_call_reach_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hostile = [(1000, BotSpoke("\x1b[2J\u202e\ud800 oi", 500))]
    main(["diff", str(save_call(tmp_path / "\x1b[31mred", hostile)), str(save_call(tmp_path / "b"))])
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
