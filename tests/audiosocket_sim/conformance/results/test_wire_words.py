"""Messages in words."""

import pytest
from helpers.check_results import SILENCE, SOUND, UUID

from audiosocket_core.messages import encode
from audiosocket_sim.conformance.results.wire_words import hex_bytes, message_words, part_words
from audiosocket_sim.conformance.seen_call import Chunk, messages_in


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (SILENCE, "silence, 20 ms at 8 kHz"),
        (SOUND, "sound, 20 ms at 8 kHz"),
        (encode(0x12, bytes(640)), "silence, 20 ms at 16 kHz"),
        (encode(0x10, bytes(321)), "silence, 20.06 ms at 8 kHz, an odd number of bytes"),
        (encode(0x10, b""), "audio at 8 kHz without any sample"),
        (UUID, "UUID 00010203-0405-0607-0809-0a0b0c0d0e0f"),
        (encode(1, bytes(15)), "UUID of 15 bytes"),
        (encode(0, b""), "hang-up"),
        (encode(0, b"ab"), "hang-up with a payload of 2 bytes"),
        (encode(2, b""), "silence (kind 0x02, 0 bytes)"),
        (encode(3, b"5"), "key '5'"),
        (encode(3, b"55"), "key of 2 bytes: '55'"),
        (encode(3, b""), "key of 0 bytes: ''"),
        (encode(0xFF, b"\x01"), "error (kind 0xff, 1 byte)"),
        (encode(0x77, bytes(3)), "unknown kind 0x77, 3 bytes"),
        (SILENCE[:10], "silence, 20 ms at 8 kHz, of which 10 of 323 bytes came"),
        (b"\x10", "the beginning of a header"),
    ],
)
def test_a_message(data: bytes, words: str) -> None:
    (message,) = messages_in([Chunk(0.0, data)])
    assert message_words(message) == words


def test_a_part_of_a_stream() -> None:
    messages = list(messages_in([Chunk(0.0, UUID + 3 * SILENCE)]))
    assert part_words(messages, 0, 1) == "byte 1 of 19: UUID"
    assert part_words(messages, 3, 19) == "bytes 4 to 19 of 19: UUID"
    assert part_words(messages, 3, 19 + 2 * 323 + 5) == (
        "bytes 4 to 19 of 19: UUID + 2 × silence, 20 ms at 8 kHz + bytes 1 to 5 of 323: silence"
    )


def test_of_many_things_in_one_write_the_first_and_the_last_are_named() -> None:
    data = b"".join(encode(3, key.encode()) for key in "123456")
    words = part_words(list(messages_in([Chunk(0.0, data)])), 0, len(data))
    assert words == "key '1' + key '2' + key '3' + … 2 more + key '6'"


def test_bytes() -> None:
    assert hex_bytes(UUID) == "01 00 10 00 01 02 03 04 05 06 07 …"
    assert hex_bytes(b"\x00\x00\x00") == "00 00 00"
