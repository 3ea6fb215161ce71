"""scratchnet alone, on the founding document's 3-2-1 network: shall we go to sports today?

Inputs are temperature (scaled to 0..1), whether we slept well, and whether there is much homework.
Run: python examples/sports_network.py
"""

import numpy as np

from scratchnet import SGD, Dense, Network, gradient_error

rng = np.random.default_rng(0)
X = np.column_stack([rng.random(200), rng.integers(0, 2, (200, 2))])
y = (X[:, 0] + X[:, 1] - X[:, 2] > 0.5).astype(int)  # warm and rested beats homework

network = Network(
    inputs=3,
    layers=[Dense(2, "sigmoid"), Dense(1, "sigmoid")],
    loss="summed_binary_crossentropy",
    optimizer=SGD(learning_rate=1.0),
    dtype="float64",
)
print(f"gradient against central differences: relative error {gradient_error(network, X[:5], y[:5]):.1e}")

history = network.fit(X, y, epochs=60, batch_size=10)
print(f"cost: {history[0].cost:.3f} in the first epoch, {history[-1].cost:.3f} in the last")
print(f"accuracy: {network.evaluate(X, y)['accuracy']:.1%}")

warm_rested_free = [[0.9, 1, 0]]
print(f"warm, rested, no homework: go with probability {network.predict(warm_rested_free)[0, 0]:.3f}")
