"""`scratchbench history`: a ratio over many runs, and where it changed its level."""
