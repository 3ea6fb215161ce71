"""The gate on scratchnet itself: real processes of two trees. What they do is tested here, how fast they are is not."""

import os
import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from bench.core.environment import bindable_cores
from bench.gate import tree_pairs
from bench.gate.plan_files import PlanFiles, cell_of
from bench.gate.tree_pairs import EPOCHS, SIDES, TrainingPairs, TreePairs
from bench.gate.tree_process import TreeLostError
from bench.gate.work import WorkChangedError
from scratchnet import engine

ROOT = Path(__file__).resolve().parents[2]
CELL = "784-8-10:500"


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return PlanFiles(cell_of(CELL), EPOCHS, tmp_path_factory.mktemp("gate") / "plan")


@pytest.fixture
def trees(tmp_path, monkeypatch):
    """Both sides as copies of this tree, to be changed where NumPy takes the steps."""
    monkeypatch.setenv(engine.VARIABLE, "numpy")
    for side in SIDES:
        for package in ("scratchnet", "bench", "reference_tf"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, tmp_path / side / package, ignore=ignored)
    return {side: tmp_path / side for side in SIDES}


@pytest.fixture
def pairs(trees, plan, tmp_path):
    def source(limit=60.0, **extra):
        return TrainingPairs(TreePairs(trees, 1, tmp_path, extra, limit), plan, random.Random(0))

    return source


def edit(tree, name, before, after):
    path = tree / name
    text = path.read_text()
    assert text.count(before) == 1, f"{before!r} is in {name} {text.count(before)} times"
    path.write_text(text.replace(before, after))


NETWORK, TRAINER = "scratchnet/network.py", "scratchnet/formulations/trainer.py"
STEP = "self._update(workspace, Y[:, columns], weights[columns] if weights is not None else None)"


def test_a_pair_is_two_processes_that_took_turns_on_the_same_plan(pairs):
    pair = pairs()(1)
    assert set(pair.order.split()) <= {"ABBA", "BAAB"}
    assert len(pair.order.split()) == tree_pairs.BLOCKS
    assert len(pair.old_seconds) == len(pair.new_seconds) == 2 * tree_pairs.BLOCKS
    assert pair.old_costs == pair.new_costs
    assert len(pair.old_costs) == EPOCHS
    assert all(np.diff(pair.old_costs) < 0)
    assert pair.wall_seconds > sum(pair.old_seconds) + sum(pair.new_seconds)


@pytest.mark.skipif(not bindable_cores(), reason="no process can be bound to a core here")
def test_both_sides_of_a_pair_share_a_core_which_is_drawn_anew(pairs, monkeypatch):
    bound = []
    bind = os.sched_setaffinity
    monkeypatch.setattr(os, "sched_setaffinity", lambda thread, cores: bound.append(cores) or bind(thread, cores))
    usable = os.sched_getaffinity(0)
    source = pairs()
    drawn = set()
    for number in range(2, 10):
        bound.clear()
        source(number)
        assert len(bound) >= 2
        assert all(cores == bound[0] for cores in bound)
        assert len(bound[0]) == 1
        assert set(bound[0]) <= usable
        drawn |= set(bound[0])
    assert len(drawn) > 1 or len(usable) == 1


def test_which_side_starts_is_drawn_anew_for_each_block(pairs):
    source = pairs()
    orders = " ".join(source(number).order for number in (2, 3, 4, 5)).split()
    assert set(orders) == {"ABBA", "BAAB"}


def test_planted_work_changes_nothing_that_is_learned(pairs):
    pair = pairs(new=2.0)(1)
    assert pair.old_costs == pair.new_costs


@pytest.mark.parametrize(
    ("side", "after", "reason"),
    [
        # every tenth step is left out
        ("new", f"_ = columns.start // batch_size % 10 and {STEP}", r"cost of epoch \d is|parameters end"),
        ("old", f"_ = columns.start // batch_size % 10 and {STEP}", r"cost of epoch \d is|parameters end"),
    ],
)
def test_less_work_is_no_speed(trees, pairs, side, after, reason):
    edit(trees[side], TRAINER, STEP, after)
    with pytest.raises(WorkChangedError, match=reason):
        pairs()(1)


def test_other_initial_weights_are_other_work(trees, pairs):
    edit(trees["new"], "bench/backends/scratchnet.py", "self.set_parameters(parameters)", "pass")
    with pytest.raises(WorkChangedError, match="the new side does not start from the plan's parameters"):
        pairs()(1)


def test_other_batches_are_other_work(trees, pairs):
    edit(
        trees["old"],
        "bench/backends/scratchnet.py",
        "rows = order[places]\n",
        "rows = order[places][::-1]\n",
    )
    with pytest.raises(WorkChangedError, match="the old side does not consume the plan's batches"):
        pairs()(1)


def test_another_cost_in_a_later_pair_is_seen_too(trees, pairs):
    source = pairs()
    source(1)
    edit(trees["new"], TRAINER, STEP, f"_ = columns.start // batch_size % 10 and {STEP}")
    with pytest.raises(WorkChangedError, match=r"784-8-10 M=500, pair 2: cost of epoch \d is"):
        source(2)


@pytest.mark.parametrize(
    ("name", "before", "after", "reason"),
    [
        (NETWORK, "def train_epoch(", "def train_one_epoch(", "has no attribute 'train_epoch'"),
        (NETWORK, "import copy\n", "import copy\nraise RuntimeError('planted')\n", "RuntimeError: planted"),
        (NETWORK, "import copy\n", "import copy\nimport no_such_module\n", "No module named 'no_such_module'"),
        (TRAINER, STEP, "raise ZeroDivisionError('planted')", "failed in epoch 1: ZeroDivisionError: planted"),
        (TRAINER, STEP, "__import__('os').abort()", "was killed by SIGABRT in epoch 1"),
        (TRAINER, STEP, "__import__('os')._exit(9)", "ended with exit code 9 in epoch 1"),
        (TRAINER, STEP, "__import__('time').sleep(99)", "gave no answer within 5 s in epoch 1"),
    ],
)
def test_a_side_that_is_broken_says_how(trees, pairs, name, before, after, reason):
    edit(trees["new"], name, before, after)
    with pytest.raises(TreeLostError, match="the new side") as lost:
        pairs(limit=5.0)(1)
    assert reason in str(lost.value)


@pytest.mark.parametrize("package", ["scratchnet", "bench"])
def test_an_old_tree_without_the_package_is_not_measured_with_the_new_ones(trees, pairs, package):
    shutil.rmtree(trees["old"] / package)
    with pytest.raises(TreeLostError, match="the old side failed while it started"):
        pairs()(1)


def test_a_side_that_hangs_in_a_later_pair_is_named(trees, pairs):
    source = pairs(limit=5.0)
    source(1)
    edit(trees["old"], TRAINER, STEP, "__import__('time').sleep(99)")
    with pytest.raises(TreeLostError, match="the old side gave no answer within 5 s in epoch 1"):
        source(7)


@pytest.mark.parametrize("text", ["", "784", "784-10", "784-10:", "784-10:x", "784--10:32", "784-10:0", "784-10:32:9"])
def test_a_cell_that_cannot_be_read_says_how_one_is_written(text):
    with pytest.raises(ValueError, match="allowed: widths and batch size of a network, such as 784-128-10:32"):
        cell_of(text)


ENGINE = "scratchnet/engine/step.py"
FORWARD, ERROR = "if not forward(job, layers, step):", "    output_error(job, layers, step)"
COMPILED, NUMPY = "compiled (Numba)", "NumPy"


def test_the_steps_of_both_sides_are_compiled_as_in_a_run(trees, pairs, monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setenv(engine.VARIABLE, "numba")
    pair = pairs()(1)
    assert (pair.old_steps, pair.new_steps) == (COMPILED, COMPILED)


def test_a_mistake_in_the_compiled_step_reaches_the_gate(trees, pairs, monkeypatch):
    """Deterministic stand-in for a slowdown there: what is edited is what is run."""
    pytest.importorskip("numba")
    monkeypatch.setenv(engine.VARIABLE, "numba")
    edit(trees["new"], ENGINE, ERROR, "    output_error(job, layers, 0)")
    with pytest.raises(WorkChangedError, match=r"cost of epoch \d is"):
        pairs()(1)


def test_a_second_forward_pass_in_the_compiled_step_learns_the_same(trees, pairs, monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setenv(engine.VARIABLE, "numba")
    edit(trees["new"], ENGINE, FORWARD, "if not (forward(job, layers, step) and forward(job, layers, step)):")
    pair = pairs()(1)
    assert pair.old_costs == pair.new_costs
    assert (pair.old_steps, pair.new_steps) == (COMPILED, COMPILED)


def test_steps_by_numpy_are_said_to_be(pairs):
    pair = pairs()(1)
    assert (pair.old_steps, pair.new_steps) == (NUMPY, NUMPY)


@pytest.mark.parametrize("library", ["numba", "numpy"])
def test_planted_work_goes_the_way_of_the_steps_and_changes_nothing(pairs, monkeypatch, library):
    if library == "numba":
        pytest.importorskip("numba")
    monkeypatch.setenv(engine.VARIABLE, library)
    pair = pairs(new=0.5)(1)
    assert pair.old_costs == pair.new_costs
    assert pair.old_steps == pair.new_steps == (COMPILED if library == "numba" else NUMPY)


def test_a_side_ends_by_itself_so_that_its_libraries_can_tidy_up(trees, pairs, tmp_path):
    left = tmp_path / "left"
    left.mkdir()
    planted = (
        "import atexit\nimport os\nfrom pathlib import Path\n"
        f"LEFT = Path({str(left)!r}, str(os.getpid()))\nLEFT.touch()\natexit.register(LEFT.unlink)\n"
    )
    for tree in trees.values():
        (tree / "scratchnet/__init__.py").write_text((tree / "scratchnet/__init__.py").read_text() + planted)
    pairs()(1)
    assert list(left.iterdir()) == []
