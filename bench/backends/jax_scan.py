"""`jax-scan` as a backend: a whole epoch is one compiled function, a `lax.scan` over its steps.

Everything that is timed is that function, as JAX's documentation recommends a training loop on one device: `jit` around
all of it, parameters and optimizer state donated, no step dispatched from Python.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.core.errors import UnsupportedError
from bench.inputs.plan import Batch, Floats, Parameters
from bench.spec import TrainingSpec
from scratchnet.dropout import Mask

# Read when JAX makes its client of the CPU, the first time that it computes: its thread pool has as many threads.
os.environ["NPROC"] = os.environ.get("OMP_NUM_THREADS", str(os.cpu_count()))

import jax
import jax.numpy as jnp
from jax import lax, nn

Function = Callable[[jax.Array], jax.Array]
Theta = list[tuple[jax.Array, jax.Array]]
"""(W (n_{l-1}, n_l), b (n_l,)) of each layer: the layout that JAX's tutorials use, for x W with examples as rows."""


class Examples(NamedTuple):
    """x (N, n_0), y (N, n_L), and weights (N,) where there are any; of all examples or of a batch."""

    x: jax.Array
    y: jax.Array
    weights: jax.Array | None


class Training(NamedTuple):
    """What a step changes: parameters, what the optimizer keeps of each, and the number of steps so far."""

    theta: Theta
    kept: list[tuple[jax.Array, ...]]
    steps: jax.Array


ACTIVATIONS: dict[str, Function] = {
    "sigmoid": nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": nn.relu,
    "leaky_relu": lambda z: nn.leaky_relu(z, float(np.float32(0.2))),
    "elu": nn.elu,
    "gelu": lambda z: nn.gelu(z, approximate=False),
    "silu": nn.silu,
    "softplus": nn.softplus,
    "linear": lambda z: z,
    "softmax": nn.softmax,
}


def _crossentropy(z: jax.Array, y: jax.Array, _: Function) -> jax.Array:
    return -jnp.sum(y * nn.log_softmax(z), axis=1)


def _summed_binary_crossentropy(z: jax.Array, y: jax.Array, _: Function) -> jax.Array:
    return jnp.sum(nn.softplus(z) - z * y, axis=1)


LOSSES: dict[str, Callable[..., jax.Array]] = {
    "categorical_crossentropy": _crossentropy,
    "sparse_categorical_crossentropy": _crossentropy,
    "summed_binary_crossentropy": _summed_binary_crossentropy,
    "sum_of_squared_errors": lambda z, y, f: jnp.sum((f(z) - y) ** 2, axis=1),
    "mean_squared_error": lambda z, y, f: jnp.mean((f(z) - y) ** 2, axis=1),
}
"""Loss of each example (M,) from the weighted input of the last layer, the targets and the last activation."""


def _sgd(o: Any, theta: jax.Array, g: jax.Array, kept: tuple[jax.Array, ...], t: jax.Array) -> Any:
    if not o.momentum:
        return theta - o.learning_rate * g, ()
    velocity = o.momentum * kept[0] - o.learning_rate * g
    return theta + (o.momentum * velocity - o.learning_rate * g if o.nesterov else velocity), (velocity,)


def _adam(o: Any, theta: jax.Array, g: jax.Array, kept: tuple[jax.Array, ...], t: jax.Array) -> Any:
    m = kept[0] + (1 - o.beta_1) * (g - kept[0])
    v = kept[1] + (1 - o.beta_2) * (g * g - kept[1])
    rate = o.learning_rate * jnp.sqrt(1 - o.beta_2**t) / (1 - o.beta_1**t)
    return theta - rate * m / (jnp.sqrt(v) + o.epsilon), (m, v)


def _adamw(o: Any, theta: jax.Array, g: jax.Array, kept: tuple[jax.Array, ...], t: jax.Array) -> Any:
    return _adam(o, theta * (1 - o.learning_rate * o.weight_decay), g, kept, t)


UPDATES: dict[str, tuple[Callable[[Any], int], Callable[..., Any]]] = {
    "sgd": (lambda o: int(o.momentum > 0), _sgd),
    "adam": (lambda o: 2, _adam),
    "adamw": (lambda o: 2, _adamw),
}
"""How many arrays the optimizer keeps beside each parameter, and the update of one, in Keras's form."""


def unsupported(spec: TrainingSpec) -> str:
    """What of this spec `jax-scan` does not have; empty where it has all of it."""
    optimizer = spec.optimizer
    missing = {
        f"loss {spec.loss}": spec.loss not in LOSSES,
        f"optimizer {optimizer.name}": optimizer.name not in UPDATES,
        "learning-rate schedule": not isinstance(optimizer.learning_rate, float),
        "clipping": any(getattr(optimizer, name) for name in ("clipnorm", "global_clipnorm", "clipvalue")),
        "label smoothing": bool(spec.label_smoothing),
        "dropout": any(layer.dropout for layer in spec.architecture.layers),
    }
    return ", ".join(f"no {name}" for name, is_missing in missing.items() if is_missing)


def weighted_input(spec: TrainingSpec, theta: Theta, x: jax.Array) -> jax.Array:
    """Z of the last layer, an example a row."""
    z = x
    for layer, (W, b) in zip((None, *spec.architecture.layers), theta, strict=False):
        z = (ACTIVATIONS[layer.activation](z) if layer else z) @ W + b
    return z


def cost_of(spec: TrainingSpec, theta: Theta, batch: Examples) -> jax.Array:
    """Mean loss of the batch, each example's times its weight, plus regularization."""
    z, activation = weighted_input(spec, theta, batch.x), ACTIVATIONS[spec.architecture.layers[-1].activation]
    losses = LOSSES[spec.loss](z, batch.y, activation)
    cost = jnp.mean(losses if batch.weights is None else losses * batch.weights)
    for factor, penalty in ((spec.regularization.l1, jnp.abs), (spec.regularization.l2, jnp.square)):
        cost += factor * sum(jnp.sum(penalty(W)) for W, _ in theta) if factor else 0.0
    return cost


def gather(examples: Examples, rows: jax.Array) -> Examples:
    """The examples of these rows; they are rows of the data, so nothing need be clamped."""
    arrays = (array if array is None else array.at[rows].get(mode="promise_in_bounds") for array in examples)
    return Examples(*arrays)


def step(spec: TrainingSpec, examples: Examples, training: Training, rows: jax.Array) -> tuple[Training, jax.Array]:
    """One update from the examples of these rows, and the cost before it."""
    cost, gradient = jax.value_and_grad(partial(cost_of, spec))(training.theta, batch=gather(examples, rows))
    steps, (_, update) = training.steps + 1, UPDATES[spec.optimizer.name]
    leaves, structure = jax.tree.flatten(training.theta)
    updated = [
        update(spec.optimizer, theta, g, kept, steps)
        for theta, g, kept in zip(leaves, jax.tree.leaves(gradient), training.kept, strict=True)
    ]
    theta = jax.tree.unflatten(structure, [new for new, _ in updated])
    return Training(theta, [kept for _, kept in updated], steps), cost


def epoch(spec: TrainingSpec, training: Training, examples: Examples, order: jax.Array) -> tuple[Training, jax.Array]:
    """One pass in that order, and the cost of each step; the last batch is shorter where M does not divide N."""
    full = len(order) // spec.batch_size * spec.batch_size
    one_step = partial(step, spec, examples)
    training, costs = lax.scan(one_step, training, order[:full].reshape(-1, min(spec.batch_size, max(full, 1))))
    if full == len(order):
        return training, costs
    training, last = one_step(training, order[full:])
    return training, jnp.append(costs, last)


class JaxScan:
    """See `backends.protocol.Backend`. 64 bits are switched on for the whole process where the spec is in float64."""

    def __init__(
        self,
        spec: TrainingSpec,
        parameters: Parameters,
        x: Floats,
        y: Floats,
        threads: int,
        weights: Floats | None = None,
    ) -> None:
        if reason := unsupported(spec):
            raise UnsupportedError(f"jax-scan has {reason}")
        jax.config.update("jax_enable_x64", spec.dtype == "float64")
        self._spec = spec
        self._examples = Examples(*(array if array is None else jnp.asarray(array) for array in (x, y, weights)))
        theta = _theta(parameters)
        count = UPDATES[spec.optimizer.name][0](spec.optimizer)
        kept = [tuple(jnp.zeros_like(array) for _ in range(count)) for array in jax.tree.leaves(theta)]
        self._training = Training(theta, kept, jnp.zeros((), spec.dtype))
        self._epoch = jax.jit(partial(epoch, spec), donate_argnums=0)
        self._weighted_input = jax.jit(partial(weighted_input, spec))
        self._costs: Floats = np.zeros(0)

    def set_parameters(self, parameters: Parameters) -> None:
        self._training = self._training._replace(theta=_theta(parameters))

    def parameters(self) -> Parameters:
        return [(np.array(W.T), np.array(b)) for W, b in self._training.theta]

    def train_epoch(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> None:
        self._training, costs = self._epoch(self._training, self._examples, jnp.asarray(order))
        self._costs = np.asarray(costs)
        jax.block_until_ready(self._training)

    def batches(self, order: NDArray[np.int64], masks: Sequence[Mask] = ()) -> Iterator[Batch]:
        size, rows = self._spec.batch_size, jnp.asarray(order)
        for start in range(0, len(order), size):
            batch = gather(self._examples, rows[start : start + size])
            yield tuple(np.asarray(array) for array in batch if array is not None)

    def epoch_cost(self) -> float:
        examples, size = len(self._examples.x), self._spec.batch_size
        sizes = np.diff(np.arange(0, examples, size), append=examples)
        return float(np.average(self._costs.astype(np.float64), weights=sizes))

    def predict(self, x: Floats) -> Floats:
        z = self._weighted_input(self._training.theta, jnp.asarray(x))
        return np.asarray(ACTIVATIONS[self._spec.architecture.layers[-1].activation](z))

    def notes(self) -> dict[str, Any]:
        return {"threads": int(os.environ["NPROC"])}


def _theta(parameters: Parameters) -> Theta:
    return [(jnp.asarray(W.T), jnp.asarray(b)) for W, b in parameters]
