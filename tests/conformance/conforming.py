"""The small networks and examples on which backends are compared."""

import numpy as np

from bench.spec import TrainingSpec

EXAMPLES, INPUTS, BATCH_SIZE = 53, 12, 8  # 53 = 6 · 8 + 5: the last batch is shorter


def spec_of(loss="categorical_crossentropy", output="softmax", dtype="float64", batch_size=BATCH_SIZE, **options):
    hidden, dropout = options.pop("hidden", ("relu", "tanh")), options.pop("dropout", (0.0, 0.0))
    optimizer = {"learning_rate": options.pop("schedule", 0.05), **options.pop("optimizer", {})}
    layers = [{"units": n, "activation": f, "dropout": p} for n, f, p in zip((7, 6), hidden, dropout, strict=True)]
    return TrainingSpec.model_validate(
        {
            "architecture": {"inputs": INPUTS, "layers": [*layers, {"units": 4, "activation": output}]},
            "loss": loss,
            "dtype": dtype,
            "batch_size": batch_size,
            "epochs": 3,
            "seeds": (0,),
            "optimizer": optimizer,
            **options,
        }
    )


def examples(dtype, count=EXAMPLES):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 4, count)
    return rng.random((count, INPUTS)).astype(dtype), np.eye(4, dtype=dtype)[labels], labels
