"""The data sets that come with scikit-learn, by name; read in a child process, which alone imports scikit-learn."""

from importlib.util import find_spec

from bench.core.errors import UnusableError
from bench.core.files import temporary_folder
from bench.core.text import one_line
from bench.data.child import run_child
from bench.data.dataset import Dataset
from bench.spec import DataSpec, Task

SETS: dict[str, Task] = {
    "breast_cancer": "classification",
    "digits": "classification",
    "iris": "classification",
    "wine": "classification",
    "diabetes": "regression",
    "linnerud": "regression",
}
READ_SECONDS = 120.0


def load_sklearn(name: str, data: DataSpec) -> Dataset:
    """One of `SETS`, its rows in a random order that is always the same, the last part as the test.

    Raises UnusableError: when the name is unknown, the task is another, or scikit-learn is not installed.
    """
    if name not in SETS:
        raise UnusableError(f"sklearn:{one_line(name, 60)}: not known; allowed: {', '.join(SETS)}")
    if data.task != SETS[name]:
        raise UnusableError(f'sklearn:{name}: task = "{data.task}"; allowed: task = "{SETS[name]}"')
    if find_spec("sklearn") is None:
        raise UnusableError("sklearn:NAME needs scikit-learn; remedy: pip install 'scratchnet[sklearn]'")
    with temporary_folder("sklearn") as folder:
        fraction = "" if data.test_fraction is None else str(data.test_fraction)
        arguments = (name, fraction, str(folder))
        run_child(f"sklearn:{name}", "bench.data.sklearn_reader", *arguments, seconds=READ_SECONDS)
        return Dataset.open(folder).in_memory()
