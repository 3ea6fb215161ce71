"""What a worker reports of the outputs, by the task: held against the formulas."""

import base64
import zlib

import numpy as np
import pytest

from bench.core.errors import UnusableError
from bench.data import Dataset
from bench.inputs.splits import Inputs, check_fit
from bench.spec import DataSpec, TrainingSpec
from bench.workers.judge import judge_of

TASKS = {"classification": "a", "multi_label": ["a", "b"], "regression": ["a", "b"]}


def made(task, y_train, y_test, units, activation, loss, **changes):
    """Spec and inputs; the last quarter of the training examples is held out."""
    y_train, y_test = np.asarray(y_train), np.asarray(y_test)
    target = TASKS[task] if y_train.ndim == 1 or y_train.shape[1] > 1 else "a"
    columns = y_train.max() + 1 if task == "classification" else y_train.shape[1]
    names = tuple(f"t{i}" for i in range(columns))
    data = Dataset(np.ones((len(y_train), 3)), y_train, np.ones((len(y_test), 3)), y_test, None, names)
    values = {
        "name": "s",
        "architecture": {"inputs": 3, "layers": [{"units": units, "activation": activation}]},
        "loss": loss,
        "optimizer": {"learning_rate": 0.1},
        "batch_size": 2,
        "epochs": 1,
        "seeds": (0,),
        "dtype": "float64",
        "validation_fraction": 0.25,
        "data": DataSpec.model_validate({"source": "csv:x", "task": task, "target": target}),
    }
    spec = TrainingSpec.model_validate(values | changes)
    return spec, data, Inputs(data, spec)


def judged(spec, inputs, train, validation, test):
    """Both reports, of these outputs of the three splits."""
    outputs = {id(inputs.train): train, id(inputs.validation): validation, id(inputs.test): test}
    judge = judge_of(spec, inputs)

    def outputs_of(split):
        return np.asarray(outputs[id(split)], float)

    return judge.of_epoch(outputs_of), judge.at_the_end(outputs_of)


def unpacked(text):
    return np.frombuffer(zlib.decompress(base64.b64decode(text)), "<u2").tolist()


BINARY = ("classification", np.array([0, 1, 1, 0]), np.array([1, 1, 1, 0, 0, 0]), 1, "sigmoid", "binary_crossentropy")
SCORES = [[0.9], [0.6], [0.2], [0.7], [0.1], [0.2]]


def test_two_classes_and_one_output():
    spec, _, inputs = made(*BINARY)
    epoch, end = judged(spec, inputs, [[0.1], [0.9], [0.2]], [[0.6]], SCORES)
    assert epoch == {
        "train_accuracy": pytest.approx(2 / 3),
        "validation_accuracy": 0.0,
        "test_accuracy": pytest.approx(4 / 6),
        "test_binary_accuracy": pytest.approx(4 / 6),
    }
    # Predicted: yes yes no | yes no no. 2 true positives, 1 false positive, 1 false negative.
    assert end["test_precision"] == end["test_recall"] == end["test_f1_score"] == pytest.approx(2 / 3)
    # Pairs (positive, negative) in which the positive has more: 0.9 beats 3, 0.6 beats 2, 0.2 beats one and ties one.
    assert end["test_roc_auc"] == pytest.approx((3 + 2 + 1.5) / 9)
    assert unpacked(end["test_predictions"]) == [1, 1, 0, 1, 0, 0]


def test_the_threshold_moves_the_predictions_and_no_score():
    spec, _, inputs = made(*BINARY, threshold=0.15)
    epoch, end = judged(spec, inputs, [[0.1], [0.9], [0.2]], [[0.6]], SCORES)
    assert unpacked(end["test_predictions"]) == [1, 1, 1, 1, 0, 1]
    assert (end["test_precision"], end["test_recall"]) == (3 / 5, 1.0)
    assert end["test_roc_auc"] == pytest.approx(6.5 / 9)
    assert epoch["test_accuracy"] == pytest.approx(4 / 6)
    assert epoch["train_accuracy"] == 1.0


def test_two_classes_and_two_outputs_are_about_the_second_class():
    spec, _, inputs = made(*BINARY[:3], 2, "softmax", "categorical_crossentropy")
    both = [[1 - p, p] for (p,) in SCORES]
    _, end = judged(spec, inputs, both[:3], both[:1], both)
    one = judged(*made(*BINARY)[::2], SCORES[:3], SCORES[:1], SCORES)[1]
    assert end == one


def test_more_classes_have_macro_averages_and_no_roc():
    task, _, _, _, _, _ = BINARY
    spec, _, inputs = made(task, [0, 1, 2, 0], [0, 1, 2, 2], 3, "softmax", "categorical_crossentropy")
    _, end = judged(spec, inputs, np.eye(3), np.eye(3)[:1], np.eye(3)[[0, 1, 2, 1]])
    assert end["test_precision"] == pytest.approx((1 + 0.5 + 1) / 3)
    assert end["test_recall"] == pytest.approx((1 + 1 + 0.5) / 3)
    assert "test_roc_auc" not in end


LABELS = np.array([[1, 0], [1, 1], [0, 0], [0, 1]], np.uint8)
OUTPUTS = [[0.9, 0.2], [0.4, 0.8], [0.3, 0.1], [0.6, 0.7]]


def test_several_labels():
    spec, _, inputs = made("multi_label", LABELS, LABELS, 2, "sigmoid", "binary_crossentropy")
    epoch, end = judged(spec, inputs, OUTPUTS[:3], OUTPUTS[3:], OUTPUTS)
    assert epoch == {
        "train_accuracy": pytest.approx(2 / 3),
        "validation_accuracy": 0.0,
        "test_accuracy": 0.5,
        "test_binary_accuracy": 6 / 8,
    }
    # First label: predicted 1 0 0 1 of 1 1 0 0: 1 of 2 right. Second: all right.
    assert [end[f"test_{name}"] for name in ("precision", "recall", "f1_score")] == [0.75, 0.75, 0.75]
    assert end["test_roc_auc"] == pytest.approx((3 / 4 + 1) / 2)
    assert unpacked(end["test_predictions"]) == [1, 0, 0, 1, 0, 0, 1, 1]


def test_a_label_that_no_test_example_has_leaves_no_roc():
    labels = LABELS * [[1, 0]]
    spec, _, inputs = made("multi_label", labels, labels, 2, "sigmoid", "binary_crossentropy", threshold=0.35)
    _, end = judged(spec, inputs, OUTPUTS[:3], OUTPUTS[3:], OUTPUTS)
    assert np.isnan(end["test_roc_auc"])
    assert end["test_recall"] == (1 + 0) / 2


NUMBERS = np.array([[1.0, 100], [2, 300], [6, 200], [4, 900]])
PREDICTED = np.array([[1.5, 100], [2, 250], [5, 300], [4, 1000]])


def r2(predicted, y):
    return np.mean(1 - ((predicted - y) ** 2).sum(axis=0) / ((y - y.mean(axis=0)) ** 2).sum(axis=0))


@pytest.mark.parametrize("scaling", [None, "standard", "min_max"])
def test_a_regression_is_judged_in_the_units_of_its_targets(scaling):
    task = "regression", NUMBERS, NUMBERS, 2, "linear", "mean_squared_error"
    spec, _, inputs = made(*task, target_scaling=scaling, validation_fraction=0.5)
    train = NUMBERS[:2]
    shift, unit = {
        None: (0, 1),
        "standard": (train.mean(axis=0), train.std(axis=0)),
        "min_max": (train.min(axis=0), np.ptp(train, axis=0)),
    }[scaling]
    np.testing.assert_allclose(inputs.train_targets, (train - shift) / unit)
    epoch, end = judged(spec, inputs, *((PREDICTED[rows] - shift) / unit for rows in (slice(2), slice(2, 4), slice(4))))
    assert epoch == {
        "train_r2_score": pytest.approx(r2(PREDICTED[:2], NUMBERS[:2])),
        "validation_r2_score": pytest.approx(r2(PREDICTED[2:], NUMBERS[2:])),
        "test_r2_score": pytest.approx(r2(PREDICTED, NUMBERS)),
        "test_mean_absolute_error": pytest.approx(np.abs(PREDICTED - NUMBERS).mean()),
        "test_root_mean_squared_error": pytest.approx(np.sqrt(((PREDICTED - NUMBERS) ** 2).mean())),
    }
    assert end == {}


def test_without_a_validation_split_nothing_is_said_of_it():
    spec, _, inputs = made("regression", NUMBERS, NUMBERS, 2, "linear", "huber", validation_fraction=0.0)
    epoch, _ = judged(spec, inputs, PREDICTED, np.zeros((0, 2)), PREDICTED)
    assert epoch["validation_r2_score"] is None


@pytest.mark.parametrize(
    ("task", "y", "units", "match"),
    [
        ("regression", NUMBERS, 1, "has 2 columns to predict; the output layer has 1 units"),
        ("multi_label", LABELS, 3, "has 2 columns to predict; the output layer has 3 units"),
        ("classification", np.array([0, 1, 0, 1]), 3, "has 2 classes; the output layer has 3 units"),
    ],
)
def test_the_output_layer_must_fit(task, y, units, match):
    activation, loss = ("linear", "huber") if task == "regression" else ("sigmoid", "binary_crossentropy")
    with pytest.raises(UnusableError, match=match):
        made(task, y, y, units, activation, loss)


def test_targets_too_large_for_the_dtype():
    spec, data, _ = made("regression", NUMBERS * 1e300, NUMBERS, 2, "linear", "huber")
    check_fit(data, spec)
    with pytest.raises(UnusableError, match="spec 's': data csv:x has targets too large to be scaled; remedy: div"):
        Inputs(data, spec.model_copy(update={"target_scaling": "standard"}))
    inputs = Inputs(data, spec.model_copy(update={"dtype": "float32"}))
    with pytest.raises(
        UnusableError, match=r"spec 's': data csv:x has targets too large for float32; remedy: dtype = "
    ):
        _ = inputs.train_targets
