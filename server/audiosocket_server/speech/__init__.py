"""Speech engines: `base` defines the protocol; each vendor has a module or a package of its own."""
