"""Where the last of a sound is that can be heard. Pure."""

import pytest
from audiosocket_server.call.audible import silent_end_bytes

from audiosocket_core.slin import silence

LOUD = b"\x00\x10" * 80
SOFT = b"\x40\x00" * 80  # -54 dBFS


@pytest.mark.parametrize(
    ("chunks", "silent"),
    [
        ([], 0),
        ([LOUD], 0),
        ([b""], 0),
        ([LOUD * 3, silence(100)], 1600),
        ([LOUD, SOFT * 2], 320),
        ([LOUD + silence(30), silence(10), SOFT, b""], 800),
        ([silence(50)], 800),
        ([LOUD, bytes(6)], 0),  # of 10 ms the most can be heard
        ([LOUD, silence(1500), silence(1500)], 32_000),  # further back nobody looks
    ],
)
def test_how_much_silence_is_at_the_end(chunks: list[bytes], silent: int) -> None:
    assert silent_end_bytes(chunks) == silent
