"""What Asterisk says of a call's end, read as the simulated one tells it; and a console's, a phone's small rules."""

import asyncio

import pytest

from audiosocket_sim.asterisk.profiles import UnknownProfile, release_like
from audiosocket_sim.asterisk_real.phone import RtpPhone
from audiosocket_sim.asterisk_real.verdicts import end_told

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
    end = end_told(["@bot", logged("ERROR", "res_audiosocket", said), "@over"], "app", None, 5.0)
    assert (end.who, end.how, end.dialplan, end.at) == (who, how, "ends", 5.0)
    assert said in end.reason


def test_an_orderly_end_goes_on_in_the_dialplan() -> None:
    end = end_told(["@bot", "@continues", "@over"], "app", None, 5.0)
    assert (end.who, end.how, end.dialplan) == ("server", "orderly", "continues")


def test_a_caller_who_hung_up_ended_the_call_when_he_did() -> None:
    lines = [logged("WARNING", "app_audiosocket", "Failed to receive frame from channel 'UnicastRTP/…'"), "@over"]
    end = end_told(lines, "app", 4.5, 5.0)
    assert (end.who, end.how, end.dialplan, end.at) == ("caller", "fin", "ends", 4.5)
    assert end_told(lines, "chan", 4.5, 5.0).dialplan == "channel_ends"


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
