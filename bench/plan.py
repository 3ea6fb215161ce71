"""The one source of initial parameters and order of examples, and the fingerprints that prove both were used.

Fed by a spec and a seed; feeds every worker.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.spec import TrainingSpec
from scratchnet.initializers import INITIALIZERS

Floats = NDArray[np.floating]
Parameters = Sequence[tuple[Floats, Floats]]
"""(W, b) of each layer: W (n_l, n_{l-1}), b (n_l,)."""
Batch = tuple[Floats, Floats]
"""Rows of X (M, n_0) and of Y (M, n_L)."""

_INITIAL_PARAMETERS, _ORDER = 0, 1


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

    def _generator(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=purpose))


def batches(x: Floats, y: Floats, order: NDArray[np.int64], batch_size: int) -> Iterator[Batch]:
    """The batches that a backend must consume: rows in that order, the last batch shorter where M does not divide N."""
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        yield x[rows], y[rows]


def parameters_fingerprint(parameters: Parameters) -> str:
    """SHA-256 over dtype, shape and bytes of each W and b."""
    return _sha256(array for layer in parameters for array in layer)


def batches_fingerprint(consumed: Iterable[Batch]) -> str:
    """SHA-256 over dtype, shape and bytes of each batch."""
    return _sha256(array for batch in consumed for array in batch)


def _sha256(arrays: Iterable[Floats]) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        rows = np.ascontiguousarray(array)
        digest.update(f"{rows.dtype.str} {rows.shape}".encode())
        digest.update(rows.data)
    return digest.hexdigest()
