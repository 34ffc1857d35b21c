"""The page of a run, and the page of several side by side: one HTML file each, without a script, from nowhere else."""

from collections.abc import Callable, Mapping
from typing import Any

from audiosocket_sim.conformance.results.matrix import Matrix
from audiosocket_sim.conformance.results.page_data import page_data
from audiosocket_sim.conformance.verdicts import ConformanceResult
from audiosocket_sim.report.page.inline import render_page

__all__ = ["check_page", "matrix_page"]


def check_page(result: ConformanceResult, exit_code: int, made: Mapping[str, Any], repeat: Callable[[str], str]) -> str:
    """Return the page of a run. `made`: with which version and options; `repeat`: the command for one case alone."""
    data = page_data(result, exit_code, made, repeat)
    return render_page("check.html.jinja", styles=("plain.css", "check.css"), **data)


def matrix_page(matrix: Matrix) -> str:
    """Return the page of several runs side by side."""
    sections = list(dict.fromkeys(row.section for row in matrix.rows))
    return render_page("matrix.html.jinja", styles=("plain.css", "check.css"), matrix=matrix, sections=sections)
