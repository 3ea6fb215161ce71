"""How much memory training takes: little beside parameters, data and the buffers of a step."""

import tracemalloc

import numpy as np
import pytest

from scratchnet import SGD, Adam, Dense, Network

EXAMPLES, INPUTS, BATCH_SIZE = 8_192, 784, 512
LIMIT = 1.2


def buffers(widths, itemsize):
    """Bytes of a step: gathered rows with their ones; Ã and Δ of each layer; Z of the last; scratch of activations."""
    rows = BATCH_SIZE * (INPUTS + 1)
    layers = sum(2 * (n + 1) * BATCH_SIZE + n * BATCH_SIZE for n in widths)
    return itemsize * (rows + layers + widths[-1] * BATCH_SIZE)


@pytest.mark.parametrize(("optimizer", "vectors"), [(SGD(0.1), 1), (SGD(0.1, momentum=0.9), 2), (Adam(0.001), 4)])
@pytest.mark.parametrize("hidden", [(30,), (128,), (512, 512)])
def test_training_takes_little_more_than_parameters_data_and_buffers(hidden, optimizer, vectors):
    """`vectors`: the parameters, and what the optimizer keeps like them."""
    rng = np.random.default_rng(0)
    X, y = rng.random((EXAMPLES, INPUTS), np.float32), rng.integers(0, 10, EXAMPLES)
    # What training loads and compiles, where there is a compiler, is no buffer.
    Network(2, [Dense(1, "relu"), Dense(2, "softmax")], optimizer=optimizer).fit(np.eye(2), np.arange(2), batch_size=2)
    tracemalloc.start()
    try:
        layers = [*(Dense(units, "relu") for units in hidden), Dense(10, "softmax")]
        network = Network(INPUTS, layers, optimizer=optimizer)
        examples, order = network.prepare(X, y), rng.permutation(EXAMPLES)
        tracemalloc.reset_peak()
        network.train_epoch(examples, order, BATCH_SIZE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    data = examples.X_augmented.nbytes + examples.Y.nbytes + examples.labels.nbytes
    needed = data + vectors * network.parameters.vector.nbytes + buffers([*hidden, 10], 4)
    assert peak < LIMIT * needed, f"{peak / needed:.2f} times"
    assert peak > 0.8 * needed
