"""Mistakes of another kind than the library's: the numbers of one equation are bent at one layer."""

import numpy as np
from handwritten import HandWritten


def wavy(value):
    """Each element is off by another factor."""
    value = np.asarray(value)
    return value * (1 + 0.1 * np.cos(1.7 * np.arange(value.size).reshape(value.shape) + 0.3))


def bent(value):
    return value + 0.05 * np.asarray(value) ** 2 + 0.01


def rolled(value):
    """Right numbers in wrong places."""
    return np.roll(value, 1, axis=-1)


def cut(value):
    return np.clip(value, -0.02, 0.3)


WAYS = [wavy, bent, rolled, cut]
WHERE = {
    ("weighted", 1): "(18)",
    ("weighted", 3): "(18)",
    ("act", 1): "(20)",
    ("act", 2): "(20)",
    ("act", 3): "(20)",
    ("output_delta", None): "BP1.2",
    ("hidden_delta", 1): "BP2.2",
    ("hidden_delta", 2): "BP2.2",
    ("weight_gradient", 1): "BP3.2",
    ("weight_gradient", 3): "BP3.2",
    ("bias_gradient", 2): "BP4.2",
    ("bias_gradient", 3): "BP4.2",
}
CASES = [(method, layer, way) for method, layer in WHERE for way in WAYS]


def perturbed(method, layer, way, **attributes):
    right = getattr(HandWritten, method)

    def wrong(self, *arguments):
        value = right(self, *arguments)
        return way(value) if layer is None or arguments[0] == layer - 1 else value

    return type("Unknown", (HandWritten,), {method: wrong, **attributes})
