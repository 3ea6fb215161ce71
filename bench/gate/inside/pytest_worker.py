"""Runs pytest in a side's Python, and times what its tests hand to pytest-benchmark's fixture when the gate says so.

Started as `python pytest_worker.py CONNECTION ARGUMENTS…` in the side's tree. pytest-benchmark's own repetitions do not
happen, so the work is the same on both sides.
"""

import os
import re
import runpy
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

SHARED = runpy.run_path(str(Path(__file__).with_name("suite_worker.py")))
OFF = {
    "xdist": ("-n0",),  # benchmarks run one after another, in this process
    "pytest_cov": ("--no-cov",),
    "pytest_randomly": ("-p", "no:randomly"),
    "pytest_codspeed": ("-p", "no:codspeed"),
}
"""Plugin, if pytest loads it → the options that keep it from what would change the timing or the order."""
NOT_INSTALLED = "{} is not installed in {}; install it there, or use --install 'pip install {{tree}} pytest-benchmark'"
NO_BENCHMARK = "no test uses the fixture `benchmark`; name the folder or file of the benchmarks: --pytest PATH"
ONLY_MARKED = "its tests have the mark `benchmark` but not the fixture of that name; the gate times the fixture's calls"
ERROR = re.compile(r"^(.*: error|ERROR): ")


class Heard:
    """Passes on what is written, such as to stderr, and keeps it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.text = ""

    def write(self, text: str) -> Any:
        """Write it."""
        self.text += text
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @property
    def error(self) -> str:
        """The first line that tells an error, without its prefix; nothing if there is none."""
        lines = [line for line in self.text.splitlines() if ERROR.search(line) and ": usage: " not in line]
        return ERROR.sub("", lines[0]) if lines else ""


class Plugin:
    """Selects the tests that use the fixture, and tells the gate what fails."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self.test = ""

    def pytest_load_initial_conftests(self, early_config: Any) -> None:
        """Without settings of its own the project would begin where those lie that pytest found above it.

        Then `-k` would also look at the names of the gate's folders.
        """
        given, found = early_config.known_args_namespace, early_config.inipath
        is_above = found is not None and early_config.rootpath not in found.parents
        if is_above and given.confcutdir == str(found.parent):
            given.confcutdir = str(early_config.rootpath)
        self._import_as_installed(given)

    def pytest_configure(self, config: Any) -> None:
        """A project may skip its benchmarks where it does not ask for them."""
        config.option.benchmark_skip = False
        self._import_as_installed(config.option)

    def _import_as_installed(self, options: Any) -> None:
        """pytest puts the folders of tests first on sys.path, where the tree's package would hide the installed one."""
        if self._worker.installed and options.importmode == "prepend":
            options.importmode = "append"

    def pytest_ignore_collect(self, collection_path: Path, config: Any) -> "bool | None":
        """Leave out the files of benchmarks that have their verdict."""
        if self._worker.wanted is None or collection_path.suffix != ".py":
            return None
        files = {config.rootpath / name.split("::")[0] for name in self._worker.wanted}
        needed = collection_path.name in ("conftest.py", "__init__.py") or collection_path in files
        return None if needed or config.rootpath not in collection_path.parents else True

    def pytest_collection_modifyitems(self, config: Any, items: "list[Any]") -> None:
        """Both sides run the same benchmarks in the same order."""
        wanted = self._worker.wanted
        found = {item.nodeid: item for item in items if "benchmark" in getattr(item, "fixturenames", ())}
        kept = list(found.values()) if wanted is None else [found[name] for name in wanted if name in found]
        if not kept:
            marked = any(item.get_closest_marker("benchmark") for item in items)
            self._worker.refuse(ONLY_MARKED if marked else NO_BENCHMARK)
        chosen = {id(item) for item in kept}
        config.hook.pytest_deselected(items=[item for item in items if id(item) not in chosen])
        items[:] = kept

    def pytest_runtest_setup(self, item: Any) -> None:
        """Remember which test runs."""
        self.test = item.nodeid

    def pytest_runtest_logreport(self, report: Any) -> None:
        """A test that fails is a broken side."""
        self._tell(report)

    def pytest_collectreport(self, report: Any) -> None:
        """So is a file that cannot be read."""
        self._tell(report)

    def _tell(self, report: Any) -> None:
        if report.failed:
            lines = [line[2:].strip() for line in str(report.longreprtext).splitlines() if line.startswith("E ")]
            self._worker.refuse(f"{report.nodeid}: {' '.join(lines) or report.longreprtext}")


def replace_timing(fixture: Any, worker: Any, plugin: Plugin) -> None:
    """`benchmark(function)` and `benchmark.pedantic(function)` ask the gate how often to call it."""

    def once(self: Any, mode: str) -> None:
        if self._mode:
            raise RuntimeError(f"benchmark is used a second time in {plugin.test}; it can be used once in a test")
        self._mode = mode

    def call(self: Any, function: Any, *args: Any, **kwargs: Any) -> Any:
        once(self, "benchmark(...)")

        def run(calls: int, watch: Any) -> Any:
            result = None
            with watch:
                for _ in range(calls):
                    result = function(*args, **kwargs)
            return result

        return worker.benchmark(plugin.test, run)

    def pedantic(self: Any, target: Any, args: Any = (), kwargs: Any = None, setup: Any = None, **more: Any) -> Any:
        once(self, "benchmark.pedantic(...)")
        given = ((args, kwargs or {}), setup, target)
        return worker.benchmark(plugin.test, lambda _, watch: _pedantic(given, watch, **more), fixed=True)

    fixture.__call__, fixture.pedantic = call, pedantic


def _pedantic(
    given: Any, watch: Any, teardown: Any = None, rounds: int = 1, warmup_rounds: int = 0, iterations: int = 1
) -> Any:
    """All rounds that the user asks for, each with its setup and teardown, which are not timed."""
    arguments, setup, target = given
    result = None
    for number in range(warmup_rounds + rounds):
        args, kwargs = (setup() if setup else None) or arguments
        with watch if number >= warmup_rounds else SHARED["Stopwatch"]():
            for _ in range(iterations):
                result = target(*args, **kwargs)
        if teardown:
            teardown(*args, **kwargs)
    return result


def main(number: str, *arguments: str) -> None:
    """Run the suite."""
    worker = SHARED["Worker"](number)
    missing = [name for name in ("pytest", "pytest_benchmark") if find_spec(name) is None]
    if missing:
        worker.refuse(NOT_INSTALLED.format(missing[0].replace("_", "-"), sys.executable))
        return
    import pytest

    pytest.hookimpl(tryfirst=True)(Plugin.pytest_load_initial_conftests)
    # Last: after other plugins have had their say in the order.
    pytest.hookimpl(trylast=True)(Plugin.pytest_collection_modifyitems)
    plugin = Plugin(worker)
    replace_timing(import_module("pytest_benchmark.fixture").BenchmarkFixture, worker, plugin)
    loaded = [name for name in OFF if find_spec(name) and "PYTEST_DISABLE_PLUGIN_AUTOLOAD" not in os.environ]
    off = [option for name in loaded for option in OFF[name]]
    root = [] if any(one.startswith("--rootdir") for one in arguments) else [f"--rootdir={os.getcwd()}"]
    sys.stderr = heard = Heard(sys.stderr)
    code = pytest.main([*arguments, *root, "-q", *off], plugins=[plugin])
    if code in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR):
        said = heard.error or pytest.ExitCode(code).name.lower().replace("_", " ")
        worker.refuse(f"pytest: {said}{SHARED['BOTH_SIDES'] if 'not found: ' in said else ''}")
    worker.end()


if __name__ == "__main__":
    main(*sys.argv[1:])
