"""How much memory training takes: little beside parameters, data and the buffers of a step."""

import gc
import tracemalloc

import numpy as np
import pytest
from covering import covering

from scratchnet import SGD, Adam, Dense, Network

EXAMPLES, INPUTS, BATCH_SIZE = 8_192, 784, 512
LIMIT = 1.2


def buffers(widths, itemsize, batch_size=BATCH_SIZE):
    """Bytes of a step: gathered rows with their ones; Ã and Δ of each layer; Z of the last; scratch of activations."""
    rows = batch_size * (INPUTS + 1)
    layers = sum(2 * (n + 1) * batch_size + n * batch_size for n in widths)
    return itemsize * (rows + layers + widths[-1] * batch_size)


OPTIMIZERS = {"sgd": (lambda: SGD(0.1), 1), "momentum": (lambda: SGD(0.1, momentum=0.9), 2), "adam": (Adam, 4)}
"""How each is made, and how many vectors like the parameters there are: these, and what it keeps."""


@pytest.mark.parametrize(
    ("hidden", "threads", "name"), covering([(30,), (128,), (512, 512)], [1, 2], OPTIMIZERS), ids=str
)
def test_training_takes_little_more_than_parameters_data_and_buffers(hidden, threads, name):
    """Threads have a gradient each."""
    optimizer, vectors = OPTIMIZERS[name]
    rng = np.random.default_rng(0)
    X, y = rng.random((EXAMPLES, INPUTS), np.float32), rng.integers(0, 10, EXAMPLES)
    # What training loads and compiles, where there is a compiler, is no buffer.
    Network(2, [Dense(1, "relu"), Dense(2, "softmax")], optimizer=optimizer()).fit(
        np.eye(2), np.arange(2), batch_size=2
    )
    tracemalloc.start()
    try:
        layers = [*(Dense(units, "relu") for units in hidden), Dense(10, "softmax")]
        network = Network(INPUTS, layers, optimizer=optimizer(), threads=threads)
        examples, order = network.prepare(X, y), rng.permutation(EXAMPLES)
        tracemalloc.reset_peak()
        network.train_epoch(examples, order, BATCH_SIZE)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    data = examples.X_augmented.nbytes + examples.Y.nbytes + examples.labels.nbytes
    needed = data + vectors * network.parameters.vector.nbytes + buffers([*hidden, 10], 4)
    gradients = threads * network.parameters.vector.nbytes if threads > 1 else 0
    assert peak < LIMIT * needed + gradients, f"{peak / needed:.2f} times"
    assert peak > 0.8 * needed


LARGEST, SIZES = 256, 64
USES = {
    "predict": lambda net, X, y: net.predict(X),
    "evaluate": lambda net, X, y: net.evaluate(X, y),
    "gradient": lambda net, X, y: net.gradient(X, y),
    "fit": lambda net, X, y: net.fit(X, y, batch_size=len(X)),
    "fit with a short last batch": lambda net, X, y: net.fit(X, y, batch_size=len(X) - 1),
    "validation": lambda net, X, y: net.fit(X[:64], y[:64], batch_size=32, validation_data=(X, y)),
}


def growth(use, sizes):
    """Bytes that a network still holds after it was used with so many rows, one number after the other."""
    rng = np.random.default_rng(0)
    X, y = rng.random((LARGEST, INPUTS), np.float32), rng.integers(0, 10, LARGEST)
    network = Network(INPUTS, [Dense(128, "relu"), Dense(10, "softmax")])
    use(network, X, y)  # compiles
    tracemalloc.start()
    try:
        for size in sizes:
            use(network, X[:size], y[:size])
        gc.collect()
        return tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("use", USES)
def test_memory_does_not_grow_with_the_number_of_batch_sizes(use):
    sizes = np.random.default_rng(1).permutation(np.arange(LARGEST - SIZES, LARGEST))
    of_one = buffers([128, 10], 4, LARGEST)
    assert growth(USES[use], sizes) < 10 * of_one < SIZES / 5 * of_one
