"""Loading: what a person sees for each slip, to the column; and which files a scenario cannot reach."""

# ruff: noqa: E501 - the tables show each line as a person sees it

import contextlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from audiosocket_sim.scenario import SayStep
from audiosocket_sim.scenario.loading import Problem, ScenarioError, load, load_text, schema, sound_file, yaml_tree
from audiosocket_sim.scenario.schema import schema_text

ROOT = Path(__file__).resolve().parents[4]

MANIFEST = """\
- file: aa/yes.wav
  text: "Yes."
- {file: "aa/four hundred.wav", text: "400, file: none"}
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A user's project: scenarios/ to load from, recordings/ beside it, and something that is nobody's business."""
    (tmp_path / "recordings" / "aa").mkdir(parents=True)
    (tmp_path / "recordings" / "manifest.yaml").write_text(MANIFEST)
    (tmp_path / "recordings" / "aa" / "yes.wav").touch()
    (tmp_path / "scenarios").mkdir()
    (tmp_path / "scenarios" / "hello.wav").touch()
    (tmp_path / "private.wav").touch()
    return tmp_path


def errors(home: Path, text: str | bytes) -> list[str]:
    """The lines that a person sees, without the folder."""
    file = home / "scenarios" / "bad.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ScenarioError) as caught:
        load(file)
    return str(caught.value).replace(f"{file.parent}{os.sep}", "").splitlines()


HEAD = "summary: A call.\nsteps:\n"


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("step", "line"),
    [
        ("- sya: aa/yes", "3:3: unknown step 'sya'; did you mean 'say'?"),
        ("- hangup: close", "3:3: unknown step 'hangup'; did you mean 'hang_up'?"),
        ("- xyzzy: 1", "3:3: a step has exactly one of: say, wait, expect, never, dtmf, noise, tone, silence, mute, hang_up, repeat, any_of, optional, if_heard"),
        ("- after: 3s", "3:3: a step has exactly one of: say, wait, expect, never, dtmf, noise, tone, silence, mute, hang_up, repeat, any_of, optional, if_heard"),
        ("- hang_up", "3:3: a step is a mapping, such as `say: pt-br/sim` or `hang_up: close`, not 'hang_up'"),
        ("- {say: aa/yes, wait: 1s}", "3:3: this step has say and wait: write them as 2 steps"),
        ("- {say: aa/yes, afer: 1s}", "3:17: unknown key 'afer'; did you mean 'after'?"),
        ("- {say: aa/yes, blocks: false}", "3:17: unknown key 'blocks' here; it belongs inside `say`"),
        ("- {say: aa/yes, colour: red}", "3:17: unknown key 'colour'; known are after, at, say"),
        ("- say: {recording: aa/yes, for_: 1s}", "3:28: unknown key 'for_'; did you mean 'for'?"),
        ("- say: 5", "3:8: say: needs text in quotes, not 5"),
        ("- say:", "3:3: say: needs a value"),
        ("- say: [aa/yes]", "3:8: say: needs a mapping (`key: value`), not a list"),
        ("- say: {}", "3:8: say needs exactly one of: recording, file, text; text may stand beside file"),
        ("- say: {text: a, gain_db: loud}", "3:27: gain_db: needs a number, not 'loud'"),
        ("- say: {text: a, gain_db: .nan}", "3:27: gain_db: needs a number that is finite, not nan"),
        ("- say: {text: a, gain_db: 90}", "3:27: gain_db: must be at most 40, not 90"),
        ("- say: {text: a, blocks: no}", "3:26: blocks: needs true or false, not 'no'"),
        ("- expect: {bot_says: {}}", "3:22: bot_says needs exactly one of: text, any_of, pattern"),
        ("- expect: {bot_says: {text: a, pattern: b}}", "3:22: bot_says needs exactly one of: text, any_of, pattern (found text and pattern)"),
        ("- expect: {bot_says: {text: a, words: 80}}", "3:39: words: must be at most 1, not 80"),
        ("- expect: {bot_says: {pattern: 'sim|'}}", "3:32: pattern: fits any words, even none: write what must be in them, or use bot_speaks"),
        ("- never: {bot_says: {pattern: '.*'}}", "3:31: pattern: fits any words, even none: write what must be in them, or use bot_speaks"),
        ("- expect: {bot_says: {pattern: a, words: 0.8, part: true}}", "3:22: bot_says: a pattern is found anywhere, and exactly: words and part cannot stand beside it"),
        ("- never: {bot_says: {text: a, judge: 'a:b'}}", "3:38: judge: a judge is asked about what the bot is to say, below expect"),
        ("- expect: {bot_says: {any_of: []}}", "3:31: any_of: needs one text at least"),
        ("- expect: {bot_says: {pattern: '('}}", "3:32: pattern: not a pattern (a regular expression of Python): missing ), unterminated subpattern at position 0"),
        ("- expect: {bot_says: {pattern: '((a+)+)+!'}}", "3:32: pattern: a pattern with too many repetitions within one another: a search would take too long"),
        ("- expect: {bot_says: {pattern: '(a)\\1'}}", "3:32: pattern: a pattern has no back-references"),
        ("- expect: {bot_says: {pattern: '(?s)a.b'}}", "3:32: pattern: a pattern has no flags such as (?s)"),
        (f"- expect: {{bot_says: {{pattern: {'a' * 301}}}}}", "3:32: pattern: a pattern has at most 300 characters, not 301"),
        ("- wait: 4", "3:9: wait: a duration needs a number and a unit (300ms, 1.2s, 5min), not 4"),
        ("- wait: 4 hours", "3:9: wait: a duration has the unit ms, s or min (300ms, 1.2s, 5min), not 'hours'; min is the largest"),
        ("- silence: 0s", "3:12: silence: a duration longer than 0 is needed here"),
        ("- dtmf: 202", "3:9: dtmf: needs quotes: to YAML it is a number, so 22.10 is 22.1 and 007 is 7"),
        ("- dtmf: #", "3:3: dtmf: needs text in quotes, not nothing"),
        ("- dtmf: *", "3:10: expected alphabetic or numeric character, but found '\\n': the text needs quotes"),
        ('- {dtmf: "1", tone: 1s, wait: 1s}', "3:3: this step has wait and dtmf: write them as 2 steps"),
        ("- dtmf: 2O2", "3:9: dtmf: a phone's keys are 0 to 9, *, # and A to D, not '2O2'"),
        ("- noise: {dbfs: -3}", "3:10: noise: the key 'for' is missing"),
        ("- noise: {for: 1s, color: withe}", "3:27: color: must be white or pink, not 'withe'; did you mean 'white'?"),
        ("- mute: maybe", "3:9: mute: on, off, or how long (300ms, 1.2s, 5min), not 'maybe'"),
        ("- hang_up: rest", "3:12: hang_up: must be close, reset or mid_frame, not 'rest'; did you mean 'reset'?"),
        ("- expect: {bot_say: Oi}", "3:12: unknown key 'bot_say'; did you mean 'bot_says'?"),
        ("- expect: {within: 4s}", "3:11: expect: an expectation needs exactly one of: bot_says, bot_speaks, bot_silent, hold_audio, state, backend_asked, hangs_up, responds, bot_stops, bot_goes_on, resumes, asks_again"),
        ("- expect: {bot_says: Oi, state: WAITING}", "3:11: expect: one expectation at a time: bot_says and state are 2 steps"),
        ("- expect: {bot_says: Oi, after: 1s}", "3:26: unknown key 'after' here; it belongs one level further out"),
        ("- {expect: {bot_says: Oi}, within: 4s}", "3:28: unknown key 'within' here; it belongs inside `expect`"),
        ("- expect: {bot_speaks: 1s, for: 3s}", "3:28: unknown key 'for' here; it belongs to `never`"),
        ("- expect: {bot_says: Oi, part: true}", "3:26: unknown key 'part' here; it belongs inside `bot_says`"),
        ("- expect: {bot_says: true}", "3:22: bot_says: needs text in quotes, not true"),
        ("- expect: {state: waiting}", "3:19: state: must be STANDBY, USER_TURN, WAITING or IA_TURN, not 'waiting'; did you mean 'WAITING'?"),
        ("- expect: {hold_audio: yes}", "3:24: hold_audio: must be playing or stopped, not 'yes'"),
        ("- expect: {hangs_up: sever}", "3:22: hangs_up: must be server, caller or asterisk, not 'sever'; did you mean 'server'?"),
        ("- expect: Oi", "3:11: expect: needs a mapping (`key: value`), not 'Oi'"),
        ("- never: {bot_says: Oi, within: 3s}", "3:25: unknown key 'within' here; it belongs to `expect`"),
        ("- expect: {responds: {within: 1s}, within: 4s}", "3:44: within: counts from the caller's words here: write responds: {within: …}"),
        ("- expect: {bot_stops: 300ms, within: 4s}", "3:38: within: counts from the caller's words here: write bot_stops: {within: …}"),
        ("- expect: {bot_goes_on: 300ms, within: 4s}", "3:40: within: bot_goes_on is judged for 2 s from the caller's sound on: it has no within"),
        ("- expect: {asks_again: 3s, within: 4s}", "3:36: within: counts from what was heard last here: write asks_again: {within: …}"),
        ("- say: {recording: pt-br/sim, kind: cough}", "3:37: kind: must be turn, backchannel, vocal_tic or non_directed, not 'cough'"),
        ("- expect: {talk_over: 1s}", "3:12: unknown key 'talk_over' here; it belongs to `never`"),
        ("- never: {responds: 1s}", "3:11: unknown key 'responds' here; it belongs to `expect`"),
        ("- never: talkover", "3:10: never: needs a mapping (`key: value`), not 'talkover'"),
        ("- hang_up: {before_uuid: true}", "3:26: before_uuid: needs asterisk: {attach: chan} or a connect_pause, since the app sends the UUID at once"),
    ],
)  # fmt: skip
def test_a_wrong_step(home: Path, step: str, line: str) -> None:
    assert errors(home, f"{HEAD}{step}\n") == [f"bad.yaml:{line}"]


TAIL = "summary: A call.\nsteps: [{wait: 1s}]\n"


@pytest.mark.every(4)
@pytest.mark.parametrize(
    ("keys", "line"),
    [
        ("sumary: x", "3:1: unknown key 'sumary'; did you mean 'summary'?"),
        ("name: x", "3:1: unknown key 'name'; known are summary, for_each, runs, tags, asterisk, line, network, server, ai, ai_cassette, quality, turn_taking, ear, reader, before, after, reaction, max_duration, voice, callers, then, steps"),
        ("reader: locl", "3:9: reader: a reader is local, none, or module:callable, such as my_package.ears:read, not 'locl'; did you mean 'local'?"),
        ("reader: {use: local, language: portuguese brazil}", "3:32: language: a language is a tag such as pt-BR or en, not 'portuguese brazil'"),
        ("codec: ulaw", "3:1: unknown key 'codec' here; it belongs inside `line`"),
        ("asterisk: 22.10", "3:11: asterisk: needs quotes: to YAML it is a number, so 22.10 is 22.1 and 007 is 7"),
        ('asterisk: "22.11"', "3:11: asterisk: no profile for Asterisk 22.11: on the wire it behaves like 22.10; known: 20.6 (era A), 22.4 (era B1), 22.5 (era B2), 22.8 (era C), 22.9 (era D), 22.10 (era E), 24.0 (era E), certified-20.7 (era A), certified-22.8 (era C)"),
        ("asterisk: {rate_hz: 11025}", "3:21: rate_hz: must be 8000, 12000, 16000, 24000, 32000, 44100, 48000, 96000 or 192000, not 11025"),
        ("asterisk: {rate_hz: 16000}", "3:21: rate_hz: 16000 needs attach: chan; the application is 8 kHz always"),
        ("line: alaw", "3:7: line: needs a mapping (`key: value`), not 'alaw'"),
        ("server: [a]", "3:9: server: needs a mapping (`key: value`), not a list"),
        ("tags: slow", "3:7: tags: needs a list (lines that begin with `- `), not 'slow'"),
        ("ai: {says: x}", "3:5: ai: needs a list (lines that begin with `- `), not a mapping"),
        ("ai: [{says: 1}]", "3:13: says: needs text in quotes, not 1"),
        ("ai: [{says: x, times: 0}]", "3:23: times: must be at least 1, not 0"),
        ("ai: [{says: x, times: 1.5}]", "3:23: times: needs a whole number, not 1.5"),
        ("ai: [{says: x, then_push: []}]", "3:16: unknown key 'then_push'; did you mean 'then_pushes'?"),
        ("ai: [{fault: http_50}]", "3:14: fault: must be http_500, http_404, invalid_json, missing_content, no_answer, reset or refused, not 'http_50'; did you mean 'http_500'?"),
        ("ai: [{says: x}, {fault: refused}]", "3:25: fault: a backend that refuses connections gives no other reply"),
        ("ai: [{fault: reset, says: x}]", "3:14: fault: reset gives no answer, so says and body cannot stand beside it"),
        ("<<: {reaction: 1s}", "3:1: unknown key '<<'; known are summary, for_each, runs, tags, asterisk, line, network, server, ai, ai_cassette, quality, turn_taking, ear, reader, before, after, reaction, max_duration, voice, callers, then, steps"),
        ("reaction: !!float 5", "3:11: reaction: a duration needs a number and a unit (300ms, 1.2s, 5min), not 5.0"),
        ("server: !!python/name:os.system {}", "3:9: the tag !!python/name:os.system has no meaning in a scenario"),
        ("server: {a: 1, b: 2, a: 3}", "3:22: the key 'a' is here twice (first in line 3)"),
        ("server: {[a]: 1}", "3:10: a key is a word, not a list or a mapping"),
        ("server: &a {b: *a}", "3:9: an alias that contains itself"),
        ("ai: [{body: {a: [1, .inf]}}]", "3:21: JSON has no infinity and no NaN"),
        ("ai: [{body: {a: .NaN}}]", "3:17: a: JSON has no infinity and no NaN"),
        ("line: {gain_db: -.INF}", "3:17: gain_db: needs a number that is finite, not -inf"),
        ("line: {gain_db: 1e999}", "3:17: gain_db: needs a number that is finite, not inf"),
        ("line: {seed: 0_7}", "3:14: seed: needs a whole number, not '0_7'"),
        ("line: {seed: 0o8}", "3:14: seed: needs a whole number, not '0o8'"),
        ("line: {seed: -_}", "3:14: seed: needs a whole number, not '-_'"),
        ("line: {seed: 0x_}", "3:14: seed: needs a whole number, not '0x_'"),
        ("line: {seed: 12:30}", "3:14: seed: needs a whole number, not '12:30'"),
        ("reaction: 2020-01-01", "3:11: reaction: a duration needs a number and a unit (300ms, 1.2s, 5min), not '2020-01-01'"),
        ("reaction: 9e999s", "3:11: reaction: a duration needs a number and a unit (300ms, 1.2s, 5min), not '9e999s'"),
        ("server: {a: !!int abc}", "3:13: the tag !!int does not fit 'abc'"),
        ('server: {a: !!float "x"}', "3:13: the tag !!float does not fit 'x'"),
        ('server: {a: "\\ud800"}', "3:13: \\ud800 is half a character: it can be sent nowhere"),
        ('server: {"\\udfff": 1}', "3:10: \\udfff is half a character: it can be sent nowhere"),
    ],
)  # fmt: skip
def test_a_wrong_key(home: Path, keys: str, line: str) -> None:
    assert errors(home, f"{TAIL}{keys}\n") == [f"bad.yaml:{line}"]


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "1:1: the file is empty; a scenario needs `summary` and `steps`"),
        ("# only a comment\n", "1:1: the file is empty; a scenario needs `summary` and `steps`"),
        ("- wait: 1s\n", "1:1: needs a mapping (`key: value`), not a list"),
        ("hello\n", "1:1: needs a mapping (`key: value`), not 'hello'"),
        ("summary: x\n", "1:1: the key 'steps' is missing"),
        ("steps: [{wait: 1s}]\n", "1:1: the key 'summary' is missing"),
        ("summary: x\nsteps: []\n", "2:8: steps: a scenario needs at least one step"),
        ("summary: x\nsteps:\n", "2:1: steps: needs a list (lines that begin with `- `), not nothing"),
        ("summary: x\nsteps:\n\t- wait: 1s\n", "3:1: a tab where the line is indented: YAML takes only spaces there"),
        ("summary: a: b\nsteps: []\n", "1:11: a `: ` that cannot be here: indented too far, or a text that needs quotes"),
        ("summary: x\n  steps: []\n", "2:8: a `: ` that cannot be here: indented too far, or a text that needs quotes"),
        ("summary: x\nsteps: [{wait: 1s}\nai: []\n", "3:1: expected ',' or ']', but got a value, while parsing a flow sequence that begins in line 2"),
        ("summary: x\n- wait: 1s\n", "2:1: expected the end of this block, but found '-', while parsing a block mapping that begins in line 1"),
        ("- wait: 1s\nsummary: x\n", "2:1: expected the end of this block, but found a key, while parsing a block collection that begins in line 1"),
        ("summary: 'x\nsteps: []\n", "3:1: found unexpected end of stream, while scanning a quoted scalar that begins in line 1"),
        ('summary: "x\\q"\n', "1:13: found unknown escape character 'q', while scanning a double-quoted scalar"),
        ("summary: *x\n", "1:10: found undefined alias 'x'"),
        ("summary: !mine x\nsteps: [{wait: 1s}]\n", "1:10: the tag !mine has no meaning in a scenario"),
        ("summary: @x\n", "1:10: found character '@': the text needs quotes"),
        ("summary: x\n---\nsteps: []\n", "2:1: a second document (---) in the file; a scenario is one"),
        ("summary: \x01\n", "1:10: the character U+0001 cannot stand in YAML"),
        ("summary: x\r\n# y\r\ntags: [a\0]\n", "3:9: the character U+0000 cannot stand in YAML"),
        (b"summary: x\n# caf\xe9\n", "2:1: not UTF-8; save the file as UTF-8"),
        ("[" * 1000, "1:101: nested too deeply: at most 100 levels are taken"),
        pytest.param(
            "[" * 100_000,
            "1:101: nested too deeply: at most 100 levels are taken",
            id="100,000 brackets",
            marks=pytest.mark.long("a thousand are tried"),
        ),
        ("a:\n" + "\n".join(" " * level + "-" for level in range(1, 200)), "101:101: nested too deeply: at most 100 levels are taken"),
        ("a" * 1_000_001, " larger than 1 MB: this is no scenario"),
    ],
    ids=lambda value: None if isinstance(value, bytes) or len(value) > 60 else value,
)  # fmt: skip
def test_a_malformed_file(home: Path, text: str | bytes, line: str) -> None:
    assert errors(home, text) == [f"bad.yaml:{line}"]


@pytest.mark.every(5)
@pytest.mark.parametrize(
    "number", ["1" * 5000, "-" + "9" * 5000, "0x" + "f" * 5000, "1." + "1" * 5000, "1e" + "9" * 5000]
)
@pytest.mark.parametrize(
    "key", ["reaction: {}", "line: {{seed: {}}}", "ai: [{{body: {{a: [{}]}}}}]", "server: {{a: {}}}"]
)
def test_a_number_of_thousands_of_digits(home: Path, number: str, key: str) -> None:
    """Python reads none of more than 4,300 digits, and prints no such hexadecimal one in decimal."""
    column = key.format("@").index("@") + 1
    (line,) = errors(home, f"{TAIL}{key.format(number)}\n")
    assert line == f"bad.yaml:3:{column}: a number of {len(number)} characters: at most 300 are taken"


@pytest.mark.every(3)
@pytest.mark.parametrize("version", ["22." + "1" * 5000, "9" * 5000 + ".1", "x" * 100_000])
def test_a_long_text_is_not_repeated_whole(home: Path, version: str) -> None:
    (line,) = errors(home, f'{TAIL}asterisk: "{version}"\n')
    assert line.startswith(f"bad.yaml:3:11: asterisk: no profile for Asterisk {version[:100]}")
    assert len(line) < 500


def test_of_very_many_problems_the_first_are_told(home: Path) -> None:
    found = errors(home, "summary: x\nsteps:\n" + "- wat: 1s\n" * 300)
    assert found[0] == "bad.yaml:3:3: unknown step 'wat'; did you mean 'wait'?"
    assert found[100:] == ["bad.yaml: more problems than these: only the first 100 are listed"]


@pytest.mark.long("quicker tests of this file are run")
def test_the_size_of_a_file_with_aliases_is_what_they_stand_for(home: Path) -> None:
    bomb = "a: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"b{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9))
    assert errors(home, bomb)[0].endswith("more than 50000 values: too large for a scenario")
    texts = f"{TAIL}server: {{a: &a {'x' * 600_000}, b: [{', '.join(['*a'] * 9)}]}}"
    assert errors(home, texts) == ["bad.yaml:3:13: more than 5000000 characters, aliases counted: too large"]


def test_many_values_are_refused_before_they_are_all_read(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read has not to be well-formed to its end: the flow mapping is never closed."""
    monkeypatch.setattr(yaml_tree, "_MOST_NODES", 500)
    assert errors(home, f"{TAIL}tags: {{" + "a," * 4000) == [
        "bad.yaml:3:498: more than 50000 values: too large for a scenario"
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_a_byte_order_mark_make_no_difference(home: Path, end: str, mark: str) -> None:
    text = (mark + HEAD + '- wait: 1s\nserver: {a: "x\n  y"}\n').replace("\n", end)
    (home / "scenarios" / "bad.yaml").write_bytes(text.encode())
    assert load(home / "scenarios" / "bad.yaml").server == {"a": "x y"}
    assert errors(home, text + "reactoin: 1s" + end) == [
        "bad.yaml:6:1: unknown key 'reactoin'; did you mean 'reaction'?"
    ]


def test_what_is_no_regular_file_is_no_scenario(home: Path) -> None:
    """A pipe that nobody writes to would keep us waiting for ever, and /dev/zero never ends."""
    os.mkfifo(home / "pipe.yaml")
    (home / "zero.yaml").symlink_to("/dev/zero")
    for name in ("pipe.yaml", "zero.yaml"):
        with pytest.raises(ScenarioError, match=rf"{name}: not a regular file: this is no scenario$"):
            load(home / name)


@pytest.mark.long("quicker tests of this file are run")
def test_aliases_cannot_make_a_small_file_huge(home: Path) -> None:
    laughs = "".join(f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 10)}]\n" for i in range(1, 9))
    (line,) = errors(home, f"l0: &l0 x\n{laughs}")
    assert line.endswith("more than 50000 values: too large for a scenario")


def test_all_errors_of_a_file_come_in_one_go_in_their_order(home: Path) -> None:
    text = "summary: A call.\nline: {codec: ulwa}\nsteps:\n  - say: aa/no\n  - sya: x\n  - wait: 1\n    wait: 2s\n"
    assert errors(home, text) == [
        "bad.yaml:2:15: codec: must be ulaw, alaw, gsm or none, not 'ulwa'; did you mean 'ulaw'?",
        "bad.yaml:4:10: say: there is no recording 'aa/no' in recordings/",
        "bad.yaml:5:5: unknown step 'sya'; did you mean 'say'?",
        "bad.yaml:6:11: wait: a duration needs a number and a unit (300ms, 1.2s, 5min), not 1",
        "bad.yaml:7:5: the key 'wait' is here twice (first in line 6)",
    ]


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("say", "line"),
    [
        ("aa/yess", "3:10: say: there is no recording 'aa/yess' in recordings/; did you mean 'aa/yes'?"),
        ("yes", "3:10: say: there is no recording 'yes' in recordings/; did you mean 'aa/yes'?"),
        ("yes.wav", "3:10: say: there is no recording 'yes.wav' in recordings/; did you mean 'aa/yes'?"),
        ("aa/yes.wav", "3:10: say: a recording is named without its suffix: 'aa/yes'"),
        ("../private", "3:10: say: there is no recording '../private' in recordings/"),
        ("{recording: aa/yess}", "3:22: say: there is no recording 'aa/yess' in recordings/; did you mean 'aa/yes'?"),
        ("{file: helo.wav}", "3:17: file: there is no file helo.wav; did you mean 'hello.wav'?"),
        ("{file: no/such/place.wav}", "3:17: file: there is no file no/such/place.wav"),
        ("{file: .}", "3:17: file: there is no file ."),
        ("{file: ../private.wav}", "3:17: file: ../private.wav leads out of the scenario's folder and of recordings/"),
        ("{file: /etc/passwd}", "3:17: file: /etc/passwd: a path is relative to the scenario, so that it holds on every machine"),
        ('{file: "a\\0b"}', "3:17: file: a file's name cannot contain a NUL character"),
        ("{file: link.wav}", "3:17: file: link.wav leads out of the scenario's folder and of recordings/"),
        ("{file: folder/private.wav}", "3:17: file: folder/private.wav leads out of the scenario's folder and of recordings/"),
    ],
)  # fmt: skip
def test_sounds_that_cannot_be_read(home: Path, say: str, line: str) -> None:
    (home / "scenarios" / "link.wav").symlink_to(home / "private.wav")
    (home / "scenarios" / "folder").symlink_to(home)
    assert errors(home, f"{HEAD}  - say: {say}\n") == [f"bad.yaml:{line}"]


@pytest.mark.parametrize("key", ["expect", "never"])
def test_hold_audio_that_cannot_be_read(home: Path, key: str) -> None:
    written = f"{HEAD}  - {key}: {{hold_audio: {{is: playing, file: helo.wav}}}}\n"
    (line,) = errors(home, written)
    assert line.endswith("file: there is no file helo.wav; did you mean 'hello.wav'?")
    assert load_text(written.replace("helo", "hello"), "good", folder=home / "scenarios").steps
    lost = written.replace("helo", "hello")
    with pytest.raises(ScenarioError, match=r"hello\.wav is relative to the scenario, and this one lies in no folder"):
        load_text(lost, "nowhere")


def test_a_folder_of_recordings_that_lists_none(
    home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "recordings" / "manifest.yaml").write_text("")
    monkeypatch.setattr("audiosocket_sim.scenario.paths.PROJECT", tmp_path_factory.mktemp("bare"))
    assert errors(home, f"{HEAD}  - say: aa/yes\n") == [
        "bad.yaml:3:10: say: there is no recording 'aa/yes': recordings/manifest.yaml lists none"
    ]


def test_sounds_that_can(home: Path) -> None:
    (home / "scenarios" / "mine").mkdir()
    (home / "scenarios" / "mine" / "a.wav").touch()
    (home / "scenarios" / "inside.wav").symlink_to(home / "scenarios" / "hello.wav")
    file = home / "scenarios" / "good.yaml"
    says = ["aa/yes", "aa/four hundred", "{file: hello.wav}", "{file: mine/a.wav}", "{file: inside.wav, text: Hello.}"]
    says += ["{file: ../recordings/aa/yes.wav}", "{file: mine/../hello.wav}", "{text: anything}"]
    file.write_text(HEAD + "".join(f"  - say: {say}\n" for say in says))
    scenario = load(file)
    assert scenario.name == "good"
    assert scenario.folder == file.parent
    assert all(isinstance(step, SayStep) for step in scenario.steps)
    assert sound_file("mine/a.wav", file.parent) == home / "scenarios" / "mine" / "a.wav"


def test_the_projects_own_recordings_serve_every_scenario(home: Path) -> None:
    file = home / "scenarios" / "good.yaml"
    file.write_text(f"{HEAD}  - say: pt-br/sim\n")
    assert load(file).steps


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "none.yaml")
    assert str(caught.value) == f"{tmp_path / 'none.yaml'}: No such file or directory"
    with pytest.raises(ScenarioError, match="Is a directory"):
        load(tmp_path)


def test_a_misspelt_key_is_told_once_and_not_as_missing_too(home: Path) -> None:
    text = "sumary: A call.\nsteps:\n  - noise: {fro: 1s}\n"
    assert errors(home, text) == [
        "bad.yaml:1:1: unknown key 'sumary'; did you mean 'summary'?",
        "bad.yaml:3:13: unknown key 'fro'; did you mean 'for'?",
    ]


def test_an_error_knows_where_it_is() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_text("summary: x\nsteps: [{wait: 1}, {wiat: 1s}]\n", "mine")
    error = caught.value
    assert (error.file, error.line, error.column) == ("<mine>", 2, 16)
    assert error.message.startswith("wait: a duration needs")
    assert error.problems[1] == Problem("<mine>", 2, 20, "unknown step 'wiat'; did you mean 'wait'?")


def test_a_text_lies_in_no_folder() -> None:
    assert load_text(TAIL, "mine").name == "mine"
    with pytest.raises(ScenarioError, match="lies in no folder"):
        load_text(f"{HEAD}  - say: {{file: a.wav}}\n")


def test_yaml_1_2_keeps_words_as_words_and_a_bom_is_no_matter(home: Path) -> None:
    file = home / "scenarios" / "good.yaml"
    text = (
        "summary: no\ntags: [on]\nserver: {a: yes, b: 12:30, c: 2020-01-01, d: 0x10, e: 1_000, f: ~, g: true, h: 1.5}\n"
    )
    file.write_bytes(b"\xef\xbb\xbf" + f"{text}steps: [{{mute: on}}]\n".encode())
    scenario = load(file)
    assert scenario.summary == "no"
    assert scenario.tags == ("on",)
    assert scenario.server == {
        "a": "yes", "b": "12:30", "c": "2020-01-01", "d": 16, "e": 1000, "f": None, "g": True, "h": 1.5,
    }  # fmt: skip


@pytest.mark.long("quicker tests of this file are run")
@settings(max_examples=2 * settings.default.max_examples, deadline=None)
@given(st.text(alphabet="summaryteps:wi{}[]-&*!#'\",0 \n\t\\%@|>", max_size=60))
def test_any_text_is_a_scenario_or_a_scenario_error(text: str) -> None:
    with contextlib.suppress(ScenarioError):
        load_text(f"{TAIL}{text}")


@pytest.mark.long("each key in the schema is described, and variables stand for values")
def test_the_schema_in_the_repository_is_current() -> None:
    """Else: python -m audiosocket_sim schema > scenarios/scenario.schema.json"""
    assert (ROOT / "scenarios" / "scenario.schema.json").read_text(encoding="utf-8") == schema_text()
    assert json.loads(schema_text()) == schema()


@pytest.mark.long("quicker tests of this file are run")
def test_the_schema_serves_an_editor() -> None:
    made = schema()
    assert made["required"] == ["summary"]
    assert made["anyOf"] == [{"required": ["steps"]}, {"required": ["callers"]}]
    assert set(made["properties"]) >= {"summary", "tags", "asterisk", "line", "network", "server", "ai", "steps"}
    assert not {"name", "folder", "(name)", "(folder)"} & set(made["properties"])
    steps = made["properties"]["steps"]["anyOf"][0]["items"]["oneOf"]
    assert [step["$ref"].rpartition("/")[2] for step in steps[14:]] == ["IncludeStep", "Variable"]
    within = made["definitions"]["Within"]["properties"]
    assert within["within"]["default"] == "5s"
    assert within["state"]["anyOf"][0]["enum"] == ["STANDBY", "USER_TURN", "WAITING", "IA_TURN"]
    assert within["state"]["anyOf"][1] == {"$ref": "#/definitions/StateIs"}
    text = schema_text()
    assert "$defs" not in text
    assert '"title"' not in text.partition("definitions")[2]


def test_every_key_in_the_schema_is_described() -> None:
    made = schema()
    tables = {"Scenario": made, **made["definitions"]}
    silent = [
        f"{name}.{key}"
        for name, table in tables.items()
        for key, value in table.get("properties", {}).items()
        if "description" not in value
    ]
    assert silent == []
    assert [name for name, table in made["definitions"].items() if "description" not in table] == []


def test_a_stall_is_one_or_a_list_of_them() -> None:
    """As a file writes it: a key's value, or a list."""
    text = "summary: A call.\nasterisk: {{stall: {}}}\nsteps: [{{wait: 1s}}]\n"
    one = "{at: 1s, for: 400ms}"
    for written, starts in ((one, [1000]), (f"[{one}, {{at: 2s, for: 1s, caller: local}}]", [1000, 2000])):
        assert [stall.at for stall in load_text(text.format(written)).asterisk.stall] == starts


def test_recordings_whose_manifest_cannot_be_read_lend_no_names(home: Path) -> None:
    """A misspelt sound is told with the names there are; what is larger than any manifest gives none."""
    (home / "recordings" / "manifest.yaml").write_text("#" * 20_000_000)
    (line,) = errors(home, "summary: x\nsteps: [{say: aa/yess}]\n")
    assert "aa/yes," not in line


@pytest.mark.parametrize(
    ("raised", "line"),
    [(YAMLError("out of sorts\nat length"), "1:1: out of sorts"), (RecursionError(), "1:1: nested too deeply")],
    ids=["any other complaint", "a caller whose stack is deep already"],
)
def test_whatever_the_parser_raises_is_one_line(
    raised: Exception, line: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def compose(*_: object) -> None:
        raise raised

    monkeypatch.setattr(YAML, "compose", compose)
    assert errors(home, "summary: x\n") == [f"bad.yaml:{line}"]
