"""A private apt for one suite of Debian: what it has of Asterisk, and its packages unpacked into a folder.

Nothing of the system's apt is changed: only the address of its mirror and Debian's keys are read. No root is needed.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

__all__ = ["AptFailed", "PrivateApt", "lacking", "madison_version"]

_KEYRINGS = ("/usr/share/keyrings/debian-archive-keyring.gpg", "/usr/share/keyrings/debian-archive-keyring.pgp")
_PROGRAMS = ("apt-get", "apt-cache", "dpkg-deb")
_SEEDS = ("asterisk", "asterisk-modules")
_LIBRARY = re.compile(r"(lib[a-z0-9.+-]+|zlib1g)$")
_LONGEST_SECONDS = 300


class AptFailed(Exception):
    """One line: what apt said."""


def lacking() -> str:
    """What this machine lacks for fetching Debian's packages, as text; empty where it has all."""
    missing = [name for name in _PROGRAMS if shutil.which(name) is None]
    if _keyring() is None:
        missing.append("debian-archive-keyring")
    return ", ".join(missing)


def madison_version(output: str, suite: str) -> str | None:
    """The newest version of `asterisk` in `suite`, from what `apt-cache madison asterisk` printed; None: it has none.

    A line is `asterisk | VERSION | ADDRESS SUITE/main amd64 Packages`; apt prints the newest first.
    """
    for line in output.splitlines():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 3 and fields[0] == "asterisk" and f" {suite}/" in fields[2]:
            return fields[1]
    return None


class PrivateApt:
    """An apt with its own sources, lists and cache below `folder`, which must not exist.

    suite: where Asterisk comes from. base: the suite that completes it (`sid` for `experimental`), or None.
    """

    def __init__(self, folder: Path, suite: str, base: str | None = None) -> None:
        self._folder = folder
        self._suite = suite
        for name in ("lists/partial", "cache/archives/partial", "debs", "root"):
            (folder / name).mkdir(parents=True)
        for name in ("status", "preferences"):
            (folder / name).touch()
        suites = [suite] if base is None else [suite, base]
        sources = "".join(f"deb [signed-by={_keyring()}] {_mirror()} {name} main\n" for name in suites)
        (folder / "sources.list").write_text(sources, encoding="ascii")
        settings = {
            "Dir::Etc::SourceList": folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": folder / "preferences",
            "Dir::Etc::PreferencesParts": "/dev/null",
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

    def version(self) -> str | None:
        """The text of the suite's version of `asterisk`, or None where it has none. Raises AptFailed."""
        self._run("apt-get", "update")
        version = madison_version(self._run("apt-cache", "madison", "asterisk"), self._suite)
        # Not before: apt refuses a suite of which it has no index.
        self._options += ["-o", f"APT::Default-Release={self._suite}"]
        return version

    def unpack(self) -> Path:
        """Fetch the packages of `version`, which was called before. Returns the folder that holds them unpacked.

        Raises AptFailed.
        """
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
        raise AptFailed(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        errors = [line for line in done.stderr.splitlines() if line.startswith("E:")] or [done.stderr.strip()]
        raise AptFailed(f"{command[0]}: {errors[0]}")
    return done.stdout


def _keyring() -> str | None:
    return next((path for path in _KEYRINGS if Path(path).exists()), None)


def _mirror() -> str:
    """The mirror that this machine's apt uses already. Raises AptFailed."""
    sites = _run(["apt-get", "indextargets", "--format", "$(SITE)"]).split()
    fitting = [site for site in dict.fromkeys(sites) if "debian" in site and "security" not in site]
    if not fitting:
        raise AptFailed("this machine's apt has no Debian mirror")
    return fitting[0]
