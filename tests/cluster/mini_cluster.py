"""A scheduler and nodes as processes of this machine, each in a folder of its own, and runs on them."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil
from small_suite import fill, small_suite

from bench.records.run import Records

ROOT = Path(__file__).parents[2]

WORKER = "bench.workers.worker"


def wait_for(condition, seconds=60.0):
    """What `condition` gives as soon as it is true."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"it did not come about within {seconds:g} s"
        time.sleep(0.05)
    return found


def backends_below(process):
    """Processes that train, started by a node."""
    try:
        below = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    return [one for one in below if WORKER in _command(one)]


def in_the_middle(node):
    """The backends of a cell of that node, a while after they were started."""
    found = wait_for(lambda: backends_below(node))
    wait_for(lambda: time.time() - found[0].create_time() > 1.5)
    return found


def _command(process):
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def all_gone(processes):
    return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in processes)


class MiniCluster:
    """Processes of dask, started and ended by a test. `prefix` is put before each command of a node."""

    def __init__(self, folder, stack):
        self.folder, self._stack = folder, stack
        self.file = folder / "scheduler.json"

    def start(self, name, *command, prefix=(), **variables):
        home = self.folder / name
        home.mkdir()
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("DASK_", "PYTHONPATH"))}
        environment = {
            **inherited,
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(home),
            "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False",
            **variables,
        }
        log = self._stack.enter_context((home / "log").open("wb"))
        process = subprocess.Popen(
            [*prefix, sys.executable, "-m", *command], cwd=home, env=environment, stdout=log, stderr=log
        )
        self._stack.callback(self.end, process)
        return process

    def scheduler(self, *options, host="127.0.0.1", **variables):
        options = ["--host", host, "--port", "0", "--no-dashboard", "--scheduler-file", self.file, *options]
        process = self.start("scheduler", "distributed.cli.dask_scheduler", *map(str, options), **variables)
        wait_for(self.file.exists)
        return process

    def node(self, name, *options, prefix=(), **variables):
        fixed = ["--scheduler-file", str(self.file), "--memory-limit", "0", "--no-dashboard", "--nthreads", "1"]
        return self.start(name, "distributed.cli.dask_worker", *fixed, *options, prefix=prefix, **variables)

    def run(self, *arguments, **variables):
        """`scratchbench run …` as a process, in the head's folder."""
        environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
        return subprocess.Popen(
            [sys.executable, "-m", "bench", "run", *map(str, arguments)],
            cwd=self.head,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def head(self):
        """Its data and suites are found by relative paths, so a node, which has another folder, has none of them."""
        folder = self.folder / "head"
        if not folder.exists():
            (folder / "data").mkdir(parents=True)
            fill(folder / "data")
        return folder

    def suite(self, name="small", rest=0.0, epochs=3, seeds=(0, 1), limit=60.0):
        text = small_suite("data", rest=rest, limit=limit, epochs=epochs, seeds=seeds)
        (self.head / f"{name}.toml").write_text(f"threads = 1\n{text}")
        return f"{name}.toml"

    def slow_suite(self, **changes):
        """Five seconds a cell, of which it rests most."""
        return self.suite("slow", **{"rest": 0.25, "epochs": 20, **changes})

    def toml(self, text, name="cluster.toml"):
        (self.head / name).write_text(text)
        return name

    def records(self, name="run"):
        return Records.read(self.head / name)

    @staticmethod
    def end(process):
        """Kill it and all below it."""
        try:
            family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            family = []
        for one in family:
            with suppress(psutil.NoSuchProcess):
                one.send_signal(signal.SIGKILL)
        process.wait()


def ended(process, seconds=150):
    """Exit code, stdout, stderr."""
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


def what_was_learned(records):
    """What must not depend on where a cell ran."""
    epochs = records.epochs.drop(columns=["attempt", "turn", "epoch_seconds", "cpu_seconds", "samples_per_second"])
    results = {(r.spec, r.seed, r.backend): (r.status, r.final_epoch, r.test_predictions) for r in records.results}
    starts = {(w.spec, w.seed, w.backend): w.parameters_fingerprint for w in records.workers}
    return epochs.astype(str).to_dict("records"), results, starts


def certificates(folder):
    """Made anew: files of one certificate that every part uses."""
    from distributed import Security

    made = Security.temporary()
    folder.mkdir()
    (folder / "ca.pem").write_text(made.tls_ca_file)
    (folder / "cert.pem").write_text(made.tls_client_cert)
    (folder / "key.pem").write_text(made.tls_client_key)
    return folder


def tls_options(folder):
    return [f"--tls-{name}={folder}/{file}.pem" for name, file in (("ca-file", "ca"), ("cert", "cert"), ("key", "key"))]
