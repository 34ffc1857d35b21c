"""One call: the caller's audio in, the bot's audio out, and the session that connects them with the turns."""
