"""The command line: reads arguments, calls one function of the project, prints what it returns."""

from bench.cli import gate, gate_validate, measure, train
from bench.cli.group import main

__all__ = ["gate", "gate_validate", "main", "measure", "train"]
