"""Converts the user's arrays (lists, NumPy, PyTorch, JAX) to arrays of NumPy, and back to the kind that they were."""

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bench.locate.net import Array

Tree = Any
"""Arrays in lists, tuples and dicts, as a subject holds its parameters."""


def is_leaf(value: Any) -> bool:
    """Whether it is one array: an object with a shape, a number, or a list of numbers or of rows of equal length."""
    if hasattr(value, "shape") or isinstance(value, int | float | np.number):
        return True
    if not isinstance(value, list | tuple) or not value:
        return False
    first = value[0]
    if isinstance(first, int | float | np.number):
        return all(isinstance(one, int | float | np.number) for one in value)
    rows = isinstance(first, list) and bool(first) and isinstance(first[0], int | float)
    return rows and all(isinstance(row, list) and len(row) == len(first) and _numbers(row) for row in value)


def _numbers(row: list[Any]) -> bool:
    return all(isinstance(one, int | float) for one in row)


def as_array(value: Any) -> Array:
    """A copy in float64.

    Raises TypeError, ValueError: where it holds no numbers.
    """
    if value is None:
        raise TypeError("None")  # NumPy makes NaN of it
    for method in ("detach", "cpu", "numpy"):  # PyTorch
        value = getattr(value, method)() if hasattr(value, method) else value
    return np.array(value, dtype=np.float64)


def dtype_name(value: Any) -> str:
    """float32 or the like, as the array says of itself; numbers of Python are float64."""
    return str(getattr(value, "dtype", "float64")).rpartition(".")[2]


def leaves(tree: Tree) -> list[Any]:
    """The arrays of a tree, in order."""
    if is_leaf(tree):
        return [tree]
    if isinstance(tree, Mapping):
        return [leaf for part in tree.values() for leaf in leaves(part)]
    if isinstance(tree, list | tuple):
        return [leaf for part in tree for leaf in leaves(part)]
    raise TypeError(f"a {type(tree).__name__}")


def in_order_of(model: Tree, tree: Tree) -> Tree:
    """The same with dicts in the model's order, matched by name; a gradient may be named dW1 where W1 is meant."""
    if not isinstance(model, Mapping) or not isinstance(tree, Mapping):
        return tree
    for prefix in ("", "d"):
        names = {name: f"{prefix}{name}" if prefix else name for name in model}
        if set(names.values()) == set(tree):
            return {name: in_order_of(model[name], tree[other]) for name, other in names.items()}
    return tree


def in_order_of_layers(parts: Mapping[Any, Any]) -> list[Any]:
    """The values by the number at the end of their names, as in A1; as they stand where a name has none."""
    found = {name: re.search(r"\d+$", str(name)) for name in parts}
    numbers = {name: int(match[0]) for name, match in found.items() if match}
    ordered = sorted(parts, key=lambda name: numbers[name]) if len(numbers) == len(parts) else list(parts)
    return [parts[name] for name in ordered]


def rebuilt(tree: Tree, take: Callable[[], Array]) -> Tree:
    """The same tree with other arrays, one `take()` a leaf, each of the kind, dtype and shape that stood there."""
    if is_leaf(tree):
        return like(tree, take())
    if isinstance(tree, Mapping):
        return {name: rebuilt(part, take) for name, part in tree.items()}
    return type(tree)([rebuilt(part, take) for part in tree])


def like(model: Any, array: Array) -> Any:
    """`array` as the kind and dtype of `model`; lists stay lists."""
    if not hasattr(model, "shape"):
        return array.tolist()
    if type(model).__module__.partition(".")[0] == "torch":
        return sys.modules["torch"].as_tensor(array).to(model.dtype)
    name = dtype_name(model)
    return array.astype(name if name.startswith("float") else np.float64)
