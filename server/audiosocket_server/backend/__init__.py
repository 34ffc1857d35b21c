"""The AI backend: its HTTP client, and the reading of its replies."""
