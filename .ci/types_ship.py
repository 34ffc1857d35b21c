"""`types_ship.py PYTHON`: does mypy see the types of the packages that are installed in that interpreter's environment?

A right use of each package must pass mypy's strict mode and a wrong one must be found; otherwise `py.typed` is missing.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

RIGHT = """\
from audiosocket_core.messages import HEADER_BYTES
from audiosocket_server import serve
from audiosocket_sim.running.options import Options
from audiosocket_sim.running.runner import run

size: int = HEADER_BYTES
outcome = run, Options, serve
"""


def complaints(python: str, folder: Path, source: str) -> str:
    (folder / "use.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--python-executable", python, "use.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        right = complaints(sys.argv[1], Path(name), RIGHT)
        wrong = complaints(sys.argv[1], Path(name), RIGHT.replace("size: int", "size: str"))
    if "Success" not in right:
        sys.exit(f"mypy complains of a right use of the installed packages:\n{right}")
    if "Incompatible types in assignment" not in wrong:
        sys.exit(f"mypy does not see the types of the installed packages:\n{wrong}")


main()
