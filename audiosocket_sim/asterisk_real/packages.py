"""Where a real Asterisk comes from: the machine's own, or Debian's packages unpacked into a folder.

No root, no container, nothing changed in the system's apt: a private apt folder, some twenty packages (14 MB, and 10 MB
of index), run with their own loader and libraries. Debian's stable suites have no Asterisk; the suites below do, and
the mirror that a machine uses has them too. It only fetches and finds; `process` runs it.
"""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from audiosocket_core.errors import AudioSocketError
from audiosocket_sim.scenario.paths import cache_folder

__all__ = ["HOW_TO_GET_IT", "AsteriskMissing", "Installation", "fetch", "find"]

HOW_TO_GET_IT = "python -m audiosocket_sim.asterisk_real fetch"
SUITES = ("forky", "sid")
"""Tried in this order."""
_KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp")
_SEEDS = ("asterisk", "asterisk-modules")
_LIBRARY = re.compile(r"(lib[a-z0-9.+-]+|zlib1g)$")
_NEEDED = ("app_audiosocket.so", "chan_audiosocket.so", "res_audiosocket.so")
_LONGEST_SECONDS = 300


class AsteriskMissing(AudioSocketError):
    """There is no Asterisk with AudioSocket to run, or it cannot be fetched. The message says what helps."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An Asterisk that can be run: `command` starts it, `modules` and `data` are its folders. version: `22.10.1`."""

    command: tuple[str, ...]
    modules: Path
    data: Path
    version: str


def find() -> Installation | None:
    """The machine's own Asterisk, else the newest that was fetched; None where there is neither."""
    own = shutil.which("asterisk", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if own is not None:
        for lib in ("/usr/lib", "/usr/local/lib", "/usr/lib64"):
            for modules in (Path(lib) / "asterisk" / "modules", *Path(lib).glob("*/asterisk/modules")):
                found = _installation((own,), modules, _data_folder(Path(own)))
                if found is not None:
                    return found
    fetched = [found for root in sorted(_store().glob("*/root")) if (found := _unpacked(root)) is not None]
    return max(fetched, key=lambda one: [int(part) for part in one.version.split(".")], default=None)


def fetch() -> Installation:
    """Find one, or download and unpack Debian's. Raises AsteriskMissing."""
    found = find()
    if found is not None:
        return found
    missing = [name for name in ("apt-get", "apt-cache", "dpkg-deb") if shutil.which(name) is None]
    keyring = next((path for path in _KEYRINGS if Path(path).exists()), None)
    if missing or keyring is None:
        lack = ", ".join(missing) or "debian-archive-keyring"
        raise AsteriskMissing(
            f"no asterisk here, and no {lack} to fetch Debian's: install an Asterisk with AudioSocket"
        )
    store = _store()
    store.mkdir(parents=True, exist_ok=True)
    failures = []
    with tempfile.TemporaryDirectory(dir=store, prefix="fetching-") as folder:
        for suite in SUITES:
            try:
                return _keep(_Apt(Path(folder) / suite, suite, keyring).unpack(), store)
            except _AptFailed as error:
                failures.append(f"{suite}: {error}")
    raise AsteriskMissing(f"Debian's Asterisk cannot be fetched ({'; '.join(failures)})")


def _store() -> Path:
    return cache_folder() / "asterisk"


def _keep(root: Path, store: Path) -> Installation:
    """Move it to where it is looked for; somebody else may have been faster."""
    found = _unpacked(root)
    if found is None:
        raise _AptFailed("the packages hold no Asterisk with AudioSocket that runs here")
    home = store / found.version
    home.mkdir(exist_ok=True)
    if not (home / "root").exists():
        root.rename(home / "root")
    kept = _unpacked(home / "root")
    assert kept is not None
    return kept


def _unpacked(root: Path) -> Installation | None:
    program = root / "usr/sbin/asterisk"
    loader = next((path for path in sorted(root.glob("usr/lib*/ld-linux*.so.*"))), None)
    libraries = next((path.parent for path in sorted(root.glob("usr/lib/*/asterisk"))), None)
    if loader is None or libraries is None or not program.exists():
        return None
    command = (str(loader), "--library-path", str(libraries), str(program))
    return _installation(command, libraries / "asterisk" / "modules", root / "usr/share/asterisk")


def _data_folder(program: Path) -> Path:
    """Where the XML documentation lies that some modules need."""
    folders = (Path("/usr/share/asterisk"), Path("/var/lib/asterisk"), program.parent.parent / "share/asterisk")
    return next((folder for folder in folders if (folder / "documentation").is_dir()), folders[0])


def _installation(command: tuple[str, ...], modules: Path, data: Path) -> Installation | None:
    if not all((modules / name).exists() for name in _NEEDED):
        return None
    try:
        done = subprocess.run([*command, "-V"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"\b(\d+\.\d+(?:\.\d+)?)", done.stdout)
    return None if version is None else Installation(command, modules, data, version[1])


class _AptFailed(Exception):
    """One line: what apt said."""


class _Apt:
    """A private apt: its own sources, lists and cache, below `folder`."""

    def __init__(self, folder: Path, suite: str, keyring: str) -> None:
        self._folder = folder
        for name in ("lists/partial", "cache/archives/partial", "debs", "root"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        source = f"deb [signed-by={keyring}] {_mirror()} {suite} main\n"
        (folder / "sources.list").write_text(source, encoding="ascii")
        settings = {
            "Dir::Etc::SourceList": folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": folder / "lists",
            "Dir::State::status": folder / "status",
            "Dir::Cache": folder / "cache",
            "Acquire::Languages": "none",
            "APT::Sandbox::User": "",
            "Debug::NoLocking": "1",
            # A suite's index is valid for some days, by a clock that need not be this machine's.
            "Acquire::Check-Valid-Until": "false",
            "Acquire::Check-Date": "false",
        }
        self._options = [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]

    def unpack(self) -> Path:
        """The folder that holds the unpacked packages. Raises _AptFailed."""
        self._run("apt-get", "update")
        self._run("apt-get", "download", *self._packages(), cwd=self._folder / "debs")
        root = self._folder / "root"
        for package in sorted((self._folder / "debs").glob("*.deb")):
            _run(["dpkg-deb", "-x", str(package), str(root)])
        return root

    def _packages(self) -> list[str]:
        """Asterisk, its modules, and the libraries that the program needs, with theirs: names change with time."""
        wanted, unseen = list(_SEEDS), ["asterisk"]
        while unseen:
            unseen = [name for name in dict.fromkeys(self._libraries_of(unseen)) if name not in wanted]
            wanted += unseen
        return wanted

    def _libraries_of(self, packages: Sequence[str]) -> Iterator[str]:
        flags = [f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")]
        for line in self._run("apt-cache", "depends", *flags, *packages).splitlines():
            name = line.strip().removeprefix("Depends: ")
            if line.startswith("  Depends: ") and _LIBRARY.match(name):
                yield name

    def _run(self, program: str, *arguments: str, cwd: Path | None = None) -> str:
        return _run([program, *self._options, *arguments], cwd)


def _run(command: Sequence[str], cwd: Path | None = None) -> str:
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=_LONGEST_SECONDS,
            env={**os.environ, "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _AptFailed(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        told = [line for line in done.stderr.splitlines() if line.startswith("E:")] or [done.stderr.strip()]
        raise _AptFailed(f"{command[0]}: {told[0]}")
    return done.stdout


def _mirror() -> str:
    """The mirror that this machine's apt uses already. Raises _AptFailed."""
    sites = _run(["apt-get", "indextargets", "--format", "$(SITE)"]).split()
    fitting = [site for site in dict.fromkeys(sites) if "debian" in site and "security" not in site]
    if not fitting:
        raise _AptFailed("this machine's apt has no Debian mirror")
    return fitting[0]
