"""How syrupy keeps transcripts: one text file a scenario, as it is, beside the scenarios."""

from pathlib import Path
from typing import Any

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

__all__ = ["TranscriptExtension"]


class TranscriptExtension(SingleFileSnapshotExtension):
    """`scenarios/__snapshots__/NAME.txt`."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    @classmethod
    def dirname(cls, *, test_location: Any) -> str:
        return str(Path(test_location.filepath).parent / "__snapshots__")
