"""Stores transcripts with syrupy: one plain text file for each scenario, in a folder beside the scenarios.

The folder is not syrupy's usual one: there, syrupy's default extension would consider our files unused in a project
that uses syrupy for other tests too, and delete those of scenarios that failed.
"""

from pathlib import Path
from typing import Any

from syrupy.data import SnapshotCollections
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from audiosocket_sim.pytest_plugin.transcripts import has_scenario

__all__ = ["TranscriptExtension"]


class TranscriptExtension(SingleFileSnapshotExtension):
    """Stores the transcript of a scenario in `transcripts/NAME.txt` beside it."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"

    @classmethod
    def get_snapshot_name(cls, *, test_location: Any, index: Any = 0) -> str:
        """Return the scenario's name, which is the same for each repetition of `--count`."""
        return str(test_location.methodname)

    @classmethod
    def dirname(cls, *, test_location: Any) -> str:
        """The folder of the snapshots: `transcripts/` beside the scenarios."""
        return str(Path(test_location.filepath).parent / "transcripts")

    @classmethod
    def matches_test_location(cls, *, test_location: Any, snapshot_location: str) -> bool:
        """Whether a file is the snapshot of a test: of the same folder, with the name of its scenario or its cell."""
        kept = Path(snapshot_location)
        beside = kept.parent.parent.resolve() == Path(test_location.filepath).parent.resolve()
        return beside and kept.stem == str(test_location.methodname)

    def discover_snapshots(
        self, *, test_location: Any, ignore_extensions: list[str] | None = None
    ) -> SnapshotCollections:
        """Return the snapshots that may be deleted as unused: only transcripts whose scenario does not exist any more.

        A scenario that failed, or that ran in real time, has not read its snapshot, but must keep it.
        """
        orphans = SnapshotCollections()
        for found in super().discover_snapshots(test_location=test_location, ignore_extensions=ignore_extensions):
            if not has_scenario(Path(found.location)):
                orphans.add(found)
        return orphans
