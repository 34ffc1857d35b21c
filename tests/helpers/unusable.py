"""A module that cannot be imported, as it lacks its settings."""

raise KeyError("TOKEN")
