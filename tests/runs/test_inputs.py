"""Data that fit no memory are refused before anything is allocated."""

import numpy as np
import pytest

from bench.core.errors import UnusableError
from bench.data import Dataset
from bench.inputs.splits import check_fit
from bench.spec import ArchitectureSpec, load_suite


def dataset_of(examples, classes):
    x, labels = np.zeros((examples, 1), np.uint8), np.arange(examples) % classes
    return Dataset(x, labels, x[:1], labels[:1], (1, 1, 1), tuple(map(str, range(classes))))


def spec_of(classes):
    layers = [{"units": classes, "activation": "softmax"}]
    architecture = ArchitectureSpec.model_validate({"inputs": 1, "layers": layers})
    return load_suite("quick").specs[0].model_copy(update={"architecture": architecture, "name": "many"})


def test_the_outputs_of_very_many_classes_are_counted_with_the_pixels():
    with pytest.raises(UnusableError) as caught:
        check_fit(dataset_of(60_000, 20_000), spec_of(20_000))
    message = str(caught.value)
    assert message.startswith("spec 'many': data mnist: 60001 examples x (1 pixels + 20000 outputs x 4 bytes) = ")
    assert "allowed: at most 2147483648; use fewer classes, or set train_examples" in message
    assert "\n" not in message


def test_as_many_classes_as_fit_are_allowed():
    check_fit(dataset_of(20_000, 20_000), spec_of(20_000))


def test_features_that_are_no_bytes_count_with_their_size():
    x, labels = np.broadcast_to(np.zeros(100), (3_000_000, 100)), np.zeros(3_000_000, np.int64)
    layers = [{"units": 2, "activation": "softmax"}]
    architecture = ArchitectureSpec.model_validate({"inputs": 100, "layers": layers})
    spec = load_suite("quick").specs[0].model_copy(update={"architecture": architecture, "name": "long"})
    with pytest.raises(UnusableError, match=r"3000001 examples x \(100 features x 8 \+ 2 outputs x 4 bytes\) = "):
        check_fit(Dataset(x, labels, x[:1], labels[:1], None, ("a", "b")), spec)
