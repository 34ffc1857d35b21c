"""Reports on several calls: the table at the end of a run, and the annotations and the summary for GitHub."""
