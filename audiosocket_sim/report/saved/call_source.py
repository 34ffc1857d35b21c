"""Reads the call that a path names: the folder of a run, of a microphone call or of a capture, its log, or a WAV."""

from pathlib import Path

from audiosocket_sim.report.saved.saved_call import LOG, SOUND, NoSavedCall, SavedCall, read_call_folder

__all__ = ["calls_in", "is_captured", "read_saved_call"]

_MOST_CALLS = 5000


def read_saved_call(path: Path, *, sound: bool = True) -> SavedCall:
    """Return the call at a path. `sound`: read its sound too, which takes 30 ms a minute. Blocks.

    A path is the folder of a run or of a microphone call, its call.jsonl; the folder or the scenario of a captured call
    (`captured/call`, `captured/call.yaml`); or a stereo WAV. Raises NoSavedCall with one line that says what was
    expected.
    """
    if not path.exists():
        raise NoSavedCall(f"{path}: no such file or folder: {_EXPECTED}")
    folder = path.parent if path.name in (LOG, SOUND) else path
    if (folder / LOG).is_file():
        return read_call_folder(folder, sound=sound)
    if path.suffix.lower() == ".wav":
        from audiosocket_sim.report.saved.captured import read_sound_alone

        return read_sound_alone(path)
    captured = path.with_suffix("") if path.suffix in (".yaml", ".yml") else path
    if (captured / SOUND).is_file():
        from audiosocket_sim.report.saved.captured import read_captured_call

        return read_captured_call(captured)
    raise NoSavedCall(f"{path}: no saved call: {_EXPECTED}")


_EXPECTED = f"expected the folder of a call with {LOG}, that of a captured call with {SOUND}, or a stereo WAV"


def calls_in(folder: Path) -> list[Path]:
    """Return the folders of calls in a folder of runs or of captured calls, in the order of their names, second runs
    too; itself if it is one. Raises NoSavedCall if there is none."""
    captured = (sound.parent for sound in folder.rglob(SOUND) if is_captured(sound.parent))
    found = sorted({log.parent for log in folder.rglob(LOG)} | set(captured))[:_MOST_CALLS]
    if not found:
        raise NoSavedCall(f"{folder}: there is no call in it: expected folders with {LOG}, or captured calls")
    return found


def is_captured(folder: Path) -> bool:
    """Whether it is the folder of a captured call: with a sound, without a log, and its scenario beside it."""
    beside = (folder.parent / f"{folder.name}{suffix}" for suffix in (".yaml", ".yml"))
    return (folder / SOUND).is_file() and not (folder / LOG).exists() and any(file.is_file() for file in beside)
