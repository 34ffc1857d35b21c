"""docs/protocol.md names tests, modules and sections: they are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_every_test_that_the_page_names_exists() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    written = set(re.findall(r"def (test_\w+)", sources))
    assert set(re.findall(r"`(test_\w+)`", PAGE)) - written == set()


def test_every_module_of_the_fidelity_table_exists() -> None:
    rows = re.findall(r"^\| FID-\d\d \|.*?\| (.*) \|.*\|$", PAGE, re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"`(\w+(?:/\w+)+)`", row)}
    assert "asterisk/leg" in names
    for name in names:
        assert any((folder / f"{name}.py").exists() for folder in (ROOT, ROOT / "server", ROOT / "audiosocket_sim")), (
            name
        )


def test_the_fidelity_table_has_every_number_once() -> None:
    assert re.findall(r"^\| FID-(\d\d) ", PAGE, re.MULTILINE) == [f"{n:02}" for n in range(1, 31)]


def test_sections_that_audiosocket_core_cites_exist() -> None:
    sections = set(re.findall(r"^##+ (\d+(?:\.\d+)?)", PAGE, re.MULTILINE))
    cited: set[str] = set()
    for path in (ROOT / "audiosocket_core").rglob("*.py"):
        cited |= set(re.findall(r"docs/protocol\.md (\d+(?:\.\d+)?)", path.read_text(encoding="utf-8")))
    assert cited
    assert cited <= sections
