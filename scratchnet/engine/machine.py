"""Facts about this processor: the bytes of a vector, and how many vectors its registers can hold."""

import os
import platform

from llvmlite import binding

from scratchnet.checks import known

VARIABLE = "SCRATCHNET_VECTOR_BITS"
"""Overrides the width: for tests of what another processor would run."""
WIDTHS = ("128", "256", "512")


def _vector_bits() -> int:
    if VARIABLE in os.environ:
        known(VARIABLE, os.environ[VARIABLE], WIDTHS)
        return int(os.environ[VARIABLE])
    features = binding.get_host_cpu_features()
    return 512 if features.get("avx512f") else 256 if features.get("avx") else 128


VECTOR_BYTES = _vector_bits() // 8
REGISTERS = 32 if VECTOR_BYTES == 64 or platform.machine() in ("arm64", "aarch64") else 16
CACHE_LINE = 64
"""Bytes that memory moves at a time."""
