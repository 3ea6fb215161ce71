"""Each part is killed in the middle of a cell: nothing that was finished is lost, and nothing is left running."""

import os
import signal
from contextlib import ExitStack

import psutil
import pytest
from covering import weekly
from mini_cluster import MiniCluster, all_gone, backends_below, ended, in_the_middle, wait_for, what_was_learned

from bench.records.run import CellRecord

SILENT = 'kind = "scheduler"\nscheduler_file = "../scheduler.json"\nsilence_seconds = 3\n'


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """What the slow suite comes to without dask."""
    with ExitStack() as stack:
        mini = MiniCluster(tmp_path_factory.mktemp("plain"), stack)
        code, _, err = ended(mini.run(mini.slow_suite(rest=0.0), "--out", "run"))
        assert code == 0, err
        return what_was_learned(mini.records())


def assert_whole(mini, learned, lost, name="run"):
    """Every cell has one finished attempt and what it came to; of a lost one nothing stands but that it was lost."""
    records = mini.records(name)
    assert records.complete
    assert what_was_learned(records) == learned
    assert len(records.lost) == lost
    begun = {(r.spec, r.seed, r.attempt) for r in records.attempts if isinstance(r, CellRecord)}
    assert len(begun) == 2
    assert not begun & {(r.spec, r.seed, r.attempt) for r in records.lost}


def worker_process(nanny):
    """The child of a nanny that runs the cells."""
    return wait_for(lambda: [one for one in psutil.Process(nanny.pid).children() if backends_below(one)])[0]


def finished_one(mini):
    """Whether a cell is on the disk of the head."""
    records = mini.head / "run" / "records.jsonl"
    return records.exists() and b"cell_end" in records.read_bytes()


@pytest.mark.parametrize("part", ["worker", *weekly("nanny")])
def test_a_killed_worker_or_nanny_costs_one_attempt(mini, learned, part):
    mini.scheduler()
    nodes = [mini.node("one")]
    run = mini.run(mini.slow_suite(), "--out", "run", "--on", mini.file)
    backends = in_the_middle(nodes[0])
    nodes.append(mini.node("two"))
    victim = worker_process(nodes[0]) if part == "worker" else nodes[0]
    os.kill(victim.pid, signal.SIGKILL)
    wait_for(lambda: all_gone(backends), 20)
    code, out, err = ended(run)
    assert code == 0, err
    assert "attempt 1 on" in out
    assert "was lost: its node went away; it is tried again" in out
    assert_whole(mini, learned, lost=1)


@pytest.mark.weekly
def test_a_killed_backend_is_recorded_and_its_cell_is_not_repeated(mini):
    mini.scheduler()
    node = mini.node("one")
    run = mini.run(mini.slow_suite(seeds=(0,)), "--out", "run", "--on", mini.file)
    in_the_middle(node)[0].kill()
    code, _, _ = ended(run)
    assert code == 1
    (result,) = mini.records().results
    assert result.status == "killed"
    assert mini.records().lost == []
    assert (mini.head / "run" / "0-seed0-scratchnet.log").exists()


@pytest.mark.weekly
def test_a_killed_scheduler_ends_the_run_and_resume_needs_no_cluster(mini, learned):
    scheduler = mini.scheduler()
    node = mini.node("one")
    run = mini.run(mini.slow_suite(), "--out", "run", "--on", mini.file)
    wait_for(lambda: finished_one(mini))
    backends = in_the_middle(node)
    scheduler.kill()
    code, _, err = ended(run)
    assert (code, err.count("\n")) == (2, 1), err
    assert "the scheduler is gone" in err
    assert "--resume" in err
    wait_for(lambda: all_gone(backends), 20)
    code, _, err = ended(mini.run("--out", "run", "--resume"))
    assert code == 0, err
    assert_whole(mini, learned, lost=0)
    assert len({machine.host for machine in mini.records().machines.values()}) == 2, "a node's name, and no name"


def test_a_killed_head_leaves_nothing_running_and_is_resumed_on_the_cluster(mini, learned):
    mini.scheduler()
    node = mini.node("one")
    run = mini.run(mini.slow_suite(), "--out", "run", "--on", mini.file)
    backends = in_the_middle(node)
    run.kill()
    run.communicate()
    wait_for(lambda: all_gone(backends), 20)
    code, _, err = ended(mini.run("--out", "run", "--resume", "--on", mini.file))
    assert code == 0, err
    assert_whole(mini, learned, lost=0)


@pytest.mark.weekly
def test_ctrl_c_leaves_nothing_running_on_the_nodes(mini):
    mini.scheduler()
    node = mini.node("one")
    run = mini.run(mini.slow_suite(), "--out", "run", "--on", mini.file)
    backends = in_the_middle(node)
    run.send_signal(signal.SIGINT)
    code, _, err = ended(run)
    assert code == 130
    assert "go on with: scratchbench run --out run --resume" in err
    wait_for(lambda: all_gone(backends), 20)


@pytest.mark.weekly
def test_a_node_that_hangs_loses_its_cell_after_the_time_limit(mini, learned):
    mini.scheduler()
    node = mini.node("one")
    # Timed cells would wait: both nodes are on one machine, and the one that hangs holds its lock. Others do not rest.
    run = mini.run(mini.slow_suite(limit=12.0), "--out", "run", "--on", mini.toml(SILENT), "--accuracy-only")
    worker = worker_process(node)
    worker.suspend()
    backends = backends_below(worker)
    mini.node("two")
    code, out, err = ended(run)
    assert code == 0, err
    assert "its node said nothing for 15 s; it is tried again" in out
    worker.resume()
    wait_for(lambda: all_gone(backends), 20)
    assert_whole(mini, learned, lost=1)


@pytest.mark.weekly
def test_a_cell_that_loses_its_node_each_time_is_given_up_and_the_others_finish(mini, learned):
    mini.scheduler()
    node = mini.node("one")
    cluster = mini.toml('kind = "scheduler"\nscheduler_file = "../scheduler.json"\nattempts = 2\n')
    run = mini.run(mini.slow_suite(), "--out", "run", "--on", cluster)
    for _ in range(2):
        in_the_middle(node)
        worker = worker_process(node)
        worker.kill()
        wait_for(lambda worker=worker: not worker.is_running())
    code, out, err = ended(run)
    assert code == 1
    assert "given up after 2 attempts" in out
    assert "cells were given up; try them again with: scratchbench run --out run --resume" in err
    assert mini.records().finished_cells == {("small", 1)}
    assert ended(mini.run("--out", "run", "--resume", "--on", mini.file))[0] == 0
    assert_whole(mini, learned, lost=2)
