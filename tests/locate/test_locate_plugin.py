"""The plugin for pytest, in a pytest of its own; and its functions."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from handwritten import HandWritten
from problems import PROBLEMS

from bench.core.errors import UnusableError
from bench.locate.testing import assert_equivalent, gradient_check

ROOT = Path(__file__).parents[2]

SUITE = """
import sys
sys.path.insert(0, {folder!r})
from handwritten import HandWritten
from problems import PROBLEMS

class Wrong(HandWritten):
    def bias_gradient(self, l, delta):
        return delta.sum(axis=0)

def test_right(assert_equivalent, gradient_check):
    assert_equivalent(HandWritten, PROBLEMS["classes"])
    assert max(gradient_check(HandWritten, PROBLEMS["classes"]).values()) < 1e-6

def test_wrong(assert_equivalent):
    assert_equivalent(Wrong, PROBLEMS["classes"])

def test_wrong_gradient(gradient_check):
    gradient_check(Wrong, PROBLEMS["classes"])
"""


def test_a_suite_fails_with_the_report(tmp_path):
    (tmp_path / "test_mine.py").write_text(SUITE.format(folder=str(Path(__file__).parent)), "utf-8")
    plugin = ["-p", "bench.locate.plugin", "-p", "no:cacheprovider"]
    # An installed copy brings the plugin by its entry point, a checkout does not: here neither is asked.
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    told = subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, "-q", str(tmp_path)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 failed, 1 passed" in told.stdout
    assert "test_wrong - AssertionError: Wrong: db[3] is wrong" in told.stdout
    assert "Wrong: db[3] is wrong: BP4.2, gradient of the biases in layers 1, 2 and 3." in told.stdout
    assert "Wrong: gradient and cost disagree in db[1] 0.6, db[2] 0.6, db[3] 0.6; allowed: 1e-06" in told.stdout


def test_the_entry_point_names_the_plugin():
    entries = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]["pytest11"]
    assert entries == {"scratchbench": "bench.locate.plugin"}


class WrongWeights(HandWritten):
    def weight_gradient(self, l, delta, below):
        return super().weight_gradient(l, delta, below) * (3 if l == 1 else 1)


def test_each_tensor_has_a_ratio_of_its_own():
    ratios = gradient_check(WrongWeights, PROBLEMS["classes"], limit=1)
    assert set(ratios) == {f"d{name}[{l}]" for name in "Wb" for l in (1, 2, 3)}
    assert ratios.pop("dW[2]") == pytest.approx(0.5)
    assert max(ratios.values()) < 1e-6


def test_the_ratio_that_is_too_large_is_named():
    with pytest.raises(AssertionError, match=r"WrongWeights: gradient and cost disagree in dW\[2\] 0\.5; allowed"):
        gradient_check(WrongWeights, PROBLEMS["classes"])


@pytest.mark.parametrize("problem", ["classes", "squares", "summed", "penalty"])
def test_a_right_network_passes_both(problem):
    assert_equivalent(HandWritten, PROBLEMS[problem])
    assert gradient_check(HandWritten, PROBLEMS[problem])
    gradient_check(type("Single", (HandWritten,), {"dtype": np.float32}), PROBLEMS[problem])


def test_a_cost_is_needed():
    with pytest.raises(UnusableError, match="NoCost reports no cost"):
        gradient_check(type("NoCost", (HandWritten,), {"offers": ("gradients",)}), PROBLEMS["classes"])


def test_a_gradient_is_needed_where_steps_do_not_show_it():
    kind = type("OnlyCost", (HandWritten,), {"offers": ("cost",)})
    assert gradient_check(kind, PROBLEMS["classes"])
    with pytest.raises(UnusableError, match=r"OnlyCost reports no gradient, and steps of adam do not show it; needed"):
        gradient_check(kind, PROBLEMS["adam"])
