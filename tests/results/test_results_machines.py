"""A run whose cells are from several machines: ratios by machine, whether they differ, and no mixing in silence."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from cluster_runs import FAST, SLOW, machine, write

from bench.compare.comparison import compare_runs
from bench.core.errors import UnusableError
from bench.history.runs import read as read_history
from bench.records.run import LostRecord
from bench.report.machines import machine_effect
from bench.report.write import write_report


def test_ratios_stand_by_machine_and_a_difference_between_machines_is_told(tmp_path):
    folder = write(tmp_path / "run", [machine("a")] * 3 + [machine("b", "B")] * 3, FAST + SLOW)
    results = write_report(folder)
    table = pd.read_csv(folder / "machines.csv")
    assert table["cells"].tolist() == [3, 3]
    assert table["time_ratio"].tolist() == pytest.approx([0.5, 0.8])
    assert "## Time ratios by machine" in (folder / "summary.md").read_text()
    told = " ".join(results.warnings)
    assert "the cells ran on machines that differ in CPU model: A, B" in told
    assert "scratchnet: its time ratio differs between machines by up to 60 %" in told


def test_machines_without_a_difference_get_a_table_and_no_warning(tmp_path):
    folder = write(tmp_path / "run", [machine("a")] * 3 + [machine("b")] * 3, FAST + FAST)
    results = write_report(folder)
    assert results.warnings == []
    assert len(pd.read_csv(folder / "machines.csv")) == 2


def test_a_run_on_one_machine_has_no_table_of_machines(tmp_path):
    folder = write(tmp_path / "run", [None] * 6, FAST + FAST)
    write_report(folder)
    assert not (folder / "machines.csv").exists()
    assert "by machine" not in (folder / "summary.md").read_text()


def test_times_of_cells_that_did_not_run_alone_do_not_count(tmp_path):
    folder = write(tmp_path / "run", [machine("a")] * 6, FAST + SLOW, alone=False)
    results = write_report(folder)
    times = ["time_ratio", "epoch_seconds", "samples_per_second", "startup_seconds"]
    assert results.summary[times].isna().all(axis=None)
    assert results.summary["test_accuracy"].tolist() == [0.9] * 12
    assert "no time ratio: other cells ran beside each cell" in results.verdict
    with pytest.raises(UnusableError, match=r"no spec has a time ratio .*; other cells ran beside its cells$"):
        read_history(folder / "records.jsonl")


def test_the_test_finds_a_difference_at_its_rate_and_none_where_there_is_none():
    """Of 400 sets without a difference about 1 % are below 0.01; of 400 with one of 10 % nearly all."""
    rng = np.random.default_rng(0)
    found = {}
    for effect in (0.0, 0.1):
        p = []
        for _ in range(400):
            rows = [(spec, str(m)) for spec in "xyz" for m in range(4) for _ in range(3)]
            table = pd.DataFrame(rows, columns=["spec", "machine"])
            logs = 0.03 * rng.standard_normal(len(rows)) + table["spec"].map({"x": 0, "y": 1, "z": -1})
            table["time_ratio"] = np.exp(logs + effect * (table["machine"] == "3"))
            p.append(machine_effect(table)[1])
        found[effect] = float(np.mean(np.array(p) < 0.01))
    assert found[0.0] < 0.03
    assert found[0.1] > 0.95


def test_the_largest_difference_is_a_factor_between_two_machines():
    table = pd.DataFrame({"spec": "x", "machine": list("aabb"), "time_ratio": [1.0, 1.1, 2.0, 2.2]})
    assert machine_effect(table)[0] == pytest.approx(2.0)
    assert machine_effect(table.iloc[:2]) is None
    assert not math.isnan(machine_effect(table)[1])


def test_compare_refuses_speed_where_machines_differ_and_names_several_of_one_kind(tmp_path):
    one = write(tmp_path / "one", [machine("a")] * 6, FAST + FAST)
    mixed = write(tmp_path / "mixed", [machine("a")] * 3 + [machine("b", "B")] * 3, FAST + SLOW)
    several = write(tmp_path / "several", [machine("a")] * 3 + [machine("b")] * 3, FAST + FAST)
    (row,) = [each for each in compare_runs(one, mixed).document.rows if each.backend == "scratchnet"]
    assert row.speed.ratio is None
    assert "CPU model: A in A, A and B in B" in row.speed.reason
    (row,) = [each for each in compare_runs(one, several).document.rows if each.backend == "scratchnet"]
    assert row.speed.ratio is not None
    assert "B ran on 2 machines of one kind" in row.speed.reason


def test_history_has_a_point_for_each_kind_of_machine(tmp_path):
    folder = write(tmp_path / "run", [machine("a")] * 3 + [machine("b", "B")] * 3, FAST + SLOW)
    points = {point.key.machine: point.value for point in read_history(folder / "records.jsonl")}
    assert {name[0]: value for name, value in points.items()} == pytest.approx({"A": 0.5, "B": 0.8})


def test_a_host_is_recorded_once_for_all_its_cells(tmp_path):
    folder = write(tmp_path / "run", [machine("a")] * 6, FAST + FAST)
    kinds = [json.loads(line)["kind"] for line in (folder / "records.jsonl").read_text().splitlines()]
    assert kinds.count("machine") == 1


def test_a_run_without_times_that_count_has_no_empty_table_and_no_empty_plots(tmp_path):
    folder = write(tmp_path / "run", [machine("a")] * 3 + [machine("b")] * 3, FAST + SLOW, alone=False)
    results = write_report(folder)
    assert "by machine" not in (folder / "summary.md").read_text()
    assert list(results.figures()) == ["cost_curves", "accuracy_curves"]
    assert not (folder / "epoch_seconds.png").exists()


def test_lost_attempts_are_told_those_of_cells_without_a_result_first(tmp_path):
    folder = write(tmp_path / "run", [machine("a")] * 5, FAST + FAST)
    for seed in (0, 5):
        lost = LostRecord(spec="s", seed=seed, attempt=3, host="node9", reason="its node went away")
        with (folder / "records.jsonl").open("a") as file:
            file.write(lost.model_dump_json() + "\n")
    assert write_report(folder).warnings == [
        f"s seed {seed}: attempt 3 on node9 was lost: its node went away" for seed in (5, 0)
    ]


def test_a_run_some_of_whose_times_count_says_so(tmp_path):
    folder = write(tmp_path / "run", [machine("a")] * 6, FAST + FAST)
    assert write_report(folder).warnings == []
    text = (folder / "records.jsonl").read_text()
    (folder / "records.jsonl").write_text(text.replace('"alone":true', '"alone":false', 2))
    results = write_report(folder)
    assert results.warnings == ["other cells ran beside 2 of 6 cells: their times do not count"]
    assert results.aggregate["time_ratio_seeds"].tolist() == [4, 4]
    (axes,) = results.figures()["epoch_seconds"].axes
    assert sum(np.isfinite(line.get_xdata()).sum() for line in axes.lines) == 2 * 3 * 4


def test_compare_says_why_times_of_crowded_cells_are_not_compared(tmp_path):
    one, other = (write(tmp_path / name, [machine("a")] * 6, FAST + FAST, alone=False) for name in "ab")
    for row in compare_runs(one, other).document.rows:
        assert row.speed.reason == "other cells ran beside the cells of a run: such times do not count"
