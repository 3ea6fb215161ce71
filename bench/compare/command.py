"""`scratchbench compare`: reads both sides, compares them, writes the document in the format that was asked for.

Fed by the command line.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.compare import benchmarks, tables
from bench.compare.document import EXIT_CODES, Document, Margins, Row, Side
from bench.compare.labels import Examples, examples_of
from bench.compare.match import match
from bench.compare.read import BenchmarkFile, Runs, read, shown
from bench.compare.rows import Compared, compare, decide, row
from bench.compare.tolerance import margins_of
from bench.compare.verdict import benchmark_verdict, verdict
from bench.errors import UnusableError
from bench.files import write_atomically
from bench.text import one_line

RUNS_FAIL_ON = ("accuracy", "cost")
BENCHMARKS_FAIL_ON = ("speed",)
PAGE_NAME = "compare.html"

Pictures = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Asked:
    """What the command line asks for; `fail_on` is None where it is left to what is compared."""

    a: Path
    b: Path
    format: str = "table"
    out: Path | None = None
    fail_on: tuple[str, ...] | None = None
    tolerances: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


def run(asked: Asked) -> int:
    """Compare, print or write, and say how to end.

    Raises
    ------
    UnusableError
        Where a side cannot be read, nothing can be compared, or the output cannot be written.
    """
    document, pictures = compared(asked)
    text = FORMATS[asked.format](document, pictures)
    out = asked.out or (Path(PAGE_NAME) if asked.format == "html" else None)
    if out is None:
        print(text, end="")
    else:
        write_atomically(out, text)
        print(f"{document.verdict}\nwritten: {shown(out)}")
    return EXIT_CODES[document.decision]


def compared(asked: Asked) -> tuple[Document, Callable[[], Pictures]]:
    """The document, and what makes the pictures for it where a format shows them."""
    margins = margins_of(asked.tolerances)
    a, b = read(asked.a, asked.b)
    if isinstance(a, BenchmarkFile) and isinstance(b, BenchmarkFile):
        return _of_benchmarks(a, b, margins, asked.fail_on or BENCHMARKS_FAIL_ON), dict
    if isinstance(a, Runs) and isinstance(b, Runs):
        return _of_runs(a, b, margins, asked)
    raise UnusableError("allowed: two of one kind")


def _of_runs(a: Runs, b: Runs, margins: Margins, asked: Asked) -> tuple[Document, Callable[[], Pictures]]:
    fail_on = asked.fail_on or RUNS_FAIL_ON
    matched = match(a, b, asked.allowed)
    found = [compare(each, margins) for each in matched.matches]
    decided = decide(found, fail_on)
    pairs = [row(one, each, margins) for one, each in zip(found, decided, strict=True)]
    said = verdict(matched, found, decided, fail_on, margins)
    document = Document(
        verdict=said.sentence,
        decision=said.decision,
        seeds_needed=said.seeds_needed,
        margins=margins,
        fail_on=fail_on,
        a=_side(a),
        b=_side(b),
        differences=(*matched.differences, *_without_labels(pairs)),
        rows=tuple(made for made, _ in pairs),
    )
    return document, lambda: _pictures(found, document.rows)


def _without_labels(pairs: Sequence[tuple[Row, str]]) -> list[str]:
    reasons = dict.fromkeys(why for _, why in pairs if why)
    return [f"no McNemar's test, confusion matrices or examples: {why}" for why in reasons]


def _pictures(found: Sequence[Compared], rows: Sequence[Row]) -> Pictures:
    """Spec → index of each example that only one gets right in any of its rows → picture."""
    wanted: dict[str, tuple[Compared, set[int]]] = {}
    for one, made in zip(found, rows, strict=True):
        wanted.setdefault(made.spec, (one, set()))[1].update(each.index for each in made.only_one_right)
    from bench.compare.pictures import pictures  # with it matplotlib: no other format pays for it

    made_of: Pictures = {}
    for spec, (one, indices) in wanted.items():
        examples = examples_of(one.match) if indices else ""
        if isinstance(examples, Examples):
            made_of[spec] = pictures(examples.pixels, examples.shape, sorted(indices))
    return made_of


def _of_benchmarks(a: BenchmarkFile, b: BenchmarkFile, margins: Margins, fail_on: tuple[str, ...]) -> Document:
    if fail_on != BENCHMARKS_FAIL_ON:
        raise UnusableError(f"--fail-on {','.join(fail_on)}: files of pytest-benchmark hold times; allowed: speed")
    rows, differences = benchmarks.benchmarks(a, b, margins.time_ratio)
    said = benchmark_verdict(rows, margins.time_ratio)
    return Document(
        verdict=one_line(said.sentence),
        decision=said.decision,
        seeds_needed=None,
        margins=margins,
        fail_on=fail_on,
        a=benchmarks.side(a),
        b=benchmarks.side(b),
        differences=tuple(differences),
        benchmarks=tuple(rows),
    )


def _side(side: Runs) -> Side:
    """Of several runs the titles of all, and all else of the newest."""
    newest = side.runs[0].run
    titles = dict.fromkeys(records.run.suite.title or records.run.suite_name for records in side.runs)
    revision = newest.environment.get("git_revision")
    return Side(
        path=shown(side.path),
        title=one_line("; ".join(titles), 200),
        started=one_line(newest.started, 60),
        git_revision=None if revision is None else one_line(revision, 60),
        threads=newest.threads,
        environment={name: value for name, value in newest.environment.items() if name != "warnings"},
    )


def _page(document: Document, pictures: Callable[[], Pictures]) -> str:
    from bench.compare.page import page

    made: str = page(json.loads(document.model_dump_json()), pictures())
    return made


FORMATS: Mapping[str, Callable[[Document, Callable[[], Pictures]], str]] = {
    "table": lambda document, _: tables.terminal(document),
    "markdown": lambda document, _: tables.markdown(document),
    "json": lambda document, _: document.model_dump_json(indent=2) + "\n",
    "html": _page,
}
