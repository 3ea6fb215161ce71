"""One test for each claim of docs/derivation/keras.md about what Keras computes, against the formula in plain NumPy.

Fed by nothing but numbers chosen here; where a claim is about rounding, the test demands the very float that comes out.
"""

from collections.abc import Iterator
from math import erfc, sqrt
from typing import Any

import numpy as np
import pytest

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.usefixtures("tensorflow")

G = np.array([0.3, -1.2, 2.0])
W = np.array([1.0, -0.5, 0.25])
ETA = 0.125
"""A learning rate that float32 holds exactly, so that only what a test is about can differ."""


@pytest.fixture(autouse=True)
def float64() -> Iterator[None]:
    """float64 everywhere, as a strict comparison needs it; put back afterwards."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


def updated(optimizer: Any, *gradients: Any, start: Any = W) -> Any:
    """The parameters after one update for each gradient."""
    variable = keras.Variable(start, dtype="float64")
    for g in gradients:
        optimizer.apply([tf.constant(g, "float64")], [variable])
    return variable.numpy()


def by_way_of_float32(value: float) -> float:
    return float(np.float32(value))


def close(expected: Any, rel: float = 1e-14) -> Any:
    return pytest.approx(expected, rel=rel, abs=0.0)


def loss_of(name: str, y: Any, a: Any, **settings: Any) -> Any:
    return getattr(keras.losses, name)(tf.constant(y, "float64"), tf.constant(a, "float64"), **settings).numpy()


def test_layout_is_the_transpose_of_the_documents() -> None:
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    K, b = np.arange(6.0).reshape(3, 2), np.array([10.0, 20.0])
    layer.set_weights([K, b])
    x = np.array([[1.0, 2.0, 3.0]])
    assert layer(x).numpy().tolist() == (K.T @ x.T + b[:, None]).T.tolist()


def test_binary_cross_entropy_is_a_mean_over_the_outputs() -> None:
    y, a = [[1.0, 0.0, 1.0]], [[0.7, 0.2, 0.4]]
    summed = -(np.log(0.7) + np.log(0.8) + np.log(0.4))
    assert loss_of("binary_crossentropy", y, a) == close([summed / 3])


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mean_squared_error", (0.25 + 4.0) / 2), ("mean_absolute_error", (0.5 + 2.0) / 2), ("huber", (0.125 + 1.5) / 2)],
)
def test_regression_losses_are_means_over_the_outputs(name: str, expected: float) -> None:
    assert loss_of(name, [[0.0, 0.0]], [[0.5, -2.0]]) == close([expected])


def test_label_smoothing() -> None:
    y, a, s = np.array([[1.0, 0.0]]), np.array([[0.75, 0.25]]), 0.2
    binary = y * (1 - s) + s / 2
    expected = -np.mean(binary * np.log(a) + (1 - binary) * np.log(1 - a), axis=1)
    assert loss_of("binary_crossentropy", y, a, label_smoothing=s) == close(expected)
    y, a = np.array([[1.0, 0.0, 0.0, 0.0]]), np.array([[0.7, 0.1, 0.1, 0.1]])
    expected = -np.sum((y * (1 - s) + s / 4) * np.log(a), axis=1)
    assert loss_of("categorical_crossentropy", y, a, label_smoothing=s) == close(expected)


def test_probabilities_without_weighted_inputs_are_clipped_and_send_no_error_back() -> None:
    z = tf.constant([[-40.0]], "float64")
    y = tf.constant([[1.0]], "float64")
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(z)
        attached = keras.losses.binary_crossentropy(y, keras.activations.sigmoid(z))
        lost = keras.losses.binary_crossentropy(y, keras.activations.sigmoid(z) * 1.0)
    assert attached.numpy() == close([40.0])
    assert float(tape.gradient(attached, z)[0, 0]) == close(-1.0)
    assert lost.numpy() == close([-np.log(keras.config.epsilon())])
    assert float(tape.gradient(lost, z)[0, 0]) == 0.0


def test_a_cast_of_the_outputs_loses_the_weighted_inputs() -> None:
    a = keras.activations.sigmoid(tf.constant([[-40.0]], "float32"))
    loss = keras.losses.BinaryCrossentropy(dtype="float64")
    assert float(loss(tf.ones((1, 1)), a)) == close(-np.log(keras.config.epsilon()), rel=1e-7)


def test_categorical_losses_normalize_probabilities() -> None:
    a = [[0.2, 0.2]]
    assert loss_of("categorical_crossentropy", [[1.0, 0.0]], a) == close([np.log(2)])
    sparse = keras.losses.sparse_categorical_crossentropy(tf.constant([0]), tf.constant(a, "float64"))
    assert sparse.numpy() == close([np.log(2)])


def test_epsilon() -> None:
    assert keras.config.epsilon() == 1e-7


def test_a_loss_object_computes_in_the_floatx_of_its_birth() -> None:
    keras.config.set_floatx("float32")
    y, a = tf.constant([[0.0]], "float64"), tf.constant([[0.1]], "float64")
    assert keras.losses.MeanSquaredError()(y, a).dtype == tf.float32


def test_weighted_losses_are_divided_by_the_number_of_examples() -> None:
    loss = keras.losses.MeanSquaredError()([[0.0], [0.0]], [[1.0], [2.0]], sample_weight=np.array([3.0, 0.5]))
    assert float(loss) == close((3.0 * 1.0 + 0.5 * 4.0) / 2)


def fitted(batch_size: int, l2: float = 0.0) -> tuple[float, float]:
    """The weight and the reported loss after an epoch of one linear neuron on x = 1, 2, 4 and y = 0, from w = 1."""
    regularizer = keras.regularizers.L2(l2) if l2 else None
    layer = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones", kernel_regularizer=regularizer)
    model = keras.Sequential([keras.Input((1,)), layer])
    model.compile(keras.optimizers.SGD(1 / 64), "mean_squared_error")
    x = np.array([[1.0], [2.0], [4.0]])
    history = model.fit(x, np.zeros_like(x), batch_size=batch_size, epochs=1, shuffle=False, verbose=0)
    return float(layer.kernel.numpy()[0, 0]), history.history["loss"][0]


def test_a_short_last_batch_divides_by_its_own_size_and_fit_reports_costs_before_each_update() -> None:
    first_cost, first_slope = (1.0 + 4.0) / 2, 1.0 + 4.0
    w = 1.0 - first_slope / 64
    second_cost, second_slope = (4.0 * w) ** 2, 2.0 * 16.0 * w
    weight, reported = fitted(batch_size=2)
    assert weight == close(w - second_slope / 64)
    assert reported == close((2 * first_cost + 1 * second_cost) / 3)


def test_the_reported_loss_contains_the_penalty_and_l2_has_no_factor_one_half() -> None:
    weight, reported = fitted(batch_size=3, l2=0.5)
    assert reported == close((1.0 + 4.0 + 16.0) / 3 + 0.5)
    assert weight == close(1.0 - (2 * 21.0 / 3 + 2 * 0.5) / 64)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum(nesterov: bool) -> None:
    mu, v, w = 0.5, np.zeros(3), W
    for g in (G, -2 * G):
        v = mu * v - ETA * g
        w = w + (mu * v - ETA * g if nesterov else v)
    optimizer = keras.optimizers.SGD(ETA, momentum=mu, nesterov=nesterov)
    assert updated(optimizer, G, -2 * G) == close(w)


def adam(beta_1: float, beta_2: float, epsilon: float, powers: Any = float) -> Any:
    m = v = np.zeros(3)
    w = W
    for t, g in enumerate((G, -2 * G), start=1):
        alpha = ETA * np.sqrt(1 - powers(beta_2) ** t) / (1 - powers(beta_1) ** t)
        m, v = m + (1 - beta_1) * (g - m), v + (1 - beta_2) * (g * g - v)
        w = w - alpha * m / (np.sqrt(v) + epsilon)
    return w


def test_adam_adds_epsilon_outside_the_root_uncorrected() -> None:
    optimizer = keras.optimizers.Adam(ETA, beta_1=0.5, beta_2=0.75, epsilon=0.5)
    assert updated(optimizer, G, -2 * G) == close(adam(0.5, 0.75, 0.5))
    assert keras.optimizers.Adam().epsilon == 1e-7


def test_adams_powers_go_by_way_of_float32_and_its_means_do_not() -> None:
    found = updated(keras.optimizers.Adam(ETA), G, -2 * G)
    assert found == close(adam(0.9, 0.999, 1e-7, powers=by_way_of_float32))
    difference = np.abs(found - adam(0.9, 0.999, 1e-7)) / ETA
    assert 1e-6 < difference.max() < 2e-5
    exact = keras.optimizers.Adam(ETA, beta_1=np.float64(0.9), beta_2=np.float64(0.999))
    assert updated(exact, G, -2 * G) == close(adam(0.9, 0.999, 1e-7))


def test_sgds_momentum_goes_by_way_of_float32_unless_numpy_made_it() -> None:
    second_step = W - ETA * G - ETA * G
    given = updated(keras.optimizers.SGD(ETA, momentum=0.9), G, G)
    assert given == close(second_step - by_way_of_float32(0.9) * ETA * G)
    assert np.abs(given / (second_step - 0.9 * ETA * G) - 1).max() > 1e-9
    exact = updated(keras.optimizers.SGD(ETA, momentum=np.float64(0.9)), G, G)
    assert exact == close(second_step - 0.9 * ETA * G)


@pytest.mark.parametrize("centered", [False, True])
def test_rmsprop_adds_epsilon_inside_the_root_and_keeps_rho_exact(centered: bool) -> None:
    rho, epsilon, w = 0.9, 0.01, W
    v = mean = np.zeros(3)
    for g in (G, -2 * G):
        v, mean = rho * v + (1 - rho) * g * g, rho * mean + (1 - rho) * g
        w = w - ETA * g / np.sqrt(v + epsilon - (mean**2 if centered else 0.0))
    optimizer = keras.optimizers.RMSprop(ETA, rho=rho, epsilon=epsilon, centered=centered)
    assert updated(optimizer, G, -2 * G) == close(w)


def test_rmsprop_adds_its_momentum_to_the_step() -> None:
    first = ETA * G / np.sqrt(0.1 * G**2 + 1e-7)
    second = 0.3 * first + ETA * G / np.sqrt(0.9 * 0.1 * G**2 + 0.1 * G**2 + 1e-7)
    assert updated(keras.optimizers.RMSprop(ETA, momentum=0.3), G, G) == close(W - first - second)


def test_adagrad_starts_at_a_tenth_and_adds_epsilon_inside_the_root() -> None:
    optimizer = keras.optimizers.Adagrad(ETA, initial_accumulator_value=0.125, epsilon=0.5)
    first = ETA * G / np.sqrt(0.125 + G**2 + 0.5)
    second = ETA * G / np.sqrt(0.125 + 2 * G**2 + 0.5)
    assert updated(optimizer, G, G) == close(W - first - second)
    assert keras.optimizers.Adagrad().initial_accumulator_value == 0.1


def test_adamw_decays_before_the_step_and_biases_too() -> None:
    layer = keras.layers.Dense(1, kernel_initializer="ones", bias_initializer="ones")
    layer.build((None, 1))
    optimizer = keras.optimizers.AdamW(ETA, weight_decay=0.25)
    optimizer.apply([tf.zeros((1, 1), "float64"), tf.zeros((1,), "float64")], layer.trainable_variables)
    assert [float(np.ravel(part)[0]) for part in layer.get_weights()] == [1 - ETA * 0.25] * 2


def test_weight_decay_goes_by_way_of_float32() -> None:
    decayed = updated(keras.optimizers.SGD(ETA, weight_decay=0.004), np.zeros(3))
    assert decayed == close(W - W * by_way_of_float32(0.004) * ETA, rel=1e-15)
    assert np.abs(decayed - (W - W * 0.004 * ETA)).max() > 1e-13


def test_the_order_is_clip_then_decay_then_step() -> None:
    optimizer = keras.optimizers.SGD(ETA, weight_decay=0.5, clipvalue=1.0)
    assert updated(optimizer, G) == close(W - W * 0.5 * ETA - ETA * np.clip(G, -1.0, 1.0))


def test_clipping_by_norm_is_by_variable_or_joint_and_one_at_most() -> None:
    first, second = np.array([3.0, 4.0]), np.array([12.0])

    def steps(**clipping: float) -> list[Any]:
        variables = [keras.Variable(np.zeros(n), dtype="float64") for n in (2, 1)]
        keras.optimizers.SGD(1.0, **clipping).apply([tf.constant(first), tf.constant(second)], variables)
        return [variable.numpy() for variable in variables]

    assert np.concatenate(steps(clipnorm=6.5)) == close(-np.array([3.0, 4.0, 6.5]))
    assert np.concatenate(steps(global_clipnorm=6.5)) == close(-np.array([1.5, 2.0, 6.0]))
    with pytest.raises(ValueError, match="Only one of"):
        keras.optimizers.SGD(clipnorm=1.0, clipvalue=1.0)


@pytest.mark.parametrize("floatx", ["float32", "float64"])
def test_the_learning_rate_is_a_variable_of_floatx(floatx: str) -> None:
    keras.config.set_floatx(floatx)
    assert float(keras.optimizers.SGD(0.1).learning_rate) == float(np.dtype(floatx).type(0.1))


def test_schedules_are_computed_in_float32_unless_numpy_made_their_start() -> None:
    assert keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)(5).dtype == tf.float32
    assert keras.optimizers.schedules.ExponentialDecay(np.float64(0.1), 10, 0.5)(5).dtype == tf.float64


@pytest.mark.parametrize("name", ["L1", "L2"])
def test_penalty_factors_go_by_way_of_float32(name: str) -> None:
    penalty = getattr(keras.regularizers, name)(0.1)(tf.constant([1.0], "float64"))
    assert float(penalty) == by_way_of_float32(0.1)


def test_normal_initializers_are_truncated_and_widened() -> None:
    w = keras.initializers.GlorotNormal(seed=1)((500, 300)).numpy()
    sigma = np.sqrt(2 / 800)
    assert w.std() == pytest.approx(sigma, rel=0.01)
    assert np.abs(w).max() == pytest.approx(2 * sigma / 0.87962566, rel=0.001)


def test_the_function_and_the_layer_leaky_relu_have_different_slopes_and_both_are_float32() -> None:
    z = tf.constant([-1.0], "float64")
    assert keras.activations.leaky_relu(z).numpy().tolist() == [-by_way_of_float32(0.2)]
    assert keras.layers.LeakyReLU()(z).numpy().tolist() == [-by_way_of_float32(0.3)]


def test_gelu_is_the_exact_form_with_the_root_of_one_half_in_float32() -> None:
    z = 0.5
    expected = 0.5 * z * erfc(-z * by_way_of_float32(sqrt(0.5)))
    assert keras.activations.gelu(tf.constant([z], "float64")).numpy() == close([expected])
    assert expected == pytest.approx(0.34573123063700656, rel=1e-7)


def test_the_slope_of_relu_at_zero_is_zero() -> None:
    z = tf.Variable([0.0])
    with tf.GradientTape() as tape:
        a = keras.activations.relu(z)
    assert tape.gradient(a, z).numpy().tolist() == [0.0]


def test_dropout_scales_what_it_keeps_in_training_only() -> None:
    ones = tf.ones((50, 40), "float64")
    layer = keras.layers.Dropout(0.2, seed=3)
    assert sorted(set(layer(ones, training=True).numpy().ravel())) == close([0.0, 1.25])
    assert layer(ones, training=False).numpy().tolist() == ones.numpy().tolist()


@pytest.mark.parametrize(("patience", "stops_after"), [(0, 2), (1, 2), (2, 3)])
def test_early_stopping_waits_for_patience_epochs_and_zero_is_one(patience: int, stops_after: int) -> None:
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mean_squared_error")
    callback = keras.callbacks.EarlyStopping("loss", patience=patience)
    callback.set_model(model)
    callback.on_train_begin()
    model.stop_training = False
    epoch = 0
    while not model.stop_training:
        callback.on_epoch_end(epoch, {"loss": 1.0})
        epoch += 1
    assert epoch == stops_after
