"""`scratchbench compare`: two runs, and whether their networks learned the same, at what speed."""
