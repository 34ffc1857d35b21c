"""Makes docs/check-cases.md: all cases of `audiosocket-sim check`, from the catalogue that runs them.

python docs/make_check_cases.py            # writes docs/check-cases.md
python docs/make_check_cases.py --check    # exit code 1 if the page is not what this would write
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from audiosocket_sim.conformance.case import SECTIONS, Case
from audiosocket_sim.conformance.cases.catalogue import CASES
from audiosocket_sim.conformance.results.explain import need_words

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "check-cases.md"
PROTOCOL = ROOT / "docs" / "protocol.md"
HEAD = """\
# The cases of `check`

All cases that [`audiosocket-sim check`](check.md) runs. *must*: a bot that does not do it loses calls, or sound;
*should*: it is a warning. `audiosocket-sim check --explain HS-02` shows one step by step. Made by
`docs/make_check_cases.py` (`make docs`); do not edit.
"""
_MARKUP = {ord(character): f"\\{character}" for character in "\\`*_[]|<>"}


def main() -> int:
    """Write the page, or compare it. Returns the exit code."""
    made = page()
    if "--check" in sys.argv[1:]:
        return 0 if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == made else 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


def page() -> str:
    """Return the whole page, as Markdown."""
    lines = [HEAD, f"There are {len(CASES)}."]
    for name, words in SECTIONS.items():
        cases = [case for case in CASES if case.id[:2] == name]
        if cases:
            lines += [
                "",
                f"## {name}: {words}",
                "",
                "| case | the peer | a good server | why | protocol |",
                "|---|---|---|---|---|",
            ]
            lines += map(_row, cases)
    return "\n".join(lines) + "\n"


def anchor_of(section: str) -> str | None:
    """Return the anchor of a section of docs/protocol.md, or None if there is no such section."""
    number = section.split(",")[0].strip()
    for heading in re.findall(r"^#+ (.+)$", PROTOCOL.read_text(encoding="utf-8"), re.MULTILINE):
        if re.match(rf"{re.escape(number)}[.\s]", f"{heading} "):
            return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return None


def _row(case: Case) -> str:
    title = f"**{case.id}** {_text(case.title)} ({case.level})"
    notes = "".join(f"; needs {_text(note)}" for note in _notes(case))
    anchor = anchor_of(case.section)
    section = case.section if anchor is None else f"[{case.section}](protocol.md#{anchor})"
    since = f" (since {_text(case.since)})" if case.since else ""
    return f"| {title} | {_text(case.peer)}{notes} | {_text(case.good)} | {_text(case.why)}{since} | {section} |"


def _notes(case: Case) -> Iterator[str]:
    for need in case.needs:
        yield need_words(need)
    if case.two_at_once:
        yield "two calls at once"
    if case.only_heavy:
        yield "--heavy"


def _text(text: str) -> str:
    return " ".join(text.split()).translate(_MARKUP)


if __name__ == "__main__":
    sys.exit(main())
