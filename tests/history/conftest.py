"""Builders of synthetic records are with the tests of results, and the simulated noises with their experiment."""

import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "results"), str(TESTS.parent / "docs" / "experiments")]
