"""What this machine could do and does not: each check measured where it can be, with its remedy, by what it costs.

Fed by the operating system and by fresh processes that train; `scratchbench doctor` prints the findings.
"""
