"""`scratchbench site`: a folder of static pages over many runs, ready to be hosted."""
