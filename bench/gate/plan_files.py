"""The plan of a cell as files that every process of both sides maps: one decoding, one plan, no import of either side.

Fed by a spec; feeds `bench.gate.tree_worker`.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.data import load_dataset
from bench.data.dataset import save_array
from bench.inputs.plan import Plan, flat
from bench.inputs.splits import Inputs
from bench.spec import TrainingSpec

SEED = 0
SCRATCHNET = "bench.backends.scratchnet:Scratchnet"
EXAMPLES = 2_500
"""Training examples of a cell: an epoch then takes some 10 ms, and a pair about a second."""


def cell_of(text: str) -> TrainingSpec:
    """The spec of a cell such as `784-128-10:32`: widths, and the batch size. ReLU, softmax, SGD, float32.

    Raises
    ------
    ValueError
        Says how a cell is written.
    """
    try:
        shape, _, size = text.partition(":")
        inputs, *hidden, outputs = (int(width) for width in shape.split("-"))
        layers = [*({"units": n, "activation": "relu", "initializer": "he_normal"} for n in hidden)]
        return TrainingSpec.model_validate(
            {
                "name": f"{shape} M={int(size)}",
                "architecture": {"inputs": inputs, "layers": [*layers, {"units": outputs, "activation": "softmax"}]},
                "loss": "categorical_crossentropy",
                "optimizer": {"name": "sgd", "learning_rate": 0.05},
                "batch_size": int(size),
                "epochs": 1,
                "seeds": (SEED,),
                "data": {"source": "mnist", "train_examples": EXAMPLES},
            }
        )
    except ValueError:
        raise ValueError(f"{text!r}; allowed: widths and batch size of a network, such as 784-128-10:32") from None


class PlanFiles:
    """What one cell consumes: examples, targets, initial parameters, and the order of each of so many epochs."""

    def __init__(self, spec: TrainingSpec, epochs: int, folder: Path) -> None:
        self.spec, self.folder = spec, folder
        folder.mkdir()
        inputs, plan = Inputs(load_dataset(spec.data), spec), Plan(spec, SEED)
        parameters = plan.initial_parameters()
        self.start, self.labels = flat(parameters).astype(np.float64), inputs.test.labels
        self.examples = len(inputs.train.labels)
        arrays: dict[str, NDArray[Any]] = {"x": inputs.train.x, "y": inputs.train_targets, "x_test": inputs.test.x}
        arrays |= {f"order{epoch}": plan.order(epoch, self.examples) for epoch in range(1, epochs + 1)}
        for layer, (W, b) in enumerate(parameters, 1):
            arrays |= {f"W{layer}": W, f"b{layer}": b}
        for name, array in arrays.items():
            save_array(folder / f"{name}.npy", array)

    def job(self, tree: Path, threads: int, extra: float = 0.0, target: str = SCRATCHNET) -> dict[str, object]:
        """What a side's process is for, in plain values; of the spec what was set, for old revisions."""
        return {
            "tree": str(tree),
            "target": target,
            "folder": str(self.folder),
            "spec": self.spec.model_dump(mode="json", exclude_unset=True),
            "threads": threads,
            "extra": extra,
        }
