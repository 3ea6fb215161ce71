"""The command line: reads arguments, calls one function of the project, prints what it returns."""

from bench.cli import compare, course, gate, history, locate, measure, train
from bench.cli.group import main

__all__ = ["compare", "course", "gate", "history", "locate", "main", "measure", "train"]
