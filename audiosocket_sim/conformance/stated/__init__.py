"""What the author of a server states beforehand: check.yaml, cases that are known to fail, an earlier run."""
