"""`scratchbench compare`: compares two runs, and prints or writes the document in the format that is asked for."""

from collections.abc import Callable, Mapping
from pathlib import Path

from bench.compare import tables
from bench.compare.comparison import Comparison, compare_runs
from bench.compare.document import EXIT_CODES
from bench.compare.read import shown
from bench.core.files import write_atomically

PAGE_NAME = "compare.html"


def run(
    a: Path,
    b: Path,
    form: str,
    out: Path | None,
    fail_on: tuple[str, ...],
    tolerances: tuple[str, ...],
    allowed: tuple[str, ...],
) -> int:
    """Compare, print or write, and say how to end.

    Raises UnusableError: where a side cannot be read, nothing can be compared, or the output cannot be written.
    """
    found = compare_runs(a, b, fail_on, tolerances, allowed)
    text = FORMATS[form](found)
    out = out or (Path(PAGE_NAME) if form == "html" else None)
    if out is None:
        print(text, end="")
    else:
        write_atomically(out, text)
        print(f"{found.verdict}\nwritten: {shown(out)}")
    return EXIT_CODES[found.decision]


FORMATS: Mapping[str, Callable[[Comparison], str]] = {
    "table": lambda found: tables.terminal(found.document),
    "markdown": lambda found: tables.markdown(found.document),
    "json": lambda found: found.document.model_dump_json(indent=2) + "\n",
    "html": Comparison.page,
}
