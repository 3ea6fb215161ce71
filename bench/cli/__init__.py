"""The command line: reads arguments, calls one function of the project, prints what it returns."""

from bench.cli import compare, course, gate, history, locate, measure, site, train
from bench.cli.group import main

__all__ = ["compare", "course", "gate", "history", "locate", "main", "measure", "site", "train"]
