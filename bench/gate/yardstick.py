"""A process that multiplies two fixed matrices on request: what this machine is worth, whatever the project's code.

Run as a script; it answers like `bench.gate.side` and imports nothing of any tree.
"""

import sys
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

SHAPES = (128, 784, 32)
"""A (128, 784) times B (784, 32): the first product of 784-128-10 at batch size 32."""
REPEATS = 2_000


def multiply() -> dict[str, Any]:
    """Seconds of so many products."""
    rng = np.random.default_rng(0)
    rows, inner, columns = SHAPES
    A, B = (rng.random(shape, dtype=np.float32) for shape in ((rows, inner), (inner, columns)))
    out = np.empty((rows, columns), np.float32)
    start = time.perf_counter()
    for _ in range(REPEATS):
        np.matmul(A, B, out=out)
    return {"seconds": time.perf_counter() - start, "cost": 0.0}


def serve(connection: Connection) -> None:
    """Answer every request in the same way, until None."""
    try:
        connection.recv()
        connection.send({})
        while connection.recv() is not None:
            connection.send(multiply())
    except EOFError:
        pass


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
