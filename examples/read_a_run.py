"""A run read with pandas: final accuracy and time of each backend, and how the cost falls.

Run: python examples/read_a_run.py results/reference/standard
"""

import sys

from bench import report

results = report(sys.argv[1])
print(results.verdict)

print("\nmean test accuracy over the seeds")
accuracies = results.summary.pivot_table(index="spec", columns="backend", values="test_accuracy", sort=False)
print(accuracies.round(4).to_string())

print("\nmedian over the seeds of epoch_seconds / epoch_seconds of keras-fit")
ratios = results.aggregate.pivot_table(index="spec", columns="backend", values="time_ratio", sort=False)
print(ratios.round(3).to_string())

print("\nmean training cost of scratchnet by epoch")
mine = results.epochs[results.epochs["backend"] == "scratchnet"]
print(mine.pivot_table(index="epoch", columns="spec", values="train_cost", observed=True).round(4).to_string())
