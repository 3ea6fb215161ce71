"""Mistakes that other networks shipped, and some of our own kind, planted one by one: a check of ours must find each.

The check is measured twice on one and the same network: right without the plant, wrong by a clear margin with it.
docs/derivation/mistakes.md says what each mistake is and where it shipped.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import EXAMPLES, WIDTHS, Case, case, distance

from scratchnet import SGD, Adam, Dense, Network, central_differences, engine, gradient_error
from scratchnet.activations import Relu, Softmax, Tanh
from scratchnet.dropout import Dropout
from scratchnet.examples import Examples
from scratchnet.formulations import batch, scalar, vector
from scratchnet.losses import CategoricalCrossentropy, MeanSquaredError, SumOfSquaredErrors
from scratchnet.optimizers import OPTIMIZERS, Optimizer
from scratchnet.parameters import Parameters
from scratchnet.regularizers import L1L2
from scratchnet.schedules import ExponentialDecay

PAGE = Path(__file__).parents[2] / "docs/derivation/mistakes.md"

RIGHT = 1e-7
RIGHT_FOR_KERAS = 1e-6
"""Keras computes Adam's powers of β, and every schedule, in float32."""
WRONG = 1e-4

RATE, MOMENTUM, L2 = 1 / 16, 0.5, 1 / 16
BETAS = {"beta_1": 0.875, "beta_2": 0.96875}
"""Numbers that float32 holds exactly."""
WIDE, SHORT = slice(0, 3), slice(3, 4)
"""The batches of an epoch of 4 examples in steps of 3."""

Plant = Callable[[pytest.MonkeyPatch], None]


# The checks. `prepare` builds what is measured before anything is planted; what it returns measures an error.


@dataclass(frozen=True)
class Check:
    """finder : the words of the page."""

    finder: str
    prepare: Callable[[], Callable[[], float]]
    limit: float = RIGHT
    needs_keras: bool = False


def differences(*arguments: Any, by: dict[str, Any] | None = None, **options: Any) -> Check:
    """`scratchnet.gradient_error` of a case; `by` are options of the cost and of the gradient."""

    def prepare():
        of = case(*arguments, **options)
        return lambda: gradient_error(*of, **(by or {}))

    return Check("central differences of the cost", prepare)


def formulations(of: Callable[[], Case]) -> Check:
    def prepare():
        network, X, Y = of()
        return lambda: max(distance(one.gradients(network, X, Y), network.gradient(X, Y)) for one in (scalar, vector))

    return Check("`batch` beside `scalar` and `vector`", prepare)


def training(momentum: float = 0.0) -> Check:
    """An epoch whose last batch is short, against v ← μ v − η g, θ ← θ + v with g by central differences."""

    def measure(of: Case) -> float:
        network, X, Y = of
        trained, by_hand = twin(network, SGD(RATE, momentum)), twin(network)
        trained.train_epoch(trained.prepare(X, Y), np.arange(EXAMPLES), WIDE.stop)
        theta = by_hand.parameters.vector
        velocity = np.zeros_like(theta)
        for rows in (WIDE, SHORT):
            velocity[...] = momentum * velocity - RATE * central_differences(by_hand, X[rows], Y[rows])
            np.add(theta, velocity, out=theta)
        return distance(trained.parameters.vector, theta)

    def prepare():
        of = case("tanh", "mean_squared_error", "linear", 2)
        return lambda: measure(of)

    return Check("an epoch beside steps along central differences", prepare)


def trained_by_a_copy() -> Check:
    """A network trained by a copy of an optimizer that has trained another, beside one trained by a new optimizer."""

    def train(of: Case, optimizer: Optimizer) -> np.ndarray:
        network = twin(of.network, optimizer)
        network.train_epoch(network.prepare(of.X, of.Y), np.arange(EXAMPLES), WIDE.stop)
        return network.parameters.vector

    def measure(of: Case) -> float:
        used = SGD(RATE, MOMENTUM)
        train(of, used)
        return distance(train(of, deepcopy(used)), train(of, SGD(RATE, MOMENTUM)))

    def prepare():
        of = case("tanh", "mean_squared_error", "linear")
        return lambda: measure(of)

    return Check("a copy of a used optimizer beside a new one", prepare)


def keras_steps(name: str, **options: Any) -> Check:
    """Five updates along the same gradients, by ours and by `keras.optimizers`; `learning_rate` may be a schedule."""
    start, *gradients = np.random.default_rng(0).normal(size=(6, 9))
    rate = options.pop("learning_rate", RATE)

    def by_keras() -> np.ndarray:
        keras = pytest.importorskip("keras")
        schedules, optimizers = keras.optimizers.schedules, {"sgd": "SGD", "adam": "Adam"}
        theirs = getattr(schedules, type(rate).__name__)(**vars(rate)) if callable(rate) else rate
        optimizer = getattr(keras.optimizers, optimizers[name])(theirs, **options)
        theta = keras.Variable(start, dtype="float64")
        for g in gradients:
            optimizer.apply([keras.ops.array(g)], [theta])
        return theta.numpy()

    def by_ours() -> np.ndarray:
        parameters, optimizer = Parameters((2, 2, 1), "float64"), OPTIMIZERS[name](rate, **options)
        parameters.vector[...] = start
        optimizer.attach(parameters)
        for g in gradients:
            optimizer.target.vector[...] = optimizer.beta * optimizer.target.vector + optimizer.scale * g
            optimizer.finish()
        return parameters.vector

    return Check("five updates beside Keras's", lambda: lambda: distance(by_ours(), by_keras()), RIGHT_FOR_KERAS, True)


def keras_penalty() -> Check:
    def measure(of: Case) -> float:
        keras = pytest.importorskip("keras")
        network, X, Y = of
        penalty = network.cost(X, Y) - twin(network).cost(X, Y)
        return distance(penalty, sum(float(keras.regularizers.L2(L2)(W)) for W in network.parameters.weights))

    def prepare():
        of = case("tanh", "mean_squared_error", "linear", l2=L2)
        return lambda: measure(of)

    return Check("what L2 adds to the cost beside Keras's", prepare, RIGHT_FOR_KERAS, True)


def alone_as_in_a_batch() -> Check:
    """Outputs of far apart examples in one batch, against those of each example alone."""

    def prepare():
        network = Network(2, [Dense(2, "softmax")], dtype="float64")
        network.parameters.set([(np.eye(2), np.zeros(2))])
        X = np.array([[0.0, 1.0], [-1000.0, -999.0]])

        def measure() -> float:
            with np.errstate(all="ignore"):
                error = distance(network.predict(X), np.vstack([network.predict(x[None]) for x in X]))
            return error if np.isfinite(error) else np.inf

        return measure

    return Check("each example alone beside the batch", prepare)


def one_neuron() -> Check:
    """A softmax of one neuron is constant: its gradient is 0 in every formulation."""

    def prepare():
        network, X, Y = case("tanh", "mean_squared_error", "softmax", classes=1)

        def measure() -> float:
            try:
                return distance(network.gradient(X, Y), scalar.gradients(network, X, Y))
            except ValueError:  # shapes that no longer fit are as wrong as any number
                return np.inf

        return measure

    return Check("an output of one neuron beside `scalar`", prepare)


def at_the_kink() -> Case:
    """Every weighted input of the hidden layer is exactly 0."""
    network, X, Y = case("relu", "mean_squared_error", "linear")
    network.parameters.augmented[0][...] = 0.0
    return Case(network, X, Y)


def twin(network: Network, optimizer: Optimizer | None = None) -> Network:
    """The same network with other buffers, and without a regularizer."""
    copy = Network(network.inputs, network.layers, loss=network.loss, dtype="float64", optimizer=optimizer)
    copy.parameters.vector[...] = network.parameters.vector
    return copy


# The plants, each as near to what shipped as the code allows.


def adam_without_the_power(monkeypatch):
    def corrected_rate(self, rate, t):
        return rate * np.sqrt(1.0 - self.beta_2) / (1.0 - self.beta_1)

    monkeypatch.setattr(Adam, "corrected_rate", corrected_rate)


def l2_once_an_example(monkeypatch):
    right = L1L2.cost
    monkeypatch.setattr(L1L2, "cost", lambda self, *arrays: EXAMPLES * right(self, *arrays))


def softmax_as_its_diagonal(monkeypatch):
    def jacobian_product(self, A, G, out):
        np.multiply(G, A * (1.0 - A), out=out)

    monkeypatch.setattr(Softmax, "jacobian_product", jacobian_product)


def averaged_loss_with_a_summed_gradient(monkeypatch):
    def output_error(self, activation, A, Y, delta):
        self.slopes(A, Y, delta)
        activation.jacobian_product(A, delta, delta)

    monkeypatch.setattr(MeanSquaredError, "output_error", output_error)


def penalty_divided_by_n(monkeypatch):
    cost, gradient = L1L2.cost, L1L2.gradient
    monkeypatch.setattr(L1L2, "cost", lambda self, *arrays: cost(self, *arrays) / EXAMPLES)
    monkeypatch.setattr(
        L1L2, "gradient", lambda self, W, scale, *buffers: gradient(self, W, scale / EXAMPLES, *buffers)
    )


def wrong_sign(monkeypatch):
    monkeypatch.setattr(Tanh, "derivative", lambda self, A, out: np.subtract(A * A, 1.0, out=out))


def relu_slope_one_at_zero(monkeypatch):
    forward = Relu.forward

    def remember(self, Z, A):
        self._positive[...] = Z >= 0.0
        forward(self, Z, A)

    monkeypatch.setattr(Relu, "forward", remember)
    monkeypatch.setattr(Relu, "jacobian_product", lambda self, A, G, out: np.multiply(G, self._positive, out=out))


def overwritten(monkeypatch):
    monkeypatch.setattr(batch, "gradient", lambda layer, scale, beta: layer.accumulate(scale, 0.0))


def softmax_shifted_by_the_whole_batch(monkeypatch):
    def forward(self, Z, A):
        exponentials = np.exp(Z - np.max(Z))
        np.divide(exponentials, exponentials.sum(axis=0, keepdims=True), out=A)

    monkeypatch.setattr(Softmax, "forward", forward)


def squeezed_jacobian(monkeypatch):
    def jacobian_product(self, A, G, out):
        a, n = A.T[:, :, None], np.arange(len(A))
        jacobians = -a @ a.transpose(0, 2, 1)
        jacobians[:, n, n] = np.squeeze(a * (1.0 - a))
        out[...] = (jacobians @ G.T[:, :, None])[:, :, 0].T

    monkeypatch.setattr(Softmax, "jacobian_product", jacobian_product)


def slope_2_001(monkeypatch):
    monkeypatch.setattr(SumOfSquaredErrors, "slopes", lambda self, A, Y, out: np.multiply(A - Y, 2.001, out=out))


def scaled_backward(factor: Callable[[int], float]) -> Plant:
    """A wrong factor of the whole gradient, which depends on M."""

    def plant(monkeypatch):
        right = batch.backward

        def backward(workspace, loss, Y, scale, beta, weights=None):
            right(workspace, loss, Y, scale * factor(workspace.batch_size), beta, weights)

        monkeypatch.setattr(batch, "backward", backward)

    return plant


def propagated_after_the_update(monkeypatch):
    def backward(workspace, loss, Y, scale, beta, weights=None):
        scale = scale / workspace.batch_size
        batch.output_error(workspace.output, loss, Y, weights)
        for layer, product, above in workspace.descent:
            batch.gradient(layer, scale, beta)
            batch.propagate(product, above)
        batch.gradient(workspace.layers[0], scale, beta)

    monkeypatch.setattr(batch, "backward", backward)


def without_the_bias(monkeypatch):
    right = batch.gradient

    def gradient(layer, scale, beta):
        bias = layer.accumulate._alive[2][:, -1]  # the last column of what is accumulated into
        before = bias.copy()
        right(layer, scale, beta)
        bias[...] = before

    monkeypatch.setattr(batch, "gradient", gradient)


def mask_forgotten_on_the_way_back(monkeypatch):
    def jacobian_product(self, A, G, out):
        self._activation.jacobian_product(self._A, G, out)

    monkeypatch.setattr(Dropout, "jacobian_product", jacobian_product)


def velocity_kept(monkeypatch):
    state_of, right = SGD.__getstate__, SGD.attach

    def state(self):
        return {**state_of(self), "_before": getattr(self, "kept", [])}

    def attach(self, parameters):
        right(self, parameters)
        for kept, velocity in zip(self.kept, getattr(self, "_before", []), strict=False):
            kept[...] = velocity

    monkeypatch.setattr(SGD, "__getstate__", state)
    monkeypatch.setattr(SGD, "attach", attach)


def gradient_not_smoothed(monkeypatch):
    monkeypatch.setattr(Examples, "smoothed", lambda self, loss: self)


def gradient_not_weighted(monkeypatch):
    right = batch.output_error
    monkeypatch.setattr(batch, "output_error", lambda output, loss, Y, weights=None: right(output, loss, Y))


def epsilon_inside_the_root(monkeypatch):
    def update(self, theta, g, scratch, m, v, *sums):
        v += (1.0 - self.beta_2) * (g * g - v)
        m += (1.0 - self.beta_1) * (g - m)
        theta -= self.corrected_rate(self.learning_rate, self.steps + 1) * m / np.sqrt(v + self.epsilon)

    monkeypatch.setattr(Adam, "update", update)


def schedule_one_step_ahead(monkeypatch):
    monkeypatch.setattr(Optimizer, "learning_rate", property(lambda self: self._schedule(self.steps + 1)))


# The table: the name of the test → what is planted, and the check that must find it.

DIFFERENCES = differences("tanh", "mean_squared_error", "linear")
MASKS = [np.arange(EXAMPLES * WIDTHS[0]).reshape(EXAMPLES, -1) % 2 == 0]
WEIGHTS = np.linspace(0.0, 3.0, EXAMPLES)
SMOOTHED = CategoricalCrossentropy(label_smoothing=0.25)
MISTAKES: dict[str, tuple[Plant, Check]] = {
    "adam-without-the-power": (adam_without_the_power, keras_steps("adam", **BETAS)),
    "l2-once-an-example": (l2_once_an_example, differences("tanh", "mean_squared_error", "linear", l2=L2)),
    "softmax-as-its-diagonal": (softmax_as_its_diagonal, differences("tanh", "sum_of_squared_errors", "softmax")),
    "averaged-loss-summed-gradient": (averaged_loss_with_a_summed_gradient, DIFFERENCES),
    "penalty-divided-by-n": (penalty_divided_by_n, keras_penalty()),
    "wrong-sign": (wrong_sign, DIFFERENCES),
    "relu-slope-one-at-zero": (relu_slope_one_at_zero, formulations(at_the_kink)),
    "overwritten": (overwritten, training(MOMENTUM)),
    "softmax-shifted-by-the-batch": (softmax_shifted_by_the_whole_batch, alone_as_in_a_batch()),
    "squeezed-jacobian": (squeezed_jacobian, one_neuron()),
    "slope-2.001": (slope_2_001, differences("tanh", "sum_of_squared_errors", "linear")),
    "mean-missing": (scaled_backward(lambda M: M), DIFFERENCES),
    "mean-twice": (scaled_backward(lambda M: 1 / M), DIFFERENCES),
    "short-batch-divided-by-the-full-size": (scaled_backward(lambda M: M / WIDE.stop), training()),
    "propagated-after-the-update": (propagated_after_the_update, training()),
    "bias-gradient-missing": (without_the_bias, DIFFERENCES),
    "mask-forgotten": (
        mask_forgotten_on_the_way_back,
        differences("tanh", "mean_squared_error", "linear", dropout=0.5, by={"masks": MASKS}),
    ),
    "velocity-kept": (velocity_kept, trained_by_a_copy()),
    "gradient-not-smoothed": (gradient_not_smoothed, differences("tanh", SMOOTHED, "softmax")),
    "gradient-not-weighted": (
        gradient_not_weighted,
        differences("tanh", "mean_squared_error", "linear", by={"sample_weight": WEIGHTS}),
    ),
    "epsilon-inside-the-root": (epsilon_inside_the_root, keras_steps("adam", epsilon=2**-10, **BETAS)),
    "schedule-one-step-ahead": (
        schedule_one_step_ahead,
        keras_steps("sgd", learning_rate=ExponentialDecay(RATE, 2, 0.5)),
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_planted_mistake_is_found(name: str, monkeypatch, request) -> None:
    monkeypatch.setenv(engine.VARIABLE, "numpy")  # which is what the mistakes are planted in
    plant, check = MISTAKES[name]
    if check.needs_keras:
        request.getfixturevalue("keras")
    measure = check.prepare()
    assert measure() < check.limit, "wrong before anything is planted"
    with monkeypatch.context() as planted:
        plant(planted)
        assert measure() > WRONG, "not found"
    assert measure() < check.limit, "the plant outlived its test"


@pytest.mark.parametrize(
    "name", ["relu-slope-one-at-zero", "penalty-divided-by-n", "short-batch-divided-by-the-full-size"]
)
def test_central_differences_alone_would_not_find(name: str, monkeypatch) -> None:
    """Why there is more than one check: away from kinks, and in one batch, cost and gradient agree in these."""
    monkeypatch.setenv(engine.VARIABLE, "numpy")  # which is what the mistakes are planted in
    of = case("relu", "mean_squared_error", "linear", l2=L2, examples=WIDE.stop)
    plant, _ = MISTAKES[name]
    plant(monkeypatch)
    assert gradient_error(*of) < RIGHT


def test_the_page_has_a_row_for_each_mistake_and_names_its_check() -> None:
    rows = [line.split(" | ")[2:] for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    assert rows[1:] == [[check.finder, f"`{name}` |"] for name, (_, check) in MISTAKES.items()]
