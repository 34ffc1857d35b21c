"""What came after the hang-up message, in words."""

import pytest

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.asterisk.wire_record import says_after_the_end

FRAME = encode(Kind.SLIN8, bytes(320))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (FRAME, "1 audio message came after the hang-up message 00 00 00: nobody hears it"),
        (FRAME * 3, "3 audio messages came after the hang-up message 00 00 00: nobody hears them"),
        (FRAME + FRAME[:100], "2 audio messages came after the hang-up message 00 00 00: nobody hears them"),
        (bytes(3) + FRAME, "1 audio message came after the hang-up message 00 00 00: nobody hears it"),
        (bytes(3), "another 00 00 00 came after the hang-up message"),
    ],
)
def test_messages_after_the_end(data: bytes, says: str) -> None:
    assert says_after_the_end(data) == says


@pytest.mark.parametrize("data", [bytes(900), b"\x7fGET / HTTP", b"\1\2"])
def test_what_is_no_message_after_the_end(data: bytes) -> None:
    assert says_after_the_end(data).startswith(f"{len(data)} bytes that are no messages came after what reads as")
