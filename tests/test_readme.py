"""The README tells the truth: its scenario and its transcript are the committed ones, its links lead somewhere."""

import re
from pathlib import Path

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


def test_the_failure_is_what_one_word_makes_of_the_committed_one() -> None:
    path = Path("scenarios") / "greeting_then_hold.yaml"
    text = (ROOT / path).read_text(encoding="utf-8").replace('pode entrar.", within', 'pode subir.", within')
    (failure,) = run(load_text(text, path.stem, file=str(path), folder=ROOT / "scenarios")).failures
    assert "```\n" + "".join(f"  {line}\n" for line in failure.block()) + "```\n" in README


def test_links_lead_somewhere() -> None:
    for page in (ROOT / "README.md", ROOT / "ARCHITECTURE.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
