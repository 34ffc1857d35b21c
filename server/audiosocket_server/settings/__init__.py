"""The server's settings: where they come from, and errors that name the key."""
