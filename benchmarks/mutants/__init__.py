"""Mutation testing of the judges: small changes of the code, one at a time, each of which some test must notice."""
