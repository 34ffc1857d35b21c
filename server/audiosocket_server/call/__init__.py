"""One call: what the caller says comes in, what the bot says goes out."""
