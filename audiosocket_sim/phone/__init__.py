"""The caller's telephone: the caller's sounds, the line that carries them, and the echo of the bot on it."""
