"""The size limit and the wording that all sources share."""

import math

from bench.core.errors import UnusableError
from bench.core.text import one_line

# The whole data set lives in memory, once in each worker: beyond this, a laptop swaps and every timing is wrong.
LARGEST_BYTES = 2 * 2**30


def printable(value: object, longest: int = 1000) -> str:
    """`value` on one line of at most `longest` characters, with `?` for what a terminal cannot show."""
    return one_line(value, longest)


def check_size(place: object, *sizes: int) -> int:
    """Product of `sizes` in bytes.

    Raises UnusableError: when it is more than `LARGEST_BYTES`.
    """
    size = math.prod(sizes)
    if size > LARGEST_BYTES:
        shape = " x ".join(map(str, sizes))
        raise UnusableError(f"{place}: {shape} = {size} bytes; allowed: at most {LARGEST_BYTES} bytes of examples")
    return size
