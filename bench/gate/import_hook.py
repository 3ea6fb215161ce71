"""Runs as `sitecustomize` in the Python processes of a command's warm-up and tells at exit what they imported.

A copy of this file lies in a folder that is first on PYTHONPATH, so it imports nothing of this project. It runs in the
user's Python, which may be older than ours, and must never break the user's program.
"""

import atexit
import json
import os
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from typing import Any

LOG = "SCRATCHBENCH_IMPORTS"
"""Environment variable: the file to which each process appends a line."""


def imported() -> "list[tuple[str, str]]":
    """Name and file of each module that is not of the standard library."""
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


def pytest_benchmark_calibrated() -> bool:
    """pytest loads the plugin if it is installed; only to calibrate it measures the timer's precision."""
    plugin: Any = sys.modules.get("pytest_benchmark.fixture")
    return bool(getattr(getattr(plugin, "BenchmarkFixture", None), "_precisions", None))


def pyperf_calibrated() -> bool:
    """pyperf allows one Runner in a process, which calibrates unless its loops are given."""
    pyperf: Any = sys.modules.get("pyperf")
    fixed = any(argument.startswith(("--loops", "-l", "--debug-single-value", "--worker")) for argument in sys.argv)
    return bool(getattr(getattr(pyperf, "Runner", None), "_created", None)) and not fixed


def timeit_calibrated() -> bool:
    """`python -m timeit` calibrates unless -n is given; the options end where the statements begin."""
    if program() != "timeit":
        return False
    from getopt import GetoptError, getopt  # timeit imports it too

    names = ["number=", "setup=", "repeat=", "process", "verbose", "unit=", "help"]
    try:
        options, _ = getopt(sys.argv[1:], "n:u:s:r:pvh", names)
    except GetoptError:  # an option of a newer Python
        return True
    numbers = [value for name, value in options if name in ("-n", "--number")]
    return not numbers or int(numbers[-1]) == 0


def asv_calibrated() -> bool:
    """asv calibrates in processes that do not read PYTHONPATH, unless --quick runs each benchmark once."""
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
"""Benchmark tools, and whether one chose in this process by the clock how often it runs the code."""


def tell(log: str) -> None:
    """Append a line. Lines of two processes never mix, since each is one write."""
    calibrated = next((name for name, has_calibrated in CALIBRATING.items() if has_calibrated()), "")
    line = json.dumps({"modules": imported(), "calibrated": calibrated}) + "\n"
    file = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def run_the_next() -> None:
    """Leave the path, as in a timed run, and run the sitecustomize that this one hides, if there is one."""
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec and spec.loader:
        sys.modules["sitecustomize"] = module = module_from_spec(spec)
        spec.loader.exec_module(module)


if __name__ == "sitecustomize" and LOG in os.environ:
    atexit.register(tell, os.environ[LOG])
    run_the_next()
