"""Predictions: McNemar's test, confusion matrices, examples that only one gets right; which labels are believed."""

import base64
import zlib

import made_answers as made
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_answers import TEST_EXAMPLES
from scipy.stats import binomtest

from bench.compare.comparison import compare_runs
from bench.compare.predictions import mcnemar_tests, only_one_right
from bench.core.errors import UnusableError
from bench.data import load_dataset
from bench.records.predictions import decode
from bench.spec import DataSpec

LABELS = np.arange(TEST_EXAMPLES) % 3
CLASSES = st.lists(st.integers(0, 2), min_size=TEST_EXAMPLES, max_size=TEST_EXAMPLES).map(np.array)


def answers(wrong):
    """All labels right, but those places, where the next class is answered."""
    classes = LABELS.copy()
    classes[list(wrong)] = (classes[list(wrong)] + 1) % 3
    return classes


@pytest.fixture
def make(tmp_path, idx_folder):
    """Makes a run whose predictions are given, seed by seed."""
    source = f"idx:{idx_folder}"
    fingerprint = load_dataset(DataSpec(source=source)).fingerprint

    def make(name, *predictions, **changes):
        cells = {("scratchnet", seed): {"predictions": each} for seed, each in enumerate(predictions)}
        values = {"spec": {"data": source}, "data_fingerprints": {source: fingerprint}}
        return made.run(tmp_path / name, cells, **(values | changes))

    return make


def document(a, b):
    return compare_runs(a, b).document


@settings(deadline=None)
@given(st.lists(st.integers(0, 65_535)))
def test_predictions_are_read_back(classes):
    assert decode(made.packed(classes)).tolist() == classes


@pytest.mark.parametrize(
    "text",
    [
        "no base64!",
        base64.b64encode(b"no zlib").decode(),
        made.packed([1, 2, 3])[:-8],
        base64.b64encode(zlib.compress(b"odd")).decode(),
        base64.b64encode(zlib.compress(bytes(200_000_002))).decode(),
    ],
)
def test_what_is_no_prediction_is_refused(text):
    with pytest.raises(ValueError, match=r"base64|character|padding|header|cut short, or too long|incomplete"):
        decode(text)


@settings(deadline=None)
@given(CLASSES, CLASSES)
def test_mcnemar_is_the_exact_binomial_test_and_exchanging_the_sides_exchanges_the_counts(a, b):
    (test,), (turned,) = mcnemar_tests({0: a}, {0: b}, LABELS), mcnemar_tests({0: b}, {0: a}, LABELS)
    assert (test.only_a, test.only_b, test.p) == (turned.only_b, turned.only_a, pytest.approx(turned.p))
    disagreeing = test.only_a + test.only_b
    expected = binomtest(test.only_a, disagreeing, 0.5).pvalue if disagreeing else 1.0
    assert test.p == pytest.approx(expected)
    assert len(only_one_right({0: a}, {0: b}, LABELS)) == min(60, disagreeing)


def test_mcnemar_by_hand():
    # A alone right in 1, B alone in 7 of 8: 2 · (C(8, 0) + C(8, 1)) / 2⁸ = 18 / 256
    (test,) = mcnemar_tests({0: answers(range(7))}, {0: answers([50])}, LABELS)
    assert (test.only_a, test.only_b) == (1, 7)
    assert test.p == pytest.approx(18 / 256)


def test_a_row_has_all_that_the_predictions_tell(make):
    a = make("a", answers([0, 1]), answers([2]))
    row = document(a, make("b", answers([1, 5]), answers([2]))).rows[0]
    assert [(t.seed, t.only_a, t.only_b) for t in row.mcnemar] == [(0, 1, 1), (1, 0, 0)]
    assert [(e.index, e.label, e.a, e.b, e.seed) for e in row.only_one_right] == [(0, 0, 1, 0, 0), (5, 2, 2, 0, 0)]
    assert np.sum(row.confusion.a) == np.sum(row.confusion.b) == 2 * TEST_EXAMPLES
    changes = np.array(row.confusion.b) - np.array(row.confusion.a)
    assert changes.tolist() == [[1, -1, 0], [0, 0, 0], [1, 0, -1]]  # 0 is right now, 5 is taken for a 0
    assert row.confusion.classes == ("0", "1", "2")


def test_pictures_are_those_of_the_examples_shown(make):
    a, b = make("a", answers([3])), make("b", answers([4]))
    comparison = compare_runs(a, b)
    found, pictures = comparison.document, comparison.pictures
    assert [example.index for example in found.rows[0].only_one_right] == [3, 4]
    assert list(pictures()["one"]) == ["3", "4"]
    png = base64.b64decode(pictures()["one"]["3"].removeprefix("data:image/png;base64,"))
    assert png.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"data_fingerprints": {}}, "no fingerprint of these examples"),
        ({"spec": {"data": "idx:/nowhere"}, "data_fingerprints": {"idx:/nowhere": "d"}}, "/nowhere"),
        ({"spec": {"data": "mnist"}, "data_fingerprints": {"mnist": "d" * 64}}, "not those of A"),
        ({"spec": {"data": "tfds:not_there"}, "data_fingerprints": {"tfds:not_there": "d"}}, "not prepared on this"),
    ],
)
def test_labels_that_cannot_be_believed_leave_those_parts_out_and_say_why(make, changes, reason):
    found = document(make("a", answers([0]), **changes), make("b", answers([1]), **changes))
    assert (found.rows[0].mcnemar, found.rows[0].confusion, found.rows[0].only_one_right) == ((), None, ())
    (line,) = (line for line in found.differences if line.startswith("no McNemar's test"))
    assert reason in line


def test_predictions_of_one_side_only_are_said(make):
    found = document(make("a", answers([0])), make("b", None))
    assert "no McNemar's test, confusion matrices or examples: B keeps no predictions" in found.differences


@pytest.mark.parametrize("wrong", [LABELS[:-1], np.full(TEST_EXAMPLES, 7)])
def test_predictions_of_other_examples_are_refused(make, wrong):
    with pytest.raises(
        UnusableError, match=r"B, 'one', 'scratchnet', seed 0: test_predictions are \d+ of classes up to"
    ):
        document(make("a", answers([0])), make("b", wrong))


def two_data(folder, source, predictions, fingerprints):
    """A run of two specs on one source: "all" of its examples, and "part" of them."""
    part = {"source": source, "train_examples": 20}
    cells = {("scratchnet", 0): {"predictions": predictions}}
    first = made.records(cells, spec={"name": "all", "data": source})
    second = made.records(cells, spec={"name": "part", "data": part})
    suite = first[0].suite.model_copy(update={"specs": (*first[0].suite.specs, *second[0].suite.specs)})
    keys = [spec.data.key for spec in suite.specs]
    run = first[0].model_copy(update={"suite": suite, "data_fingerprints": dict(zip(keys, fingerprints, strict=True))})
    return made.write(folder, [run, *first[1:], *second[1:]])


@pytest.fixture
def source_and_fingerprints(idx_folder):
    source = f"idx:{idx_folder}"
    specs = DataSpec(source=source), DataSpec(source=source, train_examples=20)
    return source, [load_dataset(data).fingerprint for data in specs]


def test_two_identical_data_of_one_source_keep_their_mcnemar_tests(tmp_path, source_and_fingerprints):
    source, fingerprints = source_and_fingerprints
    a = two_data(tmp_path / "a", source, answers([0]), fingerprints)
    found = document(a, two_data(tmp_path / "b", source, answers([1]), fingerprints))
    assert [row.spec for row in found.rows] == ["all", "part"]
    assert all(test.only_a == test.only_b == 1 for row in found.rows for test in row.mcnemar)
    assert all(row.mcnemar for row in found.rows)
    assert not any("McNemar" in line for line in found.differences)


@pytest.mark.parametrize("changed", ["all", "part"])
def test_of_two_data_of_one_source_the_changed_one_is_said_and_the_other_compared(
    tmp_path, source_and_fingerprints, changed
):
    source, fingerprints = source_and_fingerprints
    now = ["e" * 64 if name == changed else one for name, one in zip(("all", "part"), fingerprints, strict=True)]
    a = two_data(tmp_path / "a", source, answers([0]), fingerprints)
    found = document(a, two_data(tmp_path / "b", source, answers([1]), now))
    assert [row.spec for row in found.rows] == ["part" if changed == "all" else "all"]
    assert any(f"spec '{changed}': its data differ" in line for line in found.differences)
