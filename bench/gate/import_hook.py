"""Runs as `sitecustomize` within the Python processes of a command's warm-up: tells at exit what was imported.

It is copied to a folder that is first on PYTHONPATH, so it imports nothing of this project. It runs in the user's
Python, which may be older than ours, and must never break the user's program.
"""

import atexit
import json
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Any

LOG = "SCRATCHBENCH_IMPORTS"
"""Environment variable: the file that each process appends a line to."""
TIMEIT_OPTIONS = ["n:u:s:r:pvh", "number=", "setup=", "repeat=", "process", "verbose", "unit=", "help"]


def imported() -> "list[tuple[str, str]]":
    """Name and file of each module, but for the standard library's."""
    standard = getattr(sys, "stdlib_module_names", sys.builtin_module_names)
    found = []
    for name, module in list(sys.modules.items()):
        inside = attributes(module)
        file, spec = inside.get("__file__"), inside.get("__spec__")
        name = spec.name if name == "__main__" and spec else name
        if isinstance(file, str) and name.split(".")[0] not in ("__main__", "sitecustomize", *standard):
            folder, base = os.path.split(os.path.abspath(file))
            found.append((name, os.path.join(os.path.realpath(folder), base)))
    return found


def attributes(module: object) -> "dict[str, Any]":
    """Read past `__getattr__`: asking a lazy module would load it."""
    try:
        inside: dict[str, Any] = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return {}
    return inside


def calibrated() -> str:
    """The benchmark tool that chose in this process by the clock how often it runs the code, or nothing."""
    return next((name for name, has_calibrated in CALIBRATING.items() if has_calibrated()), "")


def pytest_benchmark_calibrated() -> bool:
    """pytest loads the plugin wherever it is installed; the plugin measures the timer's precision only to calibrate."""
    plugin: Any = sys.modules.get("pytest_benchmark.fixture")
    return bool(getattr(getattr(plugin, "BenchmarkFixture", None), "_precisions", None))


def pyperf_calibrated() -> bool:
    """pyperf allows one Runner a process, which calibrates unless its loops are given."""
    pyperf: Any = sys.modules.get("pyperf")
    fixed = any(argument.startswith(("--loops", "-l", "--debug-single-value", "--worker")) for argument in sys.argv)
    return bool(getattr(getattr(pyperf, "Runner", None), "_created", None)) and not fixed


def timeit_calibrated() -> bool:
    """`python -m timeit` calibrates unless -n is given; the options end where the statements begin."""
    if program() != "timeit":
        return False
    from getopt import GetoptError, getopt  # timeit has it too: nothing is loaded that the program has not

    try:
        options, _ = getopt(sys.argv[1:], TIMEIT_OPTIONS[0], TIMEIT_OPTIONS[1:])
    except GetoptError:  # of a newer Python
        return True
    numbers = [value for name, value in options if name in ("-n", "--number")]
    return not numbers or int(numbers[-1]) == 0


def asv_calibrated() -> bool:
    """asv calibrates in processes that do not read PYTHONPATH, unless --quick has each benchmark run once."""
    runs = program() in ("asv", "asv.__main__") and {"run", "continuous"} & set(sys.argv)
    quick = any(one == "--quick" or (one[:1] == "-" and one[:2] != "--" and "q" in one) for one in sys.argv[1:])
    return bool(runs) and not quick


def program() -> str:
    """The module or the script that runs."""
    spec = attributes(sys.modules["__main__"]).get("__spec__")
    return str(spec.name) if spec else os.path.basename(sys.argv[0]) if sys.argv else ""


CALIBRATING = {
    "pytest-benchmark": pytest_benchmark_calibrated,
    "pyperf": pyperf_calibrated,
    "timeit": timeit_calibrated,
    "asv": asv_calibrated,
}


def tell(log: str) -> None:
    """Append a line; a short one and a long one of two processes never mix, since each is one write."""
    line = json.dumps({"pid": os.getpid(), "modules": imported(), "calibrated": calibrated()}) + "\n"
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def run_the_next() -> None:
    """The sitecustomize that this one hides, if there is one; this folder leaves the path, as in a timed run."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec and spec.loader:
        sys.modules["sitecustomize"] = module = module_from_spec(spec)
        spec.loader.exec_module(module)


if __name__ == "sitecustomize" and LOG in os.environ:
    atexit.register(tell, os.environ[LOG])
    run_the_next()
