"""Makes docs/matrix.md: calls the servers of servers.yaml, which others wrote, by `audiosocket-sim check`.

python docs/matrix/make_matrix.py --from FOLDER               # calls all, then writes the page
python docs/matrix/make_matrix.py --from FOLDER --only ava    # calls one again, then writes the page
python docs/matrix/make_matrix.py --page                      # writes the page from the runs in .cache/matrix

FOLDER has a folder for each server, by its name: a checkout at the commit that servers.yaml names, or (`--install`) its
package at that version. Both are checked. What is compiled lies in FOLDER/bin: `built` in servers.yaml says what is
expected there.
"""

import argparse
import asyncio
import json
import os
import shlex
import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from matrix_page import not_looked_at, page
from ruamel.yaml import YAML

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = HERE.parent / "matrix.md"
RUNS = ROOT / ".cache" / "matrix"
OURS = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'server'}"}
"""In this environment `audiosocket_sim` is the checkout's. Some servers write into the working folder: it is RUNS."""
_TRIES = 200
"""Ten a second, until a server listens."""

LEGEND = "✓ passes"
"""How the matrix begins, behind the table of the targets."""

Server = Mapping[str, Any]


class NotAsNamed(Exception):
    """What lies in the folder is not what servers.yaml names, or cannot be started as it says."""


def main() -> int:
    """Call the servers, write the page. Returns the exit code: 1 if a failure is in no finding, 3 if a server
    is not there as it is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="folder", type=Path, metavar="FOLDER", help="where the servers lie")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="only this server")
    parser.add_argument(
        "--install", action="store_true", help="install the packages from PyPI and npm into FOLDER first"
    )
    parser.add_argument("--page", action="store_true", help="only write the page, from the runs that there are")
    chosen = parser.parse_args()
    servers = read("servers.yaml")
    if not chosen.page:
        if chosen.folder is None:
            parser.error("say where the servers lie: --from FOLDER")
        try:
            for server in servers:
                if not chosen.only or server["name"] in chosen.only:
                    call(server, chosen.folder.resolve(), install=chosen.install)
        except NotAsNamed as error:
            sys.stderr.write(f"{error}\n")
            return 3
    files = [file for server in servers if (file := RUNS / f"{server['name']}.json").exists()]
    runs = {file.stem: json.loads(file.read_text()) for file in files}
    findings = read("findings.yaml")
    PAGE.write_text(page(servers, runs, findings, table(files)))
    if unseen := not_looked_at(runs, findings):
        sys.stderr.write(f"failed, and not in findings.yaml: {', '.join(unseen)}\n")
        return 1
    return 0


def read(name: str) -> Any:
    """Return what a YAML file of this folder says."""
    return YAML(typ="safe").load((HERE / name).read_text())


def call(server: Server, folder: Path, *, install: bool) -> None:
    """Look whether the server is the one that is named, run `check` against it, keep the run as JSON."""
    if install:
        put_in_place(server, folder)
    look_at(server, folder)
    RUNS.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{server['name']}\n")
    asyncio.run(check(server, folder))


async def check(server: Server, folder: Path) -> None:
    """Run `audiosocket-sim check`. A server whose port is fixed in its source is started here and called by address."""
    command = start(server, folder)
    if "listens" not in server:
        await run_check(f"command: {command}", server["name"])
        return
    program = await asyncio.create_subprocess_exec(
        *shlex.split(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        for _ in range(_TRIES):
            if await answers(server["listens"]):
                break
            await asyncio.sleep(0.1)
        await run_check(f"tcp://127.0.0.1:{server['listens']}", server["name"])
    finally:
        if program.returncode is None:
            program.terminate()
        await program.wait()


async def run_check(target: str, name: str) -> None:
    """Write the run to .cache/matrix/NAME.json, and what was said beside it. Raises NotAsNamed if it did not begin."""
    made = RUNS / f"{name}.json"
    made.unlink(missing_ok=True)
    words = [sys.executable, "-m", "audiosocket_sim", "check", "--target", target, "--json", str(made)]
    with (RUNS / f"{name}.txt").open("w") as said:
        run = await asyncio.create_subprocess_exec(*words, stdout=said, stderr=subprocess.STDOUT, cwd=RUNS, env=OURS)
        code = await run.wait()
    if not made.exists():
        raise NotAsNamed(f"{name}: check ended with code {code}; what it said is in {RUNS / f'{name}.txt'}")


async def answers(port: int) -> bool:
    """Whether something listens on this port of the loopback address."""
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


def start(server: Server, folder: Path) -> str:
    """Return the command that starts the server; {port} stays in it."""
    places = {
        "python": folder / "venv" / "bin" / "python",
        "main": HERE / "mains" / server.get("main", ""),
        "code": folder / server["name"],
        "bin": folder / "bin",
    }
    return str(server["start"]).format(port="{port}", **{name: shlex.quote(str(at)) for name, at in places.items()})


def look_at(server: Server, folder: Path) -> None:
    """Raise NotAsNamed unless the folder has the commit, or the version of the package, that servers.yaml names."""
    origin, code = server["from"], folder / server["name"]
    if "commit" in origin:
        found = output("git", "-C", code, "rev-parse", "HEAD")
        wanted = origin["commit"]
        where = f"{code}: expected a checkout of {origin['repository']} at {wanted}"
    elif "npm" in origin:
        package = code / "node_modules" / origin["npm"] / "package.json"
        found = json.loads(package.read_text())["version"] if package.exists() else ""
        wanted = origin["version"]
        where = f"{code}: expected the npm package {origin['npm']} {wanted} (--install)"
    else:
        asks = f"import importlib.metadata as m; print(m.version({origin['pypi']!r}))"
        found = output(folder / "venv" / "bin" / "python", "-c", asks)
        wanted = origin["version"]
        where = f"{folder / 'venv'}: expected the PyPI package {origin['pypi']} {wanted} (--install)"
    if found != str(wanted):
        raise NotAsNamed(f"{where}; found {found or 'nothing'}")


def put_in_place(server: Server, folder: Path) -> None:
    """Install the server's package, or what it needs of PyPI, with the registries' own clients."""
    origin, code = server["from"], folder / server["name"]
    if "npm" in origin:
        code.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--prefix", code, f"{origin['npm']}@{origin['version']}"], check=True)
    needs = [*server.get("needs", [])]
    if needs or "pypi" in origin:
        python = folder / "venv" / "bin" / "python"
        if not python.exists():
            venv.create(folder / "venv", with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *needs], check=True)
        if "pypi" in origin:  # the speech services that it also names are replaced in our main
            named = f"{origin['pypi']}=={origin['version']}"
            subprocess.run([python, "-m", "pip", "install", "-q", "--no-deps", named], check=True)


def table(runs: Iterable[Path]) -> str:
    """Return the matrix as Markdown, made by `audiosocket-sim check matrix`, without the table of the targets.

    That one has this machine's folders; docs/matrix.md has its own, of where the servers come from.
    """
    made = output(sys.executable, "-m", "audiosocket_sim", "check", "matrix", *runs)
    return made[made.find(LEGEND) :] if LEGEND in made else made


def output(*words: object) -> str:
    """Return what a command prints, or "" if it fails."""
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, env=OURS, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())
