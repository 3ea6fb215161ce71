"""The command line: reads arguments, calls one function of the project, prints what it returns."""

from bench.cli import compare, gate, history, measure, train
from bench.cli.group import main

__all__ = ["compare", "gate", "history", "main", "measure", "train"]
