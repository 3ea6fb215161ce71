"""Cost curves and where they part; speed only where the environments allow it, and the reason where they do not."""

import math

import made_answers as made
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.compare.comparison import compare_runs
from bench.compare.match import Match
from bench.compare.processes import cells_of
from bench.compare.speed import speed_evidence
from bench.records.run import Records

REFERENCE = "keras-fit"
SECONDS = st.lists(st.floats(0.01, 100), min_size=2, max_size=5)


def document(a, b, **asked):
    return compare_runs(a, b, **asked).document


def with_costs(folder, *curves, **changes):
    cells = {("scratchnet", seed): {"costs": curve} for seed, curve in enumerate(curves)}
    return made.run(folder, cells, **{"spec": {"epochs": len(curves[0])}, **changes})


def beside_the_reference(folder, seconds, reference_seconds=1.0, versions=None, **changes):
    """A run of scratchnet and the reference, in turns; seconds one a seed."""
    return made.run(folder, processes_beside_the_reference(seconds, reference_seconds, versions), **changes)


def processes_beside_the_reference(seconds, reference_seconds=1.0, versions=None):
    cells = {}
    for seed, each in enumerate(seconds):
        cells["scratchnet", seed] = {"seconds": each}
        cells[REFERENCE, seed] = {"seconds": reference_seconds, "versions": versions}
    return cells


def scratchnets_match(a, b):
    one, other = (cells_of(records)[made.SPEC, "scratchnet"] for records in (a, b))
    return Match(a.spec(made.SPEC), "scratchnet", one, other, a, b)


def speed_of(document, backend="scratchnet"):
    (row,) = (row for row in document.rows if row.backend == backend)
    return row.speed, row.speed_decision


@pytest.mark.parametrize(
    ("curve", "epoch", "relative", "largest"),
    [
        ((0.5, 0.4, 0.3), None, 0.0, 0.0),
        ((0.5, 0.41, 0.3), 2, 0.025, 0.025),
        ((0.5, 0.41, 0.2), 2, 0.025, 1 / 3),
        ((0.505, 0.4, 0.3), None, 0.0, 0.01),
        ((0.45, 0.4, 0.3), 1, -0.1, 0.1),
    ],
)
def test_the_first_epoch_at_which_the_mean_curves_part(tmp_path, curve, epoch, relative, largest):
    a = with_costs(tmp_path / "a", (0.5, 0.4, 0.3), (0.5, 0.4, 0.3))
    parts = document(a, with_costs(tmp_path / "b", curve, curve)).rows[0].cost_parts_at
    assert parts.epoch == epoch
    assert (parts.relative, parts.largest_relative) == (pytest.approx(relative), pytest.approx(largest))


def test_mean_curves_are_those_of_the_seeds_that_both_have(tmp_path):
    a = with_costs(tmp_path / "a", (0.5, 0.3), (0.9, 0.8))
    assert document(a, with_costs(tmp_path / "b", (0.5, 0.3))).rows[0].cost_parts_at.largest_relative == 0


def test_a_cost_that_is_not_finite_is_null_and_parts_nothing(tmp_path):
    a = with_costs(tmp_path / "a", (None, 0.4), (0.5, 0.4))
    row = document(a, with_costs(tmp_path / "b", (0.9, 0.4), (0.9, 0.4))).rows[0]
    assert row.curves["cost"].a == {0: (None, 0.4), 1: (0.5, 0.4)}
    assert row.cost_parts_at.epoch is None


@pytest.mark.parametrize(
    ("factor", "decision"), [(1.0, "within_tolerance"), (1.5, "worse"), (0.5, "better"), (1.02, "undecided")]
)
def test_the_final_cost_against_its_tolerance(tmp_path, factor, decision):
    wobble = (1.0, 1.001, 0.999, 1.0005)
    a = with_costs(tmp_path / "a", *[(0.5, 0.3 + 0.01 * seed) for seed in range(4)])
    b = with_costs(tmp_path / "b", *[(0.5, (0.3 + 0.01 * s) * factor * each) for s, each in enumerate(wobble)])
    assert document(a, b).rows[0].cost_decision == decision


def test_costs_that_are_defined_differently_are_not_decided(tmp_path):
    a = with_costs(tmp_path / "a", (0.5, 0.3), (0.5, 0.31))
    b = with_costs(tmp_path / "b", (0.9, 0.8), (0.9, 0.81), spec={"label_smoothing": 0.1, "epochs": 2})
    found = document(a, b, allowed=("label_smoothing",))
    assert (found.rows[0].cost_decision, found.decision) == ("undecided", "undecided")
    assert "the specs define cost differently" in found.verdict


def test_the_drift_of_the_machine_between_two_runs_cancels(tmp_path):
    a = beside_the_reference(tmp_path / "a", [0.100, 0.101, 0.099, 0.100])
    b = beside_the_reference(tmp_path / "b", [0.205, 0.201, 0.199, 0.2], reference_seconds=2.0)
    speed, decision = speed_of(document(a, b))
    assert speed.ratio.centre == pytest.approx(1.006, abs=0.001)
    assert (speed.reason, decision) == ("", "within_tolerance")


@pytest.mark.parametrize(("factor", "decision"), [(1.3, "worse"), (0.7, "better"), (1.05, "undecided")])
def test_speed_decisions(tmp_path, factor, decision):
    a = beside_the_reference(tmp_path / "a", [0.100, 0.101, 0.099, 0.100])
    b = beside_the_reference(tmp_path / "b", [each * factor for each in (0.099, 0.100, 0.101, 0.100)])
    found = document(a, b, fail_on=("speed",))
    assert speed_of(found)[1] == decision
    assert found.decision == {"better": "within_tolerance"}.get(decision, decision)


@settings(deadline=None, max_examples=30)
@given(SECONDS, SECONDS)
def test_exchanging_the_sides_gives_the_reciprocal_ratio(seconds_a, seconds_b):
    a, b = (Records(made.records(processes_beside_the_reference(each))) for each in (seconds_a, seconds_b))
    forth, back = (speed_evidence(scratchnets_match(*pair), 1.05)[0].ratio for pair in ((a, b), (b, a)))
    assert math.log(forth.centre) == pytest.approx(-math.log(back.centre), abs=1e-9)
    if math.isfinite(forth.high) and math.isfinite(back.high):
        assert math.log(forth.high) == pytest.approx(-math.log(back.low), abs=1e-6)


def test_without_another_backend_seconds_are_weak_evidence_and_decide_nothing(tmp_path):
    sides = {"a": 1.0, "b": 9.0}
    a, b = (made.run(tmp_path / n, {("scratchnet", s): {"seconds": x} for s in range(3)}) for n, x in sides.items())
    found = document(a, b, fail_on=("speed",))
    speed, decision = speed_of(found)
    assert speed.ratio.centre == pytest.approx(9)
    assert "weak evidence" in speed.reason
    assert "bench gate" in found.verdict
    assert (decision, found.decision) == ("undecided", "undecided")


def test_the_reference_itself_is_weak_evidence_too(tmp_path):
    a, b = (beside_the_reference(tmp_path / n, [0.1, 0.11], x) for n, x in (("a", 0.1), ("b", 0.12)))
    assert "weak evidence" in speed_of(document(a, b), REFERENCE)[0].reason


def test_the_same_measurement_is_the_same_speed(tmp_path):
    a = beside_the_reference(tmp_path / "a", [0.1, 0.3])
    speed, decision = speed_of(document(a, a))
    assert (speed.ratio.low, speed.ratio.centre, speed.ratio.high) == (1, 1, 1)
    assert decision == "within_tolerance"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"environment": made.MACHINE | {"cpu_model": "another"}}, "CPU model: made up in A, another in B"),
        ({"environment": made.MACHINE | {"usable_cores": 1}}, "usable cores: 2 in A, 1 in B"),
        ({"threads": 1}, "threads: 2 in A, 1 in B"),
        (
            {"environment": made.MACHINE | {"variables": {"OPENBLAS_CORETYPE": "Prescott"}}},
            "forcing variables: none in A, OPENBLAS_CORETYPE=Prescott in B",
        ),
        ({"versions": {"keras": "4"}}, "versions of keras-fit: numpy 2.0 in A, keras 4 in B"),
        ({"environment": {}}, "CPU model: made up in A, not recorded in B"),
    ],
)
def test_speed_is_not_compared_where_the_environments_do_not_allow_it(tmp_path, changes, reason):
    a = beside_the_reference(tmp_path / "a", [0.1, 0.1])
    found = document(a, beside_the_reference(tmp_path / "b", [0.2, 0.2], **changes), fail_on=("speed",))
    speed, decision = speed_of(found)
    assert (speed.ratio, decision) == (None, None)
    assert reason in speed.reason
    assert found.decision == "undecided"
    assert "speed is not compared" in found.verdict


def test_another_blas_is_another_environment(tmp_path):
    def library(version):
        return [{"package": "scipy", "prefix": "libscipy_openblas", "version": version, "num_threads": 2}]

    folders = []
    for version in ("0.3.30", "0.3.31"):
        records = made.records({("scratchnet", 0): {}})
        changed = [r.model_copy(update={"libraries": library(version)}) if r.kind == "worker" else r for r in records]
        folders.append(made.write(tmp_path / version, changed))
    reason = speed_of(document(*folders))[0].reason
    assert reason.startswith("BLAS of scratchnet: scipy libscipy_openblas 0.3.30")


def test_specs_that_differ_do_other_work(tmp_path):
    a = beside_the_reference(tmp_path / "a", [0.1, 0.1])
    b = beside_the_reference(tmp_path / "b", [0.1, 0.1], spec={"batch_size": 64})
    assert speed_of(document(a, b, allowed=("batch_size",)))[0].reason == "the specs differ"


def test_a_warm_up_alone_is_no_time(tmp_path):
    a = with_costs(tmp_path / "a", (0.5,), (0.4,))
    speed, decision = speed_of(document(a, with_costs(tmp_path / "b", (0.5,), (0.4,))))
    assert (speed.ratio, decision) == (None, None)
    assert "the warm-up alone was trained" in speed.reason
