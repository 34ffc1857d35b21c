"""Asterisk's version texts: read, ordered, compared with what somebody asks for. No Asterisk is needed."""

import pytest

from audiosocket_sim.asterisk.profiles import release_like
from audiosocket_sim.asterisk_real.versions import BadVersion, fits, read_version

TEXTS = {
    "22.10": "22.10",
    "22.10.1": "22.10.1",
    "Asterisk 22.10.1~dfsg+~cs6.17.60671434\n": "22.10.1",
    "1:22.10.1~dfsg+~cs6.17.60671434-1": "22.10.1",
    "1:22.11.0-rc2+dfsg+~cs6.17.60671434-1": "22.11.0-rc2",
    "Asterisk 22.11.0~rc2~dfsg+~cs6.17.60671434": "22.11.0-rc2",
    "24.0.0~rc1": "24.0.0-rc1",
    "24.0.0-rc1": "24.0.0-rc1",
    "certified/22.8-cert1": "certified-22.8-cert1",
    "certified-22.8-cert1": "certified-22.8-cert1",
    "Asterisk certified/22.8-cert1": "certified-22.8-cert1",
    "certified/20.7-cert3-rc2": "certified-20.7-cert3-rc2",
    "1:16.28.0~dfsg-0+deb11u4": "16.28.0",
    "20.6.0~dfsg+~cs6.13.40431414-2": "20.6.0",
}


@pytest.mark.every(3)
@pytest.mark.parametrize("text", TEXTS)
def test_a_version_text_is_read(text: str) -> None:
    version = read_version(text)
    assert str(version) == TEXTS[text]
    assert read_version(str(version)) == version


@pytest.mark.parametrize("text", [text for text, name in TEXTS.items() if not name.startswith("16")])
def test_what_is_read_has_a_profile(text: str) -> None:
    assert release_like(str(read_version(text)))


@pytest.mark.parametrize("text", ["", "22", "Asterisk GIT-master-0a1b2c3", "22.x", "v22.10", "22.10.1rc", "22.10_1"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(BadVersion, match=r"is no version of Asterisk: one looks like 22\.10"):
        read_version(text)


def test_newer_is_greater() -> None:
    texts = ["20.19.0", "22.8.0", "certified-22.8-cert1", "certified-22.8-cert2", "22.10.1", "22.11.0-rc1"]
    texts += ["22.11.0-rc2", "22.11.0", "22.11.1", "24.0.0-alpha1", "24.0.0-beta1", "24.0.0-rc10", "24.0.0"]
    versions = [read_version(text) for text in texts]
    shuffled = [*versions[1::2], *versions[::2]]
    assert sorted(shuffled) == versions


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("version", "wanted", "does"),
    [
        ("22.10.1", "22", True),
        ("22.10.1", "22.10", True),
        ("22.10.1", "22.10.1", True),
        ("22.10.1", "22.10.2", False),
        ("22.10.1", "22.1", False),
        ("22.10.1", "22.11", False),
        ("22.10.1", "20", False),
        ("22.11.0-rc2", "22.11", True),
        ("22.11.0-rc2", "22.11.0-rc2", True),
        ("22.11.0-rc2", "22.11.0~rc2", True),
        ("22.11.0-rc2", "22.11.0-rc1", False),
        ("22.11.0-rc2", "22.11.0", False),
        ("certified-22.8-cert1", "certified-22.8", True),
        ("certified-22.8-cert1", "certified/22.8-cert1", True),
        ("certified-22.8-cert1", "certified-22.8-cert2", False),
        ("certified-22.8-cert1", "22.8", False),
        ("certified-22.8-cert1", "22", False),
        ("22.8.0", "certified-22.8", False),
    ],
)
def test_a_version_fits_what_is_asked_for(version: str, wanted: str, does: bool) -> None:
    assert fits(read_version(version), wanted) is does
