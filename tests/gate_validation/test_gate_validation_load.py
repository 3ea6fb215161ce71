"""The load: half of the time on each core, and gone with whoever started it, however that ended."""

import os
import signal
import subprocess
import sys

import psutil
import pytest

from bench.core.errors import UnusableError
from bench.gate_validation import load, load_worker

HOLD = """
import sys
from bench.gate_validation.load import half_loaded_cores
with half_loaded_cores(1) as processes:
    print(*processes, flush=True)
    sys.stdin.read()
"""


def test_half_of_each_period_is_computed():
    computed, waited, left = [], [], iter([True] * 500 + [False])

    def idle(seconds):
        waited.append(seconds)
        return next(left)

    load_worker.periods(3, computed.append, idle)
    assert waited[1:] == computed
    assert len(computed) == 500
    assert 0.01 <= min(computed) < max(computed) <= 0.05
    assert 0 <= waited[0] <= load_worker.LONGEST


def test_each_core_starts_at_another_phase():
    def first_wait(seed):
        waits = []
        load_worker.periods(seed, lambda _: None, lambda seconds: bool(waits.append(seconds)))
        return waits[0]

    assert len({first_wait(seed) for seed in range(20)}) == 20


def test_there_is_a_process_for_each_core_until_the_block_ends():
    with load.half_loaded_cores(1) as processes:
        alive = [psutil.Process(process) for process in processes]
        assert len(alive) == len(os.sched_getaffinity(0))
        assert sorted(core for one in alive for core in one.cpu_affinity()) == sorted(os.sched_getaffinity(0))
    assert not any(psutil.pid_exists(process) for process in processes)


def test_the_load_ends_with_an_error_in_the_block():
    with pytest.raises(ZeroDivisionError), load.half_loaded_cores(1) as processes:
        _ = 1 / 0
    assert not any(psutil.pid_exists(process) for process in processes)


def test_the_load_ends_with_a_parent_that_was_killed():
    parent = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        burning = [psutil.Process(int(process)) for process in parent.stdout.readline().split()]
        assert burning
        parent.send_signal(signal.SIGKILL)
        _, alive = psutil.wait_procs(burning, timeout=60)
    finally:
        parent.kill()
        parent.communicate()
    assert alive == []


def test_a_load_that_does_not_start_is_an_error(monkeypatch, tmp_path):
    script = tmp_path / "broken.py"
    script.write_text("raise SystemExit")
    monkeypatch.setattr(load, "SCRIPT", script)
    with (
        pytest.raises(UnusableError, match=r"broken\.py: the process that loads a core did not start"),
        load.half_loaded_cores(1),
    ):
        pass
