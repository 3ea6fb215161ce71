"""The inputs that test a subject: random parameters and batches, one example, kinks, clipping, large inputs."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bench.locate.clipping import CLASSES, CLIPPING, clipping_moments, misjudged
from bench.locate.net import Array, Net
from bench.locate.state import LARGE_INPUTS, Moment
from scratchnet.dropout import masks_of

LARGEST_BATCH = 32
SEED = 20_240_524
LARGE, FACTOR = "large", 1000.0
"""A trajectory with weights of the output so much larger that e^z overflows in every dtype."""
KINK, KINKED = "kink", ("relu", "leaky_relu")


@dataclass(frozen=True)
class Trajectory:
    """Steps that one new subject takes one after the other; its optimizer remembers, its parameters are set anew."""

    label: str
    moments: tuple[Moment, ...]


def batch_sizes(net: Net) -> tuple[int, int]:
    """A full batch, and a shorter one where there is room."""
    full = min(net.spec.batch_size, LARGEST_BATCH)
    short = full // 2 + 1
    return full, short if short < full else 1


def experiment(net: Net, dtype: str, seed: int = SEED) -> list[Trajectory]:
    """All trajectories, with numbers that `dtype` holds exactly."""
    rng, (full, short) = np.random.default_rng(seed), batch_sizes(net)
    sizes = ((full, "a full batch"), (full, "a second batch"), (short, "a shorter batch"))
    steps = tuple(moment(net, rng, M, label) for M, label in sizes)
    one = moment(net, rng, 1, "one example")
    far = (replace(at, label="one example, far from its target") for at in misjudged(net, one))
    alone = (Trajectory("one", (at,)) for at in (one, *far))
    made = [Trajectory("steps", steps), *alone, *_special(net, rng, (full, short, 1))]
    return [replace(each, moments=tuple(rounded(at, dtype) for at in each.moments)) for each in made]


def _special(net: Net, rng: np.random.Generator, sizes: tuple[int, ...]) -> Iterator[Trajectory]:
    M = sizes[0]
    kinked = [l for l in net.layers[:-1] if net.activations[l - 1] in KINKED]
    if kinked:
        at = moment(net, rng, M, "weighted inputs of 0")
        yield from (Trajectory(KINK, (_silent(at, layer),)) for layer in kinked)
    if net.activations[-1] in CLASSES:
        yield Trajectory(LARGE, (_enlarged(moment(net, rng, M, LARGE_INPUTS)),))
    for size in dict.fromkeys(sizes):
        yield from (Trajectory(CLIPPING, (at,)) for at in clipping_moments(net, moment(net, rng, size, "")))


def _silent(at: Moment, layer: int) -> Moment:
    """Every weighted input of that layer is exactly 0. No layer above it is dead: its numbers are positive."""
    W, b = at.parameters[layer - 1]
    above = [(np.abs(W), np.abs(b)) for W, b in at.parameters[layer:]]
    return replace(at, parameters=(*at.parameters[: layer - 1], (np.zeros_like(W), np.zeros_like(b)), *above))


def _enlarged(at: Moment) -> Moment:
    *others, (W, b) = at.parameters
    return replace(at, parameters=(*others, (W * FACTOR, b * FACTOR)))


def moment(net: Net, rng: np.random.Generator, M: int, label: str) -> Moment:
    """Random parameters, biases too, and a random batch of M examples."""
    pairs = zip(net.widths, net.widths[1:], strict=False)
    parameters = [(rng.normal(size=(n, n_in)) / np.sqrt(n_in), 0.5 * rng.normal(size=n)) for n_in, n in pairs]
    return Moment(
        label,
        tuple(parameters),
        rng.normal(size=(net.widths[0], M)),
        _targets(net, rng, (net.widths[-1], M)),
        rng.uniform(0.5, 2.0, M) if net.weighted else None,
        _masks(net, rng, M),
    )


def _targets(net: Net, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """One class an example, 0 or 1 for each output of a sigmoid, numbers else."""
    output = net.activations[-1]
    if output == "softmax":
        return np.eye(shape[0])[:, rng.integers(0, shape[0], shape[1])]
    if output == "sigmoid":
        return rng.integers(0, 2, shape).astype(float)
    return rng.normal(size=shape)


def _masks(net: Net, rng: np.random.Generator, M: int) -> dict[int, np.ndarray[tuple[int, int], np.dtype[np.bool_]]]:
    layers = [l for l in net.layers if net.dropout[l - 1]]
    masks = masks_of(rng, net.spec.architecture.layers, M)
    return {l: mask.T for l, mask in zip(layers, masks, strict=True)}


def rounded(at: Moment, dtype: str) -> Moment:
    """The same with every number rounded to `dtype`."""

    def to(array: Array) -> Array:
        return array.astype(dtype).astype(np.float64)

    weights = None if at.weights is None else to(at.weights)
    parameters = tuple((to(W), to(b)) for W, b in at.parameters)
    return replace(at, parameters=parameters, X=to(at.X), Y=to(at.Y), weights=weights)
