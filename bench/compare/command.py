"""`scratchbench compare`: reads both sides, compares them, writes the document in the format that was asked for.

Fed by the command line.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.compare import tables
from bench.compare.document import EXIT_CODES, Document, Row, Side
from bench.compare.labels import Examples, examples_of
from bench.compare.match import match
from bench.compare.read import Runs, read, shown
from bench.compare.rows import Compared, compare, decide, row
from bench.compare.tolerance import margins_of
from bench.compare.verdict import verdict
from bench.core.files import write_atomically
from bench.core.text import one_line

FAIL_ON = ("accuracy", "cost")
PAGE_NAME = "compare.html"

Pictures = dict[str, dict[str, str]]


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


def run(asked: CompareOptions) -> int:
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


def compared(asked: CompareOptions) -> tuple[Document, Callable[[], Pictures]]:
    """The document, and what makes the pictures for it where a format shows them."""
    margins = margins_of(asked.tolerances)
    a, b = read(asked.a, asked.b)
    matched = match(a, b, asked.allowed)
    found = [compare(each, margins) for each in matched.matches]
    decided = decide(found, asked.fail_on)
    pairs = [row(one, each, margins) for one, each in zip(found, decided, strict=True)]
    said = verdict(matched, found, decided, asked.fail_on, margins)
    document = Document(
        verdict=said.sentence,
        decision=said.decision,
        seeds_needed=said.seeds_needed,
        margins=margins,
        fail_on=asked.fail_on,
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
