"""Both sides of a pair run on the same cores."""

import os
import random
import subprocess
import sys

import pytest

from bench.core.environment import bindable_cores
from bench.gate import cores

pytestmark = pytest.mark.skipif(not bindable_cores(), reason="no process can be bound to a core here")
ALLOWED = "import os; a = sorted(os.sched_getaffinity(0)); print(a)"
TWO_THREADS = "import threading, time; threading.Thread(target=time.sleep, args=(60,)).start(); print(flush=True)"


def allowed_in_a_child():
    return subprocess.run([sys.executable, "-c", ALLOWED], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("threads", [1, 2, 10_000])
def test_as_many_cores_as_threads_are_drawn_of_those_that_may_be_used(threads):
    usable = os.sched_getaffinity(0)
    drawn = cores.draw(threads, random.Random(0))
    assert len(drawn) == len(set(drawn)) == min(threads, len(usable))
    assert set(drawn) <= usable


def test_every_core_is_drawn_at_times():
    order = random.Random(0)
    assert {core for _ in range(1_000) for core in cores.draw(1, order)} == os.sched_getaffinity(0)


def test_all_threads_of_a_process_are_bound():
    with subprocess.Popen([sys.executable, "-c", TWO_THREADS], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        chosen = cores.draw(1, random.Random(0))
        cores.bind(process.pid, chosen)
        threads = [int(name) for name in os.listdir(f"/proc/{process.pid}/task")]
        bound = [os.sched_getaffinity(thread) for thread in threads]
        process.kill()
    assert bound == [set(chosen)] * 2


def test_a_process_that_has_ended_is_let_be():
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    before = os.sched_getaffinity(0)
    cores.bind(process.pid, cores.draw(1, random.Random(0)))
    assert os.sched_getaffinity(0) == before


def test_children_are_bound_and_this_process_is_not():
    before = os.sched_getaffinity(0)
    chosen = cores.draw(1, random.Random(0))
    with cores.children_on(chosen):
        assert allowed_in_a_child() == str(chosen)
    assert os.sched_getaffinity(0) == before
    with cores.children_on([]):
        assert allowed_in_a_child() == str(sorted(before))


def test_cores_that_are_refused_leave_children_anywhere():
    before = os.sched_getaffinity(0)
    with cores.children_on([100_000]):
        assert allowed_in_a_child() == str(sorted(before))
    assert os.sched_getaffinity(0) == before


@pytest.mark.parametrize("threads", [None, 1])
def test_a_commands_sides_share_as_many_cores_as_it_is_said_to_have_threads(repo, bench, tmp_path, threads):
    """What a run may use is its output here: in a pair both must print the same, or there is no verdict."""
    log = tmp_path / "allowed"
    text = f"{ALLOWED}; print(a, file=open({str(log)!r}, 'a')); print(1.0)"
    repo.commit(**{"allowed.py": text})
    command = ("--command", f"{sys.executable} {{tree}}/allowed.py", "--own-clock", "--same-output")
    told = () if threads is None else ("--threads", str(threads))
    code, out, _ = bench("gate", "--against", "HEAD", *command, *told)
    assert code == 0, out
    usable = sorted(os.sched_getaffinity(0))
    seen = set(log.read_text().splitlines()[2:])  # after the warm-up
    if threads is None:
        assert seen == {str(usable)}
    else:
        assert seen <= {str([core]) for core in usable}
