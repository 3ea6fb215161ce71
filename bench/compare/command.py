"""`scratchbench compare`: compares two runs, and prints or writes the document in the format that is asked for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.compare import tables
from bench.compare.comparison import FAIL_ON, Comparison, compare_runs
from bench.compare.document import EXIT_CODES
from bench.compare.read import shown
from bench.core.files import write_atomically

PAGE_NAME = "compare.html"


@dataclass(frozen=True)
class CompareOptions:
    """What the command line asks for."""

    a: Path
    b: Path
    format: str = "table"
    out: Path | None = None
    fail_on: tuple[str, ...] = FAIL_ON
    tolerances: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


def run(options: CompareOptions) -> int:
    """Compare, print or write, and say how to end.

    Raises UnusableError: where a side cannot be read, nothing can be compared, or the output cannot be written.
    """
    found = compare_runs(options.a, options.b, options.fail_on, options.tolerances, options.allowed)
    text = FORMATS[options.format](found)
    out = options.out or (Path(PAGE_NAME) if options.format == "html" else None)
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
