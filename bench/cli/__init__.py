"""The command line: reads arguments, calls one function of the project, prints what it returns."""

from bench.cli import gate, measure, train
from bench.cli.group import main

__all__ = ["gate", "main", "measure", "train"]
