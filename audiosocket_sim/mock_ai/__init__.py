"""The mock AI backend: answers the bot over HTTP as the scenario's `ai:` says."""
