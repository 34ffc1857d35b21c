"""The index of many calls, and calls against those of a run before."""
