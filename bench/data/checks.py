"""The size limit that all sources share."""

import math

from bench.core.errors import UnusableError

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
