"""The gate against a baseline: its interval, what it refuses, and the command line on planted rounds."""

import json
import math

import numpy as np
import pytest
from scipy.stats import binom

from bench.core.errors import UnusableError
from bench.gate import baseline_command
from bench.gate.baseline import Baseline, decide, effect_of, fixed_interval, other_machine, yardsticks_apart
from bench.gate.decision import Rule
from bench.gate.rounds import KERAS, PRODUCT
from bench.gate.tree_process import TreeLostError

RULE = Rule()


@pytest.mark.parametrize(("count", "alpha"), [(8, 0.005), (20, 0.005), (20, 0.05), (51, 0.01)])
def test_the_fixed_interval_is_the_narrowest_pair_of_order_statistics_that_holds(count, alpha):
    low, high = fixed_interval(range(count), alpha)
    assert high == count - 1 - low
    assert binom.cdf(low, count, 0.5) <= alpha < binom.cdf(low + 1, count, 0.5)


def test_too_few_rounds_have_no_interval():
    assert fixed_interval(range(7), 0.005) == (-math.inf, math.inf)


def test_the_fixed_interval_misses_no_more_often_than_it_says():
    rng = np.random.default_rng(0)
    ends = [fixed_interval(rng.standard_t(3, 20), 0.05) for _ in range(2000)]
    assert np.mean([low > 0 for low, _ in ends]) <= 0.06
    assert np.mean([high < 0 for _, high in ends]) <= 0.06


def test_the_same_speed_fails_no_more_often_than_the_rule_allows():
    """400 baselines of 20 rounds, each compared with up to 40 rounds, right at the tolerance, at a level of 10 %."""
    rng, rule, failed = np.random.default_rng(1), Rule(alpha=0.10), 0
    for _ in range(400):
        old, new = 0.02 * rng.standard_normal(20), 0.02 * rng.standard_normal(40) + rule.limit
        failed += any(decide([effect_of(old, new[:count], rule)], rule) == "fail" for count in range(8, 41, 4))
    assert failed / 400 <= 0.10


@pytest.mark.parametrize(("slower", "verdict"), [(1.10, "fail"), (1.0, "pass"), (0.9, "pass")])
def test_a_clear_difference_is_found(slower, verdict):
    rng = np.random.default_rng(2)
    old, new = 0.005 * rng.standard_normal(20), 0.005 * rng.standard_normal(20) + math.log(slower)
    assert decide([effect_of(old, new, RULE)], RULE) == verdict


def test_both_yardsticks_must_agree():
    slow, same = (effect_of([0.0] * 20, [value] * 20, RULE) for value in (0.2, 0.0))
    assert decide([slow, slow], RULE) == "fail"
    assert decide([slow, same], RULE) == "undecided"
    assert decide([same, same], RULE) == "pass"


def test_yardsticks_that_changed_places_refuse_the_machine():
    old, new = {PRODUCT: [0.0] * 8, KERAS: [-1.0] * 8}, {PRODUCT: [0.0] * 8, KERAS: [-1.3] * 8}
    assert yardsticks_apart(old, old) == ""
    assert yardsticks_apart(old, {PRODUCT: [0.5] * 8, KERAS: [-0.5] * 8}) == ""
    said = yardsticks_apart(old, new)
    assert said.startswith(
        "the machine is too different to be compared: matrix product takes 0.273 times the seconds of"
    )


def test_another_library_refuses_the_machine_and_another_processor_does_not():
    here = {"machine": "x86_64", "usable_cores": 2, "steps": "numba", "numpy": "2.0.0", "cpu_model": "one"}
    assert other_machine(here, {**here, "cpu_model": "other"}) == ""
    assert other_machine(here, {**here, "steps": "numpy"}) == "steps is numpy here, numba in the baseline"


@pytest.fixture
def rounds(monkeypatch):
    """Plants what every round measures; both commands take it from there."""

    def plant(**ratios):
        names = {"product": PRODUCT, "keras": KERAS}
        planted = {names[name]: ratio for name, ratio in ratios.items()}
        monkeypatch.setattr(baseline_command, "yardsticks", lambda: list(planted))
        monkeypatch.setattr(baseline_command, "Rounds", lambda plan, names, *rest: lambda: _logarithms(planted, names))

    def _logarithms(planted, names):
        return {name: math.log(planted[name]) for name in names}

    return plant


@pytest.fixture
def saved(rounds, bench, tmp_path):
    """A baseline in which scratchnet takes 2 times the product's seconds and a tenth of Keras's."""
    rounds(product=2.0, keras=0.1)
    path = tmp_path / "baseline.json"
    code, out, _ = bench("baseline", "save", str(path), "--cells", "784-8-10:500,784-9-10:500")
    assert code == 0
    assert out == f"baseline of 2 cells over 20 rounds, beside matrix product and keras-fit: {path}\n"
    return path


GATE = ("gate", "--cells", "784-8-10:500", "--minutes", "0.1", "--baseline")


@pytest.mark.parametrize(
    ("product", "keras", "code", "said"),
    [
        (2.0, 0.1, 0, "PASS: this tree"),
        (1.9, 0.095, 0, "PASS: this tree"),
        (2.3, 0.115, 1, "FAIL: this tree"),
        (4.0, 0.1, 4, "NO VERDICT: the machine is too different to be compared: matrix product takes"),
        (2.1, 0.1, 3, "NOT DECIDABLE: this tree"),
    ],
)
def test_the_verdict_against_a_baseline(rounds, saved, bench, product, keras, code, said):
    rounds(product=product, keras=keras)
    ended, out, err = bench(*GATE, str(saved))
    assert ended == code, out + err
    assert out.startswith(said)
    assert str(saved) in out or code == 4


def test_without_keras_the_product_alone_decides(rounds, saved, bench):
    rounds(product=2.3)
    code, out, _ = bench(*GATE, str(saved), "--json")
    assert code == 1
    assert json.loads(out)["cells"][0]["cell"] == "784-8-10 M=500 by matrix product"


def changed(path, **values):
    baseline = json.loads(path.read_text())
    path.write_text(json.dumps({**baseline, **values}))


def test_a_baseline_of_another_plan_is_refused(saved, bench):
    cells = json.loads(saved.read_text())["cells"]
    changed(saved, cells=[{**cell, "plan_fingerprint": "0"} for cell in cells])
    code, _, err = bench(*GATE, str(saved))
    assert code == 2
    assert "784-8-10 M=500 was trained from another plan" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"threads": 3}, "was saved with 3 threads; gate with --threads 3"),
        ({"cells": []}, "no baseline: cells: "),
        ({"schema_version": 2}, "no baseline: schema_version: "),
        ({"kind": "gate"}, "no baseline: kind: "),
        ({"extra": 1}, "no baseline: extra: "),
    ],
)
def test_what_is_no_baseline_of_this_is_one_line(saved, bench, values, message):
    changed(saved, **values)
    code, _, err = bench(*GATE, str(saved))
    assert code == 2
    assert message in err.splitlines()[-1]


def test_a_cell_of_a_baseline_that_stands_twice_is_one_line(saved, bench):
    cells = json.loads(saved.read_text())["cells"]
    changed(saved, cells=[*cells, cells[0]])
    code, _, err = bench(*GATE, str(saved))
    assert code == 2
    assert "no baseline: file: the cell '784-8-10 M=500' stands there twice; remove one of the two" in err


def test_a_ratio_of_a_baseline_that_is_no_number_is_one_line(saved, bench):
    cells = json.loads(saved.read_text())["cells"]
    cells[0]["log_ratios"]["keras-fit"][3] = math.nan
    changed(saved, cells=cells)
    code, _, err = bench(*GATE, str(saved))
    assert code == 2
    assert "no baseline: cells.0.log_ratios.keras-fit.3: must be a finite number, not nan" in err.splitlines()[-1]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"schema_version": 1}', '{"cells": [{"cell": NaN}]}'])
def test_a_broken_file_is_one_line(tmp_path, text):
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(UnusableError, match=r"b\.json: no baseline: "):
        Baseline.read(path)


def test_a_cell_that_the_baseline_lacks_is_refused_with_those_it_has(saved, bench):
    code, _, err = bench("gate", "--cells", "784-7-10:500", "--baseline", str(saved))
    assert code == 2
    assert "has no cell '784-7-10 M=500'; allowed: 784-8-10 M=500, 784-9-10 M=500" in err


def test_a_machine_that_computes_with_something_else_is_refused(saved, bench):
    changed(saved, machine={**json.loads(saved.read_text())["machine"], "numpy": "1.0"})
    code, out, _ = bench(*GATE, str(saved))
    assert code == 4
    assert "NO VERDICT: the machine is too different to be compared: numpy is" in out


def test_a_yardstick_that_crashes_is_no_verdict(saved, bench, monkeypatch):
    def crash():
        raise TreeLostError("keras-fit", "ended with exit code 1 while it started")

    monkeypatch.setattr(baseline_command, "Rounds", lambda *_: crash)
    code, out, _ = bench(*GATE, str(saved))
    assert code == 4
    assert out.startswith("NO VERDICT: the keras-fit side ended with exit code 1 while it started")


def test_ctrl_c_keeps_the_rounds_so_far(saved, bench, monkeypatch, tmp_path):
    seen = []

    def interrupted():
        seen.append({PRODUCT: math.log(2.0), KERAS: math.log(0.1)})
        if len(seen) == 4:
            raise KeyboardInterrupt
        return seen[-1]

    monkeypatch.setattr(baseline_command, "Rounds", lambda *_: interrupted)
    code, out, _ = bench(*GATE, str(saved))
    assert code == 130
    assert out.startswith("NOT DECIDABLE")
    assert len(json.loads((tmp_path / "out" / "gate.json").read_text())["cells"][0]["log_ratios"]) == 3
