"""The plug-in's options and ini keys, all prefixed; and a clear error for options by their old names.

Each option `--audiosocket-NAME` has an ini key `audiosocket_name`; the command line takes precedence. The old names
(`--target`, `--peer`, …) are not registered, so that a project may define options of these names in its conftest.py.
"""

import os
import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

if TYPE_CHECKING:
    from audiosocket_sim.parties.peer import PeerName
    from audiosocket_sim.parties.target_choice import TargetChoice
    from audiosocket_sim.scenario import CallerEar, TurnLimits

__all__ = [
    "INI_KEYS",
    "OVERRIDE",
    "add_options",
    "again",
    "artefacts",
    "check_settings",
    "configured",
    "control_url",
    "default_reader",
    "ear",
    "ear_is_replaced",
    "kernel",
    "overrides",
    "peer",
    "reader",
    "real_time",
    "refuse_old_names",
    "repeat",
    "scenario_folders",
    "snapshots_required",
    "target_of",
    "trust",
    "turn_limits",
]

_WHOLE = re.compile(r"[0-9]{1,6}")
_MOST_RUNS = 1000
OVERRIDE = "--audiosocket-set"
_PEERS = ("simulated", "asterisk")
_OLD_NAMES = ("--target", "--control-url", "--real-time", "--peer", "--kernel", "--artefacts")
_SNAPSHOTS = ("optional", "required")
INI_KEYS = tuple(
    f"audiosocket_{name}"
    for name in (
        "again",
        "artefacts",
        "asterisk",
        "check",
        "check_config",
        "check_heavy",
        "check_known",
        "control_url",
        "ear",
        "kernel",
        "line",
        "peer",
        "reader",
        "real_time",
        "repeat",
        "report",
        "report_of",
        "scenarios",
        "set",
        "snapshots",
        "target",
        "trust",
        "turn_taking",
    )
)
"""All ini keys of the plug-in."""
_NEAR = 0.85
"""The likeness (difflib's ratio) from which an unknown ini key is one of ours, misspelt in its prefix."""


def add_options(parser: pytest.Parser) -> None:
    """Register the command-line options and the ini keys."""
    group = parser.getgroup("audiosocket", "scenarios of phone calls")
    _add_text(
        parser,
        group,
        "target",
        "what scenarios call: module:callable, 'command: PROGRAM … {port}' or tcp://HOST:PORT (docs/targets.md)",
    )
    _add_text(parser, group, "control-url", "control URL of a target that does not report its own")
    _add_text(parser, group, "artefacts", "folder for call logs and recordings (runs/pytest)")
    _add_text(
        parser,
        group,
        "turn-taking",
        "limits over all calls of the session together: 'response_p95: 1.2s, interruptions_by_bot: 0'",
    )
    peer_help = "who calls: the simulated Asterisk (default), or a real one, in real time (docs/asterisk.md)"
    group.addoption("--audiosocket-peer", dest="audiosocket_peer", choices=_PEERS, default=None, help=peer_help)
    parser.addini("audiosocket_peer", peer_help, default="")
    _add_text(
        parser,
        group,
        "reader",
        "who reads the words of a voice that no phrase book knows: local, none or module:callable (docs/scenarios.md)",
    )
    _add_text(
        parser,
        group,
        "ear",
        "the caller's phone: phone, endless, 'fifo 120ms', 'asterisk fixed', 'asterisk adaptive' or neteq-like; on the "
        "command line it goes before `ear:` of a scenario, as ini key behind it",
    )
    _add_flag(parser, group, "real-time", "run scenarios on the real clock")
    _add_flag(parser, group, "again", "call a tcp:// target a second time too, where a call was inconclusive")
    _add_flag(parser, group, "kernel", "run scenarios over the kernel's loopback sockets")
    _add_flag(
        parser,
        group,
        "trust",
        "let scenarios name code, programs, addresses, and files outside their folders (docs/scenarios.md, Trust)",
    )
    set_help = "a value that goes before that of each scenario, such as line.noise_dbfs=-40; can be given several times"
    group.addoption(
        OVERRIDE, dest="audiosocket_set", action="append", default=None, metavar="KEY.KEY=VALUE", help=set_help
    )
    repeat_help = "call N times for each scenario, each time with other seeds, and say how many calls passed"
    group.addoption("--audiosocket-repeat", dest="audiosocket_repeat", default=None, metavar="N", help=repeat_help)
    parser.addini("audiosocket_repeat", repeat_help, default="")
    parser.addini("audiosocket_set", set_help, type="linelist", default=[])
    parser.addini("audiosocket_scenarios", "folders whose scenarios are collected without a modeline", "args", [])
    parser.addini(
        "audiosocket_snapshots", "`required`: a scenario without a snapshot of its transcript fails", default="optional"
    )


def _add_text(parser: pytest.Parser, group: pytest.OptionGroup, name: str, text: str) -> None:
    key = f"audiosocket_{name.replace('-', '_')}"
    group.addoption(f"--audiosocket-{name}", dest=key, default=None, help=text)
    parser.addini(key, text, default="")


def _add_flag(parser: pytest.Parser, group: pytest.OptionGroup, name: str, text: str) -> None:
    key = f"audiosocket_{name.replace('-', '_')}"
    group.addoption(f"--audiosocket-{name}", dest=key, action="store_true", default=None, help=text)
    parser.addini(key, text, type="bool", default=False)


def refuse_old_names(parser: pytest.Parser, arguments: Sequence[str]) -> None:
    """Raise pytest.UsageError for an option by its old name, unless a plug-in or conftest.py defines that name."""
    given = [argument.partition("=")[0] for argument in arguments]
    if not any(name in _OLD_NAMES for name in given):
        return
    unknown = parser.parse_known_and_unknown_args(list(arguments))[1]
    old = next((name for name in (text.partition("=")[0] for text in unknown) if name in _OLD_NAMES), None)
    if old is not None:
        raise pytest.UsageError(f"{old} is now --audiosocket-{old.removeprefix('--')}")


def check_settings(config: pytest.Config) -> None:
    """Raise pytest.UsageError for a value that is invalid whatever scenarios are collected."""
    from audiosocket_sim.parties.target import TargetUsageError, parse_target
    from audiosocket_sim.reading.choice import reader_problem

    _refuse_unknown_keys(config)
    for key, allowed in (("audiosocket_peer", _PEERS), ("audiosocket_snapshots", _SNAPSHOTS)):
        if config.getini(key) not in ("", *allowed):
            raise pytest.UsageError(f"{key} = {config.getini(key)}: expected {' or '.join(allowed)}")
    for source, name in (("--audiosocket-reader", reader(config)), ("audiosocket_reader", default_reader(config))):
        problem = None if name is None else reader_problem(name)
        if problem is not None:
            raise pytest.UsageError(f"{source}: {problem}")
    for key in ("audiosocket_again", "audiosocket_real_time", "audiosocket_kernel"):
        try:
            config.getini(key)
        except (ValueError, pytest.UsageError) as error:
            raise pytest.UsageError(f"{key}: {error}") from None
    _check_overrides(config)
    if (text := _text(config, "audiosocket_repeat")) and not (_WHOLE.fullmatch(text) and 1 <= int(text) <= _MOST_RUNS):
        raise pytest.UsageError(f"--audiosocket-repeat {text}: expected a number from 1 to {_MOST_RUNS}")
    try:
        turn_limits(config)
    except ValueError as error:
        given = config.getoption("audiosocket_turn_taking") is not None
        source = "--audiosocket-turn-taking" if given else "audiosocket_turn_taking"
        raise pytest.UsageError(f"{source}: {error}") from None
    for source, text in (
        ("--audiosocket-ear", config.getoption("audiosocket_ear")),
        ("audiosocket_ear", config.getini("audiosocket_ear")),
    ):
        if text:
            _parse_ear(source, text)
    missing = next((folder for folder in scenario_folders(config) if not folder.is_dir()), None)
    if missing is not None:
        raise pytest.UsageError(f"audiosocket_scenarios: there is no folder {missing}")
    for source, text in (
        ("--audiosocket-target", config.getoption("audiosocket_target")),
        ("audiosocket_target", config.getini("audiosocket_target")),
    ):
        if text:
            try:
                parse_target(text, control_url(config))
            except TargetUsageError as error:
                raise pytest.UsageError(f"{source}: {error}") from None
            return


def _check_overrides(config: pytest.Config) -> None:
    """Raise pytest.UsageError for a text that is no `KEY.KEY=VALUE`."""
    given = overrides(config)
    if given:
        from audiosocket_sim.scenario.loading import WrongOverride, parse_override

        for text in given:
            try:
                parse_override(text, OVERRIDE)
            except WrongOverride as error:
                raise pytest.UsageError(f"{OVERRIDE} {error}") from None


def _refuse_unknown_keys(config: pytest.Config) -> None:
    """Raise pytest.UsageError for a misspelt ini key of ours, in the file or after `-o`: pytest only warns of it."""
    in_file = getattr(config, "_inicfg", None)  # older versions of pytest have `inicfg`
    in_file = config.inicfg if in_file is None else in_file
    given = [*in_file, *(text.partition("=")[0] for text in config.getoption("override_ini") or ())]
    for key in given:
        near = get_close_matches(key, INI_KEYS, n=1, cutoff=_NEAR)
        is_meant = near or key.replace("_", "").replace("-", "").lower().startswith("audiosocket")
        if key not in INI_KEYS and is_meant and not _is_registered(config, key):
            near = near or get_close_matches(key, INI_KEYS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(INI_KEYS)}"
            raise pytest.UsageError(f"unknown ini key {key}; {hint}")


def _is_registered(config: pytest.Config, key: str) -> bool:
    """Whether a plug-in or conftest.py defines the ini key."""
    try:
        config.getini(key)
    except (ValueError, TypeError, pytest.UsageError) as error:
        return not str(error).startswith("unknown configuration value")
    return True


def configured(config: pytest.Config) -> "TargetChoice | None":
    """Return the target that is named for the whole session, or None. Raises TargetUsageError."""
    from audiosocket_sim.parties.target_choice import configured_target

    return configured_target(
        command_line=config.getoption("audiosocket_target"),
        option="--audiosocket-target",
        ini=config.getini("audiosocket_target"),
        folder=config.rootpath,
    )


def target_of(config: pytest.Config, scenario_folder: Path | None, *, marked: str | None = None) -> "TargetChoice":
    """Return the target for a scenario in this folder. Raises TargetUsageError, also if none is named.

    `marked`: the target that the test's marker names. It comes after the command line and before the ini key.
    """
    from audiosocket_sim.parties.target_choice import TargetChoice, choose_target

    if marked and config.getoption("audiosocket_target") is None:
        return TargetChoice(marked, "marker")
    return choose_target(
        scenario_folder,
        command_line=config.getoption("audiosocket_target"),
        option="--audiosocket-target",
        places="--audiosocket-target, the ini key audiosocket_target",
        ini=config.getini("audiosocket_target"),
        folder=config.rootpath,
    )


def control_url(config: pytest.Config, *, marked: str | None = None) -> str | None:
    """Return the URL of `--audiosocket-control-url`, else `marked`, else that of the ini key, or None."""
    given = config.getoption("audiosocket_control_url") or marked
    return str(given or config.getini("audiosocket_control_url")) or None


def artefacts(config: pytest.Config) -> Path:
    """Return the folder for all files of the session, relative to the working folder."""
    return Path(_text(config, "audiosocket_artefacts") or "runs/pytest")


def peer(config: pytest.Config) -> "PeerName":
    """Return who calls: `simulated` or `asterisk`."""
    return cast("PeerName", _text(config, "audiosocket_peer") or "simulated")


def reader(config: pytest.Config) -> str | None:
    """Return the reader of the command line, which goes before a scenario's own; None if it names none."""
    return config.getoption("audiosocket_reader") or None


def default_reader(config: pytest.Config) -> str | None:
    """Return the reader of the ini key, for scenarios that name none; None if it names none."""
    return str(config.getini("audiosocket_reader")) or None


def real_time(config: pytest.Config, *, marked: bool | None = None) -> bool:
    """Whether calls run on the real clock. `marked`: the marker's value; the command line goes first."""
    return _flag(config, "audiosocket_real_time", marked)


def kernel(config: pytest.Config, *, marked: bool | None = None) -> bool:
    """Whether calls use the kernel's loopback sockets. `marked`: the marker's value; the command line goes first."""
    return _flag(config, "audiosocket_kernel", marked)


def again(config: pytest.Config) -> bool:
    """Whether a target at an address is called a second time too, where a call was inconclusive."""
    return _flag(config, "audiosocket_again")


def trust(config: pytest.Config) -> bool:
    """Whether scenarios may name modules, and files outside their folders, under `server:`."""
    return _flag(config, "audiosocket_trust")


def overrides(config: pytest.Config) -> Sequence[str]:
    """Return the values that go before those of the scenarios, such as `line.noise_dbfs=-40`."""
    return [*config.getini("audiosocket_set"), *(config.getoption("audiosocket_set") or ())]


def repeat(config: pytest.Config) -> int:
    """Return how many runs each scenario has; 0: as many as it says itself."""
    return int(_text(config, "audiosocket_repeat") or 0)


def turn_limits(config: pytest.Config) -> "TurnLimits | None":
    """Return the limits on turn-taking over the whole session; None if there are none. Raises ValueError."""
    text = _text(config, "audiosocket_turn_taking").strip()
    if not text:
        return None
    from audiosocket_sim.scenario.loading.turn_limits import read_turn_limits

    return read_turn_limits(text)


def ear(config: pytest.Config, *, written: bool) -> "CallerEar | None":
    """Return the caller's phone for the place of a scenario's own; None: that one stays.

    `written`: the scenario, or the test's marker, names a phone itself. Raises pytest.UsageError.
    """
    given = config.getoption("audiosocket_ear") or (None if written else config.getini("audiosocket_ear"))
    return _parse_ear("audiosocket_ear", str(given)) if given else None


def ear_is_replaced(config: pytest.Config) -> bool:
    """Whether the command line names a phone, so that a call is not the one of its snapshot."""
    return bool(config.getoption("audiosocket_ear"))


def _parse_ear(source: str, text: str) -> "CallerEar":
    from audiosocket_sim.scenario.loading.ear_option import parse_ear

    try:
        return parse_ear(text)
    except ValueError as error:
        raise pytest.UsageError(f"{source}: {error}") from None


def scenario_folders(config: pytest.Config) -> Iterator[Path]:
    """Yield the folders of the ini key `audiosocket_scenarios`, which is relative to pytest's root folder."""
    for name in config.getini("audiosocket_scenarios"):
        yield Path(os.path.normpath(config.rootpath / name))


def snapshots_required(config: pytest.Config) -> bool:
    """Whether a scenario without a snapshot fails."""
    return str(config.getini("audiosocket_snapshots")) == "required"


def _text(config: pytest.Config, key: str) -> str:
    return str(config.getoption(key) or config.getini(key))


def _flag(config: pytest.Config, key: str, marked: bool | None = None) -> bool:
    given = config.getoption(key)
    if given is None:
        given = marked
    return bool(config.getini(key) if given is None else given)
