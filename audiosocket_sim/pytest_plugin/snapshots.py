"""How syrupy keeps transcripts: one text file a scenario, as it is, in a folder beside the scenarios.

The folder is not syrupy's usual one: whoever uses syrupy for other tests too would see its default extension take our
files for left-overs there, and delete those of scenarios that failed.
"""

from pathlib import Path
from typing import Any

from syrupy.data import SnapshotCollections
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

__all__ = ["TranscriptExtension"]


class TranscriptExtension(SingleFileSnapshotExtension):
    """`scenarios/transcripts/NAME.txt`."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    @classmethod
    def get_snapshot_name(cls, *, test_location: Any, index: Any = 0) -> str:
        """The scenario's name, the same for each repetition of `--count`."""
        return str(test_location.methodname)

    @classmethod
    def dirname(cls, *, test_location: Any) -> str:
        """The folder of the snapshots: `transcripts/` beside the scenarios."""
        return str(Path(test_location.filepath).parent / "transcripts")

    def discover_snapshots(
        self, *, test_location: Any, ignore_extensions: list[str] | None = None
    ) -> SnapshotCollections:
        """What may be unused, and so deleted by an update: only transcripts whose scenario is gone.

        A scenario that failed, or that ran in real time, looked at no snapshot, and keeps it all the same.
        """
        orphans = SnapshotCollections()
        for found in super().discover_snapshots(test_location=test_location, ignore_extensions=ignore_extensions):
            kept = Path(found.location)
            if not any((kept.parent.parent / f"{kept.stem}{suffix}").exists() for suffix in (".yaml", ".yml")):
                orphans.add(found)
        return orphans
