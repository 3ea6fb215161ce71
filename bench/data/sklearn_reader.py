"""The child process that reads one set of scikit-learn. Arguments: NAME TEST_FRACTION (or empty) OUT_FOLDER."""

import sys
from pathlib import Path

import numpy as np

from bench.data.child import report_failure
from bench.data.dataset import Dataset
from bench.data.sklearn_sets import SETS
from bench.data.split import split_rows


def save_set(name: str, test_fraction: float | None, folder: Path) -> None:
    """Save the set to `folder`."""
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    x, y = np.asarray(bunch.data, np.float64), np.asarray(bunch.target)
    rows = split_rows(f"sklearn:{name}", len(x), test_fraction)
    names = tuple(map(str, getattr(bunch, "target_names", ("target",))))
    y = y.astype(np.int64) if SETS[name] == "classification" else y.reshape(len(x), -1).astype(np.float64)
    Dataset(x[rows.train], y[rows.train], x[rows.test], y[rows.test], None, names).save(folder)


def _main(arguments: list[str]) -> int:
    name, fraction, folder = arguments
    return report_failure(lambda: save_set(name, float(fraction) if fraction else None, Path(folder)))


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))
