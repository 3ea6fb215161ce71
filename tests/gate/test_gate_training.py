"""The gate on scratchnet itself: real processes of two trees. Tests what they do, not how fast they are."""

import os
import random
import shutil
from pathlib import Path

import gate_validation as validation
import numpy as np
import pytest
from covering import weekly

from bench.core.environment import bindable_cores
from bench.gate import tree_pairs
from bench.gate.no_verdict import TreeLostError, WorkChangedError
from bench.gate.pair import SIDES
from bench.gate.plan_files import PlanFiles, cell_of
from bench.gate.tree_pairs import EPOCHS, TrainingPairs
from scratchnet import engine

ROOT = Path(__file__).resolve().parents[2]
CELL = "784-8-10:500"


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return PlanFiles(cell_of(CELL), EPOCHS, tmp_path_factory.mktemp("gate") / "plan")


@pytest.fixture
def trees(tmp_path, monkeypatch):
    """Both sides as copies of this tree whose steps NumPy takes, unless a test says otherwise."""
    monkeypatch.setenv(engine.VARIABLE, "numpy")
    for side in SIDES:
        for package in ("scratchnet", "bench", "reference_tf"):
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / package, tmp_path / side / package, ignore=ignored)
    return {side: tmp_path / side for side in SIDES}


@pytest.fixture
def pairs(trees, plan, tmp_path):
    def source(limit=60.0):
        return TrainingPairs(trees, plan, 1, tmp_path, limit, random.Random(0))

    return source


def edit(tree, name, before, after):
    path = tree / name
    text = path.read_text()
    assert text.count(before) == 1, f"{before!r} is in {name} {text.count(before)} times"
    path.write_text(text.replace(before, after))


NETWORK, TRAINER = "scratchnet/network.py", "scratchnet/formulations/trainer.py"
STEP = "self._update(workspace, Y[:, columns], weights[columns] if weights is not None else None)"
EVERY_TENTH_LEFT_OUT = f"_ = columns.start // batch_size % 10 and {STEP}"
COMPILED, NUMPY = "compiled (Numba)", "NumPy"


def test_a_pair_is_two_processes_that_took_turns_on_the_same_plan(pairs):
    pair = pairs()(1)
    assert set(pair.order.split()) <= {"ABBA", "BAAB"}
    assert len(pair.order.split()) == tree_pairs.BLOCKS
    assert len(pair.old_seconds) == len(pair.new_seconds) == 2 * tree_pairs.BLOCKS
    assert pair.old_costs == pair.new_costs
    assert len(pair.old_costs) == EPOCHS
    assert all(np.diff(pair.old_costs) < 0)
    assert pair.wall_seconds > sum(pair.old_seconds) + sum(pair.new_seconds)
    assert (pair.old_steps, pair.new_steps) == (NUMPY, NUMPY)


@pytest.mark.skipif(not bindable_cores(), reason="no process can be bound to a core here")
def test_pairs_draw_their_order_and_the_core_that_both_sides_share(pairs, monkeypatch):
    bound, bind = [], os.sched_setaffinity
    monkeypatch.setattr(os, "sched_setaffinity", lambda thread, cores: bound.append(cores) or bind(thread, cores))
    usable, drawn, orders, source = os.sched_getaffinity(0), set(), set(), pairs()
    for number in range(2, 7):
        bound.clear()
        orders |= set(source(number).order.split())
        assert len(bound) >= 2
        assert all(cores == bound[0] for cores in bound)
        assert len(bound[0]) == 1
        drawn |= set(bound[0])
    assert drawn <= usable
    assert len(drawn) > 1 or len(usable) == 1
    assert orders == {"ABBA", "BAAB"}


@pytest.mark.parametrize("side", SIDES)
def test_less_work_is_no_speed(trees, pairs, side):
    edit(trees[side], TRAINER, STEP, EVERY_TENTH_LEFT_OUT)
    with pytest.raises(WorkChangedError, match=r"cost of epoch \d is|parameters end"):
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
    edit(trees["new"], TRAINER, STEP, EVERY_TENTH_LEFT_OUT)
    with pytest.raises(WorkChangedError, match=r"784-8-10 M=500, pair 2: cost of epoch \d is"):
        source(2)


@pytest.mark.parametrize(
    ("name", "before", "after", "reason"),
    [
        (NETWORK, "import copy\n", "import copy\nimport no_such_module\n", "No module named 'no_such_module'"),
        (TRAINER, STEP, "raise ZeroDivisionError('planted')", "failed in epoch 1: ZeroDivisionError: planted"),
        (TRAINER, STEP, "__import__('time').sleep(99)", "gave no answer within 5 s in epoch 1"),
        *weekly(
            (NETWORK, "def train_epoch(", "def train_one_epoch(", "has no attribute 'train_epoch'"),
            (TRAINER, STEP, "__import__('os').abort()", "was killed by SIGABRT in epoch 1"),
            (TRAINER, STEP, "__import__('os')._exit(9)", "ended with exit code 9 in epoch 1"),
        ),
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


@pytest.mark.parametrize("text", ["", "784", "784-10", "784-10:", "784-10:x", "784--10:32", "784-10:0", "784-10:32:9"])
def test_a_cell_that_cannot_be_read_says_how_one_is_written(text):
    with pytest.raises(
        ValueError,
        match="allowed: widths and batch size of a network with 784 inputs and 10 outputs, such as 784-128-10:32",
    ):
        cell_of(text)


@pytest.fixture
def compiled(trees, monkeypatch):
    """After the trees are made, which say NumPy."""
    pytest.importorskip("numba")
    monkeypatch.setenv(engine.VARIABLE, "numba")


@pytest.mark.usefixtures("compiled")
def test_a_mistake_in_the_compiled_step_reaches_the_gate(trees, pairs):
    """Deterministic stand-in for a slowdown there: what is edited is what is run."""
    error = "    output_error(job, layers, step)"
    edit(trees["new"], validation.STEP, error, error.replace("step", "0"))
    with pytest.raises(WorkChangedError, match=r"cost of epoch \d is"):
        pairs()(1)


@pytest.mark.weekly
@pytest.mark.usefixtures("compiled")
def test_the_slowdown_that_the_validation_plants_is_compiled_and_learns_the_same(trees, pairs):
    validation.plant(trees["new"], 0.5)
    pair = pairs()(1)
    assert pair.old_costs == pair.new_costs
    assert (pair.old_steps, pair.new_steps) == (COMPILED, COMPILED)


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
