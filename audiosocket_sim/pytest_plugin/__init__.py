"""The pytest plug-in: scenarios as tests."""
