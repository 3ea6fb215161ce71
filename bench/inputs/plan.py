"""The only source of initial parameters and order of examples, and fingerprints that prove their use."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.spec import TrainingSpec
from scratchnet.dropout import Mask, masks_of
from scratchnet.initializers import INITIALIZERS

Floats = NDArray[np.floating]
Parameters = Sequence[tuple[Floats, Floats]]
"""(W, b) of each layer: W (n_l, n_{l-1}), b (n_l,)."""
Batch = tuple[NDArray[np.generic], ...]
"""Rows of X (M, n_0) and Y (M, n_L); where used, weights (M,) and the rows of each layer's mask (M, n_l)."""

_INITIAL_PARAMETERS, _ORDER, _DROPOUT, _SAMPLE_WEIGHTS = 0, 1, 2, 3


@dataclass(frozen=True)
class Plan:
    """What every backend trained from this spec and seed must start from and consume."""

    spec: TrainingSpec
    seed: int

    def initial_parameters(self) -> Parameters:
        """(W, b) of each layer, drawn in float64 and rounded once to the spec's dtype."""
        rng = self._generator(_INITIAL_PARAMETERS)
        widths = self.spec.architecture.widths
        return [
            (
                INITIALIZERS[layer.initializer](rng, layer.units, n_in).astype(self.spec.dtype),
                np.zeros(layer.units, self.spec.dtype),
            )
            for layer, n_in in zip(self.spec.architecture.layers, widths, strict=False)
        ]

    def order(self, epoch: int, examples: int) -> NDArray[np.int64]:
        """A permutation of the training examples; epochs count from 1."""
        return self._generator(_ORDER, epoch).permutation(examples)

    def dropout_masks(self, epoch: int, examples: int) -> list[Mask]:
        """For each layer with dropout, which neurons an epoch keeps, (N, n_l): row i is of the example at order[i]."""
        return masks_of(self._generator(_DROPOUT, epoch), self.spec.architecture.layers, examples)

    def sample_weights(self, labels: NDArray[np.int64]) -> Floats | None:
        """Weight of each training example, (N,): its class's times its own; None where the spec has neither."""
        by_class, own = self.spec.class_weights, self.spec.sample_weight_range
        if by_class is None and own is None:
            return None
        weights = np.ones(len(labels)) if by_class is None else np.asarray(by_class)[labels]
        if own is not None:
            weights = weights * self._generator(_SAMPLE_WEIGHTS).uniform(*own, size=len(labels))
        return weights.astype(self.spec.dtype)

    def _generator(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=purpose))


def batches(
    x: Floats,
    y: Floats,
    order: NDArray[np.int64],
    batch_size: int,
    weights: Floats | None = None,
    masks: Sequence[Mask] = (),
) -> Iterator[Batch]:
    """The batches that a backend must consume: rows in that order, the last batch shorter where M does not divide N."""
    of_examples = [x, y] if weights is None else [x, y, weights]
    for start in range(0, len(order), batch_size):
        places = slice(start, start + batch_size)
        yield (*(array[order[places]] for array in of_examples), *(mask[places] for mask in masks))


def flat(parameters: Parameters) -> Floats:
    """All of W[1], b[1], W[2], ... in one vector."""
    return np.concatenate([array.ravel() for layer in parameters for array in layer])


def parameters_fingerprint(parameters: Parameters) -> str:
    """SHA-256 over dtype, shape and bytes of each W and b."""
    return _sha256(array for layer in parameters for array in layer)


def batches_fingerprint(consumed: Iterable[Batch]) -> str:
    """SHA-256 over dtype, shape and bytes of each batch."""
    return _sha256(array for batch in consumed for array in batch)


def _sha256(arrays: Iterable[NDArray[np.generic]]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        rows = np.ascontiguousarray(array)
        digest.update(f"{rows.dtype.str} {rows.shape}".encode())
        digest.update(rows.data)
    return digest.hexdigest()
