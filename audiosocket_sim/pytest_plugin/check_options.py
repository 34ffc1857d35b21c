"""The options of `--audiosocket-check`: the conformance cases as tests (docs/check.md)."""

from pathlib import Path

import pytest

__all__ = ["add_check_options", "check_settings_of_check", "file_of", "is_heavy", "is_wanted"]

_ONE_RUN = ("no", "loadgroup")


def add_check_options(parser: pytest.Parser) -> None:
    """Register the options and the ini keys."""
    group = parser.getgroup("audiosocket")
    for name, key, text in (
        ("check", "audiosocket_check", "a test for each conformance case: audiosocket-check::HS-01 (docs/check.md)"),
        ("check-heavy", "audiosocket_check_heavy", "with --audiosocket-check: long and large forms of the cases too"),
    ):
        group.addoption(f"--audiosocket-{name}", dest=key, action="store_true", default=None, help=text)
        parser.addini(key, text, type="bool", default=False)
    for name, key, text in (
        ("check-config", "audiosocket_check_config", "check.yaml: what is stated of the bot (docs/check.md)"),
        (
            "check-known",
            "audiosocket_check_known",
            "cases (id: reason) that are known to fail, and must (docs/check.md)",
        ),
    ):
        group.addoption(f"--audiosocket-{name}", dest=key, default=None, metavar="FILE", help=text)
        parser.addini(key, text, default="")


def is_wanted(config: pytest.Config) -> bool:
    """Whether the cases are tests of this session."""
    return _flag(config, "audiosocket_check")


def is_heavy(config: pytest.Config) -> bool:
    """Whether the long and large forms are run."""
    return _flag(config, "audiosocket_check_heavy")


def file_of(config: pytest.Config, key: str) -> Path | None:
    """Return the file that an option or its ini key names; that of an ini key is relative to pytest's root folder."""
    given = config.getoption(key)
    if given:
        return Path(given)
    return config.rootpath / config.getini(key) if config.getini(key) else None


def check_settings_of_check(config: pytest.Config) -> None:
    """Raise pytest.UsageError where pytest-xdist would make one run of the suite for each of its workers."""
    dist = getattr(config.option, "dist", "no")
    if is_wanted(config) and dist not in _ONE_RUN and not hasattr(config, "workerinput"):
        raise pytest.UsageError(
            f"--audiosocket-check makes one run for all its tests, and --dist {dist} would make one for each worker: "
            "use --dist loadgroup, or no -n"
        )


def _flag(config: pytest.Config, key: str) -> bool:
    given = config.getoption(key)
    return bool(config.getini(key) if given is None else given)
