"""What a backend is, and which there are: strings, so that a missing framework is a reported skip.

Fed by a worker, which makes one backend and drives it; a backend lives in a file of its own in `bench/backends/`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bench.errors import UnusableError
from bench.plan import Batch, Floats, Parameters
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


@dataclass(frozen=True)
class Entry:
    """Where a backend's class is, the module it needs, what installs that, and the packages whose versions matter."""

    target: str
    needs: str
    install: str
    packages: tuple[str, ...]


def _tensorflow(target: str) -> Entry:
    return Entry(target, "tensorflow", "pip install 'scratchnet[tensorflow]'", ("tensorflow", "keras", "numpy"))


def _torch(target: str) -> Entry:
    return Entry(target, "torch", "pip install 'scratchnet[torch]'", ("torch", "numpy"))


BACKENDS: dict[str, Entry] = {
    "scratchnet": Entry("bench.backends.scratchnet:Scratchnet", "scipy", "pip install scipy", ("numpy", "scipy")),
    "keras-fit": _tensorflow("bench.backends.keras_fit:KerasFit"),
    "keras-fit-tuned": _tensorflow("bench.backends.keras_fit:KerasFitTuned"),
    "tf-graph": _tensorflow("bench.backends.tf_epoch:TfGraph"),
    "tf-xla": _tensorflow("bench.backends.tf_epoch:TfXla"),
    "jax-scan": Entry("bench.backends.jax_scan:JaxScan", "jax", "pip install 'scratchnet[jax]'", ("jax", "jaxlib")),
    "torch-eager": _torch("bench.backends.torch_epoch:TorchEager"),
    "torch-compile": _torch("bench.backends.torch_epoch:TorchCompile"),
    "sklearn": Entry(
        "bench.backends.sklearn_mlp:SklearnMlp",
        "sklearn",
        "pip install 'scratchnet[sklearn]'",
        ("scikit-learn", "numpy"),
    ),
}
FLOORS: dict[str, Entry] = {
    "products": Entry("bench.backends.products:Products", "scipy", "pip install scipy", ("numpy", "scipy"))
}
"""No way to train, but what a step costs at least: not for a suite."""


def entry(name: str) -> Entry:
    """The entry of that backend.

    Raises
    ------
    UnusableError
        Names the backends there are.
    """
    if name not in BACKENDS:
        raise UnusableError(f"backend {name!r} is not known; allowed: {', '.join(BACKENDS)}")
    return BACKENDS[name]


def missing(name: str) -> str | None:
    """Why the backend cannot run here, with the command that installs what it needs; None where it can."""
    needed = entry(name)
    if find_spec(needed.needs) is None:
        return f"{needed.needs} is not installed; {needed.install}"
    return None


def load(target: str) -> type[Backend]:
    """Import the class that `module:Class` names, and with it its framework."""
    module, _, attribute = target.partition(":")
    backend: type[Backend] = getattr(import_module(module), attribute)
    return backend
