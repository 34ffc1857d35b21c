"""A real NetEq, Chromium's, against our model `neteq-like`: the same packets, with the stamps that Asterisk gives them.

The packets go over WebRTC (PyPI: aiortc) to a page in a headless Chromium, which says every 50 ms what its buffer aims
at, how long sound waited in it, and what it took out of the sound. Neither is part of this project: `pip install aiortc
playwright`, and Debian's chromium. Real time: a busy machine makes packets late, and the real buffer longer.
"""

import asyncio
import importlib.util
import random
import shutil
import statistics
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from audiosocket_core.phrase_book.book import PhraseBook
from audiosocket_sim.hearing.phones.neteq_like import NeteqLike
from audiosocket_sim.hearing.phones.packets import PhonePacket, Played
from audiosocket_sim.hearing.phones.rtp_stamps import RtpStamps
from benchmarks.machine import PROJECT, Unavailable, put_first
from benchmarks.report import Row

__all__ = ["ABOUT", "run"]

ABOUT = "a real NetEq (Chromium's) and our model of it: what they aim at, and how long sound waits"
PACKETS, QUICK_PACKETS = 500, 150
_SAMPLES, _BYTES = 160, 320
_WINDOW_SECONDS, _SETTLED_SECONDS = 0.5, 1.0
_GONE_MS = 100
_WAITS_FOR_SECONDS = 10.0
_ANSWER = """
async (offer) => {
  const pc = new RTCPeerConnection(); window.pc = pc;
  pc.ontrack = event => { window.player = new Audio(); window.player.srcObject = new MediaStream([event.track]); window.player.play(); };
  await pc.setRemoteDescription(offer);
  await pc.setLocalDescription(await pc.createAnswer());
  while (pc.iceGatheringState !== "complete") await new Promise(go => setTimeout(go, 20));
  return {type: pc.localDescription.type, sdp: pc.localDescription.sdp};
}
"""  # noqa: E501
_WATCH = """
() => {
  window.rows = [];
  setInterval(async () => {
    const at = (performance.timeOrigin + performance.now()) / 1000;
    for (const one of (await window.pc.getReceivers()[0].getStats()).values())
      if (one.type === "inbound-rtp")
        window.rows.push([at, one.jitterBufferEmittedCount, one.jitterBufferTargetDelay, one.jitterBufferDelay,
          one.removedSamplesForAcceleration]);
  }, 50);
}
"""


@dataclass(frozen=True, slots=True)
class Window:
    """Half a second: what the buffer aims at, how long what was played had waited (ms), samples taken out so far."""

    at: float
    target_ms: float
    delay_ms: float
    removed: float = 0


def _situations() -> Iterator[tuple[str, Callable[[int], float]]]:
    """The situations, and when the packet of a number is sent, in s."""
    late = random.Random(1)
    yield "in time", lambda n: n * 0.02
    yield "up to 100 ms late", lambda n: n * 0.02 + late.uniform(0, 0.1)
    yield "three packets every 60 ms", lambda n: n // 3 * 0.06
    yield "with holes of 300 ms", lambda n: n * 0.02 + n // 100 * 0.3
    yield "by a fast clock (19.6 ms)", lambda n: n * 0.0196
    yield "1,000 ms ahead", lambda n: max(0.0, (n - 50) * 0.02)


def run(quick: bool = False) -> list[Row]:
    missing = [name for name in ("aiortc", "playwright") if importlib.util.find_spec(name) is None]
    chromium = shutil.which("chromium")
    if missing or chromium is None:
        raise Unavailable(f"needs {', '.join([*missing, *([] if chromium else ['chromium'])])}: benchmarks/README.md")
    put_first(with_children=True)
    return asyncio.run(_all(chromium, QUICK_PACKETS if quick else PACKETS))


async def _all(chromium: str, packets: int) -> list[Row]:
    from playwright.async_api import async_playwright

    rows: list[Row] = []
    options = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--disable-audio-output"]
    options.append("--disable-features=WebRtcHideLocalIpsWithMdns")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=options)
        for name, when in _situations():
            latest, times = 0.0, []
            for number in range(packets):
                latest = max(latest, when(number))
                times.append(latest)
            real, sent = await _in_chromium(browser, times)
            rows += _compared(name, real, _in_the_model(sent))
        await browser.close()
    return rows


def _speech() -> bytes:
    prompts = PhraseBook.load(PROJECT / "audio" / "prompts").phrases
    return b"".join(phrase.pcm for phrase in prompts[:14])


async def _in_chromium(browser: Any, times: Sequence[float]) -> tuple[list[Window], list[PhonePacket]]:
    """Send packets at these times. Returns what Chromium says, and the packets as they were sent; times from 0 on."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import audioop
    from aiortc import MediaStreamTrack, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
    from aiortc.rtp import RtpPacket

    class Silent(MediaStreamTrack):
        kind = "audio"

        async def recv(self) -> Any:  # the packets are sent below, when they are due
            await asyncio.Event().wait()

    connection, page = RTCPeerConnection(), await browser.new_page()
    connection.addTrack(Silent())
    codecs = [codec for codec in RTCRtpSender.getCapabilities("audio").codecs if codec.mimeType == "audio/PCMU"]
    connection.getTransceivers()[0].setCodecPreferences(codecs)
    await connection.setLocalDescription(await connection.createOffer())
    own = connection.localDescription
    answer = await page.evaluate(_ANSWER, {"type": own.type, "sdp": own.sdp})
    await connection.setRemoteDescription(RTCSessionDescription(answer["sdp"], answer["type"]))
    loop = asyncio.get_running_loop()
    until = loop.time() + _WAITS_FOR_SECONDS
    while connection.connectionState != "connected":
        if loop.time() > until:
            raise Unavailable("Chromium and aiortc did not connect")
        await asyncio.sleep(0.05)
    await page.evaluate(_WATCH)
    (sender,) = connection.getSenders()
    pcm, stamps, sent = _speech(), RtpStamps(), []
    start = loop.time() + 0.2
    zero = (await page.evaluate("() => (performance.timeOrigin + performance.now()) / 1000")) + start - loop.time()
    for number, time in enumerate(times):
        await asyncio.sleep(max(0.0, start + time - loop.time()))
        at = loop.time() - start
        place = number * _BYTES % (len(pcm) - _BYTES)
        packet = PhonePacket(at, 8000, pcm[place : place + _BYTES])
        rtp = RtpPacket(payload_type=0, sequence_number=number, timestamp=stamps.stamp(at, _SAMPLES), ssrc=sender._ssrc)
        rtp.payload = audioop.lin2ulaw(packet.payload, 2)
        await sender.transport._send_rtp(rtp.serialize())
        sent.append(packet)
    said = await page.evaluate("() => window.rows")
    await page.close()
    await connection.close()
    return list(_windows(said, zero, sent[-1].at)), sent


def _windows(said: Sequence[Sequence[float]], zero: float, end: float) -> Iterator[Window]:
    """What Chromium said, summed up since the beginning, as half seconds."""
    at, before = _SETTLED_SECONDS, None
    while at <= end:
        row = next((row for row in reversed(said) if row[0] - zero <= at), None)
        if row is not None and before is not None and row[1] > before[1]:
            samples = row[1] - before[1]
            yield Window(at, (row[2] - before[2]) / samples * 1000, (row[3] - before[3]) / samples * 1000, row[4])
        at, before = at + _WINDOW_SECONDS, row


def _in_the_model(sent: Sequence[PhonePacket]) -> list[Window]:
    phone, targets, played = NeteqLike(), [], []
    for packet in sent:
        phone.take(packet)
        targets.append((packet.at, float(phone.target_ms)))
        played += [one for one in phone.due(packet.at) if isinstance(one, Played)]
    windows, at = [], _SETTLED_SECONDS + _WINDOW_SECONDS
    while at <= sent[-1].at:
        aimed = [ms for when, ms in targets if at - _WINDOW_SECONDS < when <= at]
        waited = [(one.at - one.packet.at) * 1000 for one in played if at - _WINDOW_SECONDS < one.at <= at]
        if aimed and waited:
            windows.append(Window(at, statistics.mean(aimed), statistics.mean(waited)))
        at += _WINDOW_SECONDS
    return windows


def _compared(name: str, real: Sequence[Window], model: Sequence[Window]) -> Iterator[Row]:
    for what, figure in (("aims at", lambda one: one.target_ms), ("delay", lambda one: one.delay_ms)):
        theirs, ours = (statistics.median(figure(one) for one in side) for side in (real, model))
        yield Row(f"{name}: {what}, NetEq", theirs, "ms", f"the model {ours:.0f} ms")
    if any(one.delay_ms > 4 * _GONE_MS for one in real):
        gone = [next((one.at for one in side if one.delay_ms < _GONE_MS), float("inf")) for side in (real, model)]
        taken = f"the model {gone[1]:.1f} s; NetEq took {real[-1].removed / 8:.0f} ms out of the sound"
        yield Row(f"{name}: under {_GONE_MS} ms after", gone[0], "s", taken)
