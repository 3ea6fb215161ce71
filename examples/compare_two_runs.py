"""A run in three lines, then the same with twice the batch size, and whether that is as good.

Run: python examples/compare_two_runs.py results/batches
"""

import sys
from pathlib import Path

from bench import compare, load_suite, run

folder = Path(sys.argv[1])
suite = load_suite("quick")
run(suite, out=folder / "a", backends=["scratchnet"], epochs=2, seeds=[0, 1])

specs = [spec.model_copy(update={"batch_size": 2 * spec.batch_size}) for spec in suite.specs]
doubled = suite.model_copy(update={"specs": tuple(specs)})
run(doubled, out=folder / "b", backends=["scratchnet"], epochs=2, seeds=[0, 1])

comparison = compare(folder / "a", folder / "b", allow_different=["batch_size"])
print(comparison.verdict)
print(comparison.rows[["spec", "backend", "accuracy_a", "accuracy_b", "accuracy", "cost"]].to_string(index=False))
