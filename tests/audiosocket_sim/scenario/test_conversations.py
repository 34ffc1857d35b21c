"""Which part of a cassette each call plays. Pure."""

from uuid import UUID

import pytest

from audiosocket_sim.scenario.cassette import RawExchange
from audiosocket_sim.scenario.conversations import parts_of

ANA, BRUNO, ELSE = (UUID(int=number) for number in (1, 2, 3))
WANTED, HOW = "Expected the name or the uuid of one of ", "(asterisk: {uuid: …})"
CALLS = {"ana": ANA, "bruno": BRUNO}


def exchanges(*conversations: str) -> list[RawExchange]:
    return [RawExchange("POST", f"/{number}", b"", None, of) for number, of in enumerate(conversations)]


def paths(conversations: list[str], calls: dict[str, UUID]) -> dict[str, str]:
    parts = parts_of(exchanges(*conversations), calls)
    return {name: "".join(each.path.lstrip("/") for each in part) for name, part in parts.items()}


def test_each_plays_what_his_uuid_or_his_name_marks_and_what_nobodys_does() -> None:
    assert paths([str(ANA), "Bruno", ANA.hex.upper(), ""], CALLS) == {"ana": "023", "bruno": "13"}
    assert paths(["bruno"], CALLS) == {"ana": "", "bruno": "0"}  # ana asks nothing


@pytest.mark.parametrize("of", ["", str(ELSE), str(ANA), "some-session"])
def test_the_cassette_of_a_single_call_is_everybodys(of: str) -> None:
    assert paths([of, of], CALLS) == {"ana": "01", "bruno": "01"}
    assert paths([of, of], {"": ANA}) == {"": "01"}


def test_a_call_alone_plays_its_own_of_several() -> None:
    assert paths([str(ELSE), str(ANA)], {"": ANA}) == {"": "1"}


@pytest.mark.parametrize(
    ("conversations", "calls", "told"),
    [
        (["ana", "carla"], CALLS, "its conversation “carla”: of no caller here. " + WANTED + "ana, bruno"),
        (["x", "y"], CALLS, "its conversations “x”, “y”: of no caller here. " + WANTED + "ana, bruno"),
        (["x", "y"], {"": ANA}, f"its conversations “x”, “y”: none is of this call, whose UUID is {ANA} " + HOW),
        (
            list("abcdefg"),
            dict.fromkeys("stuvwxyz", ELSE),
            "its conversations “a”, “b”, “c”, “d”, “e”, 2 more: of no caller here. " + WANTED + "s, t, u, v, w, …",
        ),
    ],
)
def test_a_conversation_that_is_nobodys_is_refused(conversations: list[str], calls: dict[str, UUID], told: str) -> None:
    with pytest.raises(ValueError, match=r"^its conversation") as refused:
        parts_of(exchanges(*conversations), calls)
    assert str(refused.value) == told
