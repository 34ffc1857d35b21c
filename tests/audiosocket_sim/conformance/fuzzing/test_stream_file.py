"""Findings as files: written so that people read them, and read as they were written."""

import pytest

from audiosocket_sim.conformance.fuzzing.findings import FuzzFinding
from audiosocket_sim.conformance.fuzzing.grammar import draw
from audiosocket_sim.conformance.fuzzing.harms import Harm
from audiosocket_sim.conformance.fuzzing.hex_text import bytes_from, hex_text
from audiosocket_sim.conformance.fuzzing.odd_stream import Actions, OddStream, bytes_of
from audiosocket_sim.conformance.fuzzing.stream_file import StreamFileError, read_stream_file, written
from audiosocket_sim.conformance.script import (
    Announce,
    Close,
    FinishSending,
    Pause,
    ReadAgain,
    Reset,
    Send,
    SendSound,
    SignOfLife,
    StopReading,
    WaitForEnd,
)

ALL: Actions = (
    Announce(gap=0.02),
    Send(b"\x10\x01\x40" + bytes(320)),
    Send(b"\x10\x00\x04\x00\x00", (1, 2), 0.1),
    Send(b"\x00\x01"),
    Pause(0.25),
    Send(b"\x03\x00\x015\x10"),
    Send(b"\x01"),
    Send(b"\x40\x7f\x00"),
    StopReading(),
    ReadAgain(),
    WaitForEnd(0.5),
    SignOfLife(8.0),
    FinishSending(),
    Reset(),
    Close(),
)
TEXT = """\
# the server is gone: stream 7/23 of `check --fuzz`
# A good server takes a new call, but got: refused.
# Made smaller from 22 bytes in 4 steps to 22 in 3, in 12 tries (not to the end).
# Try it again: audiosocket-sim check --replay my-03.yaml
id: MY-03
title: the server is gone
harm: gone
stream:
- announce:                     # UUID, 16 bytes
- send: "03 00 00"              # key, 0 bytes
- close:                        # closes (FIN)
"""


def finding(actions: Actions, drawn: Actions | None = None) -> FuzzFinding:
    stream = OddStream("7/23", actions if drawn is None else drawn)
    says = "takes a new call, but got: refused"
    return FuzzFinding(Harm.GONE, stream, actions, says, tries=12, cut_short=True)


def test_a_file_says_what_it_is() -> None:
    small: Actions = (Announce(), Send(b"\x03\x00\x00"), Close())
    drawn = (*small[:2], Pause(1.0), Close())
    assert written(finding(small, drawn), "MY-03", "audiosocket-sim check --replay my-03.yaml") == TEXT


DRAWN = [draw(f"9/{number}").actions for number in range(60)]
SHORT = [actions for actions in DRAWN if sum(len(bytes_of(action)) for action in actions) < 3_000]


@pytest.mark.every(4)
@pytest.mark.parametrize("actions", [ALL, *SHORT])
def test_what_is_written_is_read_as_it_was(actions: Actions) -> None:
    read = read_stream_file(written(finding(actions), "MY-12"), "f.yaml")
    assert read.actions == actions
    assert (read.id, read.harm, read.title) == ("MY-12", Harm.GONE, "the server is gone")


def test_comments_know_where_in_a_message_the_stream_is() -> None:
    text = written(finding(ALL), "MY-01")
    assert "# audio at 8 kHz, 320 bytes" in text
    assert "of which 2 are here; in 3 pieces" in text
    assert "2 more bytes of its payload" in text
    assert "key, 1 byte; 1 of the 3 bytes of a header" in text
    assert "2 of the 3 bytes of a header" in text
    assert "# a message of the unknown kind" in text or "0x7f" not in text


def test_many_messages_in_one_write_are_not_all_named() -> None:
    text = written(finding((Send(b"\x02\x00\x00" * 7),)), "MY-01")
    assert "silence (0x02), 0 bytes; silence (0x02), 0 bytes; silence (0x02), 0 bytes; and 4 more" in text
    assert "# nothing\n" in written(finding((Send(b""),)), "MY-01")


def test_only_steps_of_streams_can_be_written() -> None:
    with pytest.raises(KeyError):
        written(finding((SendSound(1.0),)), "MY-01")


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "f.yaml:"),
        ("id: 1\nid: 2\nstream: [close]", "f.yaml:2: the key 'id' is here twice"),
        ("- 1", "f.yaml: expected the keys id, title"),
        ("streams: []", "f.yaml:1: there is no key 'streams'"),
        ("id: XY\nstream: [close]", "f.yaml:1: 'XY' is no id"),
        ("harm: bad\nstream: [close]", "f.yaml:1: there is no such harm; there are: gone"),
        ("stream: []", "f.yaml:1: stream: expected a list of steps"),
        ("stream:\n- jump: 3", "f.yaml:2: there is no step 'jump'"),
        ("stream:\n- 3", "f.yaml:2: expected one step"),
        ("stream:\n- send: 1g", "f.yaml:2: '1g' is no byte"),
        (
            f"stream:\n- send: {' '.join(['00*99999'] * 11)}",
            "more than",
        ),
        ("stream:\n- send:", "f.yaml:2: send: expected bytes"),
        ("stream:\n- send: {data: 00, times: 3}", "send has no 'times'"),
        ("stream:\n- send: {data: '00', pieces: [0]}", "pieces: expected"),
        ("stream:\n- pause: long", "'long' is no number of seconds"),
        ("stream:\n- pause: 100\n- pause: 100", "take longer than 120 s"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, says: str) -> None:
    with pytest.raises(StreamFileError) as error:
        read_stream_file(text, "f.yaml")
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_may_say_little() -> None:
    read = read_stream_file("stream:\n- announce\n- send: 10\n- sign_of_life:\n- close", "f.yaml")
    assert read.actions == (Announce(), Send(b"\x10"), SignOfLife(8.0), Close())
    assert (read.id, read.harm) == ("", Harm.GONE)


def test_bytes_as_text() -> None:
    data = bytes(320) + b"\x01\x02\x02\xff\xff\xff\xff"
    assert hex_text(data) == "00*320 01 02 02 ff*4"
    assert bytes_from(hex_text(data)) == data
