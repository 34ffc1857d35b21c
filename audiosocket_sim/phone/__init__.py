"""The caller's telephone: what he says, the line that carries it, and its echo."""
