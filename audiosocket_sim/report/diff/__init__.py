"""Two calls, or two folders of calls, compared event by event."""
