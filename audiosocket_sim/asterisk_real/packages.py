"""Finds each Asterisk that can be run here, chooses one, and fetches Debian's.

An Asterisk is the machine's own, or one of Debian's packages: some twenty of them (14 MB, and 10 MB of index a suite),
unpacked into the cache folder and run with their own loader and libraries. No root, no container. Most of Debian's
suites have no Asterisk (`suites`); the mirror that a machine uses has those that do.
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
from audiosocket_sim.asterisk.profiles import UnknownProfile, profile, release_like
from audiosocket_sim.asterisk_real.apt import AptFailed, PrivateApt, lacking
from audiosocket_sim.asterisk_real.suites import SUITES, SuiteResult, base_of, is_too_old, read_record, write_record
from audiosocket_sim.asterisk_real.versions import AsteriskVersion, BadVersion, fits, read_version
from audiosocket_sim.scenario.paths import cache_folder

__all__ = [
    "HOW_TO_GET_IT",
    "AsteriskMissing",
    "Installation",
    "choose",
    "fetch",
    "fetch_suites",
    "find",
    "installations",
    "results",
]

HOW_TO_GET_IT = "python -m audiosocket_sim.asterisk_real fetch"
_NEEDED = ("app_audiosocket.so", "chan_audiosocket.so", "res_audiosocket.so")
_TOO_OLD = "it has no AudioSocket, which came with Asterisk 18"


class AsteriskMissing(AudioSocketError):
    """There is no Asterisk with AudioSocket to run, or it cannot be fetched. The message says what helps."""


@dataclass(frozen=True, slots=True)
class Installation:
    """An Asterisk that can be run: `command` starts it, `modules` and `data` are its folders.

    version: as `str(AsteriskVersion)` writes it: `22.10.1`, `22.11.0-rc2`.
    """

    command: tuple[str, ...]
    modules: Path
    data: Path
    version: str

    @property
    def release(self) -> AsteriskVersion:
        """`version` as numbers that can be compared."""
        return read_version(self.version)


# --- what is here


def installations() -> list[Installation]:
    """Each Asterisk that can be run here: the machine's own first, then what was fetched, the newest first."""
    fetched = [found for root in sorted(_store().glob("*/root")) if (found := _unpacked(root)) is not None]
    fetched.sort(key=lambda one: one.release, reverse=True)
    own = _own()
    return fetched if own is None else [own, *fetched]


def find(version: str | None = None) -> Installation | None:
    """The newest Asterisk that fits `version` (`22`, `22.10`, `22.10.1`, `24.0.0-rc1`); None where there is none.

    Without a version: the machine's own, else the newest that was fetched. Raises BadVersion.
    """
    here = installations()
    return next(iter(here), None) if version is None else _newest(one for one in here if fits(one.release, version))


def choose(here: Sequence[Installation], asked: str | None, scenario_version: str) -> Installation:
    """The one to play a scenario with: the newest that fits `asked`, where a person asked for a version.

    Otherwise the newest that fits the scenario's own version, else the newest with the same rules on the wire, else the
    newest. Raises AsteriskMissing, and BadVersion for an `asked` that is no version.
    """
    if asked is not None:
        found = _newest(one for one in here if fits(one.release, asked))
        if found is None:
            has = ", ".join(one.version for one in here) or "none"
            raise AsteriskMissing(f"there is no Asterisk {asked} here, only {has}: {HOW_TO_GET_IT} --all")
        return found
    found = (
        _newest(one for one in here if fits(one.release, scenario_version))
        or _newest(one for one in here if _same_rules(one.version, scenario_version))
        or _newest(here)
    )
    if found is None:
        raise AsteriskMissing(f"there is no Asterisk here: {HOW_TO_GET_IT} (docs/asterisk.md)")
    return found


def _newest(found: "Iterator[Installation] | Sequence[Installation]") -> Installation | None:
    return max(found, key=lambda one: one.release, default=None)


def _same_rules(version: str, scenario_version: str) -> bool:
    try:
        return profile(release_like(version)).era == profile(release_like(scenario_version)).era
    except UnknownProfile:
        return False


# --- what Debian has


def results() -> dict[str, SuiteResult]:
    """What the suites had that were tried, by suite."""
    return read_record(_record())


def fetch() -> Installation:
    """Find one, or download and unpack Debian's, from the first suite that has one. Raises AsteriskMissing."""
    found = find()
    if found is not None:
        return found
    failures = []
    for result in fetch_suites(SUITES):
        if result.outcome == "runs" and (found := find()) is not None:
            return found
        failures.append(str(result))
    raise AsteriskMissing(f"Debian's Asterisk cannot be fetched ({'; '.join(failures)})")


def fetch_suites(suites: Sequence[str], *, again: bool = False) -> Iterator[SuiteResult]:
    """Try the suites one by one: download what is not here yet, and yield each suite's result once it is known.

    What an earlier try settled is not asked again, except with `again`. Raises AsteriskMissing where this machine
    cannot fetch Debian's packages at all.
    """
    here = {one.version for one in installations()}
    for suite in suites:
        known = results().get(suite)
        if known is None or again or not known.is_settled or (known.release and known.release not in here):
            if lack := lacking():
                raise AsteriskMissing(
                    f"no {lack} to fetch Debian's Asterisk with: install an Asterisk that has AudioSocket"
                )
            known = _try(suite)
            write_record(_record(), {**results(), suite: known})
        yield known


def _try(suite: str) -> SuiteResult:
    store = _store()
    store.mkdir(parents=True, exist_ok=True)
    package = ""
    with tempfile.TemporaryDirectory(dir=store, prefix="fetching-") as folder:
        try:
            apt = PrivateApt(Path(folder) / suite, suite, base_of(suite))
            package = apt.version() or ""
            if not package:
                return SuiteResult(suite, "no_asterisk", reason="it has no Asterisk")
            if is_too_old(package):
                return SuiteResult(suite, "too_old", package, reason=_TOO_OLD)
            kept = _here(package) or _keep(apt.unpack(), store)
        except AptFailed as error:
            if "does not have a Release file" in str(error):
                return SuiteResult(suite, "no_suite", reason="the mirror has no such suite")
            return SuiteResult(suite, "failed", package, reason=str(error))
    if isinstance(kept, str):
        return SuiteResult(suite, "does_not_run", package, reason=kept)
    return SuiteResult(suite, "runs", package, kept.version)


def _here(package: str) -> Installation | None:
    """The fetched one of this package's version: two suites often have the same."""
    try:
        return _unpacked(_store() / str(read_version(package)) / "root")
    except BadVersion:
        return None


def _keep(root: Path, store: Path) -> Installation | str:
    """Move it to where it is looked for; somebody else may have been faster. Returns why not, as text."""
    found = _unpacked(root)
    if found is None:
        return _why_not(root)
    home = store / found.version
    home.mkdir(exist_ok=True)
    if not (home / "root").exists():
        root.rename(home / "root")
    kept = _unpacked(home / "root")
    assert kept is not None
    return kept


# --- one installation


def _store() -> Path:
    return cache_folder() / "asterisk"


def _record() -> Path:
    return _store() / "suites.json"


def _own() -> Installation | None:
    own = shutil.which("asterisk", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if own is None:
        return None
    for lib in ("/usr/lib", "/usr/local/lib", "/usr/lib64"):
        for modules in (Path(lib) / "asterisk" / "modules", *Path(lib).glob("*/asterisk/modules")):
            found = _installation((own,), modules, _data_folder(Path(own)))
            if found is not None:
                return found
    return None


def _command(root: Path) -> tuple[tuple[str, ...], Path] | None:
    """How an unpacked Asterisk is started, and the folder of its libraries; None where it is not complete."""
    program = root / "usr/sbin/asterisk"
    loader = next((path for path in sorted(root.glob("usr/lib*/ld-linux*.so.*"))), None)
    libraries = next((path.parent for path in sorted(root.glob("usr/lib/*/asterisk"))), None)
    if loader is None or libraries is None or not program.exists():
        return None
    return (str(loader), "--library-path", str(libraries), str(program)), libraries


def _unpacked(root: Path) -> Installation | None:
    found = _command(root)
    if found is None:
        return None
    command, libraries = found
    return _installation(command, libraries / "asterisk" / "modules", root / "usr/share/asterisk")


def _why_not(root: Path) -> str:
    found = _command(root)
    if found is None:
        return "its packages hold no Asterisk that can be started here"
    command, libraries = found
    lacks = [name for name in _NEEDED if not (libraries / "asterisk" / "modules" / name).exists()]
    if lacks:
        return f"its packages lack {', '.join(lacks)}"
    return f"it does not run here: {(_said(command).strip().splitlines() or ['it says nothing'])[-1]}"


def _data_folder(program: Path) -> Path:
    """Where the XML documentation lies that some modules need."""
    folders = (Path("/usr/share/asterisk"), Path("/var/lib/asterisk"), program.parent.parent / "share/asterisk")
    return next((folder for folder in folders if (folder / "documentation").is_dir()), folders[0])


def _installation(command: tuple[str, ...], modules: Path, data: Path) -> Installation | None:
    if not all((modules / name).exists() for name in _NEEDED):
        return None
    line = re.search(r"^Asterisk .*$", _said(command), re.MULTILINE)
    try:
        return None if line is None else Installation(command, modules, data, str(read_version(line[0])))
    except BadVersion:  # a build from a checkout: `Asterisk GIT-master-…`
        return None


def _said(command: tuple[str, ...]) -> str:
    """What `asterisk -V` prints, on both of its streams."""
    try:
        done = subprocess.run([*command, "-V"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout + done.stderr
