"""The pages of `check` in a real browser: nothing is loaded, and nothing hinders who cannot see or has no mouse."""

from pathlib import Path
from typing import Any

import pytest
from helpers.axe import serious_findings
from helpers.browser_bench import browsing_file, needs_browser
from helpers.check_results import SILENCE, SOUND, UUID, a_call, a_case, a_result, a_run, outcomes

from audiosocket_core.files import write_private_file
from audiosocket_sim.conformance.case import Statement
from audiosocket_sim.conformance.results.matrix import matrix_of
from audiosocket_sim.conformance.results.page import check_page, matrix_page
from audiosocket_sim.conformance.results.result_json import result_json
from audiosocket_sim.conformance.seen_call import ConnectionEnd
from audiosocket_sim.conformance.verdicts import ConformanceResult

pytestmark = [*needs_browser, pytest.mark.asyncio]


def a_long_run() -> ConformanceResult:
    call = a_call(
        [(0.0, UUID[:3]), (0.1, UUID[3:]), *((0.2 + 0.02 * n, SILENCE) for n in range(100))],
        [*((0.1 + 0.02 * n, SOUND if n % 60 < 30 else SILENCE) for n in range(150)), (2.9, bytes(3))],
        ConnectionEnd("server", "reset", 3.0),
    )
    more = [Statement(False, "keeps the call after <b>this</b>, but closed it with a reset", "ending", at=3.0)]
    return a_run(*outcomes(), a_result(a_case("TD-01", title="an end & more"), more, [call]))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1200, 380])
async def test_the_page_of_a_run(tmp_path: Path, scheme: Any, width: int) -> None:
    file = tmp_path / "check.html"
    write_private_file(
        file, check_page(a_long_run(), 1, {"version": "1.0"}, lambda name: f"check --only {name}").encode()
    )
    async with browsing_file(file, color_scheme=scheme, viewport={"width": width, "height": 900}) as watched:
        page = watched.page
        assert await serious_findings(page) == []
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        await page.locator("a[href='#TD-01']").first.click()
        assert await page.locator("#TD-01 svg").is_visible()
        assert "<b>this</b>" in await page.locator("#TD-01 dl").inner_text()
        assert await page.locator("#TD-01 tr.here").count() == 1


async def test_the_matrix(tmp_path: Path) -> None:
    run = result_json(a_long_run(), 1, {})
    file = tmp_path / "matrix.html"
    write_private_file(file, matrix_page(matrix_of([("one", run), ("another", run)])).encode())
    async with browsing_file(file) as watched:
        assert await serious_findings(watched.page) == []
        assert await watched.page.locator("table.matrix td.cell").count() == 16
