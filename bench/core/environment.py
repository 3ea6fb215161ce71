"""Facts about the machine and its settings, and the environment of a worker process."""

import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil
import threadpoolctl

from bench.core import system
from bench.core.errors import UnusableError
from bench.core.git import git

Facts = Mapping[str, Any]
Check = Callable[[Facts], Iterator[str]]

PACKAGES = (
    "scratchnet",
    "numpy",
    "scipy",
    "numba",
    "tensorflow",
    "keras",
    "pandas",
    "matplotlib",
    "pydantic",
    "threadpoolctl",
)

# Variables that change what is computed with, or how fast. `TF_` alone would take in Terraform's, tokens included, and
# `KMP_` what threadpoolctl sets by itself.
VARIABLE_PREFIXES = (
    *("OPENBLAS_", "GOTO_", "OMP_", "MKL_", "BLIS_", "VECLIB_", "NUMEXPR_", "NPY_", "XLA_", "NUMBA_"),
    *("TF_CPP_", "TF_ENABLE_", "TF_DETERMINISTIC_", "TF_GPU_", "TF_NUM_", "TF_USE_", "TF_XLA_", "TF2_"),
    *("SCRATCHNET_", "KMP_AFFINITY", "KMP_BLOCKTIME", "KERAS_BACKEND", "CUDA_VISIBLE_DEVICES", "MALLOC_"),
)

# Each is read by a library when it loads; together they give every one of them the same budget of threads.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",  # OpenMP, and the fallback of most BLAS libraries
    "OPENBLAS_NUM_THREADS",  # OpenBLAS: the wheels of NumPy and of SciPy, a pool each
    "MKL_NUM_THREADS",  # Intel MKL: conda's NumPy
    "BLIS_NUM_THREADS",  # BLIS: AMD's builds
    "VECLIB_MAXIMUM_THREADS",  # Apple's Accelerate
    "NUMEXPR_NUM_THREADS",  # numexpr, which pandas uses where it is installed
    "TF_NUM_INTRAOP_THREADS",  # TensorFlow: threads inside one operation, XLA's too
    "TF_NUM_INTEROP_THREADS",  # TensorFlow: operations side by side
)

WORKER_VARIABLES = {
    "TF_CPP_MIN_LOG_LEVEL": "3",  # errors only; TF_ENABLE_ONEDNN_OPTS is the user's
    "CUDA_VISIBLE_DEVICES": "-1",  # CPU against CPU
    "KERAS_BACKEND": "tensorflow",  # over ~/.keras/keras.json
    "PYTHONHASHSEED": "0",  # the same order of every set in every worker
}

# Variables that make a library compute otherwise than it would by itself, and what that does to a measurement.
FORCING_VARIABLES = {
    "OPENBLAS_CORETYPE": "OpenBLAS runs the kernels forced on it, whatever the processor can do; TensorFlow does not",
    "OPENBLAS_L2_SIZE": "OpenBLAS sizes its blocks for a cache that may not be this machine's",
    "BLIS_ARCH_TYPE": "BLIS runs the kernels forced on it, whatever the processor can do",
    "MKL_ENABLE_INSTRUCTIONS": "MKL may use no newer instructions than these",
    "SCRATCHNET_STEPS": "scratchnet's steps are taken by this library, whatever is installed",
    "NPY_DISABLE_CPU_FEATURES": "NumPy leaves instructions of this processor unused",
    "TF_ENABLE_ONEDNN_OPTS": "TensorFlow's choice of kernels is not its own",
    "TF_XLA_FLAGS": "XLA does not run with its defaults",
    "XLA_FLAGS": "XLA does not run with its defaults",
}

_CONTAINER_MARKERS = {"/.dockerenv": "docker", "/run/.containerenv": "podman"}
_PACKAGE_FOLDER = Path(__file__).resolve().parents[1]


def describe(left_out: Collection[str] = (), unchecked: Collection[Check] = ()) -> dict[str, Any]:
    """Facts for JSON: machine, versions, revision, variables, load, and `warnings` that follow from them.

    left_out : facts that do not matter here. unchecked : checks whose warnings do not.
    """
    facts = {name: read() for name, read in FACTS.items() if name not in left_out}
    checks = (check for check in CHECKS if check not in unchecked)
    return {**facts, "warnings": [line for check in checks for line in check(facts)]}


def bindable_cores() -> list[int]:
    """Numbers of the cores that this process may use; none where, as on macOS, no process can be bound to one."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def usable_cores() -> int:
    """Cores that this process may keep busy: its affinity, or its cgroup's CPU limit if that is lower; at least 1."""
    limit = system.cpu_limit()
    return cores_of_affinity() if limit is None else max(1, min(cores_of_affinity(), int(limit)))


def scratchnets_library(library: Callable[[], str]) -> str:
    """Name of what scratchnet computes with, as `library` of one of its modules says it.

    Raises UnusableError: where a variable asks for one that is not there.
    """
    try:
        return library()
    except ValueError as error:
        raise UnusableError(str(error)) from None


def libraries() -> list[dict[str, Any]]:
    """BLAS and OpenMP libraries loaded into this process, with the kernels and the threads that each really uses."""
    return [_library(info) for info in threadpoolctl.threadpool_info()]


def worker_environment(threads: int) -> dict[str, str]:
    """This process's environment, with `threads` threads for every library; OPENBLAS_CORETYPE stays what it is."""
    return importable({**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), **WORKER_VARIABLES})


def importable(variables: Mapping[str, str]) -> dict[str, str]:
    """An environment in which Python finds this very project, and imports nothing from the current folder."""
    root = _PACKAGE_FOLDER.parent
    given = variables.get("PYTHONPATH", "").split(os.pathsep)
    folders = [os.path.abspath(folder) for folder in given if folder]  # an empty entry is the current folder
    # Installed packages stand behind the standard library; on this path they would stand before it.
    ours = [] if root.name in ("site-packages", "dist-packages") else [str(root)]
    return {**variables, "PYTHONPATH": os.pathsep.join([*ours, *folders]), "PYTHONSAFEPATH": "1"}


def cpu_seconds() -> float:
    """Processor time of this process so far, and of those below it that live; theirs to 10 ms."""
    times = (child.cpu_times() for child in _below())
    return time.process_time() + sum(one.user + one.system for one in times)


def peak_memory_bytes() -> int:
    """Largest resident memory of this process so far, and what each process below it holds for itself now; bytes."""
    return _own_peak_memory_bytes() + sum(child.memory_full_info().uss for child in _below())


def _below() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _own_peak_memory_bytes() -> int:
    # Linux starts a child's ru_maxrss at its parent's peak and keeps it through exec; VmHWM is this program's own.
    own = system.field(system.PROC / "self/status", "VmHWM")
    if own is not None:
        return int(own.removesuffix("kB")) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def package_versions(names: Iterable[str]) -> dict[str, str]:
    """Package → version; one that is not installed is left out."""
    found = {}
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def _library(info: Mapping[str, Any]) -> dict[str, Any]:
    """What threadpoolctl says of one library, without the folders of this machine."""
    path = Path(info["filepath"])
    kept = ("prefix", "version", "architecture", "num_threads", "threading_layer")
    return {**{name: info.get(name) for name in kept}, "file": path.name, "package": _owner(path)}


def _owner(path: Path) -> str | None:
    """The package whose wheel brought the library: `numpy` for `…/site-packages/numpy.libs/libopenblas.so`."""
    folders = path.parts
    if "site-packages" not in folders:
        return None
    return folders[folders.index("site-packages") + 1].removesuffix(".libs")


def _cpu_model() -> str:
    read = _CPU_MODELS.get(platform.system(), platform.processor)
    return read() or platform.processor() or platform.machine()


SYSCTL = ("sysctl", "-n", "machdep.cpu.brand_string")
_CPU_MODELS: dict[str, Callable[[], str | None]] = {
    "Linux": lambda: system.field(system.PROC / "cpuinfo", "model name"),
    "Darwin": lambda: subprocess.run(SYSCTL, capture_output=True, text=True, check=False).stdout.strip(),
}


def cores_of_affinity() -> int:
    """How many cores this process may use; all cores on systems without affinity."""
    return len(bindable_cores()) or os.cpu_count() or 1


def _git(*arguments: str) -> str | None:
    """What git prints in the folder of this package; None where it fails or is not installed."""
    try:
        return git(*arguments, at=_PACKAGE_FOLDER).decode().strip()
    except UnusableError:
        return None


def _is_checkout() -> bool:
    """Whether git tracks this very file: an installed copy may lie in the folder of another project's repository."""
    return _git("ls-files", "--error-unmatch", "core/environment.py") is not None


def _git_revision() -> str | None:
    return _git("rev-parse", "HEAD") if _is_checkout() else None


def _git_dirty() -> bool | None:
    changes = _git("status", "--porcelain") if _is_checkout() else None
    return None if changes is None else bool(changes)


def _variables() -> dict[str, str]:
    """Variables with one of the prefixes; a home folder in a value is written `~`."""
    home = os.path.expanduser("~")
    chosen = sorted(item for item in os.environ.items() if item[0].startswith(VARIABLE_PREFIXES))
    return {name: value.replace(home, "~") if home not in ("/", "~") else value for name, value in chosen}


def _container() -> str | None:
    """The kind of container, if one is detected; None proves nothing."""
    if "KUBERNETES_SERVICE_HOST" in os.environ:
        return "kubernetes"
    return next((name for marker, name in _CONTAINER_MARKERS.items() if Path(marker).exists()), None)


def _on_battery() -> bool:
    sensor = getattr(psutil, "sensors_battery", lambda: None)()  # psutil lacks it on some systems
    return sensor is not None and sensor.power_plugged is False


def _steps() -> str:
    from scratchnet import engine  # NumPy and SciPy, which the gate does without

    return scratchnets_library(engine.library)


OF_SCRATCHNET = "steps"
"""The fact that only matters where scratchnet computes."""
FACTS: dict[str, Callable[[], Any]] = {
    "cpu_model": _cpu_model,
    "logical_cores": psutil.cpu_count,
    "physical_cores": lambda: psutil.cpu_count(logical=False),
    "usable_cores": usable_cores,
    "cpu_limit_cores": system.cpu_limit,
    "memory_bytes": lambda: psutil.virtual_memory().total,
    "system": platform.platform,
    "machine": platform.machine,
    "container": _container,
    "python_implementation": platform.python_implementation,
    "python_version": platform.python_version,
    OF_SCRATCHNET: _steps,
    "packages": lambda: package_versions(PACKAGES),
    "git_revision": _git_revision,
    "git_dirty": _git_dirty,
    "variables": _variables,
    "load_average": lambda: [round(load, 2) for load in os.getloadavg()],
    "on_battery": _on_battery,
}


def _forced(facts: Facts) -> Iterator[str]:
    for name, effect in FORCING_VARIABLES.items():
        if name in facts["variables"]:
            yield f"{name} is set to {facts['variables'][name]}: {effect}; unset it with env -u {name}"


def _thread_variables(facts: Facts) -> Iterator[str]:
    cores = facts["usable_cores"]
    for name in THREAD_VARIABLES:
        value = facts["variables"].get(name, str(cores))
        if value != str(cores):
            yield (
                f"{name} is set to {value} where {cores} cores can be used: workers get the suite's threads instead; "
                f"unset it with env -u {name}"
            )


def check_load(facts: Facts) -> Iterator[str]:
    """Whether other programs compete, as long as this one does not train."""
    load, cores = facts["load_average"][0], facts["logical_cores"] or 1
    if load > cores:
        yield f"the machine is busy (load average {load:g} on {cores} cores): other programs compete; stop them"


def _power(facts: Facts) -> Iterator[str]:
    if facts["on_battery"]:
        yield "the machine runs on battery: its clock may change during the run; plug it in"


CHECKS: tuple[Check, ...] = (_forced, _thread_variables, check_load, _power)
