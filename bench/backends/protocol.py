"""What the benchmark asks of a backend."""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.inputs.plan import Batch, Floats, Parameters
from bench.spec import TrainingSpec
from scratchnet.dropout import Mask


class Backend(Protocol):
    """One way to train the network that a spec describes.

    Rows are examples: x (N, n_0), y (N, n_L) one-hot, weights (N,), in the spec's dtype. Where the spec has dropout,
    each epoch comes with a mask (N, n_l) of each layer that has it, True for kept; row i is of the example order[i].
    """

    def __init__(
        self,
        spec: TrainingSpec,
        parameters: Parameters,
        x: Floats,
        y: Floats,
        threads: int,
        weights: Floats | None = None,
    ) -> None:
        """Build the model, put `parameters` into it, keep the training examples and their weights."""

    def parameters(self) -> Parameters:
        """The parameters, read back out of the model, in the document's layout: W (n_l, n_{l-1}), b (n_l,)."""

    def set_parameters(self, parameters: Parameters) -> None:
        """Overwrite the parameters; what the optimizer remembers stays."""

    def batches(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> Iterator[Batch]:
        """The batches of an epoch, drawn through the very input path that `train_epoch` uses."""

    def train_epoch(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> None:
        """One pass in that order: gather, forward, backward, update; done when it returns. This call alone is timed."""

    def epoch_cost(self) -> float:
        """Cost of the last epoch: mean over its examples of loss plus regularization, each step before its update."""

    def predict(self, x: Floats) -> Floats:
        """A[L] as rows (N, n_L)."""

    def notes(self) -> dict[str, Any]:
        """What the backend chose for itself, for the record."""
