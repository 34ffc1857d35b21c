"""Calls written in Python, step by step: the same steps and the same judge as in YAML."""
