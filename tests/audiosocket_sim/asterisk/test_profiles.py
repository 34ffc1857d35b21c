"""The table of versions against the table of differences in docs/protocol.md, section 6."""

import pytest

from audiosocket_sim.asterisk.profiles import ERAS, VERSIONS, HeaderRule, UnknownProfile, profile
from audiosocket_sim.scenario import AsteriskPeer


def test_each_version_has_its_era() -> None:
    assert [(version, profile(version).era.name) for version, _ in VERSIONS] == [
        ("20.6", "A"),
        ("22.4", "B1"),
        ("22.5", "B2"),
        ("22.8", "C"),
        ("22.9", "D"),
        ("22.10", "E"),
        ("24.0", "E"),
        ("certified-20.7", "A"),
        ("certified-22.8", "C"),
    ]


def test_the_differences_on_the_wire() -> None:
    """One row an era: header, ms of patience in a payload, strict, orderly end, 2 s limit, DTMF, wideband, NODELAY."""
    rules = ("strict", "orderly_end", "quiet_limit", "dtmf", "wideband_kinds", "nodelay")
    assert [(e.name, e.header, 1000 * e.payload_gap_seconds, *(getattr(e, rule) for rule in rules)) for e in ERAS] == [
        ("A", HeaderRule.ENDS_CALL, 0, False, False, False, False, False, False),
        ("B1", HeaderRule.TAKEN_WHOLE, 0, True, True, True, True, False, False),
        ("B2", HeaderRule.TAKEN_WHOLE, 5, True, True, True, True, False, True),
        ("C", HeaderRule.OVERWRITTEN, 5, True, True, True, True, True, True),
        ("D", HeaderRule.WAITED_FOR, 5, True, True, True, True, True, True),
        ("E", HeaderRule.WAITED_FOR, 5, True, True, True, True, True, True),
    ]


def test_only_the_application_has_the_quiet_limit() -> None:
    without = [version for version, _ in VERSIONS if profile(version, "app").quiet_limit_seconds is None]
    assert without == ["20.6", "certified-20.7"]
    assert {profile(version, "app").quiet_limit_seconds for version, _ in VERSIONS} == {None, 2.0}
    assert {profile(version, "chan").quiet_limit_seconds for version, _ in VERSIONS} == {None}


@pytest.mark.parametrize(
    ("version", "hint"),
    [
        ("22.7", "behaves like 22.8"),
        ("22.11", "behaves like 22.10"),
        ("20.14", "behaves like 22.4"),
        ("23.0", "behaves like 22.5"),
        ("18.3", "nearest is 20.6"),
        ("25.0", "nearest is 24.0"),
        ("latest", "looks like 22.10"),
    ],
)
def test_an_unknown_version_is_refused_with_the_nearest_one(version: str, hint: str) -> None:
    with pytest.raises(UnknownProfile, match=hint) as refused:
        profile(version)
    assert "known: 20.6 (era A), 22.4 (era B1)" in str(refused.value)


@pytest.mark.parametrize(
    ("version", "era"),
    [
        ("22.10.1", "E"),
        ("24.0.0", "E"),
        ("24.0.0-rc1", "E"),
        ("20.6.0", "A"),
        ("certified-22.8-cert1", "C"),
        ("certified/22.8-cert2", "C"),
        ("certified-20.7-cert3", "A"),
    ],
)
def test_patch_levels_candidates_and_certified_releases_are_known_by_their_own_names(version: str, era: str) -> None:
    assert (profile(version).era.name, profile(version).version) == (era, version)
    assert AsteriskPeer(version=version).version == version


@pytest.mark.parametrize(
    "version", ["certified-18.9-cert5", "22.10.", "22.10\n", "22", "22.10 beta", "9" * 5000 + ".1"]
)
def test_what_has_no_profile_is_refused_in_one_line(version: str) -> None:
    with pytest.raises(UnknownProfile, match="no profile for Asterisk"):
        profile(version)


def test_an_unknown_attachment_is_refused() -> None:
    with pytest.raises(UnknownProfile, match="app or chan, not 'ari'"):
        profile("22.10", "ari")


def test_scenarios_know_the_same_versions() -> None:
    for version, _ in VERSIONS:
        assert AsteriskPeer(version=version).version == version
