"""A folder's files are cases of the suite: they fail on the server that they were found on, and pass on a good one."""

import gc
import warnings
from pathlib import Path

import pytest
from planted import odd_streams as planted
from planted.good_server import Call, Server
from planted.keeper import run
from planted.ways import KINDS

from audiosocket_sim.conformance.case import CaseOutcome, Resources, SeenCase
from audiosocket_sim.conformance.features import Features
from audiosocket_sim.conformance.fuzzing.findings import FuzzFinding
from audiosocket_sim.conformance.fuzzing.harms import Harm
from audiosocket_sim.conformance.fuzzing.odd_stream import Actions, OddStream
from audiosocket_sim.conformance.fuzzing.own_cases import case_of_file, own_cases, save
from audiosocket_sim.conformance.fuzzing.stream_file import StreamFileError
from audiosocket_sim.conformance.planning import plan
from audiosocket_sim.conformance.script import Announce, Close, Send, SignOfLife
from audiosocket_sim.parties.target import TargetError

EMPTY_KEY: Actions = (Announce(), Send(b"\x03\x00\x00"))
DOORMAN = KINDS["doorman"]


def saved(folder: Path, harm: Harm, actions: Actions = EMPTY_KEY) -> Path:
    return save(FuzzFinding(harm, OddStream("1/1", actions), actions, "goes on"), folder, "bot:serve")


def test_findings_become_the_next_cases_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "checks"
    assert own_cases(folder) == ()
    first, second = saved(folder, Harm.GONE), saved(folder, Harm.OTHER_STALLED)
    assert [first.name, second.name] == ["my-01-gone.yaml", "my-02-another-call-stalled.yaml"]
    assert "# Try it again: audiosocket-sim check --target 'bot:serve' --replay" in first.read_text()
    (folder / "a-by-hand.yaml").write_text("stream: [announce, close]\n")
    cases = own_cases(folder)
    assert [case.id for case in cases] == ["MY-01", "MY-02", "MY-03"]
    assert cases[2].peer == "does what a-by-hand.yaml says"
    first.unlink()
    assert [case.id for case in own_cases(folder)] == ["MY-02", "MY-03"]  # an id stays what it is


def test_two_files_cannot_be_the_same_case(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("id: MY-07\nstream: [close]\n")
    with pytest.raises(StreamFileError, match=r"b.yaml: the id MY-07 is that of a.yaml too"):
        own_cases(tmp_path)


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(StreamFileError, match="cannot be read"):
        case_of_file(tmp_path / "absent.yaml")
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(StreamFileError, match="cannot be read"):
        own_cases(tmp_path)


def test_what_may_end_the_server_is_run_last(tmp_path: Path) -> None:
    case = case_of_file(saved(tmp_path, Harm.GONE))
    todo = plan([case], Features(two_calls=True), heavy=False, virtual=True)
    assert todo.alone == (case,)


CUT: Actions = (Announce(), Send(b"\x03\x00\x015", (1,), 0.05), SignOfLife(8.0))


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.parametrize(
    ("fault", "harm", "actions"),
    [
        (planted.DiesOfAnEmptyKey, Harm.GONE, EMPTY_KEY),
        (planted.HoldsUpAll, Harm.OTHER_STALLED, (Announce(), Send(b"\xff\x00\x00"))),
        (planted.ReadsAHeaderAtOnce, Harm.DROPPED, CUT),
        (planted.ForgetsToClose, Harm.STAYS_OPEN, (Send(b"\x00"), Close())),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_case_fails_where_it_was_found_and_passes_on_a_good_server(
    tmp_path: Path, fault: type[Call] | type[Server], harm: Harm, actions: Actions
) -> None:
    case = case_of_file(saved(tmp_path, harm, actions))
    assert run([case], DOORMAN, fault).results[0].outcome is CaseOutcome.FAIL
    assert run([case], DOORMAN).results[0].outcome is CaseOutcome.PASS


@pytest.mark.long("quicker tests of this file are run")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning")
def test_a_server_in_this_process_that_ends_it_is_an_error_of_the_target(tmp_path: Path) -> None:
    case = case_of_file(saved(tmp_path, Harm.GONE, (Announce(), Send(b"\x7f\x00\x00"))))
    with pytest.raises(TargetError, match=r"it ended this process in the middle of a case: SystemExit\(7\)"):
        run([case], DOORMAN, planted.LeavesTheLoop)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # its connections go here, and not in the middle of another test


def test_what_is_kept_is_judged_where_it_can_be_seen(tmp_path: Path) -> None:
    case = case_of_file(saved(tmp_path, Harm.GROWS))
    assert [script.name for script in case.scripts][:2] == ["the odd call 1", "the odd call 2"]

    def grown(more: int) -> SeenCase:
        return SeenCase((), Features(), before=Resources(10, 2, 0), after=Resources(10 + more, 2, 0))

    assert [one.ok for one in case.judge(grown(5))] == [False]
    assert [one.ok for one in case.judge(grown(1))] == [True]
    assert list(case.judge(SeenCase((), Features()))) == []
