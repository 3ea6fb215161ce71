"""A process that trains a backend of one tree on request: run as a script, with that tree first on its path.

Fed through a connection by whoever compares two trees; answers with plain values, for the other side may be another
revision. It imports nothing of this revision's project but what lies in the tree.
"""

import hashlib
import sys
import time
import traceback
from importlib import import_module
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

PRODUCT = (128, 784, 32)
"""A (128, 784) times B (784, 32): the first product of 784-128-10 at batch size 32."""
PRODUCTS = 2_000


class Clock:
    """Seconds that something took, as far as it is to blame for them.

    With a budget of one thread, what is taken off is the time in which this thread was ready and the kernel let another
    program run on its core; but no more than leaves the processor time of the whole process, so that threads of its
    own that get in its way count. Waiting for anything else counts too. With more threads all of the time counts.
    """

    def __init__(self, threads: int) -> None:
        self._alone = threads == 1
        self._start = self._now()

    def read(self) -> tuple[float, float]:
        """Since it was made: those seconds, and all that went by."""
        wall, processor, displaced = (now - start for now, start in zip(self._now(), self._start, strict=True))
        return (max(wall - displaced, min(processor, wall)) if self._alone else wall), wall

    def _now(self) -> tuple[float, float, float]:
        return time.perf_counter(), time.process_time(), _displaced()


def _displaced() -> float:
    """Seconds that this thread was ready and not run, so far; 0 where the kernel does not say (Linux does)."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


def inside(tree: str, module: Any) -> None:
    """Refuse a module that comes from elsewhere: an old tree without it would be measured with the new one's."""
    if module.__file__ is None or Path(tree).resolve() not in Path(module.__file__).resolve().parents:
        raise ImportError(f"{module.__name__} is not in this tree (found: {module.__file__ or 'an empty folder'})")


def _modules() -> tuple[Any, Any]:
    """The registry of backends, and the models of a spec. Revisions before 2026-11-28 have the first elsewhere."""
    name = "bench.backends.registry" if find_spec("bench.backends.registry") else "bench.backend"
    return import_module(name), import_module("bench.spec")


class TreeWorker:
    """The network of one tree on one plan."""

    def __init__(self, job: dict[str, Any]) -> None:
        import scratchnet

        registry, spec = _modules()
        for module in (scratchnet, registry):
            inside(job["tree"], module)
        self._folder, self._threads = Path(job["folder"]), job["threads"]
        described = spec.TrainingSpec.model_validate(job["spec"])
        x, y = self._load("x"), self._load("y")
        layers = range(1, len(described.architecture.layers) + 1)
        parameters = [(self._load(f"W{layer}"), self._load(f"b{layer}")) for layer in layers]
        kind = _planted(job["extra"]) if job["extra"] else registry.load(job["target"])
        self._backend = kind(described, parameters, x, y, job["threads"])

    def start(self) -> dict[str, Any]:
        """What it starts from."""
        return {"parameters": self._vector().tobytes()}

    def epoch(self, number: int) -> dict[str, Any]:
        """Train under the clock."""
        order = self._load(f"order{number}")
        clock = Clock(self._threads)
        self._backend.train_epoch(order)
        seconds, elapsed = clock.read()
        cost = float(self._backend.epoch_cost())
        return {"seconds": seconds, "elapsed": elapsed, "cost": cost, "steps": _way(self._backend)}

    def batches(self, number: int) -> dict[str, Any]:
        """SHA-256 of the batches of an epoch, drawn through the backend's own input path."""
        digest = hashlib.sha256()
        for batch in self._backend.batches(self._load(f"order{number}")):
            for array in batch:
                digest.update(np.ascontiguousarray(array).tobytes())
        return {"fingerprint": digest.hexdigest()}

    def learned(self) -> dict[str, Any]:
        """The parameters now, and the classes predicted for the test examples."""
        outputs = self._backend.predict(self._load("x_test"))
        return {"parameters": self._vector().tobytes(), "classes": outputs.argmax(axis=1).tolist()}

    def _load(self, name: str) -> "np.ndarray[Any, Any]":
        # In memory, as `run` has it.
        array: np.ndarray[Any, Any] = np.load(self._folder / f"{name}.npy")
        return array

    def _vector(self) -> "np.ndarray[Any, np.dtype[np.float64]]":
        return np.concatenate([array.ravel() for layer in self._backend.parameters() for array in layer]).astype("f8")


class Yardstick:
    """A fixed matrix product by NumPy: what this machine is worth, whatever the project's code."""

    def __init__(self, job: dict[str, Any]) -> None:
        rng, (rows, inner, columns) = np.random.default_rng(0), PRODUCT
        self._A, self._B = (rng.random(shape, dtype=np.float32) for shape in ((rows, inner), (inner, columns)))
        self._out, self._threads = np.empty((rows, columns), np.float32), job["threads"]

    def epoch(self, number: int) -> dict[str, Any]:
        """So many products under the clock."""
        clock = Clock(self._threads)
        for _ in range(PRODUCTS):
            np.matmul(self._A, self._B, out=self._out)
        return {"seconds": clock.read()[0]}


def _way(backend: Any) -> str:
    """How the backend's steps were taken, or nothing where it does not show, as of revisions before the engine."""
    trainer = getattr(getattr(backend, "_network", None), "_trainer", None)
    if trainer is None:
        return ""
    is_compiled = any(kind.__module__.startswith("scratchnet.engine") for kind in type(trainer).__mro__)
    return "compiled (Numba)" if is_compiled else "NumPy"


def _planted(share: float) -> Any:
    from bench.gate.planted import planted

    return planted(share)


def serve(connection: Connection) -> None:
    """Answer requests (a method's name and its arguments) until None; an exception is answered as `{"error": ...}`."""
    try:
        job = connection.recv()
        side: Any = TreeWorker(job) if "target" in job else Yardstick(job)
        connection.send({})
        while (request := connection.recv()) is not None:
            name, *arguments = request
            connection.send(getattr(side, name)(*arguments))
    except EOFError:
        pass
    except Exception as error:
        traceback.print_exc()
        connection.send({"error": " ".join(f"{type(error).__name__}: {error}".split())[:500]})


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
