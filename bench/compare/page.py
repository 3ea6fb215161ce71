"""The HTML page of a comparison: one file that needs no network."""

import base64
import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from bench.compare.axis import AXES, PlotAxis, around
from bench.compare.document import Margins
from bench.compare.page_filters import FILTERS
from bench.compare.quantities import told
from bench.core.text import MISSING, one_line
from bench.report.scores import SCORES
from bench.report.style import BLUE, ORANGE, SKY, VERMILLION

STYLES = ("uPlot.min.css", "page.css")
SCRIPTS = ("uPlot.iife.min.js", "table.js", "curves.js", "details.js")
LICENCE = "uPlot.LICENSE.txt"

# A and B in the light scheme, then in the dark one: 3 to 1 against the ground; A is whole, B dashed wherever they meet.
COLORS = {"--a-light": BLUE, "--b-light": VERMILLION, "--a-dark": SKY, "--b-dark": ORANGE}
DIGITS = 6

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
    style = ":root {" + "; ".join(f"{name}: {color}" for name, color in COLORS.items()) + "}\n" + _static(STYLES)
    script = f"/*\n{_static([LICENCE])}*/\n{_static(SCRIPTS)}"
    finite = _finite(document)
    rows = finite.get("rows") or []
    return (
        _environment()
        .get_template("page.html")
        .render(
            document=finite,
            rows=list(_scored(rows)),
            margins=told(Margins.model_validate(finite["margins"]), *(row["score"] for row in rows)),
            data=_data(rows, pictures),
            style=Markup(style),
            script=Markup(script),
            policy=f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}",
        )
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


@cache
def _environment() -> Environment:
    """StrictUndefined: a name that the document does not have is an error."""
    environment = Environment(
        loader=PackageLoader("bench.compare"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(AXES, side_by_side=side_by_side)
    return environment


def _printable(value: Any) -> Any:
    """A name on one line without characters that UTF-8 cannot hold; empty for None."""
    if value is None:
        return ""
    return one_line(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _static(names: Sequence[str]) -> str:
    folder = files("bench.compare") / "static"
    return "\n".join((folder / name).read_text("utf-8") for name in names)


def _hash(text: str) -> str:
    """The hash for the content security policy: only this text may run, whatever a name contains."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _finite(value: Any) -> Any:
    """The same, with None for every number that is not finite, as JSON has no such number."""
    if isinstance(value, dict):
        return {name: _finite(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(part) for part in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _data(rows: Sequence[Mapping[str, Any]], pictures: Pictures) -> dict[str, Any]:
    """What the page's scripts draw when a row is opened. A picture that several rows show is held once."""
    held: dict[str, int] = {}
    drawn = [_drawn(row, pictures.get(row["spec"], {}), held) for row in rows]
    return {"pictures": list(held), "rows": drawn}


def _drawn(row: Mapping[str, Any], pictures: Mapping[str, str], held: dict[str, int]) -> dict[str, Any]:
    return {
        "curves": _rounded(row["curves"]),
        "parts_at": row["cost_parts_at"]["epoch"],
        "confusion": row["confusion"],
        "examples": [
            each | {"picture": _place(pictures.get(str(each["index"])), held)} for each in row["only_one_right"]
        ],
    }


def _place(uri: str | None, held: dict[str, int]) -> int | None:
    """Index of a picture; a new one is added at the end."""
    return None if uri is None else held.setdefault(uri, len(held))


def _rounded(value: Any) -> Any:
    """The same with fewer digits than a screen could show."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part) for part in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


class BothValues(NamedTuple):
    """One value of both, as text, and whether the two are not the same."""

    name: str
    a: str
    b: str
    differs: bool


def side_by_side(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[BothValues]:
    """Every value that either has; those that differ first, else in the order of A, then of B."""
    in_a, in_b = dict(_flat(a)), dict(_flat(b))
    both = [(name, in_a.get(name, MISSING), in_b.get(name, MISSING)) for name in in_a | in_b]
    lines = [BothValues(*each, differs=each[1] != each[2]) for each in both]
    return sorted(lines, key=lambda line: not line.differs)


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{before}{name}: ")
        else:
            yield f"{before}{name}", _text(value)


def _text(value: Any) -> str:
    if value is None:
        return MISSING
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    return "none" if value == {} else str(value)
