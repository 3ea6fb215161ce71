"""The worker process: it trains one backend on request and answers with plain dicts."""

import math
import os
import queue
import sys
import threading
import time
import traceback
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.backends import registry
from bench.core import environment
from bench.core.errors import UnsupportedError
from bench.data import Dataset
from bench.inputs.plan import Floats, Plan, batches_fingerprint, parameters_fingerprint
from bench.inputs.splits import Inputs, Split
from bench.workers.judge import judge_of
from bench.workers.protocol import FINISH, Job, Request
from scratchnet import EarlyStopping
from scratchnet.dropout import Mask


class Trainer:
    """One backend on one spec and seed."""

    def __init__(self, job: Job) -> None:
        self._plan, self._spec = Plan(job.spec, job.seed), job.spec
        self._inputs = Inputs(Dataset.open(job.data_folder), job.spec)
        parameters, x, y = self._plan.initial_parameters(), self._inputs.train.x, self._inputs.train_targets
        weights = self._plan.sample_weights(self._inputs.train.labels)
        self._backend = registry.load(job.target)(job.spec, parameters, x, y, job.threads, weights)
        self._packages, self._best = job.packages, parameters
        self._judge = judge_of(job.spec, self._inputs)
        stopping = job.spec.early_stopping
        self._stopping = EarlyStopping(**stopping.model_dump()) if stopping else None

    def description(self) -> dict[str, Any]:
        """What the worker record holds, read back out of the model."""
        return {
            "parameters_fingerprint": parameters_fingerprint(self._backend.parameters()),
            "libraries": environment.libraries(),
            "versions": environment.package_versions(self._packages),
            "notes": self._backend.notes(),
        }

    def train(self, epoch: int) -> dict[str, Any]:
        """Train one epoch under the clock; evaluate and fingerprint after it, outside the clock."""
        measured = {**self.time(epoch), **self.fingerprint(epoch), **self._judge.of_epoch(self._outputs)}
        samples_per_second = len(self._inputs.train.labels) / measured["epoch_seconds"]
        return {**measured, "samples_per_second": samples_per_second, "stopped": self._stops(measured)}

    def time(self, epoch: int) -> dict[str, Any]:
        """Train one epoch under the clock, and nothing else."""
        self._last_epoch = epoch
        return self._timed_epoch(*self._consumed(epoch))

    def fingerprint(self, epoch: int) -> dict[str, Any]:
        """Of the batches of an epoch, drawn through the backend's own input path."""
        return {"batches_fingerprint": batches_fingerprint(self._backend.batches(*self._consumed(epoch)))}

    def predict(self, _: int) -> dict[str, Any]:
        """Seconds that the outputs of all test examples take."""
        start = time.perf_counter()
        self._outputs(self._inputs.test)
        return {"predict_seconds": time.perf_counter() - start, "examples": len(self._inputs.test.labels)}

    def _consumed(self, epoch: int) -> tuple[NDArray[np.int64], list[Mask]]:
        """What the plan has this epoch consume."""
        examples = len(self._inputs.train.labels)
        return self._plan.order(epoch, examples), self._plan.dropout_masks(epoch, examples)

    def _timed_epoch(self, order: NDArray[np.int64], masks: list[Mask]) -> dict[str, Any]:
        cpu_start, start = environment.cpu_seconds(), time.perf_counter()
        self._backend.train_epoch(order, masks)
        epoch_seconds, cpu_seconds = time.perf_counter() - start, environment.cpu_seconds() - cpu_start
        cost = self._backend.epoch_cost()
        return {
            "epoch_seconds": epoch_seconds,
            "cpu_seconds": max(0.0, cpu_seconds),  # a process below this one that ended takes its seconds along
            "train_cost": cost if math.isfinite(cost) else None,
        }

    def _stops(self, measured: dict[str, Any]) -> bool:
        """Whether early stopping ends the training here; keeps the parameters of the best epoch."""
        if self._stopping is None or measured["train_cost"] is None:
            return False
        stopped = self._stopping.update(measured[self._stopping.monitor])
        if self._stopping.improved and self._stopping.restore_best:
            self._best = self._backend.parameters()
        return stopped

    def _outputs(self, split: Split) -> Floats:
        return self._backend.predict(split.x)

    def final(self, _: int) -> dict[str, Any]:
        """What is known of the test examples at the end, and what memory it took."""
        if self._stopping is not None and self._stopping.restore_best:
            self._backend.set_parameters(self._best)
            self._last_epoch = self._stopping.best_epoch
        return {
            "final_epoch": self._last_epoch,
            **self._judge.at_the_end(self._outputs),
            "peak_memory_bytes": environment.peak_memory_bytes(),
        }


def serve(connection: Connection) -> None:
    """Answer requests until None; an exception is answered as `{"error": ...}` and ends the worker."""
    requests = _requests(connection)
    try:
        request = requests.get()
        while isinstance(request, Job):
            request = _serve_job(request, requests, connection)
        while request is not None:  # whoever has the last answer says when to end: till then this is no lost worker
            request = requests.get()
    except UnsupportedError as error:
        connection.send({"unsupported": str(error)})
    except Exception as error:
        traceback.print_exc()
        connection.send({"error": " ".join(f"{type(error).__name__}: {error}".split())[:500]})


def _serve_job(job: Job, requests: "queue.SimpleQueue[Any]", connection: Connection) -> Any:
    """Answer what is asked of one job, up to `FINISH`, None or another job, which is returned."""
    trainer = Trainer(job)
    connection.send(trainer.description())
    while isinstance(request := requests.get(), Request):
        connection.send(getattr(trainer, request.method)(request.epoch))
        if request == FINISH:
            break
    return request


def _requests(connection: Connection) -> "queue.SimpleQueue[Any]":
    """A thread reads up to None, so that the death of the parent ends the worker even in the middle of an epoch."""
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def read() -> None:
        try:
            request: Any = ...
            while request is not None:
                request = connection.recv()
                requests.put(request)
        except (EOFError, OSError):
            os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    return requests


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
