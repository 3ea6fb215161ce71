"""What trains and what judges, against Keras's own objects: optimizers, clipping, schedules, stopping, metrics."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scratchnet import EarlyStopping, metrics
from scratchnet.optimizers import OPTIMIZERS
from scratchnet.parameters import Parameters
from scratchnet.schedules import SCHEDULES

pytest.importorskip("tensorflow")

pytestmark = pytest.mark.usefixtures("keras")
few = settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])

WIDTHS = (3, 2, 1)
VARIABLES = [(2, 3), (2,), (1, 2), (1,)]
# Settings that float32 holds exactly, since Keras takes them through it.
RATE = 1 / 16
OPTIMIZER_SETTINGS = [
    ("sgd", {}),
    ("sgd", {"momentum": 0.5}),
    ("sgd", {"momentum": 0.5, "nesterov": True}),
    ("rmsprop", {"rho": 0.875, "epsilon": 2**-20}),
    ("rmsprop", {"rho": 0.875, "momentum": 0.5, "centered": True, "epsilon": 2**-10}),
    ("adam", {"beta_1": 0.875, "beta_2": 0.96875, "epsilon": 2**-20}),
    ("adamw", {"beta_1": 0.875, "beta_2": 0.96875, "epsilon": 2**-20, "weight_decay": 0.25}),
    ("adagrad", {"initial_accumulator_value": 0.125, "epsilon": 2**-20}),
]
KERAS_NAMES = {"sgd": "SGD", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW", "adagrad": "Adagrad"}
CLIPPINGS = [{}, {"clipnorm": 0.5}, {"global_clipnorm": 0.5}, {"clipvalue": 0.25}]


def updated_by_keras(keras, optimizer, variables, gradients):
    trained = [keras.Variable(one, dtype="float64") for one in variables]
    for step in gradients:
        optimizer.apply([keras.ops.array(g) for g in step], trained)
    return [one.numpy() for one in trained]


def updated_by_ours(optimizer, variables, gradients):
    parameters = Parameters(WIDTHS, "float64")
    parameters.set(list(zip(variables[::2], variables[1::2], strict=True)))
    optimizer.attach(parameters)
    for step in gradients:
        g = parameters.zeros_like()
        g.set(list(zip(step[::2], step[1::2], strict=True)))
        optimizer.target.vector[...] = optimizer.beta * optimizer.target.vector + optimizer.scale * g.vector
        optimizer.finish()
    return [array for pair in parameters.get() for array in pair]


@pytest.mark.parametrize("clipping", CLIPPINGS, ids=str)
@pytest.mark.parametrize(("name", "options"), OPTIMIZER_SETTINGS, ids=str)
def test_an_optimizer_updates_as_keras_does(name, options, clipping, keras):
    """Adam to 1e-6 alone: Keras takes β through float32 before the power, here exact, and the power in float32."""
    rng = np.random.default_rng(0)
    variables, *gradients = ([rng.normal(size=shape) for shape in VARIABLES] for _ in range(6))
    theirs = getattr(keras.optimizers, KERAS_NAMES[name])(RATE, **options, **clipping)
    expected = updated_by_keras(keras, theirs, variables, gradients)
    ours = updated_by_ours(OPTIMIZERS[name](RATE, **options, **clipping), variables, gradients)
    for array, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-6 if "adam" in name else 1e-13)


@pytest.mark.parametrize("factor", [0.0, 0.03125, 0.5])
@pytest.mark.parametrize("name", ["rmsprop", "adam", "adamw"])
def test_a_small_factor_of_the_mean_does_what_it_does_in_keras(name, factor, keras):
    """Of a gradient of 100 and then of 0.01. In float64: Keras's Adam loses the digits of the small one in float32."""
    options = {"rmsprop": {"rho": factor}, "adam": {"beta_1": factor, "beta_2": factor}}
    options["adamw"] = {**options["adam"], "weight_decay": 0.25}
    variables = [np.zeros(shape) for shape in VARIABLES]
    gradients = [[np.full(shape, g) for shape in VARIABLES] for g in (100.0, 0.01, 0.02)]
    theirs = getattr(keras.optimizers, KERAS_NAMES[name])(RATE, epsilon=2**-20, **options[name])
    expected = updated_by_keras(keras, theirs, variables, gradients)
    ours = updated_by_ours(OPTIMIZERS[name](RATE, epsilon=2**-20, **options[name]), variables, gradients)
    for array, other in zip(ours, expected, strict=True):
        np.testing.assert_allclose(array, other, rtol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_defaults_are_those_of_keras(name, keras):
    config = getattr(keras.optimizers, KERAS_NAMES[name])().get_config()
    ours = vars(OPTIMIZERS[name]())
    shared = set(config) & set(ours)
    assert len(shared) >= {"sgd": 2, "rmsprop": 4, "adam": 3, "adamw": 4, "adagrad": 2}[name]
    assert {key: ours[key] for key in shared} == {key: config[key] for key in shared}
    assert config["learning_rate"] == pytest.approx(OPTIMIZERS[name]().learning_rate, rel=1e-7)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("exponential_decay", {"initial_learning_rate": 0.5, "decay_steps": 4, "decay_rate": 0.25}),
        ("exponential_decay", {"initial_learning_rate": 0.5, "decay_steps": 4, "decay_rate": 0.25, "staircase": True}),
        ("inverse_time_decay", {"initial_learning_rate": 0.5, "decay_steps": 4, "decay_rate": 0.25}),
        ("inverse_time_decay", {"initial_learning_rate": 0.5, "decay_steps": 4, "decay_rate": 0.25, "staircase": True}),
        ("polynomial_decay", {"initial_learning_rate": 0.5, "decay_steps": 5, "end_learning_rate": 0.125}),
        ("polynomial_decay", {"initial_learning_rate": 0.5, "decay_steps": 5, "power": 2.0, "cycle": True}),
        ("cosine_decay", {"initial_learning_rate": 0.5, "decay_steps": 8, "alpha": 0.25}),
        ("cosine_decay", {"initial_learning_rate": 0.0, "decay_steps": 8, "warmup_target": 0.5, "warmup_steps": 4}),
        ("piecewise_constant_decay", {"boundaries": (3, 6), "values": (0.5, 0.25, 0.125)}),
    ],
    ids=str,
)
def test_a_schedule_gives_the_rate_of_keras_at_each_step(name, options, keras):
    """Rates up to 0.5 to 1e-7: Keras computes them in float32."""
    theirs = getattr(keras.optimizers.schedules, "".join(word.capitalize() for word in name.split("_")))
    lists = {key: list(value) if isinstance(value, tuple) else value for key, value in options.items()}
    steps = range(20)
    expected = [float(theirs(**lists)(step)) for step in steps]
    assert [SCHEDULES[name](**options)(step) for step in steps] == pytest.approx(expected, abs=1e-7)


VALUES = st.one_of(
    st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0, float("nan")]),
    st.integers(0, 10).map(lambda tenths: tenths / 10),
    st.floats(-1e6, 1e6),
    st.floats(0.7, 0.7 + 1e-6),
)
"""Equal ones, tenths that differ by min_delta but for rounding, and some that only float64 tells apart."""


@settings(few, max_examples=300)
@given(
    values=st.lists(VALUES, min_size=1, max_size=10),
    patience=st.integers(0, 3),
    min_delta=st.one_of(st.sampled_from([0.0, 0.1, 0.2, 0.25, 1e-7]), st.floats(0, 1)),
    monitor=st.sampled_from(["validation_cost", "validation_accuracy", "validation_r2_score"]),
    floatx=st.sampled_from(["float32", "float64"]),
)
def test_early_stopping_is_the_callback_of_keras(values, patience, min_delta, monitor, floatx, keras):
    keras.config.set_floatx(floatx)  # makes no difference: Keras compares Python numbers in float32
    rule = EarlyStopping(monitor, patience, min_delta)
    mode = "min" if monitor.endswith("cost") else "max"
    callback = keras.callbacks.EarlyStopping("value", min_delta, patience, mode=mode)
    callback.set_model(SimpleNamespace(stop_training=False))
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        callback.on_epoch_end(epoch, {"value": value})
        assert rule.update(value) == callback.model.stop_training
        assert rule.best_epoch == callback.best_epoch + 1
        if callback.model.stop_training:
            break


def predictions(count=200, classes=4):
    """Outputs in whole sixteenths, so that equal ones are common, and labels that follow them loosely."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, count)
    return np.round(16 * (rng.random((count, classes)) + 0.3 * np.eye(classes)[labels])) / 20, labels


@pytest.mark.parametrize("average", ["macro", "micro", None])
def test_f1_is_that_of_keras(average, keras):
    outputs, labels = predictions()
    outputs += 1e-3 * np.arange(4)  # Keras predicts every one of the largest outputs where several are equal
    theirs = keras.metrics.F1Score(average=average)
    theirs.update_state(np.eye(4)[labels], outputs)
    ours = metrics.f1_score(metrics.predicted_classes(outputs), labels, 4, average)
    np.testing.assert_allclose(ours, theirs.result(), rtol=1e-6)


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_top_k_is_that_of_keras_where_no_outputs_are_equal(k, keras):
    outputs, labels = predictions()
    outputs += 1e-3 * np.arange(4)
    theirs = keras.metrics.TopKCategoricalAccuracy(k)
    theirs.update_state(np.eye(4)[labels], outputs.astype("float32"))  # its operation refuses float64
    assert metrics.top_k_categorical_accuracy(outputs, labels, k) == pytest.approx(float(theirs.result()), rel=1e-6)


@pytest.mark.parametrize("name", ["Precision", "Recall"])
def test_precision_and_recall_of_one_output_are_those_of_keras(name, keras):
    outputs, labels = predictions()
    scores, positive = outputs[:, :1], (labels == 0).astype(int)
    theirs = getattr(keras.metrics, name)(thresholds=0.5)
    theirs.update_state(positive[:, None], scores)
    ours = getattr(metrics, name.lower())(metrics.predicted_classes(scores), positive, 2)[1]
    assert 0.2 < ours < 1.0
    assert ours == pytest.approx(float(theirs.result()), rel=1e-6)


def test_the_area_under_the_roc_curve_is_what_keras_approaches(keras):
    outputs, labels = predictions()
    scores, positive = outputs[:, 0], labels == 0
    theirs = keras.metrics.AUC(num_thresholds=1000)
    theirs.update_state(positive, scores)
    assert metrics.roc_auc(scores, positive) == pytest.approx(float(theirs.result()), abs=0.01)


def test_binary_accuracy_is_that_of_keras(keras):
    outputs, labels = predictions()
    theirs = keras.metrics.BinaryAccuracy()
    theirs.update_state(np.eye(4)[labels], outputs)
    assert metrics.binary_accuracy(outputs, labels) == pytest.approx(float(theirs.result()), rel=1e-6)
