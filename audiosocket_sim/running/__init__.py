"""Carries out a scenario: sets up the call, plays its steps, and says how it went."""
