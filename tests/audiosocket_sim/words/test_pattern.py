"""A pattern means what it means to Python's own search, and takes a bounded time whatever it is."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from audiosocket_sim.words import WordPattern

SINGLE = st.sampled_from(
    ["a", "b", "A", "1", " ", "é", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", "[ab]", "[^a]", "[a-c1]", r"[^\w ]", "."]
)
EDGES = st.sampled_from(["^", "$", r"\b", r"\B", r"\A", r"\Z", "(?<=a)", "(?<!ab)", r"(?<=[ab]\d)"])
TIMES = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "*?", "{2,}"])


def grown(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(part, part).map("".join),
        st.tuples(part, part).map("(?:{0[0]}|{0[1]})".format),
        st.tuples(part, TIMES).map("(?:{0[0]}){0[1]}".format),
        part.map("(?={})".format),
        part.map("(?!{})".format),
        part.map("({})".format),
    )


PATTERNS = st.recursive(st.one_of(SINGLE, EDGES), grown, max_leaves=8)


@example("1(?:ab|a){1,3}c$", "1aabac")
@example("(?:ab)*[^a1]{2,3}", "abab1")
@example(r"\B1a*(?!.)", "b1aa")
@example(r"(?=ab)a\b[^a]", "ab a b")
@example(r"\bab\b", "1 ab")
@example("[^a]b", "aabb")
@example("[a-c1]{2}", "xB1")
@given(PATTERNS, st.text(alphabet="aAbBc1 é_\n", max_size=10))
def test_it_finds_what_python_finds(pattern: str, text: str) -> None:
    try:
        found = WordPattern(pattern).is_in(text)
    except ValueError:  # too much within one another
        return
    assert found == bool(re.search(pattern, text, re.IGNORECASE))


@contextmanager
def lines_counted() -> Iterator[list[int]]:
    """How many lines of Python have been run in it."""
    count = [0]

    def trace(*_: object) -> object:
        count[0] += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)  # type: ignore[arg-type]
    try:
        yield count
    finally:
        sys.settrace(before)


@pytest.mark.every(3)
@pytest.mark.parametrize(
    "pattern",
    [
        ".*a.*b.*c.*d!",
        "a*" * 100 + "!",
        "(a|ab|abc)" * 25 + "!",
        ".?" * 100 + "!",
        "(a?b?){20}.*.*!",
        "(a+)+!",
        "(a|a)*!",
        "(?=(a.*)*)b",
        "((a{9}){9}){9}!",
    ],
)
def test_no_pattern_takes_long(pattern: str) -> None:
    """Python's own search takes from minutes to years for most of these."""
    made = WordPattern(pattern)
    with lines_counted() as count:
        assert not made.is_in("a" * 4000)
    assert count[0] < 400_000


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("(", "not a pattern (a regular expression of Python): missing )"),
        (r"(a)\1", "a pattern has no back-references"),
        (r"(a)?(?(1)b|c)", "a pattern has no back-references"),
        ("(?>a+)b", "a pattern has no atomic groups"),
        ("a++b", "a pattern has no possessive repetitions"),
        ("(?s)a.b", "a pattern has no flags such as (?s)"),
        ("(?-i:a)", "a pattern has no flags such as (?-i:…)"),
        ("((a+)+)+", "a pattern with too many repetitions within one another: a search would take too long"),
        ("(((a{60}){60}){60}){60}", "a pattern with too many repetitions within one another"),
        ("a" * 301, "a pattern has at most 300 characters, not 301"),
    ],
)
def test_what_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        WordPattern(pattern)


def test_case_and_the_end_of_a_line_are_pythons() -> None:
    assert WordPattern("ÁGUA$").is_in("uma água\n")
    assert not WordPattern(r"ÁGUA\Z").is_in("uma água\n")
    assert not WordPattern("a.b").is_in("a\nb")
    assert not WordPattern(r"fim$").is_in("x" * 4000 + "fim")  # beyond what is looked at
