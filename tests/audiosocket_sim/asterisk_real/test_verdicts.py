"""What Asterisk says of a call's end, read as the simulated one tells it; and a console's, a phone's small rules."""

import asyncio

import pytest

from audiosocket_sim.asterisk.profiles import UnknownProfile, release_like
from audiosocket_sim.asterisk_real.phone import RtpPhone
from audiosocket_sim.asterisk_real.verdicts import CallTimes, end_told

QUIET = CallTimes(began_at=1.0, active_at=3.0, hung_up_at=None, over_at=5.0)
LOG = "[Nov 22 18:25:04] {}[25924][C-00000004]: {}.c:161 audiosocket_run: {}"


def logged(level: str, file: str, words: str) -> str:
    return LOG.format(level, file, words)


@pytest.mark.parametrize(
    ("said", "who", "how"),
    [
        ("Reached timeout after 2000 ms of no activity on AudioSocket connection", "asterisk", "protocol"),
        ("Poll timed out while waiting for data", "asterisk", "protocol"),
        ("Received AudioSocket message other than hangup or audio, refer to …", "asterisk", "protocol"),
        ("Failed to read header from AudioSocket because: Connection reset by peer", "server", "reset"),
        ("Insufficient payload read from AudioSocket", "server", "fin"),
        ("Failed to connect to AudioSocket service", "server", "refused"),
        ("Channel is not answered", "asterisk", "unanswered"),
    ],
)
def test_the_end_as_asterisk_told_it(said: str, who: str, how: str) -> None:
    end = end_told(["@bot", logged("ERROR", "res_audiosocket", said), "@over"], "app", QUIET)
    assert (end.who, end.how, end.dialplan, end.at) == (who, how, "ends", 5.0)
    assert said in end.reason


def test_an_orderly_end_goes_on_in_the_dialplan() -> None:
    end = end_told(["@bot", "@continues", "@over"], "app", QUIET)
    assert (end.who, end.how, end.dialplan) == ("server", "orderly", "continues")


def test_a_caller_who_hung_up_ended_the_call_when_he_did() -> None:
    lines = [logged("WARNING", "app_audiosocket", "Failed to receive frame from channel 'UnicastRTP/…'"), "@over"]
    hung_up = CallTimes(began_at=1.0, active_at=4.5, hung_up_at=4.5, over_at=5.0)
    end = end_told(lines, "app", hung_up)
    assert (end.who, end.how, end.dialplan, end.at) == ("caller", "fin", "ends", 4.5)
    assert end_told(lines, "chan", hung_up).dialplan == "channel_ends"


# --- TIMEOUT(absolute)

TALKING = CallTimes(began_at=1.0, active_at=4.99, hung_up_at=None, over_at=5.0)
BLAMES_SILENCE = ["@bot", logged("ERROR", "app_audiosocket", "Reached timeout after 2000 ms of no activity"), "@over"]


def test_timeout_absolute_does_not_blame_silence_while_audio_flows() -> None:
    """Asterisk's log says so; the times of the call, and the dialplan's limit, say what it was."""
    end = end_told(BLAMES_SILENCE, "app", TALKING, absolute_timeout_ms=4000)
    assert (end.who, end.how, end.dialplan, end.at) == ("asterisk", "protocol", "ends", 5.0)
    assert end.reason.startswith("TIMEOUT(absolute) of 4 s ended the call")
    assert "«Reached timeout after 2000 ms of no activity», which is not so" in end.reason


def test_timeout_absolute_that_met_a_packet_is_logged_as_a_packet_not_received() -> None:
    """The other line that 22.10.1 and 22.11.0-rc2 log: which of the two is a matter of a moment."""
    lines = [logged("WARNING", "app_audiosocket", "Failed to receive frame from channel 'UnicastRTP/…'"), "@over"]
    end = end_told(lines, "app", TALKING, absolute_timeout_ms=4000)
    assert (end.who, end.how, end.dialplan) == ("asterisk", "protocol", "ends")
    assert end.reason == "TIMEOUT(absolute) of 4 s ended the call"


@pytest.mark.parametrize("absolute_timeout_ms", [None, 60_000])
def test_two_seconds_of_silence_are_blamed_where_there_were_two(absolute_timeout_ms: int | None) -> None:
    end = end_told(BLAMES_SILENCE, "app", QUIET, absolute_timeout_ms=absolute_timeout_ms)
    assert end.reason == "«Reached timeout after 2000 ms of no activity»"


@pytest.mark.parametrize("absolute_timeout_ms", [None, 60_000])
def test_a_limit_that_nobody_knows_of_is_not_silence_either(absolute_timeout_ms: int | None) -> None:
    """A dialplan of somebody's own: what is known is that a packet came 10 ms before the end."""
    end = end_told(BLAMES_SILENCE, "app", TALKING, absolute_timeout_ms=absolute_timeout_ms)
    assert end.reason.startswith("Asterisk ended the call, as it does for TIMEOUT(absolute)")
    assert "the last packet or key came 10 ms before the end" in end.reason


def test_timeout_absolute_of_the_channel_driver_is_not_logged_at_all() -> None:
    """`Dial` does not go on in the dialplan, as it does (option g) when the server hangs up."""
    end = end_told(["@bot", "@over"], "chan", TALKING, absolute_timeout_ms=4000)
    assert (end.who, end.how, end.dialplan) == ("asterisk", "protocol", "channel_ends")
    assert end.reason == "TIMEOUT(absolute) of 4 s ended the call"
    goes_on = end_told(["@bot", "@continues", "@over"], "chan", TALKING, absolute_timeout_ms=4000)
    assert (goes_on.who, goes_on.how) == ("server", "orderly")
    early = end_told(["@bot", "@over"], "chan", TALKING, absolute_timeout_ms=6000)
    assert early.who == "server"


def test_a_caller_who_hangs_up_before_the_limit_did_it_himself() -> None:
    hung_up = CallTimes(began_at=1.0, active_at=4.9, hung_up_at=4.9, over_at=5.0)
    assert end_told(["@bot", "@over"], "chan", hung_up, absolute_timeout_ms=4000).who == "caller"


def test_two_phones_hear_one_another() -> None:
    """Linear samples through G.711: the second pass changes nothing more; a pause shows in the time stamps only."""

    async def talk() -> list[bytes]:
        heard: list[bytes] = []
        all_heard = asyncio.Event()

        def hear(at: float, pcm: bytes) -> None:
            heard.append(pcm)
            if len(heard) == 2:
                all_heard.set()

        one, other = await RtpPhone.open("ulaw", lambda at, pcm: None), await RtpPhone.open("ulaw", hear)
        one.connect(other.port)
        for value in (b"\x84\x00", b"\x84\x10"):
            one.send(value * 160)
            await asyncio.sleep(0.001)
        await all_heard.wait()
        one.close()
        other.close()
        return heard

    heard = asyncio.run(asyncio.wait_for(talk(), 5))
    assert [len(pcm) for pcm in heard] == [320, 320]
    assert heard[0] == b"\x84\x00" * 160


@pytest.mark.parametrize(
    ("version", "like"),
    [("22.10.1", "22.10"), ("22.11.0", "22.10"), ("20.6.0", "20.6"), ("23.4.1", "22.10"), ("18.24.3", "20.6")],
)
def test_a_binarys_version_has_a_profile(version: str, like: str) -> None:
    assert release_like(version) == like


@pytest.mark.parametrize("version", ["16.28.0", "certified", "18.10"])
def test_some_have_none(version: str) -> None:
    with pytest.raises(UnknownProfile):
        release_like(version)
