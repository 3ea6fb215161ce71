"""What this machine could do and does not: each check measured where it can be, with its remedy, by what it costs.

`scratchbench doctor` prints the findings.
"""
