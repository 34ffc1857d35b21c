"""The modules that judge, each with the tests that must notice a change of it; and the changes that do no harm."""

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from benchmarks.mutants.changes import Mutant

__all__ = ["ROOMS", "Room", "harmless"]

_CHECKS = "tests/audiosocket_sim/checks"
_HEARING = "tests/audiosocket_sim/hearing"
_HOLD = (f"{_HEARING}/test_hold_detector_parts.py", f"{_HEARING}/test_hold_detector.py")
_TURNS = "tests/audiosocket_server/turns"
_CAPTURE = "tests/audiosocket_sim/live/capture"


@dataclass(frozen=True, slots=True)
class Room:
    """A module by its path, its import name, and the test files or folders that mirror it."""

    module: str
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.module.removeprefix("server/").removesuffix(".py").replace("/", ".")


ROOMS = (
    *(
        Room(f"audiosocket_sim/checks/{name}.py", (_CHECKS,))
        for name in ("expected", "failure", "fits", "instead", "never", "verdicts", "words")
    ),
    Room("audiosocket_sim/checks/quality.py", (f"{_CHECKS}/test_quality.py",)),
    Room("audiosocket_sim/checks/late_defects.py", (f"{_CHECKS}/test_late_defects.py",)),
    Room("audiosocket_sim/call_log/agreement.py", ("tests/audiosocket_sim/call_log/test_agreement.py",)),
    Room("audiosocket_sim/call_log/resumption.py", ("tests/audiosocket_sim/call_log/test_resumption.py",)),
    Room("audiosocket_sim/asterisk/reader.py", ("tests/audiosocket_sim/asterisk/test_asterisk_reader.py",)),
    *(
        Room(
            f"audiosocket_sim/hearing/{module}.py",
            tuple(f"{_HEARING}/test_{name}.py" for name in ("ear", "hearing", "hearing_edges", "hold_detector")),
        )
        for module in ("ear", "audible_prompt")
    ),
    Room("audiosocket_sim/hearing/hold_detector.py", _HOLD),
    Room("audiosocket_sim/hearing/hold_loop.py", (f"{_HEARING}/test_hold_loop.py",)),
    Room("audiosocket_sim/hearing/loudness.py", (f"{_HEARING}/test_loudness.py",)),
    Room("audiosocket_sim/hearing/paused_prompt.py", (f"{_HEARING}/test_paused_prompt.py",)),
    Room("audiosocket_sim/hearing/playout.py", (f"{_HEARING}/test_playout.py",)),
    Room("audiosocket_sim/hearing/speech_segments.py", (f"{_HEARING}/test_speech_segments.py",)),
    Room("server/audiosocket_server/endpointing/lasting.py", ("tests/audiosocket_server/endpointing/test_lasting.py",)),
    Room(
        "server/audiosocket_server/turns/machine.py",
        ("tests/audiosocket_server/turns/test_turns.py", "tests/audiosocket_server/turns/test_turns_to_the_edge.py"),
    ),
    Room(
        "audiosocket_sim/live/capture/relay.py",
        (f"{_CAPTURE}/test_relay_sides.py", f"{_CAPTURE}/test_capture_relay.py"),
    ),
)


def harmless(module: str, mutant: Mutant) -> str | None:
    """The reason why nobody can notice the mutant, as harmless.toml gives it; None where it gives none."""
    for entry in _entries():
        if (
            (entry["module"], entry["within"]) == (module, mutant.within or "module")
            and entry["before"] == mutant.before
            and entry.get("after", mutant.after) == mutant.after
        ):
            return entry["reason"]
    return None


@lru_cache(maxsize=1)
def _entries() -> list[dict[str, str]]:
    file = Path(__file__).with_name("harmless.toml")
    entries: list[dict[str, str]] = tomllib.loads(file.read_text(encoding="utf-8")).get("mutant", [])
    return entries
