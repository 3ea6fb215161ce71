"""Finds what slows this machine: checks, each with its measured cost where possible and its remedy.

`scratchbench doctor` prints the findings.
"""
