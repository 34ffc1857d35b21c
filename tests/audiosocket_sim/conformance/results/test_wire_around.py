"""What went over the wire around a moment."""

from helpers.check_results import SILENCE, SOUND, UUID, a_call

from audiosocket_core.messages import Kind, encode
from audiosocket_sim.conformance.case import Statement
from audiosocket_sim.conformance.results.wire_around import around, wire_lines
from audiosocket_sim.conformance.script import FinishSending, Pause, PeerAction, ReadAgain, StopReading, StopServer
from audiosocket_sim.conformance.seen_call import ConnectionEnd, SeenCall


def told(call: SeenCall, at: float) -> list[str]:
    return [f"{line.clock()} {line.side} {line.text()}" for line in wire_lines(call, at)]


def test_what_is_alike_is_one_line_up_to_the_moment() -> None:
    call = a_call(
        [(0.0, UUID), *((0.02 * n, SILENCE) for n in range(1, 11))],
        [*((0.02 * n, SOUND) for n in range(10)), (0.3, SOUND)],
        ConnectionEnd("server", "reset", 0.5),
    )
    assert told(call, 0.1) == [
        "0.000 server takes the connection",
        "0.000 peer UUID 00010203-0405-0607-0809-0a0b0c0d0e0f",
        "0.000–0.100 server 6 × sound, 20 ms at 8 kHz",
        "0.020–0.100 peer 5 × silence, 20 ms at 8 kHz",
        "0.120–0.200 peer 5 × silence, 20 ms at 8 kHz",
        "0.120–0.300 server 5 × sound, 20 ms at 8 kHz, 20 to 120 ms apart",
        "0.500 server resets the connection (RST)",
    ]


def test_writes_that_are_no_whole_messages() -> None:
    call = a_call([(0.0, UUID[:3]), (0.1, UUID[3:] + SILENCE), (0.2, SILENCE[:5])])
    assert told(call, 0.0)[1:4] == [
        "0.000 peer bytes 1 to 3 of 19: UUID",
        "0.100 peer bytes 4 to 19 of 19: UUID + silence, 20 ms at 8 kHz",
        "0.200 peer bytes 1 to 5 of 323: silence",
    ]


def test_what_else_the_peer_does_and_how_it_ends() -> None:
    actions: list[tuple[PeerAction, float, float]] = [
        (StopReading(), 0.1, 0.1),
        (Pause(0.2), 0.1, 0.3),
        (ReadAgain(), 0.3, 0.3),
        (FinishSending(), 0.4, 0.4),
        (StopServer(), 0.5, 0.5),
    ]
    end = ConnectionEnd("peer", "fin", 1.0, 1.5, answered_with_reset=True)
    assert told(a_call(actions=actions, end=end, unsent=7), 9.0)[2:] == [
        "0.100 peer stops reading",
        "0.100–0.300 peer sends nothing for 0.2 s",
        "0.300 peer reads again",
        "0.400 peer closes its sending side (FIN), and goes on reading",
        "0.500 server is told to stop",
        "1.000 peer closes the connection (FIN)",
        "1.000 peer answers what comes after it with a reset, as Asterisk's kernel does",
        "1.000 server has left 7 bytes of the peer unread",
        "1.500 server closes its own end too",
    ]


def test_a_connection_that_was_refused() -> None:
    assert told(a_call(refused="refused"), 0.0) == ["0.000 server takes no connection: refused"]


def test_the_last_lines_up_to_the_moment_and_the_first_after_it() -> None:
    keys = [(float(n), encode(Kind.DTMF, str(n).encode())) for n in range(10)]
    call = a_call([(0.0, UUID)], keys, ConnectionEnd("server", "fin", 20.0))
    found = around(call, Statement(False, "", at=4.0), before=2, after=3)
    assert [line.words for line in found.lines] == ["key '3'", "key '4'", "key '5'", "key '6'", "key '7'"]
    assert (found.begun, found.here) == (2, 1)
    found = around(call, Statement(False, "", at=4.5), before=2, after=3)
    assert (found.begun, found.here) == (2, None)
    found = around(call, Statement(False, ""), before=1)
    assert [line.words for line in found.lines] == ["closes the connection (FIN)"]


def test_what_is_meant_is_the_one_new_thing_of_an_instant_and_rather_the_servers() -> None:
    sound = [(0.02 * n, SOUND) for n in range(11)]
    of_peer = a_call([(0.0, UUID), (0.2, bytes(3))], sound, ConnectionEnd("server", "fin", 9.0))
    found = around(of_peer, Statement(False, "", at=0.2))
    assert found.here is not None
    assert found.lines[found.here].words == "hang-up"
    of_both = a_call([(0.0, UUID)], [(0.0, SOUND)], ConnectionEnd("server", "fin", 9.0))
    found = around(of_both, Statement(False, "", at=0.0))
    assert found.here is not None
    assert found.lines[found.here].words == "sound, 20 ms at 8 kHz"


def test_messages_in_pieces() -> None:
    pieces = [(0.02 * n + late, part) for n in range(3) for late, part in ((0.0, SOUND[:3]), (0.008, SOUND[3:]))]
    call = a_call([(0.0, UUID)], pieces, ConnectionEnd("server", "fin", 9.0))
    assert told(call, 0.0)[2:4] == [
        "0.000–0.008 server sound, 20 ms at 8 kHz, in 2 pieces",
        "0.020–0.048 server 2 × sound, 20 ms at 8 kHz, in 2 pieces",
    ]
