"""The HTML page of a comparison: one file that needs no internet connection."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.compare.document import Margins
from bench.compare.page_filters import FILTERS
from bench.compare.quantities import told
from bench.page.axis import PlotAxis, around
from bench.page.drawn import A, B, Drawing, Line, Look
from bench.page.render import Pages, finite
from bench.report.scores import SCORES
from bench.report.style import SIDES

PAGES = Pages("bench.compare", FILTERS)

Pictures = Mapping[str, Mapping[str, str]]


def page(document: dict[str, Any], pictures: Pictures) -> str:
    """The whole page.

    Parameters
    ----------
    document
        What the comparison found, as its JSON has it; a figure that is not finite is shown as missing.
    pictures
        Spec → index of a test example → data URI of its picture; whatever has none is shown by its index.
    """
    shown = finite(document)
    rows = shown["rows"]
    lines = [[_line(row, letter, look) for letter, look in (("a", A), ("b", B))] for row in rows]
    drawing = Drawing(line.series for both in lines for line in both)
    for row, both in zip(rows, lines, strict=True):
        _draw(drawing, row, both, pictures.get(row["spec"], {}))
    margins = told(Margins.model_validate(shown["margins"]), *(row["score"] for row in rows))
    return PAGES.render(
        "comparison.html", drawing.data, SIDES, document=shown, margins=margins, rows=list(_scored(rows))
    )


def _scored(rows: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each row with what its networks are judged by, that of both, and the axis of differences, one for all such."""
    axes = {name: _axis([row for row in rows if row["score"] == name]) for name in {row["score"] for row in rows}}
    for row in rows:
        name = row["score"]
        of_both = {"score_a": row[f"{name}_a"], "score_b": row[f"{name}_b"]}
        yield {**row, **of_both, "score": SCORES[name], "axis": axes[name]}


def _axis(rows: Sequence[Mapping[str, Any]]) -> PlotAxis:
    return around(0.0, rows[0]["equivalence"]["margin"], [row["difference"] for row in rows])


def _line(row: Mapping[str, Any], letter: str, look: Look) -> Line:
    return Line(look, {name: list(sides[letter].values()) for name, sides in row["curves"].items()})


def _draw(drawing: Drawing, row: Mapping[str, Any], lines: list[Line], pictures: Mapping[str, str]) -> None:
    confusion, examples = row["confusion"], row["only_one_right"]
    drawing.row(
        names=["A", "B"],
        chart=drawing.chart(lines, parts_at=row["cost_parts_at"]["epoch"]),
        confusion=confusion and {"classes": confusion["classes"], "sides": [confusion["a"], confusion["b"]]},
        examples=[drawing.example(each, pictures) for each in examples],
    )
