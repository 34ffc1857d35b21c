"""The search for odd streams that harm a server: drawn from a seed, tried beside a good call, shrunk, kept as files."""
