"""The doctor in virtual time against the simulated Asterisk of each version: its findings and its advice."""

import asyncio
import functools
import json
import re
import signal
from collections.abc import Callable
from typing import Any

import pytest
from helpers.fidelity_bench import ID, quiet

from audiosocket_core.messages import Kind, Message
from audiosocket_core.slin import read_audio
from audiosocket_sim.asterisk import CallLeg
from audiosocket_sim.asterisk.profiles import profile
from audiosocket_sim.cli import doctor as doctor_cli
from audiosocket_sim.cli.doctor import report
from audiosocket_sim.cli.main import main
from audiosocket_sim.live.doctor import (
    Finding,
    NobodyCalled,
    Observed,
    causes,
    examine,
    examine_calls,
    findings,
    in_common,
    nobody_called,
)
from audiosocket_sim.virtual_time import run

VOICE = read_audio("recordings/pt-br/quero_falar_com_o_apartamento_202.wav")


def speaking() -> Callable[[int], bytes]:
    """Speech, repeated."""
    position = 0

    def source(n_samples: int) -> bytes:
        nonlocal position
        start, position = position, (position + 2 * n_samples) % (len(VOICE) - 2 * n_samples)
        return VOICE[start : start + 2 * n_samples]

    return source


def treat(
    version: str = "22.10",
    attach: str = "app",
    *,
    seconds: float = 6.0,
    probe: bool = True,
    hang_up_at: float = 60.0,
    how: str = "close",
    keys: str = "",
    **options: Any,
) -> tuple[Observed, CallLeg]:
    """One call of the simulated Asterisk to the doctor."""
    options.setdefault("source", speaking())

    async def whole() -> tuple[Observed, CallLeg]:
        loop = asyncio.get_running_loop()
        address: asyncio.Future[tuple[str, int]] = loop.create_future()
        task = loop.create_task(
            examine(
                "127.0.0.1",
                0,
                listen_seconds=seconds,
                probe=probe,
                on_listening=lambda host, port: address.set_result((host, port)),
            )
        )
        leg = CallLeg(profile(version, attach), ID, on_bot_audio=lambda *_: None, **options)
        timer = loop.call_later(hang_up_at, leg.hang_up, how)
        await leg.connect(*await address)
        for key in keys:
            await leg.press(key, 100)
        seen = await task
        leg.hang_up()
        await leg.wait_ended()
        timer.cancel()
        return seen, leg

    return run(whole)


def line(found: list[Finding], what: str) -> Finding:
    return next(finding for finding in found if finding.what == what)


def test_a_good_call_needs_no_change() -> None:
    seen, leg = treat(keys="42#")
    found = findings(seen)
    assert [finding.change for finding in found if finding.change] == []
    assert (
        line(found, "audio").seen == "0x10, 320 bytes every 20 ms: linear, 8000 Hz, as its label says; packets of 20 ms"
    )
    assert line(found, "level").seen.startswith("up to −")
    assert line(found, "keys").seen.startswith("42#")
    assert line(found, "end").seen == "we hung up after 6.2 s with 00 00 00; Asterisk closed"
    assert str(ID) in line(found, "connection").seen
    assert leg.anomalies == ["a header came in pieces: write each message at once"]


@pytest.mark.every(6)
@pytest.mark.parametrize(
    ("version", "keys", "says"),
    [
        ("20.6", "", "perhaps older than 20.14"),
        ("22.4", "1", "20.14-20.16, 22.4-22.6"),
        ("22.5", "1", "20.14-20.16, 22.4-22.6"),
        ("22.8", "1", "20.17-20.18, 22.7-22.8"),
        ("22.9", "1", "20.19, 22.9, 23.3 or later"),
        ("22.10", "1", "20.19, 22.9, 23.3 or later"),
    ],
)
@pytest.mark.parametrize("attach", ["app", "chan"])
def test_the_version_shows_in_what_it_does_with_a_message_in_pieces(
    version: str, keys: str, says: str, attach: str
) -> None:
    found = findings(treat(version, attach, keys=keys)[0])
    assert says in line(found, "Asterisk").seen
    assert bool(line(found, "Asterisk").change) == (version not in ("22.9", "22.10"))


@pytest.mark.every(2)
@pytest.mark.parametrize(
    ("version", "attach", "keys", "rate_hz", "says"),
    [
        ("20.6", "app", "", 8000, "older than 20.14, 22.4: it answers 00 00 00 with a reset"),
        ("22.4", "app", "7", 8000, "20.14, 22.4, 23.0 or later"),
        ("22.10", "app", "", 8000, "does not show"),
        ("22.10", "chan", "", 16000, "20.17, 22.7, 23.1 or later"),
    ],
)
def test_without_the_probe_it_says_less_and_drops_nobody(
    version: str, attach: str, keys: str, rate_hz: int, says: str
) -> None:
    seen, leg = treat(version, attach, probe=False, keys=keys, rate_hz=rate_hz)
    assert says in line(findings(seen), "Asterisk").seen
    assert leg.anomalies == []


@pytest.mark.every(2)
@pytest.mark.parametrize(("coding", "name"), [("ulaw", "µ-law"), ("alaw", "A-law")])
def test_g711_labelled_as_linear_is_reported_with_its_cure(coding: Any, name: str) -> None:
    found = findings(treat("22.10", "chan", coding=coding)[0])
    assert line(found, "audio").seen.startswith(f"0x10, 160 bytes every 20 ms: {name}, labelled as linear audio")
    assert "c(slin)" in line(found, "audio").change


def test_packets_of_10_ms_are_no_g711() -> None:
    """Linear audio in packets of 10 ms has 160 bytes too, as G.711 in packets of 20 ms has."""
    found = findings(treat(packet_time_ms=10)[0])
    assert line(found, "audio") == Finding(
        "audio", "0x10, 160 bytes every 10 ms: linear, 8000 Hz, as its label says; packets of 10 ms"
    )


@pytest.mark.every(2)
@pytest.mark.parametrize("packet_time_ms", [30, 60])
def test_the_packet_time_of_the_phone(packet_time_ms: int) -> None:
    found = findings(treat(packet_time_ms=packet_time_ms)[0])
    assert f"packets of {packet_time_ms} ms" in line(found, "audio").seen


@pytest.mark.every(3)
@pytest.mark.parametrize(("rate_hz", "khz"), [(12000, 12), (16000, 16), (48000, 48)])
def test_wideband_under_the_label_of_8_khz(rate_hz: int, khz: int) -> None:
    found = findings(treat("22.5", "chan", rate_hz=rate_hz)[0])
    assert f"about {khz}000 Hz, labelled as 8 kHz" in line(found, "audio").seen
    assert "c(slin)" in line(found, "audio").change


def test_wideband_with_its_own_label() -> None:
    found = findings(treat("22.10", "chan", rate_hz=16000)[0])
    assert "0x12, 640 bytes every 20 ms: linear, 16000 Hz" in line(found, "audio").seen


def test_a_phone_that_stops_sending() -> None:
    """Gaps are reported with advice for the bot; the gap of a pressed key is not."""
    voice, sent = speaking(), 0

    def source(n_samples: int) -> bytes | None:
        nonlocal sent
        sent += 1
        return None if 60 <= sent < 160 else voice(n_samples)

    found = findings(treat(source=source)[0])
    assert line(found, "gaps").seen.startswith("1 of more than 60 ms without audio, the longest 2.02 s")
    assert "send silence all the time" in line(found, "gaps").change
    assert [f for f in findings(treat(keys="1")[0]) if f.what == "gaps"] == []


def test_a_phone_that_sends_nothing_at_all() -> None:
    found = findings(treat(source=quiet)[0])
    assert line(found, "audio").seen.startswith("none")
    assert line(found, "audio").change


def test_a_phone_that_sends_silence() -> None:
    found = findings(treat(source=bytes_of_silence)[0])
    assert "silence" in line(found, "level").seen
    assert line(found, "level").change


def bytes_of_silence(n_samples: int) -> bytes:
    return bytes(2 * n_samples)


@pytest.mark.every(3)
@pytest.mark.parametrize(("how", "says"), [("close", "closed"), ("reset", "reset"), ("mid_frame", "inside a message")])
def test_the_caller_hangs_up_first(how: str, says: str) -> None:
    found = findings(treat(hang_up_at=3.01, how=how)[0])
    assert says in line(found, "end").seen
    assert "after 3.0 s" in line(found, "end").seen


def test_an_unanswered_channel() -> None:
    found = findings(treat(answered=False)[0])
    assert len(found) == 1
    assert "without a byte" in found[0].seen
    assert "Answer()" in found[0].change


def test_a_caller_that_is_not_asterisk() -> None:
    async def whole() -> Observed:
        loop = asyncio.get_running_loop()
        address: asyncio.Future[tuple[str, int]] = loop.create_future()
        task = loop.create_task(examine("127.0.0.1", 0, on_listening=lambda *name: address.set_result(name)))
        _, writer = await asyncio.open_connection(*await address)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        seen = await task
        writer.close()
        return seen

    (found,) = findings(run(whole))
    assert found.seen.endswith(
        "the first message was not a UUID of 16 bytes, which Asterisk always sends; it began 'GET / HTTP/1.1\\r\\n'"
    )
    assert "an HTTP client called" in found.change


@pytest.mark.parametrize(
    ("first", "change"),
    [
        (b"INVITE sip:100@h", "a SIP phone or trunk called"),
        (b"\x16\x03\x01\x02\x00", "the caller speaks TLS"),
        (b"\x10\x01\x40", "`ss -tnp` on that machine names the program"),
        (b"", "`ss -tnp` on that machine names the program"),
    ],
)
def test_who_called_instead_is_known_by_its_first_bytes(first: bytes, change: str) -> None:
    (found,) = findings(Observed("192.0.2.1:4711", 0.0, first_bytes=first, end="breach"))
    assert change in found.change


def test_calls_in_a_row_are_each_observed_and_a_constant_uuid_shows() -> None:
    over: list[Observed] = []

    async def whole() -> list[Observed]:
        loop = asyncio.get_running_loop()
        address: asyncio.Future[tuple[str, int]] = loop.create_future()
        listening = functools.partial(examine_calls, on_listening=lambda *name: address.set_result(name))
        task = loop.create_task(listening("127.0.0.1", 0, 2, listen_seconds=2, on_over=over.append))
        for _ in range(2):
            leg = CallLeg(profile("22.10", "app"), ID, on_bot_audio=lambda *_: None, source=speaking())
            await leg.connect(*await address)
            meanwhile, writer = await asyncio.open_connection(*await address)
            assert await meanwhile.read() == b""
            writer.close()
            await asyncio.sleep(3)
            leg.hang_up()
            await leg.wait_ended()
        return await task

    calls = run(whole)
    assert over == calls
    assert [line(findings(call), "connection").change for call in calls] == ["", ""]
    (same,) = in_common(calls)
    assert same.seen == f"{ID} in 2 calls: a constant, so calls at the same time share it"
    assert in_common(calls[:1]) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "192.0.2.7"])
def test_if_nobody_calls_the_causes_are_told_apart(host: str) -> None:
    text = "\n".join(nobody_called(host, 8090, 12.0))
    assert text.startswith(f"nobody called within 12 s: no connection came to {host}:8090\n")
    assert "«Failed to parse UUID»: what stands there is no UUID of 36 characters" in text
    assert ("--host 0.0.0.0" in text) == (host == "127.0.0.1")
    assert ("ADDRESS-OF-THIS-MACHINE:8090" in text) == (host == "0.0.0.0")
    assert len({cause.console for cause in causes(host, 8090)}) == 9


def test_the_command_says_why_nobody_called_and_ends_with_4(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--port", "0", "--wait", "0.05"]) == 4
    told = capsys.readouterr()
    assert "In the dialplan: Answer(), then AudioSocket(${UUID()},127.0.0.1:" in told.out
    assert "«Connection refused»: Asterisk calls another address than the doctor's" in told.err
    assert main(["doctor", "--port", "0", "--wait", "0.05", "--json"]) == 4
    (only,) = capsys.readouterr().out.splitlines()
    assert json.loads(only)["calls"] == []
    assert len(json.loads(only)["causes_if_nobody_called"]) == 9


def test_ctrl_c_while_nobody_calls_says_why_nobody_may_have(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    invitation = doctor_cli._invitation

    def interrupted(host: str, port: int, wait_seconds: float) -> str:
        asyncio.get_running_loop().call_later(0.06, signal.raise_signal, signal.SIGINT)
        return invitation(host, port, wait_seconds)

    monkeypatch.setattr(doctor_cli, "_invitation", interrupted)
    assert main(["doctor", "--port", "0"]) == 4
    told = capsys.readouterr()
    assert told.out.endswith("(it waits for 300 s; Ctrl-C ends that, and lists why nobody may have called)\n")
    assert re.match(r"nobody called within 0\.\d s: no connection came to 127\.0\.0\.1:", told.err)
    assert "«Failed to parse UUID»" in told.err


@pytest.mark.every(2)
@pytest.mark.parametrize("n_calls", [1, 2])
def test_the_command_reports_each_call_or_all_as_json(
    n_calls: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call = treat(attach="chan", keys="1")[0]

    async def examined(host: str, port: int, n_calls: int, **doors: Any) -> list[Observed]:
        doors["on_listening"](host, port)
        for _ in range(n_calls):
            doors["on_call"](call)
            doors["on_over"](call)
        return [call] * n_calls

    monkeypatch.setattr(doctor_cli, "examine_calls", examined)
    wanted = ["doctor", "--calls", str(n_calls)]
    assert main(wanted) == (1 if n_calls == 2 else 0)
    told = capsys.readouterr().out
    assert told.count("what it saw") == n_calls
    if n_calls == 2:
        assert told.endswith(
            "2 calls\n" + f"  UUID       {ID} in 2 calls: a constant, so calls at the same time "
            "share it\n  - ${UUID()} makes a new one (UUID)\n"
        )
    assert main([*wanted, "--json"]) == (1 if n_calls == 2 else 0)
    whole = json.loads(capsys.readouterr().out)
    assert [each["uuid"] for each in whole["calls"]] == [str(ID)] * n_calls
    assert whole["calls"][0]["findings"][0]["what"] == "connection"
    assert len(whole["in_common"]) == n_calls - 1


def test_calls_with_the_same_advice_count_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    calls = [Observed("192.0.2.1:1", 0.0, end="fin"), Observed("192.0.2.1:2", 0.0, end="fin")]

    async def examined(*_: Any, **doors: Any) -> list[Observed]:
        return calls

    monkeypatch.setattr(doctor_cli, "examine_calls", examined)
    assert main(["doctor", "--calls", "2"]) == 1
    assert "If you tried the port yourself" in capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize("apart", [0.0, 0.0002])
def test_frames_that_come_at_once_are_no_codec(apart: float) -> None:
    """A sender that stalls, or a proxy that collects: the time between two messages is none."""
    call = Observed("192.0.2.1:4000", 0.0, uuid=str(ID), ended_at=3.0)
    for number in range(8):
        call.take(Message(Kind.SLIN8, bytes(320)), 1 + number * apart)
    found = findings(call)
    assert line(found, "audio").seen.startswith("8 messages, most of them at once")
    assert "what holds them back" in line(found, "audio").change
    assert call.long_gaps_ms == []


def test_keys_that_are_none_reach_no_terminal() -> None:
    call = Observed("192.0.2.1:4000", 0.0, uuid=str(ID), ended_at=3.0)
    for payload in (b"1", b"\x1b[2J", b"", b"9" * 60_000, b"9" * 60_000):
        call.take(Message(Kind.DTMF, payload), 1.0)
    assert call.keys == ("1??2?" + "9" * 200)[:200]


def test_who_says_nothing() -> None:
    async def whole() -> Observed:
        loop = asyncio.get_running_loop()
        address: asyncio.Future[tuple[str, int]] = loop.create_future()
        task = loop.create_task(examine("127.0.0.1", 0, on_listening=lambda *name: address.set_result(name)))
        _, writer = await asyncio.open_connection(*await address)
        seen = await task
        writer.close()
        return seen

    assert "nothing came in 12 s" in findings(run(whole))[0].seen


def test_nobody_calls() -> None:
    async def whole() -> None:
        with pytest.raises(NobodyCalled):
            await examine("127.0.0.1", 0, wait_seconds=30)

    run(whole)


def test_the_page_names_what_to_change() -> None:
    text = report([Finding("audio", "noise", "c(slin)"), Finding("end", "closed")])
    assert text.splitlines()[1:] == [
        "what it saw", "  audio      noise", "  end        closed", "", "what to change", "  - c(slin) (audio)",
    ]  # fmt: skip
    assert report([Finding("end", "closed")]).endswith("what to change\n  nothing")


def test_a_port_that_is_taken_is_a_fault_of_the_set_up(capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["doctor", "--port", str(port)]) == 3
    told = f"port {port} on 127.0.0.1 is in use: end what listens there, or choose another with --port\n"
    assert capsys.readouterr().err == told
