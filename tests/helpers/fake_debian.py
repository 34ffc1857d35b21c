"""A Debian mirror of the test's own, with programs in the place of apt's that read it. They depend on their input.

A suite is a file in the mirror's folder: the version of its `asterisk`, or nothing. A package holds the program (which
prints its version), the loader and the modules of AudioSocket, as Debian's does.
"""

import os
import sys
from pathlib import Path

import pytest

from audiosocket_sim.asterisk_real import apt, packages

__all__ = ["FakeDebian"]

_PROGRAM = """#!{python} -IS
import os, sys
from pathlib import Path
mirror, name, words = Path({mirror!r}), Path(sys.argv[0]).name, sys.argv[1:]
(mirror / "asked").open("a").write(f"{{name}} {{' '.join(w for w in words if '::' not in w and w != '-o')}}\\n")
settings = dict(w.split("=", 1) for w in words if "::" in w)
if "indextargets" in words:
    print("http://mirror.example/debian")
    sys.exit()
if name == "dpkg-deb":
    version, root = Path(words[1]).read_text(), Path(words[2])
    program = f"#!/bin/sh\\necho 'Asterisk {{version}}'\\n"
    if version.startswith("0:broken"):
        program = "#!/bin/sh\\necho 'libxml2.so.16: cannot open shared object file' >&2; exit 127\\n"
    modules = "usr/lib/x86_64-linux-gnu/asterisk/modules"
    files = {{"usr/sbin/asterisk": program, "usr/lib64/ld-linux-x86-64.so.2": '#!/bin/sh\\nshift 2; exec "$@"\\n'}}
    files |= {{f"{{modules}}/{{kind}}_audiosocket.so": "" for kind in ("app", "chan", "res")}}
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
        (root / path).chmod(0o755)
    sys.exit()
lines = Path(settings["Dir::Etc::SourceList"]).read_text().splitlines()
suites = [line.split()[-2] for line in lines]
def version_in(suite):
    return (mirror / "suites" / suite).read_text()
if "update" in words:
    for suite in suites:
        if not (mirror / "suites" / suite).exists():
            sys.exit(f"E: The repository {{suite!r}} does not have a Release file.")
        if version_in(suite) == "unreachable":
            sys.exit("E: Failed to fetch http://mirror.example/debian/Packages  Connection failed")
elif "madison" in words:
    for suite in suites:
        if version_in(suite):
            print(f"  asterisk | {{version_in(suite)}} | http://mirror.example/debian {{suite}}/main amd64 Packages")
elif "download" in words:
    suite = settings.get("APT::Default-Release", suites[-1])
    Path("asterisk.deb").write_text(version_in(suite))
elif "depends" in words:
    print("asterisk")
"""


class FakeDebian:
    """The mirror and its programs, first in PATH, with an empty cache folder, and no Asterisk of the machine's own."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._mirror = folder / "mirror"
        (self._mirror / "suites").mkdir(parents=True)
        self.cache = folder / "cache" / "audiosocket-sim" / "asterisk"
        programs = folder / "bin"
        programs.mkdir()
        text = _PROGRAM.format(python=sys.executable, mirror=str(self._mirror))
        for name in ("apt-get", "apt-cache", "dpkg-deb"):
            (programs / name).write_text(text)
            (programs / name).chmod(0o755)
        keyring = folder / "keyring.gpg"
        keyring.touch()
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
        monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        monkeypatch.setattr(apt, "_KEYRINGS", (str(keyring),))
        monkeypatch.setattr(packages, "_own", lambda: None)

    def has(self, **suites: str) -> None:
        """The suites of the mirror: the version of their `asterisk`, or an empty text. `_` stands for a dash."""
        for name, version in suites.items():
            (self._mirror / "suites" / name.replace("_", "-")).write_text(version)

    def asked(self) -> list[str]:
        """What its programs were called for since the last time."""
        path = self._mirror / "asked"
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines
