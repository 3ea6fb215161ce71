"""What a spec may say about its data, and the one line that anything else gets."""

import pytest
from pydantic import ValidationError

from bench.spec import DataSpec


@pytest.mark.parametrize(
    "values",
    [
        {"source": "npz:mnist.npz", "task": "multi_label"},
        {"source": "csv:a.csv", "target": "kind", "test_fraction": 0.5},
        {"source": "csv:a.csv", "target": ["x", "y"], "task": "regression", "test_file": "b.csv"},
        {"source": "parquet:a.parquet", "target": ("x", "y"), "task": "multi_label"},
        {"source": "csv:a.csv", "image_size": (28, 28)},
        {"source": "sklearn:diabetes", "task": "regression", "test_fraction": 0.5},
    ],
)
def test_what_is_allowed(values):
    data = DataSpec.model_validate(values)
    assert DataSpec.model_validate(data.model_dump()) == data
    assert DataSpec.model_validate_json(data.model_dump_json()) == data


def test_a_single_target_needs_no_list():
    assert DataSpec(source="csv:a", target="kind") == DataSpec(source="csv:a", target=("kind",))


def test_the_key_names_what_is_not_the_default():
    assert DataSpec(source="csv:a").key == "csv:a"
    assert DataSpec(source="csv:a", target="kind", task="regression").key == (
        'csv:a {"target": ["kind"], "task": "regression"}'
    )


ALL = "mnist, tfds:NAME, idx:FOLDER, images:FOLDER, npz:FILE, csv:FILE, parquet:FILE or sklearn:NAME"


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"source": "train.csv"}, f"'train.csv' is not known; did you mean 'csv:train.csv'?; allowed: {ALL} ("),
        ({"source": "a/train.csv.gz"}, "did you mean 'csv:a/train.csv.gz'?"),
        ({"source": "mnist.npz"}, "did you mean 'npz:mnist.npz'?"),
        ({"source": "sklern:iris"}, "did you mean 'sklearn:iris'?"),
        ({"target": "label"}, "target is allowed with csv:FILE or parquet:FILE only"),
        ({"source": "npz:a", "test_file": "b"}, "test_file is allowed with csv:FILE or parquet:FILE only"),
        (
            {"source": "idx:a", "test_fraction": 0.5},
            "test_fraction is allowed with csv:FILE, parquet:FILE or sklearn:NAME",
        ),
        ({"task": "regression"}, "task is allowed with npz:FILE, csv:FILE, parquet:FILE or sklearn:NAME only"),
        (
            {"source": "npz:a", "image_size": (2, 2)},
            "image_size is allowed with images:FOLDER, csv:FILE or parquet:FILE o",
        ),
        ({"source": "images:a"}, "images:FOLDER needs image_size = [height, width]"),
        (
            {"source": "csv:a", "test_file": "b", "test_fraction": 0.5},
            "test_fraction with test_file; allowed: one of the",
        ),
        (
            {"source": "csv:a", "test_file": "b\n"},
            "has a character that cannot be printed; allowed: a name, a folder or a",
        ),
        ({"source": "csv:a", "target": ["x", "x"]}, "duplicate target column 'x'; remove one of the two"),
        ({"source": "csv:a", "target": []}, "should have at least 1 item"),
        (
            {"source": "csv:a", "target": ["x", "y"]},
            'target has 2 columns; allowed: 1, or task = "multi_label" or "regres',
        ),
        (
            {"source": "csv:a", "task": "multi_label"},
            'task "multi_label" needs 2 target columns or more; allowed with 1: ',
        ),
        ({"source": "csv:a", "test_fraction": 1}, "Input should be less than 1"),
        ({"source": "csv:a", "task": "ranking"}, "Input should be 'classification', 'multi_label' or 'regression'"),
    ],
)
def test_anything_else_is_refused(values, message):
    with pytest.raises(ValidationError) as caught:
        DataSpec.model_validate(values)
    assert message in str(caught.value)
