"""The document for people: a table for a terminal or a pipe of 80 columns, and GitHub Markdown."""

from collections.abc import Iterable, Iterator, Sequence
from io import StringIO

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.compare.document import Confusion, Document, DocumentSide, McNemar, Row
from bench.compare.equivalence import LEVEL
from bench.compare.quantities import told
from bench.compare.rows import holm
from bench.core.markdown import bullets, text_table
from bench.core.markdown import document as joined
from bench.core.statistics import Interval
from bench.core.text import MISSING, bound, escaped, one_line, percent, signed, significant, with_ends
from bench.report.scores import SCORES, Score, ScoreName

COLUMNS = 80
WIDEST_NAME = 20
LINES_AT_MOST = 12
CHANGES_AT_MOST = 3

WORDS = {"within_tolerance": "within", "undecided": "undecided", "worse": "WORSE", "better": "better"}
WORDS |= {"equivalent": "equivalent"}

WHICH_RATIO = "their time ratio to the run's reference, which took turns with them, in B / that in A"

HOW_TO_READ = """\
Difference: mean over seeds of B − A in test accuracy, with its 95 % interval; in pairs where the seeds are the same.
Equivalent: two one-sided tests at 5 % show that it is less than the tolerance, in either direction; undecided is not
the same as equal. Cost: that of the last epoch, B relative to A. McNemar's test is about these test examples and the
networks of one seed; the interval over seeds is about the randomness of training. Speed: training time of B / A."""
R2_AND_ERRORS = """\
A regression is compared in R², and in its mean absolute and root mean squared error (MAE, RMSE), B relative to A."""


def terminal(document: Document) -> str:
    """Verdict, table, notes; names are shown as plain text, shortened."""
    buffer = StringIO()
    console = Console(file=buffer, width=COLUMNS)
    console.print(Text(document.verdict))
    console.print()
    for score, rows in _by_score(document.rows).items():
        console.print(_rows_table(rows, SCORES[score]))
    console.print(_list(notes(document)))
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()) + "\n"


def _list(lines: Iterable[str]) -> Table:
    made = Table.grid(padding=(0, 1, 0, 0))
    for line in lines:
        made.add_row("-", Text(line))
    return made


def _by_score(rows: Sequence[Row]) -> dict[ScoreName, list[Row]]:
    return {score: of_score for score in SCORES if (of_score := [row for row in rows if row.score == score])}


def _rows_table(rows: Sequence[Row], score: Score) -> Table:
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    unit = f" in {score.difference_unit}" if score.difference_unit else ""
    made.caption = Text(
        f"A {score.sign}: test {score.title} of A; B − A{unit}, ± half its 95 % interval; speed: time of B / A"
    )
    made.caption_justify = "left"
    made.add_column("spec, backend", overflow="ellipsis")  # the one that gives way, so that no figure is cut
    for title in (f"A {score.sign}", "B − A"):
        made.add_column(title, justify="right", no_wrap=True)
    for title in (score.title, "cost", "speed"):
        made.add_column(title, no_wrap=True)
    for spec in dict.fromkeys(row.spec for row in rows):
        of_spec = [row for row in rows if row.spec == spec]
        seeds = " to ".join(sorted({_seeds(row) for row in of_spec}))
        made.add_row(Text(one_line(spec, WIDEST_NAME), style="bold"), "", Text(seeds))
        for row in of_spec:
            made.add_row(*map(Text, _cells(row)))
        made.add_section()
    return made


def _cells(row: Row) -> tuple[str, ...]:
    return (
        "  " + one_line(row.backend, WIDEST_NAME - 2),
        SCORES[row.score].value(row.score_a.centre),
        _difference(row.difference, SCORES[row.score]),
        WORDS[row.equivalence.decision],
        WORDS[row.cost_decision],
        _ratio(row.speed.ratio),
    )


def _seeds(row: Row) -> str:
    a, b = len(row.seeds_a), len(row.seeds_b)
    return f"{a if a == b else f'{a}, {b}'} seed{'s' if a + b > 2 else ''}"


def _difference(interval: Interval, score: Score) -> str:
    half = interval.half_width
    return score.difference(interval.centre) + ("" if half is None else f" ±{score.value(half)}")


def _ratio(interval: Interval | None) -> str:
    if interval is None:
        return MISSING
    return with_ends(interval.centre, interval.low, interval.high, _two_digits)


def _two_digits(ratio: float | None) -> str:
    return f"{ratio:.2f}" if ratio is not None and 0.1 <= ratio < 100 else bound(ratio, 2)


def notes(document: Document) -> Iterator[str]:
    """What does not fit into the table, one line each."""
    yield from _at_most(document.differences)
    if document.rows:
        yield from _mcnemar_notes(document.rows)
        yield from _at_most([note for row in document.rows for note in _parting(row)])
        yield from _speed_notes(document.rows)
        yield from _error_notes(document.rows)
        tolerances = told(document.margins, *(row.score for row in document.rows))
        yield f"fails on: {', '.join(document.fail_on)}; tolerances: {tolerances}"


def _error_notes(rows: Sequence[Row]) -> Iterator[str]:
    notes = [
        f"{name.upper()}, {_place(row)}: {significant(error.a.centre)} in A, {significant(error.b.centre)} in B: "
        f"{WORDS[error.decision]}"
        for row in rows
        for name, error in row.errors.items()
    ]
    yield from _at_most(notes)


def _at_most(lines: Sequence[str]) -> Iterator[str]:
    yield from lines[:LINES_AT_MOST]
    if len(lines) > LINES_AT_MOST:
        yield f"and {len(lines) - LINES_AT_MOST} more lines of this kind (--format json has all)"


def _tests(rows: Sequence[Row]) -> list[tuple[Row, McNemar, float]]:
    """Every McNemar test with its p corrected for all of them."""
    tests = [(row, test) for row in rows for test in row.mcnemar]
    return [(*each, p) for each, p in zip(tests, holm([test.p for _, test in tests]), strict=True)]


def _mcnemar_notes(rows: Sequence[Row]) -> Iterator[str]:
    tests = _tests(rows)
    different = [each for each in tests if each[2] <= LEVEL]
    for row, test, p in different[:LINES_AT_MOST]:
        yield f"McNemar, {_place(row)}, seed {test.seed}: {_counts(test)}, p = {significant(p, 2)} (corrected)"
    if tests and all(test.only_a + test.only_b == 0 for _, test, _ in tests):
        yield "every pair of networks gets the same test examples right"
    elif tests and not different:
        row, test, p = min(tests, key=lambda each: each[1].p)
        yield (
            f"McNemar: none of {len(tests)} pairs of networks shown to differ on the test examples; smallest "
            f"p = {significant(test.p, 2)}, {significant(p, 2)} corrected ({_place(row)}, seed {test.seed}: "
            f"{_counts(test)})"
        )


def _counts(test: McNemar) -> str:
    return f"{test.only_a} examples only A gets right, {test.only_b} only B"


def _parting(row: Row) -> Iterator[str]:
    parts = row.cost_parts_at
    if parts.epoch is not None and parts.relative is not None and parts.largest_relative is not None:
        largest = percent(parts.largest_relative)
        yield f"costs part at epoch {parts.epoch}, {_place(row)}: {_change(parts.relative)} (largest {largest} %)"


def _change(fraction: float) -> str:
    return f"{signed(100 * fraction)} %"


def _speed_notes(rows: Sequence[Row]) -> Iterator[str]:
    reasons: dict[str, list[str]] = {}
    for row in rows:
        reasons.setdefault(row.speed.reason or WHICH_RATIO, []).append(row.backend)
    for reason, backends in reasons.items():
        yield f"speed of {', '.join(one_line(name, 40) for name in dict.fromkeys(backends))}: {reason}"


def _place(row: Row) -> str:
    return f"{one_line(row.backend, 40)} on {one_line(row.spec, 80)}"


def markdown(document: Document) -> str:
    """GitHub Markdown: verdict, table, differences, McNemar's tests, where confusion changed, the two sides."""
    return joined(section for part in PARTS for section in part(document))


def _head(document: Document) -> Iterator[str]:
    yield f"**{escaped(document.verdict, 4000)}**"


def _row_sections(document: Document) -> Iterator[str]:
    for score, rows in _by_score(document.rows).items():
        yield text_table([_markdown_cells(row) for row in rows], _headers(SCORES[score]))
    if document.rows:
        yield bullets(notes(document))


def _headers(score: Score) -> tuple[str, ...]:
    unit = f", {score.difference_unit}" if score.difference_unit else ""
    return (
        "spec",
        "backend",
        "seeds A, B",
        f"A, {score.sign}",
        f"B, {score.sign}",
        f"B − A{unit} (95 % interval)",
        score.title,
        "cost",
        "speed B / A (95 % interval)",
    )


def _markdown_cells(row: Row) -> tuple[str, ...]:
    return (
        escaped(row.spec, 120),
        escaped(row.backend, 60),
        f"{len(row.seeds_a)}, {len(row.seeds_b)}" + (", paired" if row.paired else ""),
        SCORES[row.score].value(row.score_a.centre),
        SCORES[row.score].value(row.score_b.centre),
        _with_interval(row.difference, SCORES[row.score]),
        WORDS[row.equivalence.decision],
        WORDS[row.cost_decision],
        _ratio(row.speed.ratio),
    )


def _with_interval(interval: Interval, score: Score) -> str:
    if interval.low is None or interval.high is None:
        return f"{score.difference(interval.centre)} (one seed: no interval)"
    return with_ends(interval.centre, interval.low, interval.high, score.difference)


def _mcnemar_section(document: Document) -> Iterator[str]:
    cells = [
        (
            *(escaped(row.spec, 120), escaped(row.backend, 60)),
            *map(str, (test.seed, test.only_a, test.only_b)),
            *(significant(test.p, 2), significant(p, 2)),
        )
        for row, test, p in _tests(document.rows)
    ]
    if cells:
        yield "<details><summary>McNemar's test of each seed</summary>"
        yield text_table(cells, ("spec", "backend", "seed", "only A right", "only B right", "p", "p, corrected (Holm)"))
        yield "</details>"


def _confusion_section(document: Document) -> Iterator[str]:
    lines = [
        f"- {escaped(_place(row), 200)}: {'; '.join(changes)}"
        for row in document.rows
        if row.confusion and len(row.seeds_a) == len(row.seeds_b) and (changes := _changes(row.confusion))
    ]
    if lines:
        yield "Where the confusion matrices differ most (all seeds together):"
        yield "\n".join(lines[:LINES_AT_MOST])


def _changes(confusion: Confusion) -> list[str]:
    """The cells off the diagonal that differ most, as "true 4, predicted 9: 31 → 12"."""
    cells = [
        (b - a, f"true {escaped(confusion.classes[i], 40)}, predicted {escaped(confusion.classes[j], 40)}: {a} → {b}")
        for i, (row_a, row_b) in enumerate(zip(confusion.a, confusion.b, strict=True))
        for j, (a, b) in enumerate(zip(row_a, row_b, strict=True))
        if i != j and a != b
    ]
    return [text for _, text in sorted(cells, key=lambda cell: -abs(cell[0]))[:CHANGES_AT_MOST]]


def _sides(document: Document) -> Iterator[str]:
    yield text_table([_side("A", document.a), _side("B", document.b)], ("", "path", "title", "started", "revision"))
    if document.rows:
        yield HOW_TO_READ
    if any(row.score == "r2" for row in document.rows):
        yield R2_AND_ERRORS


def _side(label: str, side: DocumentSide) -> tuple[str, ...]:
    revision = MISSING if side.git_revision is None else escaped(side.git_revision, 12)
    return label, escaped(side.path, 200), escaped(side.title, 120), escaped(side.started, 40), revision


PARTS = (_head, _row_sections, _mcnemar_section, _confusion_section, _sides)
