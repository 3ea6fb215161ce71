"""The benchmark: one spec, several backends, identical work, records that every table and plot is derived from.

From a script or a notebook::

    from bench import load_suite, run
    results = run(load_suite("quick"), out="results/mine")
    results.summary  # a pandas frame; a notebook shows `results` itself as a page

Importing `bench` loads nothing else; each function loads what it needs when it is called.

Each job has a folder. In the folders of commands these names mean the same: `command.py` is what `bench.cli` calls,
`report.py` writes files and tables, `records.py` is what is kept, `plot.py` or `plots.py` draws.
"""

import sys
from os import PathLike
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.compare.comparison import Comparison
    from bench.locate.run import Report
    from bench.report.results import Results
    from bench.spec import Suite

__all__ = ["compare", "load_suite", "locate", "report", "run"]


def load_suite(name_or_path: "str | PathLike[str]") -> "Suite":
    """The suite of a shipped name (quick, standard, founding) or of a TOML file."""
    from bench.spec import load_suite

    return load_suite(str(name_or_path))


def run(
    suite: "Suite | str" = "quick",
    out: "str | PathLike[str] | None" = None,
    *,
    backends: "Sequence[str] | None" = None,
    epochs: int | None = None,
    seeds: "Sequence[int] | None" = None,
    resume: bool = False,
    outputs: "Sequence[str]" = (),
    on: str | None = None,
    accuracy_only: bool = False,
) -> "Results":
    """Train every spec of a suite with every backend, and report it; progress is printed while it goes on.

    suite : a `Suite`, the name of a shipped one, or a TOML file. out : folder to make, results/SUITE-TIME if left out.
    backends, epochs, seeds : in place of the suite's own. resume : go on with the run in `out`.
    outputs : what is written besides: "pdf", "parquet", "tensorboard".
    on : the cluster that trains, as in `scratchbench run --on`. accuracy_only : fill its nodes; times do not count.
    Raises UnusableError: where suite, data, folder or cluster cannot be used. After Ctrl-C `resume` goes on.
    """
    from bench.cluster.trainer import trainer_of
    from bench.run.session import run_and_report

    trainer = trainer_of(on, accuracy_only)
    overrides = {"backends": _tuple(backends), "epochs": epochs, "seeds": _tuple(seeds)}
    return run_and_report(suite, out, overrides, resume, tuple(outputs), trainer)


def report(folder: "str | PathLike[str]", *, write: bool = False, outputs: "Sequence[str]" = ()) -> "Results":
    """The results of the run in a folder, from its records.

    write : make the files of tables and plots again too, and `outputs`: "pdf", "parquet", "tensorboard".
    """
    from bench.report.write import read_report, write_report

    return write_report(folder, tuple(outputs)) if write else read_report(folder)


def compare(
    a: "str | PathLike[str]",
    b: "str | PathLike[str]",
    *,
    fail_on: "Sequence[str]" = ("accuracy", "r2", "cost"),
    tolerance: "Sequence[str]" = (),
    allow_different: "Sequence[str]" = (),
) -> "Comparison":
    """Whether run B is as good as run A; the arguments are those of `scratchbench compare`."""
    from bench.compare.comparison import compare_runs

    return compare_runs(a, b, fail_on=tuple(fail_on), tolerances=tuple(tolerance), allowed=tuple(allow_different))


def locate(subject: Any, spec: Any = None, *, name: str | None = None, seconds: float = 60.0) -> "Report":
    """Which equation of a network that somebody wrote is wrong, and why; a notebook shows the answer as a page.

    subject : a class or function that makes a network, or an object; `scratchbench locate --template` shows one.
    spec : what it should compute, as in `bench.locate.spec_of`; left out: the attribute `spec` of the subject.
    seconds : timeout of one call of the network. Raises UnusableError: where network or spec cannot be used.
    """
    from bench.locate.run import locate

    return locate(subject, spec, name=name, seconds=seconds)


def _tuple(values: "Sequence[Any] | None") -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)


class _Interface(ModuleType):
    """`bench.run` is the function above, although a folder has that name too: importing the folder changes nothing."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in __all__ and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Interface
