"""Whether scratchnet and Keras compute the same: every combination of what both support, step by step, in float64.

Fed by the tables of a spec; `scratchbench parity` trains the cells and writes a table of all of them.
"""
