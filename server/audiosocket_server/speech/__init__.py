"""Speech engines: `base` says what one is; one file a vendor."""
