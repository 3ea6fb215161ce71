"""Finds the benchmarks of an asv suite in a side's Python, and times them when the gate says so.

Started as `python asv_worker.py CONNECTION FOLDER [PATTERN…]` in the side's tree. It knows what asv's documentation
promises of `time_…` benchmarks: functions and methods, params, setup, teardown, setup_cache. asv need not be installed.
"""

import inspect
import itertools
import os
import pkgutil
import re
import runpy
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

SHARED = runpy.run_path(str(Path(__file__).with_name("suite_worker.py")))
TIMED = re.compile(r"time_.+|Time[A-Z_].+")
ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class Skipped(Exception):
    """A setup says that there is nothing to measure with these parameters."""


class Benchmark:
    """A function or method with one combination of its parameters; `sources` are where its attributes are looked up."""

    def __init__(self, name: str, function: Any, sources: "list[Any]", parameters: "tuple[Any, ...]") -> None:
        shown = ", ".join(ADDRESS.sub("", repr(value)) for value in parameters)
        self.name = f"{name}({shown})" if parameters else name
        self._function, self._sources, self._parameters = function, sources, parameters

    def time(self, worker: Any, caches: "dict[Any, Any]") -> None:
        """Set up, time, tear down; for each sample anew if the user says how many calls one has."""
        arguments = self._arguments(caches)
        if number := first(self._sources, "number"):
            worker.benchmark(self.name, lambda samples, watch: self._samples(samples, number, watch, arguments))
            return
        self._set_up(arguments)
        worker.benchmark(self.name, lambda calls, watch: self._run(calls, watch, arguments))
        self._tear_down(arguments)

    def _arguments(self, caches: "dict[Any, Any]") -> "tuple[Any, ...]":
        make = first(self._sources, "setup_cache")
        if make is None:
            return self._parameters
        key = getattr(make, "__qualname__", None), getattr(make, "__module__", None)
        if key not in caches:
            caches[key] = make()
        return (caches[key], *self._parameters)

    def _set_up(self, arguments: "tuple[Any, ...]") -> None:
        try:
            for setup in reversed(every(self._sources, "setup")):
                setup(*arguments)
        except NotImplementedError:
            raise Skipped from None

    def _tear_down(self, arguments: "tuple[Any, ...]") -> None:
        for teardown in every(self._sources, "teardown"):
            teardown(*arguments)

    def _samples(self, samples: int, number: int, watch: Any, arguments: "tuple[Any, ...]") -> None:
        """A benchmark that uses up what its setup made, such as a list that it sorts, has `number = 1`."""
        for _ in range(samples):
            self._set_up(arguments)
            self._run(number, watch, arguments)
            self._tear_down(arguments)

    def _run(self, calls: int, watch: Any, arguments: "tuple[Any, ...]") -> None:
        function = self._function
        with watch:
            for _ in range(calls):
                function(*arguments)


def every(sources: "list[Any]", name: str) -> "list[Any]":
    """That attribute of each source that has it."""
    found = (getattr(source, name, None) for source in sources)
    return [one for one in found if one is not None]


def first(sources: "list[Any]", name: str) -> Any:
    """That attribute of the first source that has it."""
    return next(iter(every(sources, name)), None)


def benchmarks(package: str) -> Iterator[Benchmark]:
    """Those of all modules of the package, by their names there."""
    for module in modules(package):
        place = module.__name__.split(".")[1:]
        for name, member in list(vars(module).items()):
            if name.startswith("_"):
                continue
            if inspect.isclass(member) and not inspect.isabstract(member):
                yield from methods([*place, member.__name__], member, module)
            elif inspect.isfunction(member) and TIMED.fullmatch(name):
                yield from with_parameters(".".join([*place, member.__name__]), member, [member, module])


def modules(name: str) -> Iterator[Any]:
    """The module of that name and those below it."""
    try:
        module = import_module(name)
    except Exception as error:
        raise RuntimeError(f"{name} cannot be imported: {type(error).__name__}: {error}") from error
    yield module
    for _, below, _ in pkgutil.iter_modules(getattr(module, "__path__", []), f"{name}."):
        yield from modules(below)


def methods(place: "list[str]", kind: type, module: Any) -> Iterator[Benchmark]:
    """Each with an object of its own, as asv has it."""
    for name, _ in inspect.getmembers(kind, inspect.isfunction):
        if TIMED.fullmatch(name):
            one = kind()
            method = getattr(one, name)
            yield from with_parameters(".".join([*place, name]), method, [method, one, module])


def with_parameters(name: str, function: Any, sources: "list[Any]") -> Iterator[Benchmark]:
    """One for each combination of the parameters."""
    given = list(first(sources, "params") or [])
    axes = given if given and isinstance(given[0], (list, tuple)) else [given] if given else []
    for parameters in itertools.product(*axes):
        yield Benchmark(name, function, sources, parameters)


class Finder:
    """Finds the package of benchmarks and nothing beside it: there the tree's package would hide the installed one."""

    def __init__(self, package: Path) -> None:
        self._package = package

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Of the package; nothing of others."""
        return PathFinder.find_spec(name, [str(self._package.parent)]) if name == self._package.name else None


def check(patterns: "list[str]") -> None:
    """They are regular expressions, as asv has them."""
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise RuntimeError(f"{pattern!r} is no regular expression ({error})") from error


def run(worker: Any, folder: str, patterns: "list[str]") -> None:
    """Time the benchmarks whose names one of the patterns finds, or all."""
    check(patterns)
    path = Path(folder).resolve()
    sys.meta_path.insert(0, Finder(path))
    if not worker.installed:
        sys.path.insert(0, str(path.parent))
    caches: dict[Any, Any] = {}
    found = {one.name: one for one in benchmarks(path.name)}
    fitting = [name for name in found if not patterns or any(re.search(pattern, name) for pattern in patterns)]
    for name in fitting if worker.wanted is None else [one for one in worker.wanted if one in found]:
        try:
            found[name].time(worker, caches)
        except Skipped:
            continue
        except Exception as error:
            raise RuntimeError(f"{name}: {type(error).__name__}: {error}") from error


def main(number: str, folder: str, *patterns: str) -> None:
    """Run the suite."""
    worker = SHARED["Worker"](number)
    if not os.path.isdir(folder):
        remedy = f"name the folder of asv's benchmarks (benchmark_dir of asv.conf.json){SHARED['BOTH_SIDES']}"
        worker.refuse(f"{folder} is no folder; {remedy}")
        return
    try:
        run(worker, folder, list(patterns))
    except Exception as error:
        worker.refuse(error if type(error) is RuntimeError else f"{type(error).__name__}: {error}")
        raise
    worker.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
