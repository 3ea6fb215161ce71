"""`scratchbench gate`: whether a change made training slower, decided with an error that is known."""
