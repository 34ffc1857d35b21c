"""The wire and the sound of AudioSocket: messages, connection, SLIN, clock. Knows nothing of bots or of tests."""
