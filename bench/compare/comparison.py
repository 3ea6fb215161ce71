"""Two runs compared, for Python: the document, its rows as a pandas frame, and the page that a notebook shows."""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from bench.compare.document import Decision, Document, DocumentSide, Row
from bench.compare.match import Match, match
from bench.compare.quantities import margins_of, used_in
from bench.compare.read import Runs, quoted, read, shown
from bench.compare.rows import Compared, compare, decide, row
from bench.compare.verdict import verdict
from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.data.examples import Examples

FAIL_ON = ("accuracy", "r2", "cost")

Pictures = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Comparison:
    """What was found; `pictures` makes the pictures of the examples that only one side gets right."""

    document: Document
    pictures: Callable[[], Pictures]

    @property
    def verdict(self) -> str:
        """The comparison in one sentence."""
        return self.document.verdict

    @property
    def decision(self) -> Decision:
        """`within_tolerance`, `worse` or `undecided`."""
        return self.document.decision

    @property
    def rows(self) -> pd.DataFrame:
        """One row a (spec, backend): decisions, accuracies, difference B − A, time ratio B / A."""
        return pd.DataFrame([_flat(each) for each in self.document.rows])

    def page(self) -> str:
        """The HTML page that `--format html` writes."""
        from bench.compare.page import page

        return page(json.loads(self.document.model_dump_json()), self.pictures())

    def __repr__(self) -> str:
        return self.verdict

    def _repr_html_(self) -> str:
        """The page in a frame."""
        from bench.page.render import framed

        return framed(self.page())


def compare_runs(
    a: str | os.PathLike[str],
    b: str | os.PathLike[str],
    fail_on: Sequence[str] = FAIL_ON,
    tolerances: Sequence[str] = (),
    allowed: Sequence[str] = (),
) -> Comparison:
    """Compare run B with run A.

    Raises UnusableError: where a side cannot be read or nothing can be compared.
    """
    margins = margins_of(tolerances)
    one, two = read(Path(a), Path(b))
    matched = match(one, two, allowed)
    fail_on = _that_apply(fail_on, [*matched.matches, *matched.diverged])
    found = [compare(each, margins) for each in matched.matches]
    decided = decide(found, fail_on)
    pairs = [row(each, decision, margins) for each, decision in zip(found, decided, strict=True)]
    said = verdict(matched, found, decided, fail_on, margins)
    document = Document(
        verdict=said.sentence,
        decision=said.decision,
        seeds_needed=said.seeds_needed,
        margins=margins,
        fail_on=tuple(fail_on),
        a=_side(one),
        b=_side(two),
        differences=(*matched.differences, *_without_labels(pairs)),
        rows=tuple(made for made, _ in pairs),
    )
    return Comparison(document, lambda: _pictures(found, document.rows))


def _that_apply(fail_on: Sequence[str], matches: Sequence[Match]) -> Sequence[str]:
    """What may fail in some row. Refuses where nothing may in one: it would pass unseen."""
    for each in matches:
        has = used_in(each.score.name)
        if not set(fail_on) & set(has):
            spec = f"spec {quoted(each.spec.name)}"
            raise UnusableError(
                f"--fail-on {','.join(fail_on)}: {spec} has none of it; allowed there: {', '.join(has)}"
            )
    used = used_in(*(each.score.name for each in matches))
    return [name for name in fail_on if name in used]


def _flat(row: Row) -> dict[str, Any]:
    ratio = row.speed.ratio
    return {
        "spec": row.spec,
        "backend": row.backend,
        row.score: row.equivalence.decision,
        "cost": row.cost_decision,
        "speed": row.speed_decision,
        **{name: error.decision for name, error in row.errors.items()},
        f"{row.score}_a": row.score_a.centre,
        f"{row.score}_b": row.score_b.centre,
        "difference": row.difference.centre,
        "difference_low": row.difference.low,
        "difference_high": row.difference.high,
        "time_ratio": ratio and ratio.centre,
        "time_ratio_low": ratio and ratio.low,
        "time_ratio_high": ratio and ratio.high,
    }


def _without_labels(pairs: Sequence[tuple[Row, str]]) -> list[str]:
    reasons = dict.fromkeys(why for _, why in pairs if why)
    return [f"no McNemar's test, confusion matrices or examples: {why}" for why in reasons]


def _pictures(found: Sequence[Compared], rows: Sequence[Row]) -> Pictures:
    """Spec → index of each example that only one gets right in any of its rows → picture."""
    wanted: dict[str, tuple[Compared, set[int]]] = {}
    for one, made in zip(found, rows, strict=True):
        wanted.setdefault(made.spec, (one, set()))[1].update(each.index for each in made.only_one_right)
    from bench.page.pictures import pictures  # with it matplotlib: no other format pays for it

    made_of: Pictures = {}
    for spec, (one, indices) in wanted.items():
        examples = one.match.examples() if indices else ""
        if isinstance(examples, Examples) and examples.shape is not None:
            made_of[spec] = pictures(examples.pixels, examples.shape, sorted(indices))
    return made_of


def _side(side: Runs) -> DocumentSide:
    """Of several runs the titles of all, and all else of the newest."""
    newest = side.runs[0].run
    titles = dict.fromkeys(records.run.suite.title or records.run.suite_name for records in side.runs)
    revision = newest.environment.get("git_revision")
    return DocumentSide(
        path=shown(side.path),
        title=one_line("; ".join(titles), 200),
        started=one_line(newest.started, 60),
        git_revision=None if revision is None else one_line(revision, 60),
        threads=newest.threads,
        environment={name: value for name, value in newest.environment.items() if name != "warnings"},
    )
