"""Tools for live calls: capture one, diagnose one, or make one with a microphone."""
