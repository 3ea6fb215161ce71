"""Whether scratchnet and Keras compute the same: every combination of what both support, step by step, in float64.

`scratchbench parity` trains the cells and writes a table of all of them.
"""
