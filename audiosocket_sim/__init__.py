"""The simulated Asterisk, the scenarios and the tools around them. Never imports a server under test."""
