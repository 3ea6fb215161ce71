"""Steps with gradients below and above the clipping limit: elsewhere a wrong clipping may change nothing."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bench.locate.equations import REFERENCE
from bench.locate.net import Array, Net
from bench.locate.state import Key, Moment, State, step

CLIPPING = "clipping"
"""The label of their trajectories."""
CLASSES = ("sigmoid", "softmax")
LIMITS = ("clipnorm", "global_clipnorm", "clipvalue")
ROOM, FAR = 1.5, 40.0
"""By what factor a gradient is below or above the limit at least; below, where it can be, so far that a sum over the
batch in place of its mean does not reach the limit either."""
BELOW, ABOVE = "gradients below the clipping limit", "gradients above the clipping limit"
DISTANCE = 3.0
"""How far a target is from an output at least where an error must be large."""
FACTORS = 1.25 ** np.arange(40)


def clipping_moments(net: Net, at: Moment) -> Iterator[Moment]:
    """Where no gradient is clipped, and where one is: as far as one is found."""
    if not any(net.option(name) for name in LIMITS):
        return
    small = [(_share_of_limit(net, one), one) for one in _scaled(net, at, near=True)]
    large = ((_share_of_limit(net, one), one) for one in _scaled(net, at, near=False))
    far = [one for share, one in small if share < 1.0 / FAR]
    below = far or [one for share, one in small if share < 1.0 / ROOM]
    above = next((one for share, one in large if share > ROOM), None)
    if below:
        yield replace(below[0], label=BELOW)
    if above:
        yield replace(above, label=ABOVE)


def _reference(net: Net, at: Moment) -> State:
    return step(net, REFERENCE, at, {}, {}, 1)


def _share_of_limit(net: Net, at: Moment) -> float:
    """The largest number that is held against the limit, over the limit."""
    expected = _reference(net, at).expected
    gradients = [expected[Key(f"d{name}", l)] for l in net.layers for name in "Wb"]
    if limit := net.option("clipvalue"):
        return max(float(np.max(np.abs(g))) for g in gradients) / float(limit)
    norms = [float(np.linalg.norm(g)) for g in gradients]
    if limit := net.option("global_clipnorm"):
        return float(np.linalg.norm(norms)) / float(limit)
    return max(norms) / float(net.option("clipnorm"))


def _scaled(net: Net, at: Moment, near: bool) -> Iterator[Moment]:
    """Outputs nearer and nearer to the targets, or further and further away."""
    *others, (W, b) = at.parameters
    A = _reference(net, at).expected[Key("A", net.depth)]
    for factor in FACTORS:
        if net.activations[-1] in CLASSES:
            yield replace(at, parameters=(*others, (W * factor, b * factor)), Y=_classes(net, A, near))
        else:
            yield replace(at, Y=A + (at.Y - A) * (1.0 / factor if near else factor))


def misjudged(net: Net, at: Moment) -> Iterator[Moment]:
    """With the classes from which the outputs are furthest; or with numbers far above the outputs, and far below."""
    A = _reference(net, at).expected[Key("A", net.depth)]
    if net.activations[-1] in CLASSES:
        yield replace(at, Y=_classes(net, A, near=False))
    else:
        yield from (replace(at, Y=A + way * DISTANCE) for way in (1.0, -1.0))


def _classes(net: Net, A: Array, near: bool) -> Array:
    """The classes to which the outputs are nearest, or those from which they are furthest."""
    if net.activations[-1] == "sigmoid":
        nearest: Array = ((A >= 0.5) == near).astype(np.float64)
        return nearest
    chosen = np.argmax(A, axis=0) if near else np.argmin(A, axis=0)
    found: Array = np.eye(len(A))[:, chosen]
    return found
