"""A spec made in Python instead of TOML, trained by two backends, with the verdict printed.

Run: python examples/spec_in_python.py results/my-first-run
"""

import sys

from bench import run
from bench.spec import ArchitectureSpec, DataSpec, LayerSpec, Suite, TrainingSpec
from bench.spec.optimizer import SGDSpec

spec = TrainingSpec(
    architecture=ArchitectureSpec(
        inputs=784,
        layers=(
            LayerSpec(units=64, activation="tanh", initializer="glorot_normal"),
            LayerSpec(units=10, activation="softmax"),
        ),
    ),
    loss="categorical_crossentropy",
    optimizer=SGDSpec(learning_rate=0.1, momentum=0.9),
    batch_size=100,
    epochs=3,
    seeds=(0, 1),
    data=DataSpec(source="mnist", train_examples=10_000, test_examples=2_000),
)
suite = Suite(title="A first suite of my own", backends=("scratchnet", "keras-fit"), specs=(spec,))

results = run(suite, out=sys.argv[1])
print(results.verdict)
