"""A history with a known step, for docs/history.md: eight runs of this revision, then eight of one that is slower.

The runs are of clones of this checkout. In the second one every step computes its forward pass twice, and that change
is committed, so the runs name two revisions. About a quarter of an hour on two cores:

    python docs/experiments/history_runs.py results/mine

It writes what `scratchbench history --out` writes: history.json, history.md and a plot. The runs are not kept.
"""

import argparse
import subprocess
import sys
from pathlib import Path

from gate_validation import plant

from bench.core.files import temporary_folder

ROOT = Path(__file__).resolve().parents[2]
RUNS = 8
"""Of each revision."""
SUITE = """\
title = "History: a small network with one thread"
backends = ["scratchnet", "keras-fit"]
threads = 1

[[specs]]
architecture = { inputs = 784, layers = [
  { units = 128, activation = "relu", initializer = "he_normal" },
  { units = 10, activation = "softmax" },
] }
loss = "categorical_crossentropy"
optimizer = { learning_rate = 0.2 }
batch_size = 128
epochs = 5
seeds = [0, 1, 2]
data = { source = "mnist", train_examples = 16384 }
"""
AUTHOR = ("-c", "user.name=history", "-c", "user.email=history@localhost")


def main() -> None:
    """Run both revisions, then the history of all runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the history goes")
    out = parser.parse_args().folder.resolve()
    with temporary_folder("history-runs") as folder:
        (folder / "suite.toml").write_text(SUITE)
        tree, runs = folder / "tree", folder / "runs"
        call(folder, "git", "clone", "--quiet", "--shared", str(ROOT), str(tree))
        run(tree, folder / "suite.toml", runs, "before")
        plant(tree, 1.0)
        call(tree, "git", *AUTHOR, "commit", "--quiet", "--all", "--message", "Every forward pass is computed twice")
        run(tree, folder / "suite.toml", runs, "after")
        bench(ROOT, "history", "--folder", str(runs), "--out", str(out))


def run(tree: Path, suite: Path, runs: Path, name: str) -> None:
    """The suite, several times, by the code of that tree."""
    for number in range(RUNS):
        print(f"{name}: run {number + 1} of {RUNS}", flush=True)
        bench(tree, "run", str(suite), "--out", str(runs / f"{name}-{number}"))


def bench(tree: Path, *arguments: str) -> None:
    """`python -m bench` of that tree."""
    call(tree, sys.executable, "-m", "bench", *arguments)


def call(folder: Path, *command: str) -> None:
    """Run it in that folder; its failure ends this script."""
    if code := subprocess.run(command, cwd=folder).returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {code}")


if __name__ == "__main__":
    main()
