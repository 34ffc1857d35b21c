"""Make the sounds that are no turn, in `recordings/sounds/`, and their manifest with the label of each.

Coughs, breaths, laughs, dogs, doors, keys, the street and the music are computed here from noise and tones. Babble,
television and second talkers are made of the recordings beside this script. The back-channels are spoken by Kokoro-82M
(the extra `[local]`); without it those that are there are kept. All is seeded: a second run makes the same sounds.
8 kHz, 16 bits, mono, about 1 MB.

    python recordings/make_sounds.py
"""

import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from ruamel.yaml import YAML

from audiosocket_core.phrase_book.book import PhraseBook, speech_edges_ms
from audiosocket_core.slin import read_audio, resample
from audiosocket_core.wav import wav_bytes

HERE = Path(__file__).parent
FOLDER = HERE / "sounds"
RATE_HZ = 8000
LEAD_MS = 60
Sound = NDArray[np.float64]

MIT, APACHE = "MIT", "Apache-2.0"
THROATS = {"low": 0.85, "middle": 1.0, "high": 1.2}
"""Three people: the formants of a throat lie so much higher than those of the middle one."""
WORDS = {"aham": "Aham.", "uhum": "Uhum.", "sei": "Sei.", "isso": "Isso."}
TELEVISION = {
    "news": ("en/there_is_a_water_leak_on", "en/my_name_is_john_smith_and"),
    "film": ("pt-br/eu_queria_deixa_eu_ver_falar_com", "pt-br/e_uma_emergencia_preciso_de_ajuda"),
    "advert": ("en/i_have_a_delivery_for_the", "en/could_you_repeat_that_please"),
}
TALKERS = {
    "a": "pt-br/eu_vim_fazer_a_manutencao_do",
    "b": "pt-br/gostaria_de_deixar_uma_entrega_na",
    "c": "en/i_d_like_to_speak_to",
}


@dataclass(frozen=True)
class Made:
    """One file: its name, its samples (−1 to 1) and what the manifest says of it."""

    name: str
    sound: Sound
    kind: str
    voice: str
    dbfs: float
    licence: str = MIT
    text: str = ""
    language: str = ""


# --- what sounds are made of --------------------------------------------------------------------------------------


def noise(seconds: float, seed: int) -> Sound:
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(round(seconds * RATE_HZ))


def filtered(sound: Sound, response: Callable[[Sound], Sound]) -> Sound:
    """The sound with its spectrum multiplied by `response(hz)`."""
    spectrum = np.fft.rfft(sound, len(sound) + RATE_HZ // 4)
    hz = np.fft.rfftfreq(len(sound) + RATE_HZ // 4, 1 / RATE_HZ)
    return np.fft.irfft(spectrum * response(hz))[: len(sound)]


def formants(*peaks: tuple[float, float]) -> Callable[[Sound], Sound]:
    """Resonances as (Hz, width in Hz)."""
    return lambda hz: sum(1 / (1 + ((hz - at) / (width / 2)) ** 2) for at, width in peaks) + 0.01


def band(low_hz: float, high_hz: float) -> Callable[[Sound], Sound]:
    return lambda hz: 1 / (1 + (low_hz / np.maximum(hz, 1)) ** 4) / (1 + (hz / high_hz) ** 6)


def shape(sound: Sound, attack_ms: float, fade_ms: float) -> Sound:
    """The sound as a stroke: up within `attack_ms`, then dying away by a factor of e each `fade_ms`."""
    at_ms = np.arange(len(sound)) * 1000 / RATE_HZ
    return sound * np.minimum(at_ms / attack_ms, 1) * np.exp(-np.maximum(at_ms - attack_ms, 0) / fade_ms)


def swell(sound: Sound) -> Sound:
    return sound * np.sin(np.linspace(0, np.pi, len(sound))) ** 1.5


def buzz(seconds: float, from_hz: float, to_hz: float) -> Sound:
    """The pulses of a throat whose pitch glides."""
    pitch = np.geomspace(from_hz, to_hz, round(seconds * RATE_HZ))
    phase = np.cumsum(pitch) / RATE_HZ
    return np.diff(np.floor(phase), prepend=0.0) - pitch / RATE_HZ


def after(*parts: Sound | float) -> Sound:
    """Sounds one after the other; a number is silence, in seconds."""
    return np.concatenate([np.zeros(round(part * RATE_HZ)) if isinstance(part, float) else part for part in parts])


def over(*parts: Sound) -> Sound:
    longest = max(map(len, parts))
    return sum((np.pad(part, (0, longest - len(part))) for part in parts), np.zeros(longest))


def room(sound: Sound, seconds: float, seed: int) -> Sound:
    """The sound in a room that dies away by 60 dB in so many seconds."""
    tail = noise(seconds, seed) * 10 ** (-3 * np.arange(round(seconds * RATE_HZ)) / (seconds * RATE_HZ))
    tail[0] = 0
    reverberation = np.convolve(sound, tail * 0.6 / np.sqrt(np.sum(tail**2)))
    return over(sound, reverberation)


def recorded(name: str) -> Sound:
    return np.frombuffer(read_audio(HERE / f"{name}.wav"), "<i2") / 32768


# --- the sounds ---------------------------------------------------------------------------------------------------


def cough(throat: float, seed: int) -> Sound:
    """A burst, the breath behind it and a last voiced sound; twice, the second one weaker."""
    peaks = formants((550 * throat, 300), (1500 * throat, 500), (2600 * throat, 700))

    def once(strength: float, seed: int) -> Sound:
        burst = shape(filtered(noise(0.16, seed), peaks), 4, 45)
        breath = 0.25 * swell(filtered(noise(0.12, seed + 1), peaks))
        voice = 0.25 * shape(filtered(buzz(0.1, 150 * throat, 110 * throat), peaks), 10, 40)
        return strength * after(burst / np.max(np.abs(burst)), breath, voice / np.max(np.abs(voice)) * 0.4)

    return after(once(1.0, seed), 0.06, once(0.7, seed + 7))


def breath(throat: float, seed: int) -> Sound:
    """In through the mouth, and out."""
    inwards = formants((900 * throat, 600), (2100 * throat, 900))
    outwards = formants((600 * throat, 500), (1500 * throat, 900))
    return after(
        0.8 * swell(filtered(noise(0.55, seed), inwards)), 0.1, swell(filtered(noise(0.8, seed + 1), outwards))
    )


def laugh(throat: float, seed: int) -> Sound:
    """“Ha ha ha”, falling and getting softer."""
    peaks = formants((750 * throat, 200), (1250 * throat, 250), (2600 * throat, 500))
    parts: list[Sound | float] = []
    for number in range(5):
        pitch = 220 * throat**2 * 0.94**number
        air = filtered(noise(0.07, seed + number), peaks)
        voice = filtered(buzz(0.11, pitch * 1.1, pitch * 0.9), peaks)
        both = after(0.25 * air / np.max(np.abs(air)), swell(voice / np.max(np.abs(voice))))
        parts += [0.85**number * both, 0.05]
    return after(*parts)


def dog(size: float, seed: int) -> Sound:
    """Three barks."""
    peaks = formants((650 / size, 350), (1400 / size, 600))
    parts: list[Sound | float] = []
    for number, pause in enumerate((0.16, 0.34, 0.05)):
        throat = buzz(0.17, 520 / size, 330 / size) + 0.25 * noise(0.17, seed + number)
        parts += [shape(filtered(throat, peaks), 12, 60), pause]
    return after(*parts)


def knock(seed: int) -> Sound:
    wood = formants((210, 60), (410, 90), (780, 160))
    one = shape(filtered(noise(0.15, seed), wood), 1, 22)
    return after(one, 0.09, 0.9 * one, 0.1, one)


def slam(seed: int) -> Sound:
    latch = 0.5 * shape(filtered(noise(0.05, seed), band(900, 3300)), 1, 8)
    return after(latch, 0.03, shape(filtered(noise(0.6, seed + 1), band(60, 600)), 2, 90))


def keyboard(seed: int) -> Sound:
    """Keys that are struck and let go, at the pace of somebody who types."""
    random = np.random.Generator(np.random.PCG64(seed))
    sound = np.zeros(4 * RATE_HZ)
    at = 0.05
    while at < 3.8:
        click = shape(filtered(noise(0.03, int(random.integers(1 << 30))), band(700, 3400)), 0.5, 4)
        for delay, strength in ((0.0, 1.0), (0.07, 0.4)):
            start = round((at + delay) * RATE_HZ)
            sound[start : start + len(click)] += strength * random.uniform(0.6, 1.0) * click
        at += random.uniform(0.09, 0.24)
    return sound


def street(seed: int) -> Sound:
    """Traffic far away, two cars that pass, and a horn."""
    hum = filtered(noise(6.0, seed), lambda hz: 1 / np.maximum(hz, 80) ** 0.7)
    sound = 0.5 * hum / np.std(hum)
    for start, seconds, number in ((0.4, 2.6, 1), (2.8, 2.9, 2)):
        car = swell(filtered(noise(seconds, seed + number), band(120, 1400)))
        place = round(start * RATE_HZ)
        sound[place : place + len(car)] += 1.6 * car / np.std(car)
    horn = swell(buzz(0.35, 410, 410) + buzz(0.35, 515, 515))
    sound[4 * RATE_HZ : 4 * RATE_HZ + len(horn)] += 3 * filtered(horn, band(350, 2200)) / np.max(np.abs(horn))
    return sound


def pluck(note: int, seconds: float) -> Sound:
    """A plucked string (Karplus and Strong): a burst of noise in a loop that loses its overtones."""
    length = round(RATE_HZ / (440 * 2 ** ((note - 69) / 12)))
    loop = noise(length / RATE_HZ, note)
    out = np.empty(round(seconds * RATE_HZ))
    for at in range(len(out)):
        out[at] = loop[at % length]
        loop[at % length] = 0.498 * (loop[at % length] + loop[(at + 1) % length])
    return out


def music() -> Sound:
    """A guitar, four bars, no tune of anybody's."""
    bars = ((57, 64, 69, 72), (53, 60, 65, 69), (48, 55, 64, 67), (55, 59, 62, 71))
    sound = np.zeros(round(6.6 * RATE_HZ))
    for bar, notes in enumerate(bars):
        for beat, note in enumerate((*notes, *notes[:0:-1])):
            start = round((bar * 1.5 + beat * 0.2) * RATE_HZ)
            string = pluck(note, 0.6)
            sound[start : start + len(string)] += string
    return filtered(sound, lambda hz: (hz > 60).astype(float))


def television(names: Sequence[str], seed: int) -> Sound:
    """Two sentences from the small loudspeaker of a set, in a room, with soft music under them."""
    speech = after(trimmed(recorded(names[0]))[: 3 * RATE_HZ], 0.2, trimmed(recorded(names[1]))[: 2 * RATE_HZ])
    under = 0.12 * music()[: len(speech)]
    return room(filtered(over(speech / np.std(speech), under / np.std(under) * 0.25), band(350, 3000)), 0.35, seed)


def babble() -> Sound:
    """Eight people who speak at once."""
    names = [phrase.name for phrase in PhraseBook.load(HERE).phrases if phrase.duration_ms >= 2900][:8]
    voices = []
    for number, name in enumerate(names):
        one = recorded(name)
        turned = np.roll(np.concatenate((one, one, one)), number * 3000)[: 5 * RATE_HZ]
        voices.append(turned / np.std(turned))
    return over(*voices)


def computed() -> Iterator[Made]:
    for number, (name, throat) in enumerate(THROATS.items()):
        voice = f"computed, {name}"
        yield Made(f"cough_{name}", cough(throat, 100 + number), "vocal_tic", voice, -22)
        yield Made(f"breath_{name}", breath(throat, 200 + number), "vocal_tic", voice, -34)
        yield Made(f"laugh_{name}", laugh(throat, 300 + 10 * number), "vocal_tic", voice, -22)
    for number, (name, size) in enumerate((("large", 1.4), ("middle", 1.0), ("small", 0.7))):
        yield Made(f"dog_{name}", dog(size, 400 + 10 * number), "non_directed", f"computed, {name}", -22)
    yield Made("door_knock", knock(500), "non_directed", "computed", -24)
    yield Made("door_slam", slam(510), "non_directed", "computed", -22)
    yield Made("keyboard", keyboard(520), "non_directed", "computed", -34)
    yield Made("street", street(530), "non_directed", "computed", -30)
    yield Made("music", music(), "non_directed", "computed", -27)
    yield Made("babble", babble(), "non_directed", "eight of recordings/", -30, APACHE)
    for number, (name, names) in enumerate(TELEVISION.items()):
        yield Made(f"television_{name}", television(names, 540 + number), "non_directed", names[0], -28, APACHE)
    for number, (name, one) in enumerate(TALKERS.items()):
        made = room(trimmed(recorded(one)), 0.3, 550 + number)
        yield Made(f"talker_{name}", made, "non_directed", one, -28, APACHE)


def spoken() -> Iterator[Made]:
    """The back-channels in three voices: Kokoro's two Portuguese ones, and the lower one made higher and quicker."""
    try:
        from audiosocket_server.speech.local.kokoro import RATE_HZ as KOKORO_HZ
        from audiosocket_server.speech.local.kokoro import Kokoro
        from audiosocket_server.speech.local.phonemes import Phonemes

        model, phonemes = Kokoro.load(), Phonemes()
    except ImportError:
        return
    voices = {"dora": ("pf_dora", 1.0), "alex": ("pm_alex", 1.0), "alto": ("pm_alex", 1.25)}
    for name, text in WORDS.items():
        for short, (voice, faster) in voices.items():
            high = model.speak(phonemes.of(text), voice)
            pcm = np.clip(np.rint(high * 20_000), -32768, 32767).astype("<i2").tobytes()
            sound = np.frombuffer(resample(pcm, round(KOKORO_HZ * faster), RATE_HZ), "<i2") / 32768
            note = voice if faster == 1.0 else f"{voice}, {faster:g} times as high and quick"
            yield Made(f"{name}_{short}", trimmed(sound), "backchannel", note, -23, APACHE, text, "pt-BR")
    phonemes.close()


def trimmed(sound: Sound) -> Sound:
    """The sound without the silence before and behind it."""
    start_ms, end_ms = speech_edges_ms(slin(sound))
    return sound[start_ms * 8 : end_ms * 8]


def slin(sound: Sound) -> bytes:
    return np.clip(np.rint(sound * 32768), -32768, 32767).astype("<i2").tobytes()


def levelled(made: Made) -> bytes:
    """The sound as SLIN: its loud part has the level, its peak at most −3 dBFS; its ends are faded, and silent."""
    parts = made.sound[: len(made.sound) // 80 * 80].reshape(-1, 80)
    power = np.mean(parts**2, axis=1)
    loud = power[power >= power.max() * 10 ** (-20 / 10)]
    factor = min(10 ** (made.dbfs / 20) / np.sqrt(loud.mean()), 10 ** (-3 / 20) / np.max(np.abs(made.sound)))
    sound, fade = made.sound * factor, np.linspace(0, 1, 40)
    sound[:40] *= fade
    sound[-40:] *= fade[::-1]
    return slin(after(LEAD_MS / 1000, sound, LEAD_MS / 1000))


def entry(made: Made, pcm: bytes) -> dict[str, str | int]:
    start_ms, end_ms = speech_edges_ms(pcm)
    words = {"text": made.text, "language": made.language} if made.text else {}
    return {
        "file": f"{made.name}.wav",
        "kind": made.kind,
        **words,
        "voice": made.voice,
        "duration_ms": len(pcm) // 16,
        "speech_start_ms": start_ms,
        "speech_end_ms": end_ms,
        "licence": made.licence,
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    manifest, yaml = FOLDER / "manifest.yaml", YAML()
    before = yaml.load(manifest.read_text(encoding="utf-8")) if manifest.exists() else []
    entries = []
    for made in [*spoken(), *computed()]:
        pcm = levelled(made)
        (FOLDER / f"{made.name}.wav").write_bytes(wav_bytes(pcm, RATE_HZ))
        entries.append(entry(made, pcm))
    new = {one["file"] for one in entries}
    entries = [*(one for one in before or [] if one["file"] not in new), *entries]
    text = io.StringIO()
    yaml.allow_unicode = True
    yaml.dump(sorted(entries, key=lambda one: (one["kind"], one["file"])), text)
    head = "# Sounds of callers that are no turn, by kind (docs/scenarios.md). Made by recordings/make_sounds.py.\n"
    manifest.write_text(head + text.getvalue(), encoding="utf-8")


if __name__ == "__main__":
    main()
