"""An exit code has one meaning: an error that nobody foresaw is one line, and never a verdict."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from covering import weekly

ROOT = Path(__file__).parents[2]

BROKEN_TEMPORARY_FOLDER = """
import tempfile
def broken(*arguments, **options):
    raise {error}
tempfile.mkdtemp = broken
"""
BROKEN_TABLES = (
    "import pandas\ndef broken(*arguments, **options):\n    raise {error}\npandas.DataFrame.__init__ = broken\n"
)
ABSENT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
"""
ERRORS = {
    "ValueError('what nobody\\n foresaw')": "error: unexpected ValueError: what nobody foresaw",
    "RecursionError('maximum depth')": "error: unexpected RecursionError: maximum depth",
    "ZeroDivisionError": "error: unexpected ZeroDivisionError",
    "SystemExit(1)": "error: unexpected SystemExit: 1",
    "SystemExit(0)": "error: unexpected SystemExit: 0",
    "AssertionError": "error: unexpected AssertionError",
    "SystemExit('said by a library')": "error: unexpected SystemExit: said by a library",
}
FINISHED_RUN = ROOT / "results" / "reference" / "standard"


@pytest.fixture
def repository(tmp_path, commit_all):
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "file").write_text("")
    commit_all(folder)
    return folder


def one_line(done):
    text = done.stderr.decode()
    assert text.count("\n") == 1, text
    return text


@pytest.mark.parametrize("error", [*list(ERRORS)[-3:-1], *weekly(*ERRORS)])
def test_the_gate_has_no_verdict_where_anything_unexpected_happens(error, repository, scratchbench):
    planted = BROKEN_TEMPORARY_FOLDER.format(error=error)
    done = scratchbench("gate", "--against", "HEAD", "--command", "true {tree}", folder=repository, planted=planted)
    assert (done.returncode, done.stdout) == (4, b"")
    assert one_line(done).startswith(ERRORS[error])


@pytest.mark.parametrize("error", [*list(ERRORS)[:4], *weekly(*ERRORS)])
def test_compare_does_not_say_worse_where_anything_unexpected_happens(error, scratchbench):
    done = scratchbench("compare", FINISHED_RUN, FINISHED_RUN, planted=BROKEN_TABLES.format(error=error))
    assert (done.returncode, done.stdout) == (2, b"")
    assert one_line(done).startswith(ERRORS[error])


def test_the_line_names_the_way_to_the_traceback(scratchbench):
    planted = BROKEN_TABLES.format(error="ValueError('what nobody foresaw')")
    said = one_line(scratchbench("report", FINISHED_RUN, planted=planted))
    name, value = re.search(r"(SCRATCHBENCH_\w+)=(\w+)", said).groups()
    done = scratchbench("report", FINISHED_RUN, planted=planted, **{name: value})
    assert done.returncode == 2
    assert b"Traceback" in done.stderr
    assert b"sitecustomize.py" in done.stderr
    assert done.stderr.decode().splitlines()[-1] == said.strip()
    assert name.encode() in scratchbench("--help").stdout


def test_the_memory_that_is_not_enough_is_named(scratchbench):
    done = scratchbench("report", FINISHED_RUN, planted=BROKEN_TABLES.format(error="MemoryError"))
    assert done.returncode == 2
    assert "memory" in one_line(done)


@pytest.mark.parametrize(
    ("arguments", "module", "remedy"),
    [
        (["report", FINISHED_RUN], "pandas", "pip install 'scratchnet[bench]'"),
        (["compare", FINISHED_RUN, FINISHED_RUN], "statsmodels", "pip install 'scratchnet[bench]'"),
        (["--help"], "click", "pip install 'scratchnet[bench]'"),
        (["gate", "--against", "HEAD", "--cells", "784-128-10:32"], "numpy", "pip install scratchnet"),
        (["run"], "pydantic", "pip install 'scratchnet[bench]'"),
        (["doctor"], "psutil", "pip install 'scratchnet[bench]'"),
    ],
)
def test_a_package_that_is_not_installed_is_named_with_what_installs_it(arguments, module, remedy, scratchbench):
    done = scratchbench(*arguments, planted=ABSENT.format(name=module))
    assert (done.returncode, done.stdout) == (2, b"")
    assert one_line(done) == f"error: the package {module} is not installed; remedy: {remedy}\n"


def test_the_packages_of_each_extra_are_those_of_the_project():
    from bench.core.complaints import EXTRAS

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    imported_as = {"pillow": "PIL", "scikit-learn": "sklearn", "tensorflow-datasets": "tensorflow_datasets"}
    imported_as |= {"dask-jobqueue": "dask_jobqueue"}
    for extra, modules in EXTRAS.items():
        needed = project["optional-dependencies"][extra] if extra else project["dependencies"]
        names = [re.match(r"[\w-]+", one).group() for one in needed]
        assert {imported_as.get(name, name) for name in names} - {"scratchnet"} <= set(modules)


def test_what_a_library_breaks_while_it_is_imported_is_one_line(scratchbench):
    planted = "import sys, types\nsys.modules['rich'] = types.ModuleType('rich')\n"
    done = scratchbench("report", FINISHED_RUN, planted=planted)
    assert done.returncode == 2
    assert "rich" in one_line(done)


def test_an_error_of_a_thread_is_one_line_and_no_success(scratchbench):
    planted = (
        "import json, threading\nwhole = json.dumps\n"
        "def broken(*arguments, **options):\n"
        "    thread = threading.Thread(target=lambda: 1 / 0)\n    thread.start()\n    thread.join()\n"
        "    return whole(*arguments, **options)\n"
        "json.dumps = broken\n"
    )
    done = scratchbench("schema", planted=planted)
    assert done.returncode == 2
    assert one_line(done).startswith("error: unexpected ZeroDivisionError: division by zero")


def test_an_interrupt_while_the_command_is_being_imported_is_an_interrupt(scratchbench):
    planted = ABSENT.format(name="click").replace(
        'raise ModuleNotFoundError(f"No module named {name!r}", name=name)', "raise KeyboardInterrupt"
    )
    done = scratchbench("schema", planted=planted)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


def test_output_that_cannot_be_written_at_the_end_is_one_line(installed, tmp_path):
    command = f"{sys.executable} {installed} schema > /dev/full"
    done = subprocess.run(
        ["bash", "-c", command],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "No space left on device" in one_line(done)
