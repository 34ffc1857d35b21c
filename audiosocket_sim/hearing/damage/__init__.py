"""Judges the sound of a stretch of speech: what was done to it that no caller should hear. Pure."""
