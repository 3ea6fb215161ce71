"""Two JSON files of pytest-benchmark: marks, machines that differ, what only one has."""

import json
import subprocess
import sys

import numpy as np
import pytest

from bench.compare.command import Asked, compared
from bench.errors import UnusableError

MACHINE = {"node": "n", "machine": "x86_64", "python_version": "3.11.7", "cpu": {"brand_raw": "one", "count": 2}}


def stats(median, spread=0.01, data=True, seed=0):
    rounds = median * (1 + spread * np.random.default_rng(seed).standard_normal(50))
    quartiles = dict(zip(("q1", "median", "q3"), np.quantile(rounds, (0.25, 0.5, 0.75)), strict=True))
    return {**quartiles, "rounds": 50, **({"data": list(rounds)} if data else {})}


def saved(path, machine=MACHINE, **medians):
    """A file with those benchmarks: name → seconds, or statistics."""
    each = {name: stats(value) if isinstance(value, float) else value for name, value in medians.items()}
    items = [{"fullname": f"tests/test_x.py::{name}", "name": name, "stats": one} for name, one in each.items()]
    path.write_text(json.dumps({"machine_info": machine, "commit_info": {"id": "abc"}, "benchmarks": items}))
    return path


def document(a, b, **asked):
    return compared(Asked(a, b, **asked))[0]


def marks(found):
    return {row.name.partition("::")[2]: row.mark for row in found.benchmarks}


@pytest.mark.parametrize("data", [True, False])
def test_marks(tmp_path, data):
    a = saved(tmp_path / "a.json", same=stats(1.0, data=data), slow=stats(1.0, data=data), fast=stats(1.0, data=data))
    medians = {"same": stats(1.01, data=data), "slow": stats(1.2, data=data), "fast": stats(0.8, data=data)}
    found = document(a, saved(tmp_path / "b.json", **medians))
    assert marks(found) == {"same": "~", "slow": "+", "fast": "-"}
    assert found.decision == "worse"
    assert "'tests/test_x.py::slow', 1.20 times as long" in found.verdict
    assert (found.benchmarks[1].ratio.low, found.benchmarks[1].ratio.high) == (None, None)


def test_exchanging_the_files_gives_reciprocal_ratios_and_opposite_marks(tmp_path):
    a, b = saved(tmp_path / "a.json", x=1.0), saved(tmp_path / "b.json", x=1.3)
    (forth,), (back,) = document(a, b).benchmarks, document(b, a).benchmarks
    assert forth.ratio.centre * back.ratio.centre == pytest.approx(1)
    assert (forth.mark, back.mark) == ("+", "-")


@pytest.mark.parametrize("data", [True, False])
def test_rounds_that_are_not_told_apart_are_not_decidable(tmp_path, data):
    a = saved(tmp_path / "a.json", x=stats(1.0, 0.5, data))
    found = document(a, saved(tmp_path / "b.json", x=stats(1.08, 0.5, data, seed=1)), tolerances=("speed=1%",))
    assert marks(found) == {"x": "~"}
    assert found.decision == "undecided"
    assert "not told apart by the rounds" in found.verdict


def test_a_file_with_itself_is_within_tolerance(tmp_path):
    a = saved(tmp_path / "a.json", x=1.0, y=2.0)
    assert document(a, a).decision == "within_tolerance"


def test_other_machines_are_not_compared(tmp_path):
    other = MACHINE | {"node": "another", "cpu": {"brand_raw": "two", "count": 2, "hz_actual": [3, 0]}}
    found = document(saved(tmp_path / "a.json", x=1.0), saved(tmp_path / "b.json", other, x=1.0))
    assert found.differences == ("machines differ: cpu.brand_raw is one in A, two in B",)
    assert (found.benchmarks[0].mark, found.benchmarks[0].ratio) == ("!", None)
    assert found.decision == "undecided"


def test_what_only_one_has_is_named(tmp_path):
    found = document(saved(tmp_path / "a.json", x=1.0, old=1.0), saved(tmp_path / "b.json", x=1.0, new=1.0))
    assert found.differences == (
        "benchmark 'tests/test_x.py::old' is in A only",
        "benchmark 'tests/test_x.py::new' is in B only",
    )


def test_a_median_that_is_no_time_is_marked(tmp_path):
    broken = {"median": float("nan"), "q1": 1, "q3": 1, "rounds": 1}
    found = document(saved(tmp_path / "a.json", x=broken, y=1.0), saved(tmp_path / "b.json", x=1.0, y=1.0))
    assert marks(found) == {"x": "!", "y": "~"}
    assert found.benchmarks[0].median_a is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"benchmarks": [{"fullname": "x"}]}, r"b\.json: benchmarks\[0\]\.stats: Field required"),
        (
            {"benchmarks": [{"fullname": "x", "stats": {"median": "x"}}]},
            r"benchmarks\[0\]\.stats\.median: Input should",
        ),
        ({"benchmarks": []}, r"no benchmark in common: .*a\.json has 1, .*b\.json has 0"),
        ({"verdict": "x"}, r"b\.json: is not one of these: a run folder"),
        ([], r"b\.json: is not one of these: a run folder"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, content, message):
    b = tmp_path / "b.json"
    b.write_text(json.dumps(content))
    with pytest.raises(UnusableError, match=message):
        document(saved(tmp_path / "a.json", x=1.0), b)


def test_files_of_benchmarks_hold_no_accuracy(tmp_path):
    a = saved(tmp_path / "a.json", x=1.0)
    with pytest.raises(UnusableError, match=r"--fail-on accuracy: files of pytest-benchmark hold times; allowed: sp"):
        document(a, a, fail_on=("accuracy",))


def test_a_file_that_pytest_benchmark_itself_writes_is_read(tmp_path):
    test = "def test_it(benchmark):\n    benchmark.pedantic(sorted, ([2, 1],), rounds=5)\n"
    (tmp_path / "test_it.py").write_text(test)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--benchmark-json", "it.json"]
    subprocess.run([*command, "test_it.py"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    found = document(tmp_path / "it.json", tmp_path / "it.json")
    assert found.benchmarks[0].name == "test_it.py::test_it"
    assert (found.benchmarks[0].rounds_a, found.decision) == (5, "within_tolerance")
