"""What the caller says, as sound: read once and before the call, cut, at the leg's rate, and never from elsewhere."""

from array import array
from pathlib import Path

import pytest

from audiosocket_core.errors import AudioSocketError
from audiosocket_core.phrase_book.book import PhraseBookError
from audiosocket_core.slin import AudioFileError, duration_ms, interleave, level_dbfs, silence, write_wav
from audiosocket_sim.phone import sounds as module
from audiosocket_sim.phone.sounds import Sounds
from audiosocket_sim.scenario.loading import ScenarioError, load, load_text

ROOT = Path(__file__).resolve().parents[3]
SIM = ROOT / "recordings" / "pt-br" / "sim.wav"
TONE = b"\0\x20\0\xe0" * 400  # 100 ms


def gain_of(pcm: bytes, factor: int) -> bytes:
    return array("h", [factor * sample for sample in array("h", pcm)]).tobytes()


def sounds(say: str, folder: Path = ROOT / "scenarios", keys: str = "") -> Sounds:
    return Sounds(load_text(f"summary: A call.\n{keys}\nsteps: [{{say: {say}}}]\n", "call", folder=folder))


async def pcm(made: Sounds) -> bytes:
    (say,) = made._says()
    return await made.pcm(say)


async def test_cut_louder_and_at_the_legs_rate() -> None:
    whole = await pcm(sounds("pt-br/sim"))
    assert duration_ms(whole, 8000) == 1050
    part = await pcm(sounds("{recording: pt-br/sim, start: 400ms, for: 300ms}"))
    assert part == whole[2 * 8 * 400 : 2 * 8 * 700]
    soft = await pcm(sounds("{recording: pt-br/sim, gain_db: -20}"))
    assert level_dbfs(soft) == pytest.approx(level_dbfs(whole) - 20, abs=0.5)
    wide = await pcm(sounds("pt-br/sim", keys="asterisk: {attach: chan, rate_hz: 16000}"))
    assert len(wide) == 2 * len(whole)


async def test_each_is_read_once_and_before_the_call(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", TONE * 5)
    made = sounds("{file: a.wav}", tmp_path)
    await made.prepare()
    (tmp_path / "a.wav").unlink()
    assert duration_ms(await pcm(made), 8000) == 500


@pytest.mark.every(3)
@pytest.mark.parametrize(
    ("say", "says"),
    [
        ("{recording: pt-br/sim, start: 1050ms}", "pt-br/sim is 1.05 s long"),
        ("{file: noise.wav}", "noise.wav"),
        ("{file: silent.wav}", r"^say: silent\.wav is silent throughout: use `silence` if that is meant$"),
        ("{file: silent.raw}", r"^say: silent\.raw is silent throughout: "),
        ("{file: opposed.wav}", r"^say: opposed\.wav is silent throughout: "),
        ("{recording: quiet}", r"^say: quiet is silent throughout: "),
        ("{file: late.wav, for: 100ms}", r"^say: late\.wav is silent throughout in the part that is said: "),
        ("{file: empty.wav}", r"/empty\.wav: empty: there is no sound in it$"),
        ("{file: empty.raw}", r"/empty\.raw: empty: there is no sound in it$"),
        ("{file: cut.wav}", r"/cut\.wav: cut off: 56 bytes of sound, and its header says 1600$"),
    ],
)
async def test_what_cannot_be_said_is_told_before_the_call(say: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "noise.wav").write_bytes(b"RIFF")
    write_wav(tmp_path / "silent.wav", silence(2000))
    (tmp_path / "silent.raw").write_bytes(silence(500))
    write_wav(tmp_path / "opposed.wav", interleave(TONE, gain_of(TONE, -1)), channels=2)
    write_wav(tmp_path / "late.wav", silence(200) + TONE)
    write_wav(tmp_path / "empty.wav", b"")
    (tmp_path / "empty.raw").touch()
    write_wav(tmp_path / "cut.wav", TONE)
    (tmp_path / "cut.wav").write_bytes((tmp_path / "cut.wav").read_bytes()[:100])
    (tmp_path / "recordings").mkdir()
    write_wav(tmp_path / "recordings" / "quiet.wav", b"\x20\0\xe0\xff" * 4000)  # 32 of 32,768
    (tmp_path / "recordings" / "manifest.yaml").write_text("- {file: quiet.wav, text: Oi., language: pt-BR}\n")
    with pytest.raises(AudioSocketError, match=says) as caught:
        await sounds(say, tmp_path).prepare()
    assert isinstance(caught.value, PhraseBookError | AudioFileError)


async def test_no_file_from_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when it is loaded, and not when it is read: links may change in between."""
    secret, here = tmp_path / "secret.wav", tmp_path / "scenarios"
    write_wav(secret, silence(500))
    here.mkdir()
    link = here / "link.wav"
    link.symlink_to(secret)
    for file in ("../secret.wav", str(secret), "link.wav"):
        (here / "call.yaml").write_text(f"summary: A call.\nsteps: [{{say: {{file: {file}}}}}]\n")
        with pytest.raises(ScenarioError, match=r"leads out of the scenario's folder|relative to the scenario"):
            load(here / "call.yaml")
    link.unlink()
    write_wav(link, silence(500))
    (here / "call.yaml").write_text("summary: A call.\nsteps: [{say: {file: link.wav}}]\n")
    made = Sounds(load(here / "call.yaml"))
    link.unlink()
    link.symlink_to(secret)
    with pytest.raises(PhraseBookError, match="leads out of the scenario's folder"):
        await made.prepare()


@pytest.mark.parametrize("listed", ["../secret.wav", "link.wav", "linked/secret.wav"])
async def test_no_recording_from_elsewhere(listed: str, tmp_path: Path) -> None:
    """A scenario that came from elsewhere may bring a manifest and links with it."""
    write_wav(tmp_path / "secret.wav", silence(500))
    book = tmp_path / "project" / "recordings"
    book.mkdir(parents=True)
    (book / "link.wav").symlink_to(tmp_path / "secret.wav")
    (book / "linked").symlink_to(tmp_path)
    (book / "manifest.yaml").write_text(f"- {{file: {listed}, text: Oi., language: pt-BR}}\n")
    name = listed.removesuffix(".wav")
    with pytest.raises((ScenarioError, AudioSocketError)):
        await sounds(name, tmp_path / "project").prepare()


async def test_a_book_for_the_bot_of_what_is_in_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def spoken(text: str) -> bytes:
        return TONE * 10

    monkeypatch.setattr(module, "_spoken", spoken)
    text = "summary: A call.\nsteps: [{say: {text: Bom dia.}}, {say: pt-br/sim}, {say: {text: Bom dia.}}]\n"
    made = Sounds(load_text(text, "call", folder=ROOT / "scenarios"))
    folder = await made.write_book(tmp_path / "said")
    assert (folder / "manifest.yaml").read_text(encoding="utf-8").count("Bom dia.") == 1


async def test_a_file_that_vanishes_before_the_call_is_told(tmp_path: Path) -> None:
    write_wav(tmp_path / "a.wav", TONE)
    made = sounds("{file: a.wav}", tmp_path)
    (tmp_path / "a.wav").unlink()
    with pytest.raises(PhraseBookError, match=r"^there is no file a\.wav"):
        await made.prepare()
