"""How the cost grows: seconds and memory against width, depth, batch size, examples, threads, dtype; time to accuracy.

`scratchbench scaling` measures scratchnet and its peers along each axis, beside the floors.
"""
