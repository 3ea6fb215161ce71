"""The plan of a cell as files that the processes of both sides read, so both consume the same numbers."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.data import load_dataset
from bench.data.dataset import save_array
from bench.inputs.plan import Plan, flat
from bench.inputs.splits import Inputs
from bench.spec import TrainingSpec, mnist_network
from bench.spec.networks import CLASSES, FEATURES

SEED = 0
EXAMPLES = 2_500
"""Training examples of a cell: an epoch takes some 10 ms, and a pair about a second."""


def cell_of(text: str) -> TrainingSpec:
    """The spec of a cell such as `784-128-10:32`: widths and batch size. ReLU, softmax, SGD, float32.

    Raises ValueError: says how a cell is written.
    """
    try:
        shape, _, size = text.partition(":")
        inputs, *hidden, outputs = (int(width) for width in shape.split("-"))
        spec = mnist_network(
            hidden,
            int(size),
            initializer="he_normal",
            name=f"{shape} M={int(size)}",
            optimizer={"name": "sgd", "learning_rate": 0.05},
            data={"source": "mnist", "train_examples": EXAMPLES},
        )
        if (inputs, outputs) == (FEATURES, CLASSES):
            return spec
    except ValueError:
        pass
    allowed = f"widths and batch size of a network with {FEATURES} inputs and {CLASSES} outputs, such as 784-128-10:32"
    raise ValueError(f"{text!r}; allowed: {allowed}")


class PlanFiles:
    """Examples, targets, initial parameters, and the order of each of `epochs` epochs, in a new folder."""

    def __init__(self, spec: TrainingSpec, epochs: int, folder: Path) -> None:
        self.spec, self.folder = spec, folder
        folder.mkdir()
        inputs, plan = Inputs(load_dataset(spec.data), spec), Plan(spec, SEED)
        parameters = plan.initial_parameters()
        self.start, self.labels = flat(parameters).astype(np.float64), inputs.test.labels
        examples = len(inputs.train.labels)
        arrays: dict[str, NDArray[Any]] = {"x": inputs.train.x, "y": inputs.train_targets, "x_test": inputs.test.x}
        arrays |= {f"order{epoch}": plan.order(epoch, examples) for epoch in range(1, epochs + 1)}
        for layer, (W, b) in enumerate(parameters, 1):
            arrays |= {f"W{layer}": W, f"b{layer}": b}
        for name, array in arrays.items():
            save_array(folder / f"{name}.npy", array)

    def job(self, tree: Path, threads: int) -> dict[str, object]:
        """What a side's process needs, in plain values; of the spec only what was set, for old revisions."""
        spec = self.spec.model_dump(mode="json", exclude_unset=True)
        return {"tree": str(tree), "folder": str(self.folder), "spec": spec, "threads": threads}
