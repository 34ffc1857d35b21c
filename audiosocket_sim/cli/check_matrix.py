"""`check matrix`: several runs side by side, cases × servers."""

from collections.abc import Sequence
from pathlib import Path

from audiosocket_core.files import write_shared_file
from audiosocket_sim.cli.console import FINE, SET_UP, USAGE, refuse, say, trouble
from audiosocket_sim.conformance.results.matrix import matrix_markdown, matrix_of
from audiosocket_sim.conformance.stated.expected_run import NoRun, read_run

__all__ = ["matrix_command"]


def matrix_command(runs: Sequence[str], *, html: Path | None, markdown: str | None) -> int:
    """Run the command and return the exit code: 0 written, 2 a file is no run, 3 a file cannot be written.

    `runs`: files of `check --json`, each as FILE or NAME=FILE. `markdown`: a file, or - for stdout, which is also where
    it goes if there is no file to write.
    """
    read = []
    for text in runs:
        name, equals, path = text.partition("=")
        file = Path(path if equals else text)
        try:
            read.append((name if equals else file.stem, read_run(file)))
        except NoRun as error:
            return refuse(str(error), USAGE)
    matrix = matrix_of(read)
    files: list[tuple[Path, str]] = []
    if markdown is not None and markdown != "-":
        files.append((Path(markdown), matrix_markdown(matrix)))
    if html is not None:
        from audiosocket_sim.conformance.results.page import matrix_page

        files.append((html, matrix_page(matrix)))
    for file, text in files:
        try:
            write_shared_file(file, text.encode(errors="backslashreplace"))
        except OSError as error:
            return refuse(f"cannot write to {file}: {error.strerror or error}", SET_UP)
        (trouble if markdown == "-" else say)(f"written: {file}")
    if markdown == "-" or not files:
        say(matrix_markdown(matrix).rstrip("\n"))
    return FINE
