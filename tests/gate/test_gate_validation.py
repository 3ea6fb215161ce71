"""The gate's errors by simulation from recorded pairs, and the experiment of docs/gate-validation.md."""

import math
import os
import random
import re
import signal
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from pathlib import Path

import gate_validation as validation
import numpy as np
import psutil
import pytest

from bench.gate.pair import Pair

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "results" / "reference" / "gate-validation"
PAGE = (ROOT / "docs" / "gate-validation.md").read_text("utf-8")


@pytest.fixture(scope="module")
def records():
    return validation.read(RECORDED)


@pytest.fixture(scope="module")
def luck(records):
    """Quiet or busy → recorded log ratios of identical sides, and the seconds of a pair."""
    found = {"quiet": [], "busy": []}
    for one in (one for one in records if one["scenario"].endswith(":0")):
        for number, (log_ratio, pair) in enumerate(zip(validation.log_ratios(one), one["pairs"], strict=True), 1):
            busy = one["load_from"] is not None and number >= one["load_from"]
            found["busy" if busy else "quiet"].append((log_ratio, pair["wall_seconds"]))
    assert min(map(len, found.values())) > 500
    return found


def no_other_luck(rng):
    return 0.0


def heavy_tails(rng):
    """Each process 3 % times Student's t with two degrees of freedom: its variance is infinite."""
    return 0.03 * sum(sign * rng.gauss(0, 1) / math.sqrt(rng.expovariate(1)) for sign in (1, -1))


def unlucky_processes(rng):
    """Every fourth process 5 % slower for its whole life."""
    return sum(sign * math.log(1.05) * (rng.random() < 0.25) for sign in (1, -1))


def verdicts(luck, load, slowdown, count, more=no_other_luck):
    """What the gate says of simulated comparisons: pairs are drawn from the recorded ones, either side first."""
    rng, found = random.Random(f"{load} {slowdown}"), []
    for _ in range(count):
        load_from = {"quiet": math.inf, "busy": 1, "changing": rng.randint(2, 9)}[load]

        def source(number, load_from=load_from):
            log_ratio, seconds = rng.choice(luck["busy" if number >= load_from else "quiet"])
            new = math.exp(rng.choice((1, -1)) * log_ratio + math.log1p(slowdown) + more(rng))
            return Pair(number=number, cell="", order="AB", old_seconds=(1,), new_seconds=(new,), wall_seconds=seconds)

        found.append(validation.compare(source)[0])
    return found


def test_of_600_comparisons_of_identical_sides_at_most_one_in_a_hundred_fails(luck):
    said = [verdict for load in validation.LOADS for verdict in verdicts(luck, load, 0.0, 200)]
    assert len(said) == 600
    assert said.count("fail") <= 6
    assert said.count("pass") >= 590


def test_right_at_the_tolerance_failures_keep_to_alpha(luck, monkeypatch):
    """150 comparisons that each fail with probability 0.01 at most: more than 5 in one of 100,000 such tests."""
    monkeypatch.setattr(validation, "BUDGET_SECONDS", 60.0)
    assert verdicts(luck, "quiet", 0.03, 150).count("fail") <= 5


@pytest.mark.parametrize("load", validation.LOADS)
def test_a_large_slowdown_is_found_and_a_speed_up_passes(luck, load):
    assert verdicts(luck, load, 0.1, 40) == ["fail"] * 40
    assert verdicts(luck, load, -0.05, 40) == ["pass"] * 40


@pytest.mark.parametrize("more", [heavy_tails, unlucky_processes])
def test_worse_machines_cost_power_but_no_false_alarms(luck, monkeypatch, more):
    assert verdicts(luck, "quiet", 0.2, 20, more) == ["fail"] * 20
    monkeypatch.setattr(validation, "BUDGET_SECONDS", 60.0)
    assert "fail" not in verdicts(luck, "quiet", 0.0, 40, more)


def test_the_budget_is_kept_by_the_seconds_of_the_pairs(monkeypatch):
    monkeypatch.setattr(validation, "BUDGET_SECONDS", 95.0)

    def undecided(number):
        ratio = 1.2 if number % 2 else 0.9
        return Pair(number=number, cell="", order="AB", old_seconds=(1,), new_seconds=(ratio,), wall_seconds=10)

    verdict, pairs = validation.compare(undecided)
    assert (verdict, [pair.number for pair in pairs]) == ("undecided", list(range(1, 10)))


ROWS = {
    "nothing changed: false alarms": 0,
    "a speed-up of 5 %": -5,
    "5 % slower": 5,
    "10 % slower": 10,
    "20 % slower": 20,
}


@pytest.mark.parametrize("label", ROWS)
def test_the_page_quotes_the_counts_of_the_records(records, label):
    """Quiet, not quiet, and both together."""
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| {label} |"))
    quoted = [tuple(map(int, pair)) for pair in re.findall(r"(\d+) of (\d+)", row)]
    of_row = [one for one in records if validation.scenario_of(one)[1] == ROWS[label]]
    quiet = [one for one in of_row if validation.scenario_of(one)[0] == "quiet"]
    loaded = [one for one in of_row if one not in quiet]
    assert quoted == [(sum(one["verdict"] == "fail" for one in of), len(of)) for of in (quiet, loaded, of_row)]


@pytest.mark.parametrize(("tool", "within"), [(name, 2 if name == "criterion" else 0) for name in validation.TOOLS])
def test_the_page_quotes_what_the_usual_tools_would_have_said(records, tool, within):
    """criterion's rule resamples, so a comparison at its edge may go either way."""
    (row,) = (line for line in PAGE.splitlines() if line.startswith(f"| {tool} |"))
    quoted = [tuple(map(int, pair)) for pair in re.findall(r"(\d+) of (\d+)", row)]
    of = validation.grouped(records)
    for percent, (count, all_of) in zip((0, 5, 10), quoted, strict=True):
        said, asked = validation.said_slower(tool, of["quiet", percent])
        assert asked == all_of
        assert abs(said - count) <= within


def test_the_table_has_a_row_for_each_scenario_and_tool(records):
    few = [one for one in records if one["number"] <= 2]
    text = validation.tables(few)
    assert all(f"| {tool}" in text for tool in ("this gate", *validation.TOOLS))
    rows = [line.split("|")[1:6] for line in text.splitlines() if line.startswith(("| quiet", "| busy", "| changing"))]
    assert [tuple(map(str.strip, (row[0], row[1], row[3]))) for row in rows] == [
        (load, f"{percent:g}", str(len(some))) for (load, percent), some in validation.grouped(few).items()
    ]
    assert len(validation.draw(few).axes) == 3


@pytest.mark.parametrize(
    ("percent", "load", "shares", "events"),
    [
        (5, "quiet", {"new": 0.1}, []),
        (-5, "busy", {"old": 0.1 / 0.95}, ["load", "load ends"]),
        (0, "changing", {"new": 0.0}, ["load", "load ends"]),
    ],
)
def test_a_comparison_plants_the_slowdown_and_starts_the_load(monkeypatch, percent, load, shares, events):
    seen = {"events": [], "numbers": []}

    @contextmanager
    def pairs(asked):
        seen["shares"] = asked

        def source(number):
            seen["numbers"].append((number, bool(seen["events"])))
            new = 1 + percent / 100
            return Pair(number=number, cell="", order="AB", old_seconds=(1,), new_seconds=(new,), wall_seconds=1)

        yield source

    @contextmanager
    def loaded(seed):
        seen["events"].append("load")
        yield
        seen["events"].append("load ends")

    monkeypatch.setattr(validation, "pairs", pairs)
    monkeypatch.setattr(validation, "half_loaded_cores", loaded)
    record = validation.comparison(load, percent, 3, cost=0.5)
    assert seen["shares"] == pytest.approx(shares)
    assert seen["events"] == events
    assert (record["scenario"], record["number"]) == (f"{load}:{percent}", 3)
    assert record["verdict"] == ("fail" if percent > 3 else "pass")
    first_loaded = next((number for number, is_loaded in seen["numbers"] if is_loaded), None)
    assert first_loaded == record["load_from"]
    assert validation.log_ratios(record) == pytest.approx([math.log1p(percent / 100)] * 9, abs=1e-5)


def test_a_run_goes_on_and_takes_the_scenario_that_is_furthest_behind(monkeypatch, tmp_path):
    monkeypatch.setattr(validation, "cost_of_repeating", lambda: 0.5)
    monkeypatch.setattr(validation.time, "monotonic", iter(np.arange(0.0, 1e6)).__next__)

    def made(load, percent, number, cost):
        return {
            "kind": "comparison",
            "scenario": f"{load}:{percent:g}",
            "number": number,
            "verdict": "pass",
            "pairs": [],
        }

    monkeypatch.setattr(validation, "comparison", made)
    scenarios = [("quiet", 0.0), ("quiet", 5.0)]
    validation.run(tmp_path, 6 / 60, scenarios)
    with (tmp_path / "records.jsonl").open("a") as log:
        log.write('{"kind":"comparison","scen')
    first = [one["scenario"] for one in validation.read(tmp_path)]
    assert first == ["quiet:0", "quiet:0", "quiet:5", "quiet:0", "quiet:0"]
    validation.run(tmp_path, 6 / 60, scenarios)
    both = [(one["scenario"], one["number"]) for one in validation.read(tmp_path)]
    assert len(both) == len(set(both)) == 10


def test_a_forward_pass_that_cannot_be_found_is_said(tmp_path):
    (tmp_path / validation.STEP).parent.mkdir(parents=True)
    (tmp_path / validation.STEP).write_text("nothing\n")
    with pytest.raises(SystemExit, match=r"step\.py: has 0 forward passes to repeat; expected 1"):
        validation.plant(tmp_path, 1.0)


HOLD = """
import sys
sys.path[:0] = sys.argv[1:]
from gate_validation import half_loaded_cores
with half_loaded_cores(1) as processes:
    print(*processes, flush=True)
    sys.stdin.read()
"""


@pytest.mark.parametrize("error", [nullcontext(), pytest.raises(ZeroDivisionError)], ids=["ends", "error"])
def test_a_process_loads_each_core_until_the_block_ends(error):
    with error, validation.half_loaded_cores(1) as processes:
        alive = [psutil.Process(process) for process in processes]
        assert len(alive) == len(os.sched_getaffinity(0))
        _ = 1 / (0 if error.__class__ is not nullcontext else 1)
    assert not any(psutil.pid_exists(process) for process in processes)


def test_the_load_ends_with_a_parent_that_was_killed():
    command = [sys.executable, "-c", HOLD, str(ROOT), str(ROOT / "docs" / "experiments")]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        loaders = [psutil.Process(int(process)) for process in parent.stdout.readline().split()]
        assert loaders
        parent.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(loaders, timeout=60)
    finally:
        parent.kill()
        parent.communicate()
    assert alive == []
