"""Splits the rows of a source that has no splits of its own into training rows and test rows."""

from typing import NamedTuple

import numpy as np

from bench.core.errors import UnusableError
from bench.data.dataset import Labels

TEST_FRACTION = 0.2
SEED = 0
"""Of the one order that rows are put in, on every machine the same."""


class Rows(NamedTuple):
    """Numbers of rows."""

    train: Labels
    test: Labels


def split_rows(place: object, count: int, test_fraction: float | None) -> Rows:
    """All rows in a random order that is always the same; the last part is the test. None: the default part.

    Raises UnusableError: where no row is left for one of the two.
    """
    fraction = TEST_FRACTION if test_fraction is None else test_fraction
    order = np.random.default_rng(SEED).permutation(count)
    kept = count - round(fraction * count)
    if not kept or (fraction and kept == count):
        raise UnusableError(f"{place}: {count} rows and test_fraction {fraction} leave one split without a row")
    return Rows(order[:kept], order[kept:])
