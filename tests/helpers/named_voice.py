"""What stands in for the voices of the local engine: a recording, whatever the text is."""

from pathlib import Path

from audiosocket_core.slin import read_audio

__all__ = ["speak"]


def speak(text: str, voice: str) -> bytes:
    assert text
    assert voice in ("pm_alex", "pf_dora", "hibari")
    return read_audio(Path(__file__).resolve().parents[2] / "recordings" / "pt-br" / "sim.wav")
