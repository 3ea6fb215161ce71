"""Whether this machine has the memory for a point: for all backends at once, for one alone, or for none."""

import psutil

from bench.scaling.points import Point

PROCESS_BYTES = 500_000_000
"""Interpreter and framework: 0.2 GB of scratchnet's, 1.1 GB of TensorFlow's."""
COPIES = 5
"""How often a backend holds its examples at most, while it starts or gathers: Keras's `fit` 4.3 times."""


def needed_bytes(point: Point) -> int:
    """What a backend takes, about."""
    return PROCESS_BYTES + COPIES * point.number_bytes


def available_bytes() -> int:
    """Memory that can be had without swapping."""
    return int(psutil.virtual_memory().available)


def fits_together(point: Point, backends: int) -> bool:
    """Whether so many backends can be in memory at once."""
    return backends * needed_bytes(point) <= available_bytes()


def too_large(point: Point) -> str:
    """Why the point is left out; empty where one backend fits."""
    needed, available = needed_bytes(point), available_bytes()
    if needed <= available:
        return ""
    return f"left out: it takes up to {needed / 1e9:.1f} GB of memory; {available / 1e9:.1f} GB are available"
