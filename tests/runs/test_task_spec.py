"""What a spec may ask of each task, and the one line that anything else gets."""

import pytest
from pydantic import ValidationError

from bench.spec import TrainingSpec

SOURCES = {
    "classification": {"source": "csv:x"},
    "multi_label": {"source": "csv:x", "task": "multi_label", "target": ["a", "b"]},
    "regression": {"source": "csv:x", "task": "regression", "target": ["a", "b"]},
}
OUTPUTS = {
    "classification": ("softmax", "categorical_crossentropy"),
    "multi_label": ("sigmoid", "summed_binary_crossentropy"),
    "regression": ("linear", "mean_squared_error"),
}


def spec(task, output=None, loss=None, units=2, **changes):
    activation = output or OUTPUTS[task][0]
    values = {
        "architecture": {"inputs": 3, "layers": [{"units": units, "activation": activation}]},
        "loss": loss or OUTPUTS[task][1],
        "optimizer": {"learning_rate": 0.1},
        "batch_size": 2,
        "epochs": 1,
        "seeds": (0,),
        "data": SOURCES[task],
    }
    return TrainingSpec.model_validate(values | changes)


@pytest.mark.parametrize(
    ("task", "changes"),
    [
        ("multi_label", {"threshold": 0.3}),
        ("multi_label", {"loss": "binary_crossentropy", "label_smoothing": 0.1}),
        ("classification", {"threshold": 0.3, "units": 1, "output": "sigmoid", "loss": "binary_crossentropy"}),
        ("regression", {"target_scaling": "standard"}),
        ("regression", {"loss": "huber", "huber_delta": 2.0, "output": "sigmoid"}),
        ("regression", {"early_stopping": {"monitor": "validation_r2_score"}, "validation_fraction": 0.1}),
        ("regression", {"early_stopping": {"monitor": "train_cost"}}),
        ("multi_label", {"early_stopping": {}, "validation_fraction": 0.1}),
        ("regression", {"sample_weight_range": (0.5, 2.0)}),
    ],
)
def test_what_is_allowed(task, changes):
    made = spec(task, **changes)
    assert TrainingSpec.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("task", "changes", "message"),
    [
        (
            "multi_label",
            {"output": "softmax", "loss": "huber"},
            "data.task multi_label with output softmax; allowed: sig",
        ),
        (
            "regression",
            {"output": "softmax"},
            "data.task regression with loss mean_squared_error and output softmax; al",
        ),
        (
            "regression",
            {"output": "sigmoid", "loss": "binary_crossentropy"},
            "with loss binary_crossentropy and output si",
        ),
        (
            "classification",
            {"target_scaling": "standard"},
            "target_scaling with data.task classification; allowed with",
        ),
        (
            "classification",
            {"threshold": 0.3},
            "threshold is allowed with one output of a classification, or data.task",
        ),
        (
            "regression",
            {"threshold": 0.3},
            "threshold is allowed with one output of a classification, or data.task mult",
        ),
        ("classification", {"threshold": 1.0}, "Input should be less than 1"),
        (
            "regression",
            {"class_weights": (1, 2)},
            "class_weights with data.task regression; allowed with: classification",
        ),
        (
            "multi_label",
            {"class_weights": (1, 2)},
            "class_weights with data.task multi_label; allowed with: classificat",
        ),
        (
            "regression",
            {"early_stopping": {}, "validation_fraction": 0.1},
            "early_stopping watches validation_accuracy, data.task is regression; allowed: validation_r2_score or tr",
        ),
        (
            "classification",
            {"early_stopping": {"monitor": "validation_r2_score"}, "validation_fraction": 0.1},
            "early_stopping watches validation_r2_score, data.task is classification; allowed: validation_accuracy o",
        ),
        (
            "regression",
            {"early_stopping": {"monitor": "validation_r2_score"}},
            "early_stopping watches validation_r2_score; allowed: validation_fraction greater than 0",
        ),
        ("classification", {"scaling": "robust"}, "Input should be 'standard' or 'min_max'"),
    ],
)
def test_anything_else_is_refused(task, changes, message):
    with pytest.raises(ValidationError) as caught:
        spec(task, **changes)
    assert message in str(caught.value)
