"""`scratchbench history`: a ratio over many runs, and where its level changed."""
