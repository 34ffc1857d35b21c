"""Saved calls of a run, a microphone, a capture, or a sound alone: read back, and compared by how they were made."""
