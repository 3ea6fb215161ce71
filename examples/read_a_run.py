"""A run read with pandas: final accuracy and time of each backend, and how cost falls.

Run: python examples/read_a_run.py results/reference/standard
"""

import sys
from pathlib import Path

import pandas as pd

folder = Path(sys.argv[1])
summary = pd.read_csv(folder / "summary.csv")
epochs = pd.read_csv(folder / "epochs.csv")

print("mean test accuracy over the seeds")
print(summary.pivot_table(index="spec", columns="backend", values="test_accuracy", sort=False).round(4).to_string())

print("\nmedian of epoch_seconds / epoch_seconds of keras-fit over the seeds")
ratios = summary.pivot_table(index="spec", columns="backend", values="time_ratio", aggfunc="median", sort=False)
print(ratios.round(3).to_string())

print("\nmean training cost of scratchnet by epoch")
mine = epochs[epochs["backend"] == "scratchnet"]
print(mine.pivot_table(index="epoch", columns="spec", values="train_cost", sort=False).round(4).to_string())
