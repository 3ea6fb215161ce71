"""`scratchbench gate`: decides, with a known error probability, whether a change made training slower."""
