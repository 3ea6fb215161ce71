"""A process that trains scratchnet of one tree on request. It runs as a script, with that tree first on its path.

It imports nothing of this project but what lies in the tree, and answers with plain values: the other side may be
another revision.
"""

import hashlib
import runpy
import sys
import traceback
from importlib import import_module
from importlib.util import find_spec
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

TARGET = "bench.backends.scratchnet:Scratchnet"
Clock = runpy.run_path(str(Path(__file__).with_name("inside") / "clock.py"))["Clock"]
"""By its path: the tree's own copy may be another."""


def inside(tree: str, module: Any) -> None:
    """Refuse a module from elsewhere: an old tree without it would be measured with the new one's."""
    if module.__file__ is None or Path(tree).resolve() not in Path(module.__file__).resolve().parents:
        raise ImportError(f"{module.__name__} is not in this tree (found: {module.__file__ or 'an empty folder'})")


def _registry() -> Any:
    """The registry of backends. Revisions before 2026-11-28 have it elsewhere."""
    return import_module("bench.backends.registry" if find_spec("bench.backends.registry") else "bench.backend")


class TreeWorker:
    """The network of one tree on one plan."""

    def __init__(self, job: dict[str, Any]) -> None:
        import scratchnet

        registry, spec = _registry(), import_module("bench.spec")
        for module in (scratchnet, registry):
            inside(job["tree"], module)
        self._folder, self._threads = Path(job["folder"]), job["threads"]
        described = spec.TrainingSpec.model_validate(job["spec"])
        x, y = self._load("x"), self._load("y")
        layers = range(1, len(described.architecture.layers) + 1)
        parameters = [(self._load(f"W{layer}"), self._load(f"b{layer}")) for layer in layers]
        self._backend = registry.load(TARGET)(described, parameters, x, y, job["threads"])

    def start(self) -> dict[str, Any]:
        """The parameters before training, and SHA-256 of the first epoch's batches by the backend's own input path."""
        digest = hashlib.sha256()
        for batch in self._backend.batches(self._load("order1")):
            for array in batch:
                digest.update(np.ascontiguousarray(array).tobytes())
        return {"parameters": self._parameters(), "fingerprint": digest.hexdigest()}

    def epoch(self, number: int) -> dict[str, Any]:
        """Train under the clock."""
        order = self._load(f"order{number}")
        clock = Clock(self._threads)
        self._backend.train_epoch(order)
        seconds, elapsed, _ = clock.read()
        cost = float(self._backend.epoch_cost())
        return {"seconds": seconds, "elapsed": elapsed, "cost": cost, "steps": _steps(self._backend)}

    def learned(self) -> dict[str, Any]:
        """The parameters now, and the classes predicted for the test examples."""
        outputs = self._backend.predict(self._load("x_test"))
        return {"parameters": self._parameters(), "classes": outputs.argmax(axis=1).tolist()}

    def _load(self, name: str) -> "np.ndarray[Any, Any]":
        # In memory, as in `scratchbench run`.
        array: np.ndarray[Any, Any] = np.load(self._folder / f"{name}.npy")
        return array

    def _parameters(self) -> bytes:
        arrays = [array.ravel() for layer in self._backend.parameters() for array in layer]
        return np.concatenate(arrays).astype("f8").tobytes()


def _steps(backend: Any) -> str:
    """How the backend took its steps, or nothing if that cannot be seen (revisions before the engine)."""
    trainer = getattr(getattr(backend, "_network", None), "_trainer", None)
    if trainer is None:
        return ""
    is_compiled = any(kind.__module__.startswith("scratchnet.engine") for kind in type(trainer).__mro__)
    return "compiled (Numba)" if is_compiled else "NumPy"


def serve(connection: Connection) -> None:
    """Answer requests (a method's name and its arguments) until None; an exception is answered as `{"error": ...}`."""
    try:
        worker = TreeWorker(connection.recv())
        connection.send({})
        while (request := connection.recv()) is not None:
            name, *arguments = request
            connection.send(getattr(worker, name)(*arguments))
    except EOFError:
        pass
    except Exception as error:
        traceback.print_exc()
        connection.send({"error": " ".join(f"{type(error).__name__}: {error}".split())[:500]})


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
