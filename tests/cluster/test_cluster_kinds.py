"""Nodes that the command starts itself: on this machine, as jobs of a queue, over SSH. They end with it."""

import os
import subprocess
import sys
import threading
import time

import psutil
import pytest
from mini_cluster import ROOT, ended, wait_for

from bench.cluster.connect import EXCLUSIVE, _job_options
from bench.cluster.machine_lock import _held
from bench.cluster.spec import Jobs


def dask_processes(folder):
    """Processes below any that work in a folder of the test, or were started from it."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        line = " ".join(process.info["cmdline"] or [])
        if "distributed" in line and str(folder) in (process.info["cwd"] or ""):
            found.append(process)
    return found


def assert_ran(mini, cluster):
    code, out, err = ended(mini.run(mini.suite(seeds=(0,)), "--out", "run", "--on", cluster, PYTHONPATH=str(ROOT)))
    assert code == 0, err
    assert "finished on" in out
    assert mini.records().complete
    wait_for(lambda: not dask_processes(mini.folder), 20)


@pytest.mark.weekly
def test_local_is_a_node_on_this_machine(mini):
    assert_ran(mini, "local")
    variables = mini.records().run.environment["variables"]
    assert "MALLOC_TRIM_THRESHOLD_" not in variables
    assert variables.get("OMP_NUM_THREADS") == os.environ.get("OMP_NUM_THREADS")


def test_from_python(mini):
    """In a process of its own: a cluster's node imports the script that started it."""
    script = f"""
from bench import run

if __name__ == "__main__":
    results = run({mini.suite(seeds=(0,))!r}, "run", on="local", accuracy_only=True)
    assert results.ok, results.verdict
"""
    (mini.head / "script.py").write_text(script)
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "script.py"], cwd=mini.head, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert mini.records().crowded == {("small", 0)}


@pytest.mark.weekly
def test_jobs_of_a_queue(mini):
    pytest.importorskip("dask_jobqueue")
    assert_ran(mini, mini.toml('kind = "here"\nnodes = 1\nwait_seconds = 60\n[options]\nmemory = "1 GB"\n'))


@pytest.mark.weekly
def test_nodes_over_ssh(mini):
    pytest.importorskip("asyncssh")
    known = mini.folder / "known_hosts"
    mini.start("ssh", "ssh_server", str(known), PYTHONPATH=os.pathsep.join([os.path.dirname(__file__), str(ROOT)]))
    wait_for(known.exists)
    port = known.with_suffix(".port").read_text()
    text = f'kind = "ssh"\nhosts = ["127.0.0.1"]\npython = "{sys.executable}"\n'
    assert_ran(mini, mini.toml(f'{text}[connect]\nport = {port}\nknown_hosts = "{known}"\nusername = "me"\n'))


def test_ssh_beyond_the_loopback_address_needs_certificates(mini):
    cluster = mini.toml('kind = "ssh"\nhosts = ["192.0.2.1"]\n')
    code, _, err = ended(mini.run(mini.suite(), "--out", "run", "--on", cluster))
    assert code == 2
    assert "192.0.2.1: no certificates; remedy: [tls]" in err


@pytest.mark.parametrize("kind", EXCLUSIVE)
def test_timed_jobs_get_a_node_for_themselves(kind):
    cluster = Jobs(kind=kind, nodes=2, options={"job_extra_directives": ["--mine"], "memory": "1 GB"})
    timed, dense = _job_options(cluster, alone=True), _job_options(cluster, alone=False)
    assert timed["job_extra_directives"] == [*EXCLUSIVE[kind], "--mine"]
    assert dense["job_extra_directives"] == ["--mine"]
    assert timed["cores"] == 1


SCRIPT_OF_A_JOB = """
import asyncio, sys
from bench.cluster.connect import _job_options
from bench.cluster.spec import cluster_of
from dask_jobqueue import SLURMCluster

async def main():
    options = _job_options(cluster_of(sys.argv[1]), alone=True)
    print(SLURMCluster(**options, asynchronous=True, security=True).job_script())

asyncio.run(main())
"""


def test_slurm_jobs_are_asked_for_with_tls_and_without_the_profiler(tmp_path):
    pytest.importorskip("dask_jobqueue")
    path = tmp_path / "cluster.toml"
    path.write_text(f'kind = "slurm"\nnodes = 1\n[options]\nmemory = "1 GB"\nshared_temp_directory = "{tmp_path}"\n')
    # In a process of its own, for dask-jobqueue leaves files open.
    command = [sys.executable, "-c", SCRIPT_OF_A_JOB, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert "#SBATCH --exclusive" in done.stdout
    assert "--tls-ca-file" in done.stdout
    assert "--protocol tls://" in done.stdout
    assert "export DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED=False" in done.stdout
    assert "--nthreads 1" in done.stdout


class Steps:
    """A progress that counts."""

    def __init__(self):
        self.told = []

    def step(self, text):
        self.told.append(text)


def test_the_lock_of_a_machine_is_held_by_one_cell_at_a_time(tmp_path):
    waited, order = Steps(), []

    def second():
        with _held(tmp_path / "lock", waited):
            order.append("second")

    thread = threading.Thread(target=second)
    with _held(tmp_path / "lock", Steps()):
        thread.start()
        wait_for(lambda: waited.told)
        time.sleep(0.1)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert set(waited.told) == {"another timed cell runs on this machine"}
