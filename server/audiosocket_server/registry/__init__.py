"""The registry of a server's calls: their records, audio levels and metrics."""
