"""The phrase book: recordings with their texts, and how a sound is matched to one of them without a speech model."""
