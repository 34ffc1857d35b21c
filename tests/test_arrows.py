"""The arrows of ARCHITECTURE.md: who may import whom. Reads the imports, runs nothing."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("audiosocket", "server", "audiosocket_sim")

# Lower rooms know nothing of higher ones. A module may import only from rooms of a lower rank in its package, and from
# rooms of the same rank as long as there is no cycle (which a test of its own checks).
FORBIDDEN = {
    "audiosocket": {"server", "audiosocket_sim"},
    "server": {"audiosocket_sim"},
    "audiosocket_sim": {"server"},
}
CHAINS = (
    (
        "audiosocket_core.errors",
        "audiosocket_core.messages",
        "audiosocket_core.connection",
        "audiosocket_core.transport",
    ),
    ("audiosocket_core.pacing", "audiosocket_core.ticker"),
    (
        "audiosocket_server.events",
        "audiosocket_server.turns.machine",
        "audiosocket_server.call.session",
        "audiosocket_server.listener",
        "audiosocket_server.__main__",
    ),
    (
        "audiosocket_sim.call_log.events",
        "audiosocket_sim.checks",
        "audiosocket_sim.checks.failure",
        "audiosocket_sim.running.runner",
        "audiosocket_sim.pytest_plugin.plugin",
    ),
    (
        "audiosocket_sim.parties.target",
        "audiosocket_sim.running.runner",
        "audiosocket_sim.cli.run",
        "audiosocket_sim.cli.main",
    ),
    ("audiosocket_sim.scenario", "audiosocket_sim.scenario.loading"),
    ("audiosocket_sim.scenario.loading", "audiosocket_sim.fake_azure.service", "audiosocket_sim.cli.main"),
    (
        "audiosocket_sim.asterisk",
        "audiosocket_sim.live.mic.phone",
        "audiosocket_sim.live.mic.session",
        "audiosocket_sim.live.mic.screen",
        "audiosocket_sim.live.mic.command",
        "audiosocket_sim.cli.main",
    ),
    (
        "audiosocket_sim.live.captured_call.captured",
        "audiosocket_sim.live.captured_call.writer",
        "audiosocket_sim.live.capture.convert",
        "audiosocket_sim.live.capture.session",
        "audiosocket_sim.live.capture.command",
        "audiosocket_sim.cli.main",
    ),
    (
        "audiosocket_sim.fake_azure.frames",
        "audiosocket_sim.fake_azure.messages",
        "audiosocket_sim.fake_azure.recognition",
        "audiosocket_sim.fake_azure.turns",
        "audiosocket_sim.fake_azure.connection",
        "audiosocket_sim.fake_azure.websocket_server",
        "audiosocket_sim.fake_azure.service",
        "audiosocket_sim.fake_azure.command",
    ),
)
PURE = (
    "audiosocket_core.messages",
    "audiosocket_core.connection",
    "audiosocket_core.slin",
    "audiosocket_core.echo_path",
    "audiosocket_core.pacing",
    "audiosocket_server.endpointing",
    "audiosocket_server.turns.machine",
    "audiosocket_server.call.playback",
    "audiosocket_sim.scenario",
    "audiosocket_sim.checks",
    "audiosocket_sim.checks.failure",
    "audiosocket_sim.hearing",
    "audiosocket_sim.phone.caller",
    "audiosocket_sim.call_log.transcript",
    "audiosocket_sim.call_log.agreement",
    "audiosocket_sim.live.mic.devices",
    "audiosocket_sim.live.mic.echo_guard",
    "audiosocket_sim.live.mic.jitter_buffer",
    "audiosocket_sim.live.mic.meters",
    "audiosocket_sim.live.mic.phone",
    "audiosocket_sim.live.mic.resampling",
    "audiosocket_sim.live.mic.told",
    "audiosocket_sim.fake_azure.frames",
    "audiosocket_sim.fake_azure.messages",
    "audiosocket_sim.fake_azure.asked",
    "audiosocket_sim.fake_azure.audio_formats",
    "audiosocket_sim.fake_azure.speech_detector",
    "audiosocket_sim.fake_azure.recognition",
    "audiosocket_sim.fake_azure.plan",
    "audiosocket_sim.fake_azure.script",
    "audiosocket_sim.live.captured_call",
    "audiosocket_sim.live.capture.whole_messages",
    "audiosocket_sim.live.capture.tape",
    "audiosocket_sim.live.capture.convert",
)


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imports(name: str, path: Path) -> set[str]:
    """Every module that a file imports, also late and for types only."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, *([node.module] if node.module else [])])
            found.add(base)
            found |= {f"{base}.{alias.name}" for alias in node.names}
    return found


@cache
def graph() -> dict[str, set[str]]:
    return {name: imports(name, path) for name, path in modules()}


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_keep_apart(package: str) -> None:
    broken = [
        f"{name} imports {imported}"
        for name, found in graph().items()
        if name.split(".")[0] == package
        for imported in found
        if imported.split(".")[0] in FORBIDDEN[package]
    ]
    assert not broken


@pytest.mark.parametrize("chain", CHAINS, ids=lambda chain: chain[-1])
def test_arrows_point_down(chain: tuple[str, ...]) -> None:
    missing = [name for name in chain if name not in graph()]
    assert not missing
    upward = [
        f"{lower} imports {upper}"
        for i, lower in enumerate(chain)
        for upper in chain[i + 1 :]
        if upper in graph()[lower]
    ]
    assert not upward


@pytest.mark.parametrize("room", PURE)
def test_pure_rooms_import_no_loop_and_no_socket(room: str) -> None:
    """A room is a module, or a package with all that is in it."""
    parts = [name for name in graph() if name == room or name.startswith(f"{room}.")]
    assert parts
    for name in parts:
        assert not {i for i in graph()[name] if i.split(".")[0] in ("asyncio", "socket", "threading", "time")}, name


def test_no_cycles() -> None:
    known = set(graph())
    arrows = {name: {i for i in found if i in known and i != name} for name, found in graph().items()}
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path[path.index(name) :], name])
        if name in done:
            return
        for following in sorted(arrows[name]):
            # A package's own door, seen from inside, is no arrow.
            if not name.startswith(f"{following}."):
                visit(following, (*path, name))
        done.add(name)

    for name in sorted(arrows):
        visit(name, ())
