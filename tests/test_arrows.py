"""The arrows of ARCHITECTURE.md: which folder may import which. Reads the imports, runs nothing.

A *room* is a folder, or a file that stands directly in one of the three packages. It may import what its row names, and
the other files of its own folder, in which a test allows no cycle.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = {
    "audiosocket_core": ROOT / "audiosocket_core",
    "audiosocket_server": ROOT / "server" / "audiosocket_server",
    "audiosocket_sim": ROOT / "audiosocket_sim",
}

# Short names: `core.slin` is audiosocket_core.slin. In a row, lower rooms of the same package first.
MAY_IMPORT = {
    # the wire and the sound
    "core": "core.errors core.messages core.connection core.transport core.slin core.pacing core.ticker",
    "core.errors": "",
    "core.messages": "core.errors",
    "core.connection": "core.errors core.messages",
    "core.sockets": "",
    "core.fair_share": "",
    "core.few_at_once": "",
    "core.transport": "core.errors core.messages core.connection core.sockets core.fair_share",
    "core.resampling": "",
    "core.files": "",
    "core.kept_files": "core.files",
    "core.wav": "",
    "core.slin": "core.errors core.resampling core.files core.wav",
    "core.echo_path": "",
    "core.pacing": "",
    "core.timerfd": "",
    "core.ticker": "core.pacing core.timerfd",
    "core.phrase_book": "core.errors core.files core.kept_files core.slin",
    "core.lanes": "",
    "core.accepting": "",
    "core.http_limits": "",
    "core.http_slices": "",
    "core.http_server": "core.accepting core.http_limits core.http_slices",
    "core.http_origin": "",
    "core.stop_signals": "",
    # the reference server
    "server": "server.settings server.speech server.listener",
    "server.events": "",
    "server.settings": "core.phrase_book",
    "server.admission": "server.settings",
    "server.complaints": "",
    "server.endpointing": "core.echo_path",
    "server.turns": "server.events",
    "server.backend": "server.events server.settings",
    "server.speech": "core.errors core.slin core.phrase_book server.settings",
    "server.speech.azure": "server.settings server.speech",
    "server.speech.local": "core.kept_files core.slin core.phrase_book server.settings server.speech",
    "server.gathering": "server.endpointing",
    "server.detectors": "server.settings server.endpointing server.speech server.gathering",
    "server.registry": "core.slin core.pacing server.events server.turns server.backend",
    "server.services": "server.settings server.turns server.backend server.speech server.detectors server.registry",
    "server.call": "core.messages core.fair_share core.transport core.resampling core.ticker server.events "
    "server.settings server.endpointing server.turns server.backend server.speech server.gathering server.detectors "
    "server.registry server.services",
    "server.web": "core.ticker core.lanes core.http_limits core.http_server core.http_origin server.events "
    "server.admission server.turns server.backend server.registry",
    "server.door": "core.connection core.transport server.admission server.complaints server.services server.call",
    "server.listener": "core.accepting core.slin server.settings server.turns server.backend server.speech "
    "server.detectors server.registry server.services server.door server.web",
    "server.__main__": (
        "core.errors core.few_at_once core.stop_signals server.settings server.speech server.detectors server.listener"
    ),
    # the simulator
    "sim": "sim.api",
    "sim.import_string": "",
    "sim.words": "core.phrase_book",
    "sim.scenario_files": "",
    "sim.reading": "core.errors core.kept_files sim.import_string",
    "sim.virtual_time": "",
    "sim.net": "core.http_origin",
    "sim.asterisk": "core.errors core.messages core.fair_share core.slin sim.net",
    "sim.scenario": "core.errors core.phrase_book sim.words sim.reading sim.asterisk",
    "sim.scenario.loading": "core.files core.phrase_book sim.scenario",
    "sim.hearing.damage": "core.slin core.phrase_book",
    "sim.hearing.phones": "",
    "sim.hearing": "core.resampling core.slin core.phrase_book sim.hearing.damage sim.hearing.phones",
    "sim.turn_taking": "",
    "sim.call_log": "core.wav core.slin sim.reading sim.asterisk sim.scenario sim.turn_taking",
    "sim.checks": "core.phrase_book sim.words sim.scenario sim.turn_taking sim.call_log",
    "sim.report": "",
    "sim.report.page": "core.files sim.call_log",
    "sim.report.saved": "core.errors core.files core.wav core.slin core.phrase_book sim.scenario "
    "sim.scenario.loading sim.hearing sim.turn_taking sim.call_log",
    "sim.report.call": "core.files core.slin core.lanes sim.scenario sim.turn_taking sim.call_log sim.report.page "
    "sim.report.saved",
    "sim.report.diff": "sim.call_log sim.report.page sim.report.saved sim.report.call",
    "sim.report.many": "core.errors core.files sim.turn_taking sim.call_log sim.report sim.report.page "
    "sim.report.saved sim.report.call sim.report.diff",
    "sim.phone": "core.errors core.files core.kept_files core.wav core.slin core.phrase_book sim.import_string "
    "sim.asterisk sim.scenario sim.scenario.loading",
    "sim.parties": "core.phrase_book sim.import_string sim.net sim.asterisk sim.scenario",
    "sim.asterisk_real": "core.errors core.messages core.slin sim.asterisk sim.scenario sim.parties",
    "sim.mock_ai": "core.phrase_book core.http_server sim.net sim.scenario sim.call_log",
    "sim.fake_azure": "core.errors core.resampling core.slin core.phrase_book sim.import_string sim.net "
    "sim.scenario sim.scenario.loading",
    "sim.running": "core.errors core.files core.slin core.phrase_book sim.words sim.reading sim.report "
    "sim.virtual_time sim.net sim.asterisk sim.scenario sim.hearing.phones sim.hearing sim.turn_taking "
    "sim.call_log sim.checks sim.phone sim.parties sim.asterisk_real sim.mock_ai",
    "sim.conformance": "core.messages core.phrase_book core.slin sim.virtual_time sim.net sim.asterisk sim.scenario "
    "sim.parties sim.mock_ai sim.running",
    "sim.conformance.cases": "core.messages sim.conformance",
    "sim.conformance.stated": "core.files sim.scenario sim.scenario.loading sim.parties sim.conformance",
    "sim.conformance.results": "core.messages sim.report.page sim.conformance",
    "sim.conformance.fuzzing": "core.files core.messages sim.virtual_time sim.scenario.loading sim.parties sim.running "
    "sim.conformance sim.conformance.results",
    "sim.python_calls": "sim.virtual_time sim.scenario sim.scenario.loading sim.call_log sim.parties sim.running",
    "sim.live": "",
    "sim.live.captured_call": "core.files core.wav core.slin core.phrase_book sim.asterisk sim.scenario "
    "sim.scenario.loading sim.hearing",
    "sim.live.capture": "core.errors core.files core.messages core.sockets core.http_server sim.net sim.asterisk "
    "sim.scenario sim.scenario.loading sim.live.captured_call",
    "sim.live.mic": "core.files core.slin core.echo_path core.phrase_book core.stop_signals sim.net "
    "sim.asterisk sim.hearing sim.turn_taking sim.call_log sim.live.captured_call",
    "sim.live.doctor": "core.errors core.messages core.connection core.slin core.stop_signals",
    "sim.pytest_plugin": "core.errors core.files sim.scenario_files sim.reading sim.report sim.report.saved "
    "sim.report.call sim.report.many sim.net sim.scenario sim.scenario.loading sim.turn_taking sim.call_log "
    "sim.checks sim.parties sim.asterisk_real sim.fake_azure sim.running sim.conformance sim.conformance.cases "
    "sim.conformance.stated sim.conformance.results sim.python_calls",
    "sim.cli": "core.errors core.files core.wav core.slin core.phrase_book core.stop_signals sim.scenario_files "
    "sim.words sim.reading sim.report sim.report.saved sim.report.call sim.report.diff sim.report.many sim.net "
    "sim.asterisk sim.scenario sim.scenario.loading sim.turn_taking sim.call_log sim.checks sim.parties sim.mock_ai "
    "sim.fake_azure sim.running sim.conformance sim.conformance.cases sim.conformance.stated sim.conformance.results "
    "sim.conformance.fuzzing "
    "sim.live.captured_call sim.live.capture sim.live.mic sim.live.doctor",
    "sim.__main__": "sim.cli",
    "sim.api": "sim.reading sim.scenario sim.scenario.loading sim.call_log sim.checks sim.parties sim.running "
    "sim.python_calls",
}
PURE = (
    "core.messages",
    "core.connection",
    "core.resampling",
    "core.wav",
    "core.slin",
    "core.echo_path",
    "core.pacing",
    "core.http_origin",
    "server.admission",
    "server.backend.http_answer",
    "server.backend.reply",
    "server.endpointing",
    "server.turns",
    "server.speech.local.spoken_numbers",
    "server.call.audible",
    "server.call.early_speech",
    "server.call.heard_words",
    "server.call.playback",
    "server.call.resuming",
    "sim.asterisk.wire_counts",
    "sim.scenario",
    "sim.checks",
    "sim.hearing",
    "sim.turn_taking",
    "sim.words",
    "sim.phone.caller",
    "sim.phone.surroundings",
    "sim.call_log.transcript",
    "sim.call_log.agreement",
    "sim.call_log.comparison",
    "sim.call_log.differences",
    "sim.call_log.happenings",
    "sim.call_log.resumption",
    "sim.call_log.voices",
    "sim.report.call.call_view",
    "sim.report.call.envelope",
    "sim.report.many.index_baseline",
    "sim.report.many.index_data",
    "sim.report.call.labels",
    "sim.report.call.lane_items",
    "sim.report.call.lane_item",
    "sim.report.call.fault_items",
    "sim.report.call.speech_notes",
    "sim.report.call.margins",
    "sim.report.pass_rate",
    "sim.report.page.visible_text",
    "sim.report.call.problems",
    "sim.report.call.redacted",
    "sim.report.saved.same_call",
    "sim.report.call.scenario_marks",
    "sim.report.call.sides",
    "sim.report.saved.sound_alone",
    "sim.report.call.still_picture",
    "sim.report.table",
    "sim.report.call.tables",
    "sim.report.call.turn_values",
    "sim.conformance.fuzzing.findings",
    "sim.conformance.fuzzing.grammar",
    "sim.conformance.fuzzing.hex_text",
    "sim.conformance.fuzzing.in_words",
    "sim.conformance.fuzzing.odd_stream",
    "sim.conformance.fuzzing.result_text",
    "sim.conformance.fuzzing.rounds",
    "sim.conformance.fuzzing.shrinking",
    "sim.conformance.fuzzing.stream_file",
    "sim.conformance.fuzzing.harms",
    "sim.conformance.results.alike",
    "sim.conformance.results.badge",
    "sim.conformance.results.drawing",
    "sim.conformance.results.junit",
    "sim.conformance.results.matrix",
    "sim.conformance.results.page_data",
    "sim.conformance.results.explain",
    "sim.conformance.results.failure_text",
    "sim.conformance.results.lines",
    "sim.conformance.results.result_json",
    "sim.conformance.results.summary",
    "sim.conformance.results.wire_around",
    "sim.conformance.results.wire_words",
    "sim.live.mic.device_check",
    "sim.live.mic.devices",
    "sim.live.mic.echo_guard",
    "sim.live.mic.jitter_buffer",
    "sim.live.mic.latencies",
    "sim.live.mic.level_meter",
    "sim.live.mic.own_pauses",
    "sim.live.mic.phone",
    "sim.live.mic.resampling",
    "sim.live.mic.server_events",
    "sim.live.mic.trouble",
    "sim.live.mic.typed_texts",
    "sim.mock_ai.cassette_order",
    "sim.fake_azure.frames",
    "sim.fake_azure.messages",
    "sim.fake_azure.client_requests",
    "sim.fake_azure.audio_formats",
    "sim.fake_azure.speech_detector",
    "sim.fake_azure.recognition",
    "sim.fake_azure.plan",
    "sim.fake_azure.plan_progress",
    "sim.live.captured_call",
    "sim.live.capture.message_splitter",
    "sim.live.capture.tape",
    "sim.net.pairing",
    "sim.live.capture.journal",
    "sim.live.capture.convert",
)
"""Rooms, and single files of rooms, whose time is an argument: they import no loop, no socket and no clock."""


def short(module: str) -> str:
    return module.removeprefix("audiosocket_")


@cache
def modules() -> dict[str, Path]:
    found = {}
    for package, folder in PACKAGES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def room_of(module: str) -> str:
    """The folder that a file stands in; a file directly in a package is a room of its own."""
    parts = module.split(".")
    is_folder = modules()[module].name == "__init__.py"
    return short(module if is_folder or len(parts) == 2 else ".".join(parts[:-1]))


def statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every statement, however deep. To walk the expressions too would take ten times as long."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for node in getattr(tree, part, ()):
            yield node
            yield from statements(node)


def imported(name: str, path: Path) -> Iterator[str]:
    """Every module that a file imports, also late and for types only."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in statements(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parent = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parent, *([node.module] if node.module else [])])
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield full if full in modules() else base


@cache
def graph() -> dict[str, set[str]]:
    return {name: set(imported(name, path)) for name, path in modules().items()}


def rows() -> dict[str, set[str]]:
    return {room: set(allowed.split()) for room, allowed in MAY_IMPORT.items()}


def test_every_room_has_a_row_and_every_row_a_room() -> None:
    rooms = {room_of(module) for module in graph()}
    assert rooms == set(MAY_IMPORT)
    named = {room for allowed in rows().values() for room in allowed}
    assert named - rooms == set()


def test_a_room_imports_only_what_its_row_names() -> None:
    allowed = {room: row | {room} for room, row in rows().items()}
    broken = [
        f"{module} imports {target}"
        for module, targets in graph().items()
        for target in targets & set(modules())
        if room_of(target) not in allowed.get(room_of(module), ())
    ]
    assert not broken


def test_no_row_allows_what_nobody_needs() -> None:
    used: dict[str, set[str]] = {room: set() for room in MAY_IMPORT}
    for module, targets in graph().items():
        used[room_of(module)] |= {room_of(target) for target in targets & set(modules())}
    assert {room: unused for room, allowed in rows().items() if (unused := allowed - used[room])} == {}


def test_arrows_between_rooms_point_down() -> None:
    """Each row stands below all that it names: a table in this order can hold no circle."""
    order = {room: place for place, room in enumerate(MAY_IMPORT)}
    doors = {"core", "server", "sim"}  # a package's door imports what it opens on when it is asked for
    upward = [(room, other) for room, allowed in rows().items() for other in allowed if order[other] > order[room]]
    assert {room for room, _ in upward} == doors


@pytest.mark.parametrize(
    ("package", "others"), [("core", ("server", "sim")), ("server", ("sim",)), ("sim", ("server",))]
)
def test_packages_keep_apart(package: str, others: tuple[str, ...]) -> None:
    """Server and simulator meet over bytes, HTTP and an import string; the core knows neither."""
    broken = [
        f"{module} imports {target}"
        for module, targets in graph().items()
        if short(module).split(".")[0] == package
        for target in targets
        if target.startswith("audiosocket_") and short(target).split(".")[0] in others
    ]
    assert not broken


def test_pure_rooms_import_no_loop_and_no_socket() -> None:
    parts = {room: [name for name in graph() if f"{short(name)}.".startswith(f"{room}.")] for room in PURE}
    assert [room for room, names in parts.items() if not names] == []
    broken = [
        f"{name} imports {target}"
        for names in parts.values()
        for name in names
        for target in graph()[name]
        if target.split(".")[0] in ("asyncio", "socket", "threading", "time")
    ]
    assert not broken


def test_no_cycles_within_a_room() -> None:
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
