"""The mock AI backend: answers the bot over HTTP as a scenario's `ai:` says."""
