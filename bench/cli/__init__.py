"""The command line: reads arguments, calls one function of the project, prints what it returns."""

from bench.cli import history, measure, train
from bench.cli.group import main

__all__ = ["history", "main", "measure", "train"]
