"""The Keras model itself, by numbers small enough to check by hand: its losses, its layout, its epoch's function."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from bench.spec import TrainingSpec
from reference_tf.epoch import Batch, Examples, batch_bounds, make_epoch, train_step
from reference_tf.losses import LOSSES
from reference_tf.model import PREDICTION_ROWS, build_model, optimizer_state, outputs, set_optimizer_state
from reference_tf.parameters import get_parameters, set_parameters
from reference_tf.threads import configure, operations_at_once


@pytest.fixture(autouse=True)
def float_type() -> Iterator[None]:
    """Keras's float type is put back after each test; TensorFlow takes one thread budget for the life of a process."""
    configure(one_layer_spec("softmax", "categorical_crossentropy"), 2)
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    yield
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


def one_layer_spec(activation: str, loss: str, dtype: str = "float64", **options: Any) -> TrainingSpec:
    return TrainingSpec(
        architecture={"inputs": 1, "layers": [{"units": 2, "activation": activation}]},
        loss=loss,
        dtype=dtype,
        batch_size=1,
        epochs=1,
        seeds=[0],
        **{"optimizer": {"learning_rate": 0.1}, **options},
    )


def one_layer(activation: str, loss: str, dtype: str = "float64", **options: Any) -> keras.Sequential:
    """One input, two outputs; w = (1, −1), b = 0, so that x = z₁ = −z₂."""
    model = build_model(one_layer_spec(activation, loss, dtype, **options))
    set_parameters(model, [(np.array([[1.0], [-1.0]], dtype), np.zeros(2, dtype))])
    return model


@pytest.mark.parametrize(
    ("activation", "loss", "expected"),
    [
        # y = (0, 1) and z = (800, −800): −log(1 − a₁) − log a₂ = 800 + 800
        ("sigmoid", "summed_binary_crossentropy", 1600.0),
        # log(e^800 + e^−800) − z₂ = 800 + 800
        ("softmax", "categorical_crossentropy", 1600.0),
        ("sigmoid", "binary_crossentropy", 800.0),
        ("softmax", "sparse_categorical_crossentropy", 1600.0),
        # a = (1, 0): (1 − 0)² + (0 − 1)²
        ("sigmoid", "sum_of_squared_errors", 2.0),
        ("sigmoid", "mean_squared_error", 1.0),
        ("sigmoid", "mean_absolute_error", 1.0),
        ("sigmoid", "huber", 0.5),
    ],
)
def test_losses_clip_nothing(activation: str, loss: str, expected: float) -> None:
    model, x, y = one_layer(activation, loss), tf.constant([[800.0]], tf.float64), tf.constant([[0.0, 1.0]], tf.float64)
    assert float(model.compute_loss(x, y, model(x))) == pytest.approx(expected, rel=1e-12)


def test_keras_averages_where_the_document_sums() -> None:
    a, y = np.array([[0.2, 0.9, 0.4]]), np.array([[0.0, 1.0, 0.0]])
    keras.config.set_floatx("float64")
    averaged = float(keras.losses.binary_crossentropy(y, a)[0])
    summed = LOSSES["summed_binary_crossentropy"](one_layer_spec("sigmoid", "summed_binary_crossentropy"))
    assert float(summed(y, a)[0]) == pytest.approx(3 * averaged, rel=1e-12)


def test_learning_rate_has_the_specs_precision() -> None:
    assert float(one_layer("sigmoid", "sum_of_squared_errors").optimizer.learning_rate.numpy()) == 0.1


def test_nothing_but_the_cost_is_evaluated() -> None:
    assert [metric.name for metric in one_layer("sigmoid", "sum_of_squared_errors").metrics] == ["loss"]


def test_parameters_come_back_as_they_were_set() -> None:
    ((W, b),) = get_parameters(one_layer("softmax", "categorical_crossentropy"))
    assert (W.tolist(), b.tolist()) == ([[1.0], [-1.0]], [0.0, 0.0])


@pytest.mark.parametrize(("parameters", "said"), [([(np.zeros((2, 3)), np.zeros(2))], "shape"), ([], "zip")])
def test_parameters_of_another_shape_or_depth_are_refused(parameters: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        set_parameters(one_layer("softmax", "categorical_crossentropy"), parameters)


def test_outputs_of_more_rows_than_one_call_takes() -> None:
    x = np.linspace(-1, 1, PREDICTION_ROWS + 1)[:, None]
    predicted = outputs(one_layer("sigmoid", "sum_of_squared_errors"), x)
    np.testing.assert_allclose(predicted, 1 / (1 + np.exp(-np.hstack([x, -x]))), rtol=1e-12)


@pytest.mark.parametrize(
    ("examples", "batch_size", "expected"),
    [(6, 3, [(0, 3), (3, 3)]), (7, 3, [(0, 3), (3, 3), (6, 1)]), (2, 3, [(0, 2)])],
)
def test_batch_bounds(examples: int, batch_size: int, expected: list[tuple[int, int]]) -> None:
    assert batch_bounds(examples, batch_size) == expected


@pytest.mark.parametrize("jit_compile", [False, True])
def test_epoch_is_traced_once(jit_compile: bool) -> None:
    epoch: Any = make_epoch(one_layer("softmax", "categorical_crossentropy"), 3, 2, jit_compile)
    examples = Examples(tf.zeros((3, 1), tf.float64), tf.one_hot([0, 1, 0], 2, dtype=tf.float64), None)
    for order in ([0, 1, 2], [2, 0, 1], [1, 2, 0]):
        epoch(examples, tf.constant(order), [])
    assert epoch.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam", "adamw", "adagrad"])
def test_a_state_put_back_trains_the_same_again(optimizer: str) -> None:
    options = {"momentum": 0.9} if optimizer == "sgd" else {}
    rule = {"name": optimizer, "learning_rate": 0.1, **options}
    model = one_layer("softmax", "categorical_crossentropy", optimizer=rule)
    batch = Batch((tf.ones((1, 1), tf.float64),), tf.constant([[0.0, 1.0]], tf.float64), None)
    start, state, costs = get_parameters(model), optimizer_state(model), []
    for _ in range(2):
        set_parameters(model, start)
        set_optimizer_state(model, state)
        costs.append([float(train_step(model, batch)) for _ in range(3)])
    assert costs[0] == costs[1]
    assert len(set(costs[0])) == 3


@pytest.mark.parametrize(
    ("optimizer", "names"),
    [
        ({"name": "sgd", "momentum": 0.9}, ["momentum"]),
        ({"name": "rmsprop", "rho": 0.9, "momentum": 0.3}, ["rho", "momentum", "epsilon"]),
        ({"name": "adamw", "beta_1": 0.9, "weight_decay": 0.01}, ["beta_1", "beta_2", "epsilon", "weight_decay"]),
        ({"name": "adagrad", "clipnorm": 0.7}, ["initial_accumulator_value", "epsilon", "clipnorm"]),
    ],
)
def test_hyperparameters_are_numpy_floats_which_keras_does_not_round(optimizer: Any, names: list[str]) -> None:
    made = one_layer("softmax", "categorical_crossentropy", optimizer={"learning_rate": 0.1, **optimizer}).optimizer
    assert all(isinstance(getattr(made, name), np.float64) for name in names)


def test_late_thread_budget_is_refused() -> None:
    spec = one_layer_spec("softmax", "categorical_crossentropy")
    tf.constant(1.0)
    with pytest.raises(RuntimeError, match="cannot be modified after initialization"):
        configure(spec, 3)


@pytest.mark.parametrize(("units", "expected"), [(30, 1), (128, 2)])
def test_large_networks_run_operations_side_by_side(units: int, expected: int) -> None:
    layers = [{"units": units, "activation": "relu"}, {"units": 10, "activation": "softmax"}]
    spec = one_layer_spec("softmax", "categorical_crossentropy").model_dump()
    spec |= {"architecture": {"inputs": 784, "layers": layers}, "batch_size": 32}
    assert operations_at_once(TrainingSpec.model_validate(spec), threads=2) == expected
