"""The README tells the truth: its scenario and its transcript are the committed ones, its links lead somewhere."""

import re
from pathlib import Path

import pytest

from audiosocket_sim.running.runner import run
from audiosocket_sim.scenario.loading import load_text

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_scenario_is_the_committed_one() -> None:
    shown = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    committed = (ROOT / "scenarios" / "greeting_then_hold.yaml").read_text(encoding="utf-8")
    assert committed.split("\n", 1)[1] == shown[1]


def test_the_transcript_is_the_committed_one() -> None:
    shown = re.search(r"```\n(greeting_then_hold .*?)```", README, re.DOTALL)
    assert shown is not None
    assert shown[1] == (ROOT / "scenarios" / "transcripts" / "greeting_then_hold.txt").read_text(encoding="utf-8")


@pytest.mark.long("quicker tests of this file are run")
def test_the_failure_is_what_one_word_makes_of_the_committed_one() -> None:
    path = Path("scenarios") / "greeting_then_hold.yaml"
    text = (ROOT / path).read_text(encoding="utf-8").replace('pode entrar.", within', 'pode subir.", within')
    (failure,) = run(load_text(text, path.stem, file=str(path), folder=ROOT / "scenarios")).failures
    assert "```\n" + "".join(f"  {line}\n" for line in failure.block()) + "```\n" in README


PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")), ROOT / "benchmarks" / "README.md"]
LINK = re.compile(r"\]\(([^)#:\s]*)(#[^)\s]*)?\)")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as a repository's page makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {"#" + re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    broken = []
    for link, anchor in LINK.findall(page.read_text(encoding="utf-8")):
        place = page.parent / link if link else page
        if not place.exists() or (anchor and place.suffix == ".md" and anchor not in anchors(place)):
            broken.append(link + anchor)
    assert broken == []
