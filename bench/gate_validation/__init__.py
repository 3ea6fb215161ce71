"""The proof that the speed gate can be believed: many comparisons whose right answer is known, for each kind of load.

Fed by pairs that are measured here or drawn from recorded ones; `scratchbench gate-validate` writes its report.
"""
