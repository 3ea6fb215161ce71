"""What is read from each kind of run file, which runs make one line, and what is said of a file that is broken."""

import json
from datetime import datetime
from pathlib import Path

import made_runs as made
import pytest

from bench.core.git import git
from bench.history.sources import find

ROOT = Path(__file__).parents[2]


def lines(folder, **options):
    return {f"{line.key.cell}, {line.key.quantity}": line for line in find(folder, **options).lines}


def test_a_run_folder_gives_scratchnets_ratio_to_the_reference_with_its_interval_over_seeds(tmp_path):
    made.run(tmp_path / "a", 0.25, seeds=(0, 1, 2))
    line = lines(tmp_path)["one, scratchnet / keras-fit"]
    (point,) = line.points
    assert point.value == pytest.approx(0.25 * 1.01)
    assert 0.24 < point.low < point.value < point.high < 0.27
    assert (point.label, point.when, point.source) == ("abc1234", "2026-01-02 03:04", "a/records.jsonl")
    assert line.key.machine == "Made Up 9000, 2 cores, BLAS mkl, 2 threads"


def test_one_seed_has_no_interval(tmp_path):
    made.run(tmp_path / "a", 0.25)
    (point,) = lines(tmp_path)["one, scratchnet / keras-fit"].points
    assert (point.low, point.high) == (None, None)


def test_a_speed_folder_gives_the_ratio_to_the_fastest_peer_and_to_the_products(tmp_path):
    made.speed(tmp_path / "speed", 0.8, started=made.day(3))
    found = lines(tmp_path)
    (peer,) = found["784-30-10 M=32 sgd float32, scratchnet / fastest peer"].points
    (floor,) = found["784-30-10 M=32 sgd float32, scratchnet / its products"].points
    assert (peer.value, peer.beside, peer.when) == (0.8, "tf-xla", "2026-01-05 03:04")
    assert (peer.low, peer.high) == (pytest.approx(0.8 / 1.1), pytest.approx(0.8 * 1.1))
    assert (floor.value, floor.low, floor.beside) == (1.6, None, "")


def test_a_speed_folder_that_does_not_say_when_is_dated_by_its_name(tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    made.speed(tmp_path / "speed-20260203-040506", 0.8)
    (point,) = lines(tmp_path, metrics=["fastest_peer"]).popitem()[1].points
    assert point.when == "2026-02-03 04:05"


def test_a_gate_file_gives_the_ratio_of_each_cell(tmp_path):
    made.gate(tmp_path / "g" / "gate.json", 1.05)
    line = lines(tmp_path)["784-128-10 M=32, new / old revision"]
    assert (line.ratios, line.points[0].label) == ([1.05], "fedcba9")
    assert line.key.machine == "machine not recorded"


def test_benchmarks_are_shown_relative_to_their_first_run_on_the_same_machine(tmp_path):
    made.benchmarks(tmp_path / "2.json", {"bench.py::test_step": 0.004}, made.day(2))
    made.benchmarks(tmp_path / "10.json", {"bench.py::test_step": 0.002}, made.day(1))
    line = lines(tmp_path)["bench.py::test_step, median / first median"]
    assert (line.ratios, line.unit) == ([1.0, 2.0], 0.002)
    assert line.points[0].label == "0123456+"


@pytest.mark.parametrize(
    "changes",
    [
        {"environment": made.ENVIRONMENT | {"cpu_model": "Other"}},
        {"environment": made.ENVIRONMENT | {"usable_cores": 64}},
        {"environment": made.ENVIRONMENT | {"blas": "scipy"}},
        {"threads": 1},
        {"reference": "tf-graph"},
        {"training": {"dtype": "float64"}},
        {"data_fingerprints": {"mnist": "e" * 64}},
    ],
)
def test_runs_of_other_machines_or_other_work_are_never_joined(tmp_path, changes):
    made.run(tmp_path / "a", 0.25)
    made.run(tmp_path / "b", 0.3, made.day(1), **changes)
    assert [len(line.points) for line in find(tmp_path).lines] == [1, 1]


def test_another_optimizer_of_speed_and_another_machine_of_a_benchmark_are_other_lines(tmp_path):
    made.speed(tmp_path / "a", 0.8, started=made.day(0))
    made.speed(tmp_path / "b", 0.9, started=made.day(1), optimizer="adam")
    made.benchmarks(tmp_path / "a.json", {"one": 0.004}, made.day(1))
    elsewhere = {"node": "there", "python_version": "3.11.7", "cpu": {}}
    made.benchmarks(tmp_path / "b.json", {"one": 0.002}, made.day(2), machine_info=elsewhere)
    found = find(tmp_path).lines
    assert [len(line.points) for line in found] == [1] * 6
    assert [line.ratios for line in found if "median" in line.key.quantity] == [[1.0], [1.0]]


def test_more_epochs_or_seeds_are_the_same_work(tmp_path):
    made.run(tmp_path / "b", 0.3, made.day(1), seeds=(0, 1))
    made.run(tmp_path / "a", 0.25, made.day(2))
    (line,) = find(tmp_path).lines
    assert [point.source for point in line.points] == ["b/records.jsonl", "a/records.jsonl"]


def test_points_stand_in_the_order_of_their_time_whatever_the_zone(tmp_path):
    made.gate(tmp_path / "1" / "gate.json", 1.0, "2026-01-02T12:00:00+09:00")
    made.gate(tmp_path / "2" / "gate.json", 2.0, "2026-01-02T02:00:00Z")
    made.gate(tmp_path / "3" / "gate.json", 3.0, "2026-01-02T02:30:00")
    (line,) = find(tmp_path).lines
    assert line.ratios == [2.0, 3.0, 1.0]


def test_a_run_that_is_found_twice_counts_once(tmp_path):
    made.gate(tmp_path / "1" / "gate.json", 1.0)
    made.gate(tmp_path / "copy" / "gate.json", 1.0)
    (line,) = find(tmp_path).lines
    assert len(line.points) == 1


def test_other_files_of_bench_are_no_runs_and_no_warning(tmp_path):
    for name in ("run.json", "parity.json", "history.json", "observations.json", "else.json"):
        made.write(tmp_path / name, {"verdict": "made up"})
    (tmp_path / "records.jsonl").write_text('{"kind":"scaling","schema_version":1}\n')
    assert find(tmp_path).warnings == ()


BROKEN = {
    "cut.json": ('{"machine_info": {}, "bench', "cut.json: no JSON, cut short perhaps"),
    "deep.json": ("[" * 100_000, "deep.json: no JSON"),
    "no-medians.json": ('{"machine_info": {}, "benchmarks": [{}]}', "no-medians.json: datetime: is missing"),
    "a/gate.json": ("[]", "a/gate.json: file: must be a JSON object, not []"),
    "b/speed.json": ("[]", "b/observations.json: cannot be read (No such file or directory)"),
    "c/records.jsonl": ("{}\n", "c/records.jsonl:1: record: has no 'kind'"),
    "d/records.jsonl": ('{"kind":"run","schema_version":99}\n', "schema version 99; this version reads 1"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_one_warning_and_the_others_are_read(tmp_path, name):
    made.gate(tmp_path / "well" / "gate.json", 1.0)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text(BROKEN[name][0])
    found = find(tmp_path)
    assert len(found.lines) == 1
    (warning,) = found.warnings
    assert BROKEN[name][1] in warning


@pytest.mark.parametrize(
    ("ratio", "message"),
    [
        (0, "greater than 0"),
        (-1, "greater than 0"),
        (float("nan"), "finite"),
        (float("inf"), "finite"),
        ("x", "number"),
    ],
)
def test_a_ratio_that_is_none_is_refused_with_its_place(tmp_path, ratio, message):
    made.gate(tmp_path / "gate.json", 1.0, cells=[{"cell": "one", "ratio": ratio}])
    (warning,) = find(tmp_path).warnings
    assert "gate.json: cells.0.ratio: " in warning
    assert message in warning


def test_a_run_without_the_reference_says_so(tmp_path):
    folder = made.run(tmp_path / "a", 0.25)
    lines = (folder / "records.jsonl").read_text().splitlines()
    kept = [line for line in lines if json.loads(line).get("backend") != "keras-fit"]
    (folder / "records.jsonl").write_text("\n".join(kept) + "\n")
    (warning,) = find(tmp_path).warnings
    assert "no spec has a time ratio of scratchnet to keras-fit; run both with two epochs or more" in warning


def test_a_speed_folder_without_a_date_says_what_would_be_one(tmp_path):
    made.speed(tmp_path / "mine", 0.8)
    (warning,) = find(tmp_path).warnings
    assert "speed.json: nothing says when it began; allowed: `started` in observations.json, a folder" in warning


def test_a_speed_folder_without_a_date_is_dated_by_the_commit_that_it_measured(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    commit, when = git("show", "-s", "--format=%H %cI", "HEAD").decode().split()
    made.speed(tmp_path / "mine", 0.8, environment=made.ENVIRONMENT | {"git_revision": commit})
    (point,) = lines(tmp_path, metrics=["fastest_peer"]).popitem()[1].points
    assert point.started == datetime.fromisoformat(when)


def test_the_reference_runs_of_this_project_are_read(monkeypatch):
    monkeypatch.chdir(ROOT)
    found = find(ROOT / "results/reference", metrics=["time_ratio", "fastest_peer"])
    assert len(found.lines) >= 10
    assert all(0.01 < ratio < 2 for line in found.lines for ratio in line.ratios)


def test_the_committed_results_are_read_without_a_warning():
    assert find(Path(__file__).parents[2] / "results" / "reference").warnings == ()
