"""Reports on several calls: the table at the end of a run, and what GitHub shows of it."""
