"""Turn-taking: a state machine without a clock, and the words it is spoken to in."""
