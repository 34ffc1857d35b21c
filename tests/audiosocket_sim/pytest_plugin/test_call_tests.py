"""Tests with `audiosocket_call`, in a pytest of their own: on which loop they run, how they fail, what they leave."""

import json
import os
from xml.etree import ElementTree

import pytest
import soxr  # noqa: F401 - cannot be loaded twice, and each session would load it anew
from helpers import scripted_bot

import audiosocket_sim.api  # noqa: F401 - likewise

pytest_plugins = ["pytester"]

HEAD = """
import asyncio
import pytest

pytestmark = pytest.mark.audiosocket(server={"script": [[0.5, "say", "pt-br/pode_subir"]]})
"""
GREETS = """
async def test_greets(audiosocket_call):
    said = await audiosocket_call.expect_says("pode subir")
    assert said.at < 1
    assert asyncio.get_running_loop().time() < 5
    await audiosocket_call.wait(2)
"""
ADDRESS = "target='tcp://127.0.0.1:1', control_url='http://a:1'"
RERUN = ("-p", "pytest_rerunfailures", "--reruns", "1")
ABSENT = ()
ASYNCIO = ("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function")
STRICT = (*ASYNCIO, "--asyncio-mode=strict")
AUTO = (*ASYNCIO, "--asyncio-mode=auto")
MODES = pytest.mark.parametrize("mode", [ABSENT, STRICT, AUTO], ids=["absent", "strict", "auto"])
IN_MODES = pytest.mark.parametrize(
    "mode",
    [
        pytest.param(ABSENT, id="absent", marks=pytest.mark.long("pytest-asyncio is there")),
        pytest.param(STRICT, id="strict", marks=pytest.mark.long("pytest-asyncio's mode is auto")),
        pytest.param(AUTO, id="auto"),
    ],
)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini(
        "[pytest]\naddopts = --strict-markers -p audiosocket_sim.pytest_plugin.plugin\n"
        "filterwarnings = error\n"
        "audiosocket_target = helpers.scripted_bot:serve\n"
    )
    return pytester


def run(project: pytest.Pytester, text: str, *arguments: str, head: str = HEAD) -> pytest.RunResult:
    (project.path / "test_bot.py").write_text(head + text, encoding="utf-8")
    return project.runpytest_inprocess(*arguments)


@MODES
@pytest.mark.long("other tests run a coroutine on the virtual clock")
def test_a_coroutine_runs_on_the_clock_of_its_target(project: pytest.Pytester, mode: tuple[str, ...]) -> None:
    greets = GREETS.replace("wait(2)", "wait(200)")
    in_class = "\n\nclass TestBot:\n    " + greets.strip().replace("\n", "\n    ").replace("(audio", "(self, audio")
    others = "\n\ndef test_plain():\n    pass\n"
    if mode:
        others += (
            "\n\n@pytest.mark.asyncio\nasync def test_other():\n    assert asyncio.get_running_loop().time() > 5\n"
        )
    run(project, greets + in_class + others, *mode).assert_outcomes(passed=4 if mode else 3)
    assert (project.path / "runs/pytest/test_bot/test_greets/call.jsonl").is_file()
    assert (project.path / "runs/pytest/test_bot/TestBot/test_greets/call.jsonl").is_file()


@pytest.mark.parametrize("mode", [STRICT, AUTO], ids=["strict", "auto"])
@pytest.mark.long("function tests are made in one process")
def test_a_mark_of_another_plug_in_changes_nothing(project: pytest.Pytester, mode: tuple[str, ...]) -> None:
    marked = GREETS.replace("async def", "@pytest.mark.asyncio\nasync def")
    run(project, marked, *mode).assert_outcomes(passed=1)
    of_the_module = HEAD.replace("pytestmark = ", "pytestmark = [pytest.mark.asyncio, ").replace("]]})", "]]})]")
    run(project, GREETS, *mode, head=of_the_module).assert_outcomes(passed=1)


@pytest.mark.long("function tests are made in one process")
def test_under_two_workers(project: pytest.Pytester) -> None:
    many = "@pytest.mark.parametrize('n', range(4))" + GREETS.replace("(audiosocket_call)", "(audiosocket_call, n)")
    run(project, many, "-p", "xdist.plugin", "-n", "2", *STRICT).assert_outcomes(passed=4)
    kept = sorted(file.parent.name for file in (project.path / "runs/pytest/test_bot").glob("*/call.wav"))
    assert kept == [f"test_greets[{n}]" for n in range(4)]


@IN_MODES
def test_a_failure_reads_as_a_scenarios(project: pytest.Pytester, mode: tuple[str, ...]) -> None:
    failed = run(project, GREETS.replace("pode subir", "pode descer"), *mode)
    failed.assert_outcomes(failed=1)
    failed.stdout.fnmatch_lines(
        [
            "*_ test_greets _*",
            "test_bot.py:8: test_greets, step 1 (expect bot_says)",
            "  expected  the bot says something with “pode descer”, from 0.000 until 5.000",
            "  happened  0.810 the bot said “Pode subir.”",
            "",
            "*0.810  bot      “Pode subir.”*",
            "call log: runs/pytest/test_bot/test_greets/call.jsonl",
            "recording: runs/pytest/test_bot/test_greets/call.wav",
            "FAILED test_bot.py::test_greets - test_bot.py:8: test_greets, step 1*",
        ]
    )
    assert "python_calls" not in failed.stdout.str()


@pytest.mark.long("quicker tests of this file are run")
def test_a_helper_of_another_file_is_not_what_a_failure_names(project: pytest.Pytester) -> None:
    project.makepyfile(steps="async def greeted(call):\n    await call.expect_says('bom dia', within=1)\n")
    text = "from steps import greeted\n\nasync def test_it(audiosocket_call):\n    await greeted(audiosocket_call)\n"
    run(project, text).stdout.fnmatch_lines(["test_bot.py:9: test_it, step 1*"])


@pytest.mark.long("calls of the usual kinds are made")
def test_an_error_of_the_test_is_shown_as_pytest_does_with_the_files(project: pytest.Pytester) -> None:
    failed = run(project, GREETS.replace("said.at < 1", "said.at < 0.1"))
    failed.stdout.fnmatch_lines(["*assert said.at < 0.1*", "E*assert 0.81 < 0.1*", "*call log: runs/pytest/test_bot/*"])
    wrong = run(project, "async def test_it(audiosocket_call):\n    await audiosocket_call.say('pt-br/simm')\n")
    wrong.stdout.fnmatch_lines([">   *say('pt-br/simm')", "E*CallArgumentError: say: there is no recording*"])
    assert "python_calls/phone_call.py" not in wrong.stdout.str()


@pytest.mark.long("calls of the usual kinds are made")
def test_a_skip_within_a_call_and_an_expected_failure(project: pytest.Pytester) -> None:
    skips = "async def test_a(audiosocket_call):\n    await audiosocket_call.wait(1)\n    pytest.skip('enough')\n\n"
    fails = (
        "@pytest.mark.xfail(strict=True)\nasync def test_b(audiosocket_call):\n    await audiosocket_call.say('x')\n\n"
    )
    early = "async def test_c(audiosocket_call):\n    pytest.skip('not now')\n"
    run(project, skips + fails + early).assert_outcomes(skipped=2, xfailed=1)


def test_no_green_without_a_call_or_with_a_step_not_awaited(project: pytest.Pytester) -> None:
    nothing = "async def test_a(audiosocket_call):\n    pass\n\n"
    sync = "def test_b(audiosocket_call):\n    pass\n\n"
    forgot = "async def test_c(audiosocket_call):\n    await audiosocket_call.wait(1)\n    audiosocket_call.wait(1)\n"
    failed = run(project, nothing + sync + forgot)
    failed.assert_outcomes(failed=3)
    failed.stdout.fnmatch_lines(
        [
            "test_bot.py:6: no call was made: the test has no step of it",
            "test_b: no call was made: give its steps to play(?…?)",
            "wait at test_bot.py:14 was never awaited: write `await call.wait(…)`",
        ]
    )


# --- tests that are no coroutines


@pytest.mark.long("calls of the usual kinds are made")
def test_a_list_of_steps(project: pytest.Pytester) -> None:
    text = """
def test_greets(audiosocket_call):
    result = audiosocket_call.play([{"expect": {"bot_says": "Pode subir."}}, {"hang_up": "close"}])
    assert str(result.outcome) == "passed"
    again = audiosocket_call.play([{"wait": "1s"}])
    assert again.artefacts.call_log.parent.name == "test_greets-2"

def test_fails(audiosocket_call):
    audiosocket_call.play([
        {"wait": "1s"},
        {"expect": {"bot_says": "Pode descer."}},
    ])

def test_wrong(audiosocket_call):
    audiosocket_call.play([{"wait": 1}])

def test_say(audiosocket_call):
    audiosocket_call.say("pt-br/sim")
"""
    done = run(project, text)
    done.assert_outcomes(passed=1, failed=3)
    done.stdout.fnmatch_lines(
        [
            "test_bot.py:14: test_fails, step 2 (expect bot_says)",
            "  expected  the bot says “Pode descer.”, from 1.000 until 6.000",
            "E*CallArgumentError: play: step 1: wait: a duration needs a number and a unit*",
            "E*CallMisuse: say() is for a test that is `async def`; here give a list of steps to play*",
        ]
    )


@pytest.mark.long("calls of the usual kinds are made")
def test_a_failure_that_the_test_swallows_is_no_green_test(project: pytest.Pytester) -> None:
    text = """
async def test_steps(audiosocket_call):
    try:
        await audiosocket_call.expect_says("pode descer")
    except Exception:
        pass

def test_list(audiosocket_call):
    for text in ("Pode descer.", "Pode subir."):
        try:
            audiosocket_call.play([{"expect": {"bot_says": text}}])
        except Exception:
            pass
"""
    done = run(project, text)
    done.assert_outcomes(failed=2)
    done.stdout.fnmatch_lines(
        ["test_bot.py:9: test_steps, step 1 (expect bot_says)", "test_bot.py:16: test_list, step 1 (expect bot_says)"]
    )


# --- tests that pytest or another plug-in runs

UNITTEST = """
import unittest

class TestBot(unittest.{kind}):
    @pytest.fixture(autouse=True)
    def _call(self, audiosocket_call):
        self.call = audiosocket_call
"""
SYNC = UNITTEST.format(kind="TestCase")
ISOLATED = UNITTEST.format(kind="IsolatedAsyncioTestCase")


@pytest.mark.long("calls of the usual kinds are made")
def test_a_test_of_unittest_without_a_call_is_no_green_test(project: pytest.Pytester) -> None:
    text = SYNC + "\n    def test_nothing(self):\n        pass\n"
    for more, outcome in (((), {"passed": 1, "errors": 1}), (RERUN, {"passed": 2, "errors": 1})):
        done = run(project, text, *more)
        done.assert_outcomes(**outcome)
        done.stdout.fnmatch_lines(["test_nothing: no call was made: give its steps to play(?…?)"])


@pytest.mark.long("a test without a call is no green test")
def test_a_coroutine_of_unittest_without_a_call_is_no_green_test(project: pytest.Pytester) -> None:
    text = """
    async def test_nothing(self):
        pass

    async def test_forgot(self):
        self.call.wait(1)

    async def test_not_ended(self):
        await self.call.__aenter__()
"""
    done = run(project, ISOLATED + text)
    done.assert_outcomes(passed=3, errors=3)
    done.stdout.fnmatch_lines_random(
        [
            "test_nothing: no call was made: write `async with …:` around its steps",
            "test_forgot: wait at test_bot.py:18 was never awaited: write `await call.wait(…)`",
            "test_not_ended: the call was never ended: write `async with …:` around its steps",
        ]
    )


@pytest.mark.long("calls of the usual kinds are made")
@IN_MODES
def test_a_call_that_a_test_asks_for_as_it_runs(project: pytest.Pytester, mode: tuple[str, ...]) -> None:
    text = """
def test_nothing(request):
    request.getfixturevalue("audiosocket_call")

def test_call(request):
    request.getfixturevalue("audiosocket_call").play([{"wait": "1s"}])

def test_swallowed(request):
    with pytest.raises(AssertionError):
        request.getfixturevalue("audiosocket_call").play([{"expect": {"bot_says": "Pode descer."}}])
"""
    done = run(project, text, *mode)
    done.assert_outcomes(passed=3, errors=2)
    done.stdout.fnmatch_lines(
        ["test_nothing: no call was made: *", "test_bot.py:15: test_swallowed, step 1 (expect bot_says)"]
    )


@pytest.mark.long("quicker tests of this file are run")
def test_a_test_that_is_not_green_needs_no_call(project: pytest.Pytester) -> None:
    text = """
    def test_skipped(self):
        self.skipTest("not now")

    def test_failed(self):
        self.fail("early")

    @unittest.expectedFailure
    def test_known(self):
        self.fail("early")

    def test_call(self):
        self.call.play([{"wait": "1s"}])
"""
    run(project, SYNC + text).assert_outcomes(passed=1, failed=1, skipped=1, xfailed=1)


@pytest.mark.real_time
def test_a_coroutine_of_unittest_makes_its_call_on_its_own_loop(project: pytest.Pytester) -> None:
    text = """
    async def test_call(self):
        async with self.call as call:
            await call.wait(0.1)
"""
    run(project, ISOLATED + text).assert_outcomes(passed=1)


# --- the call's own keys


@pytest.mark.long("quicker tests of this file are run")
def test_markers_of_module_class_and_test(project: pytest.Pytester) -> None:
    text = """
@pytest.mark.long("calls of the usual kinds are made")
@pytest.mark.audiosocket(line={"codec": "alaw"}, asterisk="20.6")
class TestIt:
    @pytest.mark.audiosocket(asterisk={"packet_time": "30ms"})
    async def test_keys(self, audiosocket_call):
        await audiosocket_call.expect_says("pode subir")
        assert audiosocket_call.plan.scenario.asterisk.packet_time == 30
        assert audiosocket_call.plan.scenario.line.codec == "alaw"
"""
    run(project, text).assert_outcomes(passed=1)


@pytest.mark.long("quicker tests of this file are run")
def test_the_line_of_the_ini(project: pytest.Pytester) -> None:
    with (project.path / "tox.ini").open("a", encoding="utf-8") as ini:
        ini.write("\naudiosocket_line = {codec: alaw, noise_dbfs: -55}\naudiosocket_asterisk = 20.10\n")
    text = "async def test_it(audiosocket_call):\n    await audiosocket_call.wait(1)\n"
    run(project, text).assert_outcomes(errors=1)  # there is no such release
    ini_text = (project.path / "tox.ini").read_text(encoding="utf-8")
    (project.path / "tox.ini").write_text(ini_text.replace("20.10", "22.10"), encoding="utf-8")
    run(project, text).assert_outcomes(passed=1)
    transcript = (project.path / "runs/pytest/test_bot/test_it/transcript.txt").read_text(encoding="utf-8")
    assert transcript.startswith("test_it · Asterisk 22.10, app · A-law, noise −55 dBFS\n")


@pytest.mark.long("calls of the usual kinds are made")
@pytest.mark.parametrize(
    ("ini", "words"),
    [
        ("audiosocket_line={codec: ulwa}", "audiosocket_line: codec: must be ulaw, alaw, gsm or none*"),
        ("audiosocket_line={codec: ", "audiosocket_line: *"),
        ("audiosocket_line=x", "audiosocket_line: *"),
        ("audiosocket_asterisk=20.10", "audiosocket_asterisk: *"),
        ("audiosocket_asterisk={atach: chan}", "audiosocket_asterisk: *'atach'*attach*"),
    ],
)
def test_a_wrong_ini_key_of_calls_is_named(ini: str, words: str, project: pytest.Pytester) -> None:
    text = "@pytest.mark.audiosocket(reaction=1)\nasync def test_it(audiosocket_call):\n    pass\n"
    wrong = run(project, text, "-o", ini, head=HEAD.split("pytestmark")[0])
    wrong.assert_outcomes(errors=1)
    wrong.stdout.fnmatch_lines([f"test_it: the ini key {words}"])


@pytest.mark.every(12)
@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("'x'", "*mark.audiosocket takes arguments by name only: target, *"),
        ("targt='x:y'", "*unknown argument 'targt'; did you mean 'target'?"),
        ("target='nothing'", "*nothing: expected module:callable*"),
        ("target=5", "test_it: @pytest.mark.audiosocket: target: needs a text such as 'bot:serve', not 5"),
        ("target=''", "test_it: @pytest.mark.audiosocket: target: needs a text such as 'bot:serve', not ''"),
        ("target=['bot:serve']", "*: target: needs a text such as 'bot:serve', not ?'bot:serve'?"),
        ("control_url=' '", "*: control_url: needs a text such as 'http://127.0.0.1:8080', not ' '"),
        ("real_time='no'", "*: real_time: must be True or False, not 'no'"),
        ("kernel=1", "*: kernel: must be True or False, not 1"),
        ("line={'codec': 'ulwa'}", "*mark.audiosocket: line: codec: must be ulaw, alaw, gsm or none*"),
        ("says='Oi'", "*mark.audiosocket: says: needs a list of texts*"),
    ],
)
def test_a_wrong_marker_is_one_clear_error(project: pytest.Pytester, marker: str, words: str) -> None:
    text = f"@pytest.mark.audiosocket({marker})\nasync def test_it(audiosocket_call):\n    pass\n"
    wrong = run(project, text)
    wrong.assert_outcomes(errors=1)
    wrong.stdout.fnmatch_lines([words])
    assert "Traceback" not in wrong.stdout.str()
    assert "During handling" not in wrong.stdout.str()
    shown = (
        wrong.stdout.str().partition("= ERRORS =")[2].partition("- phone calls -")[0].partition("short test summary")[0]
    )
    assert shown.count("test_it: ") == 1


@pytest.mark.long("quicker tests of this file are run")
def test_none_in_a_marker_is_as_if_it_were_not_given(project: pytest.Pytester) -> None:
    marker = "@pytest.mark.audiosocket(target=None, control_url=None, real_time=None, kernel=None)"
    run(project, marker + GREETS).assert_outcomes(passed=1)


@pytest.mark.long("for a scenario without a target they are named")
def test_without_a_target_the_kinds_are_named(project: pytest.Pytester) -> None:
    project.makeini("[pytest]\naddopts = -p audiosocket_sim.pytest_plugin.plugin\n")
    project.makepyprojecttoml("[tool.audiosocket-sim]\n")
    wrong = run(project, GREETS)
    wrong.assert_outcomes(errors=1)
    wrong.stdout.fnmatch_lines(["test_greets: no target: *module:callable*tcp://HOST:PORT*"])


@pytest.mark.long("quicker tests of this file are run")
def test_the_command_line_goes_before_the_marker(project: pytest.Pytester) -> None:
    text = "@pytest.mark.audiosocket(target='nobody:serve', control_url='http://127.0.0.1:1')" + GREETS
    done = run(project, text, "--audiosocket-target", "helpers.scripted_bot:serve")
    done.assert_outcomes(passed=1)
    done.stdout.fnmatch_lines(["audiosocket target: helpers.scripted_bot:serve (--audiosocket-target)"])


@pytest.mark.every(6)
@pytest.mark.parametrize(
    ("marker", "arguments", "said"),
    [
        ("kernel=False", ["--audiosocket-kernel"], "kernel=True"),
        ("real_time=False", ["--audiosocket-real-time"], "real_time=True"),
        (ADDRESS, ["-o", "audiosocket_target=", "--audiosocket-control-url=http://b:2"], "control_url='http://b:2'"),
        (
            ADDRESS,
            ["-o", "audiosocket_target=", "-o", "audiosocket_control_url=http://b:2"],
            "control_url='http://a:1'",
        ),
        ("kernel=False", ["-o", "audiosocket_kernel=true"], "kernel=False"),
    ],
)
def test_each_option_goes_before_the_marker_and_the_marker_before_the_ini_key(
    marker: str, arguments: list[str], said: str, project: pytest.Pytester
) -> None:
    text = f"@pytest.mark.audiosocket({marker})\ndef test_it(audiosocket_call):\n"
    text += "    print('HOW', audiosocket_call._plan.options)\n"
    run(project, text, *arguments).stdout.fnmatch_lines([f"HOW Options(*{said}, *"])


@pytest.mark.long("an option goes before the marker, and that before the ini key")
def test_the_target_of_a_marker_goes_before_the_ini_key(project: pytest.Pytester) -> None:
    text = "@pytest.mark.audiosocket(target='nobody:serve')" + GREETS
    failed = run(project, text)
    failed.stdout.fnmatch_lines(["test_greets: set-up error", "nobody:serve cannot be imported*"])


ORIGIN = pytest.mark.long("one origin is named, and the order of precedence has tests of its own")


@pytest.mark.long("calls of the usual kinds are made")
@pytest.mark.parametrize(
    ("marker", "arguments", "origin"),
    [
        ("", [], "pytest's ini key audiosocket_target"),
        pytest.param("", ["-o", "audiosocket_target="], "pyproject.toml, [tool.audiosocket-sim]", marks=ORIGIN),
        pytest.param("target='helpers.scripted_bot:serve'", [], "marker", marks=ORIGIN),
        pytest.param("", ["--audiosocket-target=helpers.scripted_bot:serve"], "--audiosocket-target", marks=ORIGIN),
    ],
)
def test_a_failure_and_the_call_log_say_who_named_the_target(
    marker: str, arguments: list[str], origin: str, project: pytest.Pytester
) -> None:
    project.makepyprojecttoml('[tool.audiosocket-sim]\ntarget = "helpers.scripted_bot:serve"\n')
    failed = run(project, f"@pytest.mark.audiosocket({marker}){GREETS}".replace("pode subir", "x"), *arguments)
    assert f"target: helpers.scripted_bot:serve ({origin})" in failed.outlines
    log = (project.path / "runs/pytest/test_bot/test_greets/call.jsonl").read_text(encoding="utf-8")
    assert json.loads(log.splitlines()[0])["target_origin"] == origin


# --- what reports have of these calls

ALL_KINDS = """
async def test_greets(audiosocket_call):
    await audiosocket_call.expect_says("pode subir")

def test_lists(audiosocket_call):
    audiosocket_call.play([{"wait": "1s"}])
    audiosocket_call.play([{"wait": "1s"}])

async def test_red(audiosocket_call):
    await audiosocket_call.expect_says("pode descer")

async def test_own_error(audiosocket_call):
    await audiosocket_call.wait(1)
    assert 1 == 2, "no"

@pytest.mark.audiosocket(targt="x:y")
async def test_wrong(audiosocket_call):
    pass

@pytest.mark.audiosocket(target="nobody:serve")
async def test_nobody(audiosocket_call):
    await audiosocket_call.wait(1)

async def test_skipped(audiosocket_call):
    pytest.skip("not now")

def test_plain():
    pass
"""


@pytest.mark.parametrize("workers", [(), ("-p", "xdist.plugin", "-n", "1")], ids=["here", "in a worker"])
@pytest.mark.long("scenarios' calls are counted")
def test_the_summary_counts_the_calls_and_names_their_targets(
    workers: tuple[str, ...], project: pytest.Pytester
) -> None:
    run(project, ALL_KINDS, *workers).stdout.fnmatch_lines(
        [
            "*- phone calls -*",
            "5 calls of helpers.scripted_bot:serve (pytest's ini key audiosocket_target)",
            "1 call of nobody:serve (marker)",
        ]
    )


@pytest.mark.long("junit's lines of a scenario are read")
def test_junit_has_target_and_outcome(project: pytest.Pytester) -> None:
    run(project, ALL_KINDS, "--junitxml=junit.xml")
    cases = ElementTree.parse(project.path / "junit.xml").getroot().iter("testcase")
    had = {case.get("name"): [prop.get("value") for prop in case.iter("property")] for case in cases}
    bot, pages = "helpers.scripted_bot:serve", "runs/pytest/report/test_bot"
    assert had == {
        "test_greets": [bot, "passed"],
        "test_lists": [bot, "passed"],
        "test_red": [bot, "failed", f"{pages}/test_red.html"],
        "test_own_error": [bot, "failed", f"{pages}/test_own_error.html"],
        "test_wrong": ["", "failed"],
        "test_nobody": ["nobody:serve", "set-up error", f"{pages}/test_nobody.html"],
        "test_skipped": [],
        "test_plain": [],
    }


@pytest.mark.long("the report's rows are tried alone")
def test_github_has_an_annotation_and_a_row_for_each(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    summary = project.path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    lines = run(project, ALL_KINDS).outlines
    assert [line.partition("%0A")[0] for line in lines if line.startswith("::")] == [
        "::error file=test_bot.py,line=15,title=test_red%3A failed::test_bot.py:15: test_red, step 1 (expect bot_says)",
        "::error file=test_bot.py,line=19,title=test_own_error%3A failed::AssertionError: no",
        "::error file=test_bot.py,line=25,title=test_nobody%3A set-up error::test_nobody: set-up error",
        "::error file=test_bot.py,line=21,title=test_wrong%3A failed::"
        "test_wrong: @pytest.mark.audiosocket: unknown argument 'targt'; did you mean 'target'?",
    ]
    rows = [line.split(" | ")[0] for line in summary.read_text(encoding="utf-8").splitlines() if "| test" in line]
    names = [row.removeprefix("| ").replace("&#95;", "_") for row in rows]
    assert sorted(names) == ["test_greets", "test_lists", "test_nobody", "test_own_error", "test_red", "test_wrong"]


@pytest.mark.long("calls of the usual kinds are made")
def test_of_a_test_run_again_the_last_run_counts(project: pytest.Pytester) -> None:
    text = """
tries = []

async def test_flaky(audiosocket_call):
    tries.append(1)
    await audiosocket_call.expect_says("pode subir" if len(tries) > 1 else "x")
"""
    again = run(project, text, "-p", "pytest_rerunfailures", "--reruns", "1")
    again.stdout.fnmatch_lines(["*- phone calls -*", "1 call of helpers.scripted_bot:serve (pytest's ini key *"])


@pytest.mark.long("test_programs calls commands")
@pytest.mark.real_time
def test_a_command_is_called_on_the_real_clock(project: pytest.Pytester) -> None:
    settings = json.dumps({"script": [[0.3, "say", "pt-br/pode_subir"]]})
    command = f"command: {{python}} {scripted_bot.__file__} {{port}} 0 '{settings}'"
    text = f"""
@pytest.mark.audiosocket(target={command!r})
async def test_it(audiosocket_call):
    await audiosocket_call.expect_speaks(within=5)
    assert asyncio.get_running_loop().time() > 5
"""
    run(project, text, head=HEAD.split("pytestmark")[0]).assert_outcomes(passed=1)


# --- beside other plug-ins


@pytest.mark.every(2)
@pytest.mark.parametrize("mode", [STRICT, AUTO], ids=["strict", "auto"])
def test_an_async_fixture_beside_the_call_is_refused(project: pytest.Pytester, mode: tuple[str, ...]) -> None:
    text = """
import pytest_asyncio

@pytest_asyncio.fixture
async def database():
    yield 1

async def test_both(audiosocket_call, database):
    await audiosocket_call.wait(1)

@pytest.mark.asyncio
async def test_alone(database):
    assert database == 1
"""
    done = run(project, text, *mode)
    done.assert_outcomes(errors=1, passed=1)
    done.stdout.fnmatch_lines(["test_both uses audiosocket_call and the async fixture 'database', which lives on*"])


@pytest.mark.long("function tests are made in one process")
def test_repeated_and_run_again(project: pytest.Pytester) -> None:
    run(project, GREETS, "-p", "pytest_repeat", "--count", "3").assert_outcomes(passed=3)
    again = run(project, GREETS.replace("pode subir", "x"), "-p", "pytest_rerunfailures", "--reruns", "2")
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["*2 rerun*"])
    run(project, GREETS.replace("pode subir", "x"), "-p", "cacheprovider").assert_outcomes(failed=1)


@pytest.mark.long("a test without a call fails")
def test_a_method_without_a_call_fails_on_its_rerun_too(project: pytest.Pytester) -> None:
    text = "class TestBot:\n    def test_nothing(self, audiosocket_call):\n        pass\n"
    again = run(project, text, *RERUN)
    again.assert_outcomes(failed=1)
    again.stdout.fnmatch_lines(["test_nothing: no call was made: *", "*1 failed, 1 rerun*"])


@pytest.mark.long("calls of the usual kinds are made")
def test_a_coroutine_in_a_class_makes_its_call_on_the_rerun(project: pytest.Pytester) -> None:
    text = """
tries = []

class TestBot:
    async def test_greets(self, audiosocket_call):
        tries.append(type(self))
        await audiosocket_call.expect_says("pode subir")
        assert len(tries) == 2
        assert asyncio.get_running_loop().time() < 5
"""
    again = run(project, text, *RERUN)
    again.assert_outcomes(passed=1)
    again.stdout.fnmatch_lines(["*1 passed, 1 rerun*"])


@pytest.mark.long("calls of the usual kinds are made")
def test_static_and_class_methods_make_their_calls(project: pytest.Pytester) -> None:
    text = """
class TestBot:
    @staticmethod
    async def test_static(audiosocket_call):
        await audiosocket_call.expect_says("pode subir")

    @classmethod
    async def test_class(cls, audiosocket_call, request):
        assert cls is TestBot
        assert isinstance(request.instance, TestBot)
        await audiosocket_call.expect_says("pode subir")

    def test_each_has_an_instance_of_its_own(self, audiosocket_call, request):
        assert request.instance is self
        audiosocket_call.play([{"wait": "1s"}])
"""
    run(project, text).assert_outcomes(passed=3)


@pytest.mark.long("the fixture of the call is used")
def test_a_fixture_of_the_user_may_use_the_call(project: pytest.Pytester) -> None:
    text = """
@pytest.fixture
def call(audiosocket_call):
    return audiosocket_call

async def test_it(call, tmp_path):
    await call.expect_says("pode subir")
"""
    run(project, text, *AUTO).assert_outcomes(passed=1)


@pytest.mark.long("the runner's own test stands in")
def test_a_clock_that_cannot_go_on_is_a_set_up_error(project: pytest.Pytester) -> None:
    text = """
async def test_it(audiosocket_call):
    await audiosocket_call.hang_up()
    await audiosocket_call.expect_hangs_up("caller")
    await asyncio.get_running_loop().create_future()
"""
    stuck = run(project, text)
    stuck.assert_outcomes(failed=1)
    stuck.stdout.fnmatch_lines(["test_it: set-up error", "virtual time does not go on: *", "call log: *"])
