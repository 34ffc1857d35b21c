"""All calls of this server: their records, levels and metrics."""
