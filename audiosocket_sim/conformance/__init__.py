"""Conformance of AudioSocket servers: cases, what the peer does in each, and pure judges of what the server did."""
