"""Arrays given by a user: each check raises one line that names the array, the place in it and what is allowed.

What is refused here would otherwise train without an error: `nan` spreads to every parameter in one step. As in
`checks`, a wrong type is a TypeError, anything else a ValueError.
"""

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from scratchnet.checks import instance, shown

Array = NDArray[np.floating[Any]]
Order = NDArray[np.integer[Any]]
"""Numbers of examples, in the order of an epoch."""
Mask = NDArray[np.bool_]
"""Which neurons dropout keeps: (N, n_l)."""

BLOCK_SIZE = 1_000_000
"""Numbers that are checked at once: a map of a file may be larger than memory."""


def numbers(name: str, values: ArrayLike) -> NDArray[Any]:
    """An array of booleans, whole numbers or floats; a map of a file is not copied."""
    if hasattr(values, "toarray"):
        raise TypeError(f"{name} is a sparse {type(values).__name__}; allowed: a dense array, such as {name}.toarray()")
    if np.ma.is_masked(values):
        raise ValueError(f"{name} is a masked array; allowed: an array without masked values")
    try:
        array = np.asarray(values)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{name} is not an array ({error}); allowed: rows of one length") from None
    return array if array.dtype.kind in "buif" else _of_objects(name, array)


def rows(X: ArrayLike, features: int) -> NDArray[Any]:
    """X as an array of numbers (N, n_0)."""
    array = numbers("X", X)
    if array.ndim != 2 or array.shape[1] != features or not len(array):
        raise ValueError(f"X has shape {array.shape}; allowed: (N, {features}) with N of 1 or more")
    return array


def cast(name: str, array: NDArray[Any], dtype: DTypeLike) -> Array:
    """A C-ordered copy in the network's dtype, of finite numbers only."""
    check_finite(name, array, dtype)
    with np.errstate(over="ignore"):  # what is too large has been refused
        return np.array(array, dtype, order="C")


def check_finite(
    name: str, array: NDArray[Any], dtype: DTypeLike, given: NDArray[Any] | None = None, first: int = 0
) -> None:
    """Refuse a number that is `nan` or infinite in that dtype; it is named with its row and column.

    given : what `array` was made of, for the message; first : the number of its first row.
    """
    if array.dtype.kind != "f":
        return
    step = max(BLOCK_SIZE // max(int(np.prod(array.shape[1:])), 1), 1)
    for start in range(0, len(array), step):
        rows = array[start : start + step]
        with np.errstate(over="ignore"):
            block = np.asarray(rows, dtype)
        if not is_finite(block):
            _refuse(name, block, rows if given is None else given[start : start + step], first + start)


def is_finite(block: Array) -> bool:
    """Whether all numbers are finite: one product where memory is contiguous, which makes no array of booleans."""
    if block.flags.c_contiguous:
        flat = block.reshape(-1)
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(np.dot(flat, flat)):
                return True
    return bool(np.isfinite(block).all())  # squares may be infinite where numbers are not


def check_order(order: ArrayLike, examples: int) -> Order:
    """The order of an epoch: (N,) whole numbers, each the number of an example."""
    array = numbers("order", order)
    if array.dtype.kind not in "ui":
        raise TypeError(f"order has dtype {array.dtype}; allowed: whole numbers 0 to {examples - 1}")
    if array.ndim != 1 or not len(array):
        raise ValueError(f"order has shape {array.shape}; allowed: (N,) with N of 1 or more")
    if not (array.min() >= 0 and array.max() < examples):
        raise ValueError(f"order names examples {array.min()} to {array.max()}; allowed: 0 to {examples - 1}")
    return array.astype(np.int64, copy=False)


def check_masks(masks: Sequence[Mask], units: Sequence[int], examples: int) -> None:
    """Refuse masks that are not (examples, n_l), one for each layer with dropout."""
    instance("masks", masks, (list, tuple), "a list of arrays, one for each layer with dropout")
    if len(masks) != len(units):
        raise ValueError(f"masks of {len(masks)} layers given; the network drops out in {len(units)}")
    for index, (mask, width) in enumerate(zip(masks, units, strict=True)):
        if np.shape(mask) != (examples, width):
            raise ValueError(f"masks[{index}] has shape {np.shape(mask)}; allowed: {(examples, width)}")
        if np.asarray(mask).dtype != np.bool_:
            raise TypeError(f"masks[{index}] has dtype {np.asarray(mask).dtype}; allowed: bool, True for kept")


def _refuse(name: str, block: Array, given: NDArray[Any], first: int) -> None:
    place = tuple(int(index) for index in np.argwhere(~np.isfinite(block))[0])
    value, where = given[place], "".join(f", column {index}" for index in place[1:])
    allowed = f"finite numbers in {block.dtype}" if np.isfinite(value) else "finite numbers"
    raise ValueError(f"{name} is {value} in row {first + place[0]}{where}; allowed: {allowed}, so clean the data first")


def _of_objects(name: str, array: NDArray[Any]) -> NDArray[Any]:
    """Numbers in an array of objects, which pandas makes of columns of several dtypes."""
    for place, value in np.ndenumerate(array):
        if not isinstance(value, Real):
            where = "".join(f"[{index}]" for index in place)
            raise TypeError(
                f"{name}{where} is {shown(value)}; allowed: numbers (encode text and dates as numbers first)"
            )
    return array.astype(np.int64 if all(isinstance(value, int) for value in array.flat) else np.float64)
