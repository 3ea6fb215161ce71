"""Dask's nanny sets variables for the worker that it starts, such as OMP_NUM_THREADS; they must not reach a backend."""

import os


def forget_nannys_variables() -> None:
    """Remove what a nanny set in this process; what the user set to another value stays."""
    import dask

    for group in ("pre-spawn-environ", "environ"):
        for name, value in (dask.config.get(f"distributed.nanny.{group}") or {}).items():
            if os.environ.get(name) == str(value):
                del os.environ[name]
