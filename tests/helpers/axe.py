"""What axe-core finds wrong with a page for people who cannot see it, or use no mouse."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import Page

SERIOUS = ("serious", "critical")


async def serious_findings(page: "Page") -> list[str]:
    """The serious and critical findings, a line each: the rule, and the first element that breaks it."""
    from axe_playwright_python.async_playwright import Axe

    found: Any = await Axe().run(page)
    return [
        f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]} {one['nodes'][0].get('failureSummary', '')[:300]}"
        for one in found.response["violations"]
        if one["impact"] in SERIOUS
    ]
