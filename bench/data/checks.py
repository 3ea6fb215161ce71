"""What all sources share: the size limit, and which numbers are allowed. An error names the row and column."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UnusableError
from bench.core.text import one_line

# The whole data set lives in memory, once in each worker: beyond this, a laptop swaps and every timing is wrong.
LARGEST_BYTES = 2 * 2**30


def check_size(place: object, *sizes: int) -> int:
    """Product of `sizes` in bytes.

    Raises UnusableError: when it is more than `LARGEST_BYTES`.
    """
    size = math.prod(sizes)
    if size > LARGEST_BYTES:
        shape = " x ".join(map(str, sizes))
        raise UnusableError(f"{place}: {shape} = {size} bytes; allowed: at most {LARGEST_BYTES} bytes of examples")
    return size


def wrong_cell(place: object, row: int, column: object, value: object, allowed: str) -> UnusableError:
    """The refusal of one value; `row` counts from 0, the message from 1."""
    name = repr(one_line(column, 60)) if isinstance(column, str) else column
    given = repr(one_line(value, 60)) if isinstance(value, str) else value
    return UnusableError(f"{place}: row {row + 1}, column {name}: {given}; allowed: {allowed}")


def check_numbers(
    place: object, values: NDArray[Any], columns: Sequence[str] = (), first_row: int = 0, binary: bool = False
) -> None:
    """Refuse a number (N, K) that is not finite, or, if `binary`, neither 0 nor 1; columns without a name by number.

    Raises UnusableError: with row and column.
    """
    right = (values == 0) | (values == 1) if binary else np.isfinite(values)
    if right.all():
        return
    row, column = (int(index) for index in np.argwhere(~right)[0])
    name = columns[column] if columns else column + 1
    allowed = "0 or 1" if binary else "finite numbers"
    raise wrong_cell(place, first_row + row, name, values[row, column], allowed)
