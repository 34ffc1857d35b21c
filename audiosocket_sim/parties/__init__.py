"""The two parties of a call: who calls (`peer`) and who is called (`target`)."""
