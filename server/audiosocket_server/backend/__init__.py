"""The client of the AI backend, and what its replies mean."""
