"""A process that trains a backend of one tree on request: run as a script, with that tree first on its path.

Fed through a connection by whoever compares two trees; answers with plain values, for the other side may be another
revision. It imports nothing of this revision's project but what lies in the tree.
"""

import hashlib
import sys
import time
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np


def inside(tree: str, module: Any) -> None:
    """Refuse a module that comes from elsewhere: an old tree without it would be measured with the new one's."""
    found = Path(module.__file__).resolve()
    if Path(tree).resolve() not in found.parents:
        raise ImportError(f"{module.__name__} is not in this tree: {found} was found instead")


class Side:
    """The network of one tree on one plan."""

    def __init__(self, job: dict[str, Any]) -> None:
        import scratchnet
        from bench import backend, spec

        for module in (scratchnet, backend):
            inside(job["tree"], module)
        self._folder = Path(job["folder"])
        described = spec.TrainingSpec.model_validate(job["spec"])
        x, y = self._load("x"), self._load("y")
        layers = range(1, len(described.architecture.layers) + 1)
        parameters = [(self._load(f"W{layer}"), self._load(f"b{layer}")) for layer in layers]
        kind = _planted(job["extra"]) if job["extra"] else backend.load(job["target"])
        self._backend = kind(described, parameters, x, y, job["threads"])

    def start(self) -> dict[str, Any]:
        """What it starts from."""
        return {"parameters": self._vector().tobytes()}

    def epoch(self, number: int) -> dict[str, Any]:
        """Train under the clock."""
        order = self._load(f"order{number}")
        start = time.perf_counter()
        self._backend.train_epoch(order)
        seconds = time.perf_counter() - start
        return {"seconds": seconds, "cost": float(self._backend.epoch_cost())}

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
        array: np.ndarray[Any, Any] = np.load(self._folder / f"{name}.npy", mmap_mode="r")
        return array

    def _vector(self) -> "np.ndarray[Any, np.dtype[np.float64]]":
        return np.concatenate([array.ravel() for layer in self._backend.parameters() for array in layer]).astype("f8")


def _planted(share: float) -> Any:
    from bench.gate.planted import planted

    return planted(share)


def serve(connection: Connection) -> None:
    """Answer requests (a method's name and its arguments) until None; an exception is answered as `{"error": ...}`."""
    try:
        side = Side(connection.recv())
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
