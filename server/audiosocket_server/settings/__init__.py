"""The server's settings: their model, the places they are read from, and errors that name the key."""
