"""The verdict's sentence for every way a run can end."""

import builders
import pytest

from bench.records.run import Records
from bench.report.tables import Tables
from bench.report.verdict import LOST

FAST = {"scratchnet": [1.0, 1.0], "keras-fit": [8.1, 8.1]}


@pytest.mark.parametrize(
    ("ratios", "said"),
    [
        # ln: mean −1.460675, s = 0.128831, half-width 4.302653 · 0.128831 / √3 = 0.320035; 1 / exp(−1.46 ± 0.320035)
        ([0.25, 0.25, 0.2], "scratchnet trains 4.0 times faster than keras-fit (95 % interval 3.1 to 5.9)"),
        ([4, 4, 5], "scratchnet trains 4.0 times slower than keras-fit (95 % interval 3.1 to 5.9)"),
        (
            [0.9, 1.0, 1.1],
            "; undecided which trains faster: scratchnet takes 1.00 times as long as keras-fit (95 % interval ",
        ),
    ],
)
def test_the_speed_of_one_spec(ratios, said):
    sentence = Tables(_seeds(ratios)).verdict
    assert said in sentence
    assert sentence.count("times ") == 1


@pytest.mark.parametrize(
    ("accuracy", "said"),
    [
        (0.9400, "identical test accuracy; scratchnet trains 8.1 times faster than keras-fit (one seed: no interval)"),
        (0.9404, "same test accuracy within 0.1 points;"),
        (0.9411, "same test accuracy within 0.2 points;"),
        (0.9430, "same test accuracy within 0.3 points;"),
        (0.9431, "test accuracy DIFFERS by up to 0.31 points (scratchnet, spec one);"),
        (0.9280, "test accuracy DIFFERS by up to 1.2 points (scratchnet, spec one);"),
    ],
)
def test_accuracy(accuracy, said):
    assert Tables(builders.small_run(FAST, {"scratchnet": accuracy, "keras-fit": 0.94})).verdict.startswith(said)


def test_any_backend_that_differs_is_named():
    sentence = Tables(builders.small_run({**FAST, "tf-xla": [1.0, 1.0]}, {"tf-xla": 0.90})).verdict
    assert "test accuracy DIFFERS by up to 4.0 points (tf-xla, spec one)" in sentence


def test_several_specs(nine_specs):
    sentence = Tables(nine_specs).verdict
    assert sentence.startswith("identical test accuracy in all 9 specs; scratchnet trains 3.")
    assert sentence.endswith(" times faster than keras-fit")


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        (
            (1.0, 1.0),
            (2.5, 10.0),
            "scratchnet trains 4.0 times faster than keras-fit in 1 of 2 specs,"
            " undecided in 1 (the 95 % interval includes 1)",
        ),
        ((1.0, 1.0), (5.0, 5.0), "scratchnet trains from 1.25 times slower to 4.0 times faster than keras-fit"),
        (
            (0.5, 10.0),
            (0.6, 8.0),
            "undecided which trains faster, scratchnet or keras-fit, in both specs: each 95 % interval includes 1",
        ),
    ],
)
def test_the_speed_of_two_specs(a, b, said):
    assert Tables(_two_specs(a, b)).verdict == f"identical test accuracy in both specs; {said}"


def _two_specs(a: tuple[float, float], b: tuple[float, float]) -> Records:
    """Specs a and b, two seeds each: keras-fit at 4 s, scratchnet at the given seconds."""
    seconds = {name: [{"scratchnet": s, "keras-fit": 4.0} for s in of] for name, of in (("a", a), ("b", b))}
    return Records(builders.timed(seconds))


def test_lost_backends_are_named(with_losses):
    assert Tables(with_losses).verdict.startswith(
        "2 of 5 backends did not finish: keras-fit-tuned was skipped, tf-xla diverged; identical test accuracy"
    )


@pytest.mark.parametrize("status", list(LOST))
def test_a_backend_lost_in_one_run_of_three(status):
    one = builders.spec((128,), 128, epochs=4)
    sentence = Tables(Records(builders.realistic([one], ends={(one.name, 1, "tf-xla"): (status, 1)}))).verdict
    assert sentence.startswith(f"1 of 5 backends did not finish: tf-xla {LOST[status]} in 1 of 3 runs; ")


def test_not_comparable_comes_first():
    one = builders.spec((128,), 128, epochs=4)
    ends = {"tf-xla": ("diverged", 2), "tf-graph": ("not_comparable", 0)}
    sentence = Tables(Records(builders.realistic([one], ends=ends, unfinished=[(one.name, 2)]))).verdict
    assert sentence.startswith(
        "NOT COMPARABLE: tf-graph (made up: not_comparable after 0 epochs); incomplete: 2 of 3 pairs of spec and seed"
        " finished; 1 of 5 backends did not finish: tf-xla diverged; identical"
    )


@pytest.mark.parametrize("lost", ["scratchnet", "keras-fit"])
def test_no_speed_where_one_side_is_not_comparable(lost):
    one = builders.spec((128,), 128, epochs=4)
    sentence = Tables(Records(builders.realistic([one], ends={lost: ("not_comparable", 4)}))).verdict
    assert sentence.startswith(f"NOT COMPARABLE: {lost}")
    assert "times" not in sentence


def test_a_subject_missing_in_some_specs():
    specs = builders.nine_specs(epochs=3)
    ends = {(specs[0].name, seed, "scratchnet"): ("failed", 1) for seed in (0, 1, 2)}
    sentence = Tables(Records(builders.realistic(specs, ends=ends))).verdict
    assert "scratchnet failed in 3 of 27 runs" in sentence
    assert sentence.endswith("than keras-fit in 8 of 9 specs")


def test_without_scratchnet_the_first_other_backend_is_spoken_of():
    assert (
        "tf-graph trains 2.0 times faster than keras-fit"
        in Tables(builders.small_run({"keras-fit": [2.0, 2.0], "tf-graph": [1.0, 1.0]})).verdict
    )


@pytest.mark.parametrize(
    ("backends", "said"),
    [
        (["scratchnet"], "no result of keras-fit to compare with, test accuracy 94.00 %"),
        (["scratchnet", "tf-xla"], "no result of keras-fit to compare with, test accuracy 94.00 %"),
        (["keras-fit"], "nothing to compare keras-fit with, test accuracy 94.00 %"),
    ],
)
def test_without_a_peer(backends, said):
    assert Tables(builders.small_run({name: [1.0, 1.0] for name in backends})).verdict == said


def test_only_a_warm_up():
    sentence = Tables(builders.small_run({"scratchnet": [1.0], "keras-fit": [2.0]})).verdict
    assert sentence == "identical test accuracy; no time ratio: the warm-up epoch alone was trained"


def test_nothing_finished():
    sentence = Tables(Records([builders.run_record([builders.spec()])])).verdict
    assert sentence == "incomplete: 0 of 3 pairs of spec and seed finished; no backend has a result"


def _seeds(ratios: list[float]) -> Records:
    """keras-fit at 2 s, scratchnet at 2 s · ratio, one seed a ratio."""
    return Records(builders.timed({"one": [{"scratchnet": 2 * ratio, "keras-fit": 2.0} for ratio in ratios]}))
