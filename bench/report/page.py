"""A run as an HTML page: the verdict, a table a spec, warnings, the plots. A notebook shows it without a network."""

import base64
import html
from collections.abc import Iterator
from io import BytesIO

from matplotlib.figure import Figure

from bench.core.text import one_line
from bench.report.markdown import HEADERS, row_cells
from bench.report.plots import draw_figures
from bench.report.style import METADATA, plot_settings
from bench.report.tables import Tables

STYLE = "overflow-x: auto; font-family: sans-serif; font-size: 90%"


def page(tables: Tables) -> str:
    """The page as one element, to stand alone or within a notebook."""
    return f'<div style="{STYLE}">{"".join(_parts(tables))}</div>'


def _parts(tables: Tables) -> Iterator[str]:
    yield f"<p><b>{_text(tables.verdict)}</b></p>"
    for spec, rows in tables.aggregate.groupby("spec", sort=False):
        yield f"<h4>{_text(spec)}</h4>"
        yield _table([row_cells(row, tables.reference) for row in rows.to_dict("records")])
    yield "".join(f"<p>warning: {_text(line)}</p>" for line in tables.warnings)
    for name, figure in draw_figures(tables).items():
        yield f'<img alt="{_text(name.replace("_", " "))}" style="max-width: 100%" src="{_picture(figure)}">'


def _table(rows: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{_text(title)}</th>" for title in HEADERS)
    body = "".join(f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _picture(figure: Figure) -> str:
    file = BytesIO()
    with plot_settings():
        figure.savefig(file, format="svg", metadata=METADATA["svg"])
    return f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _text(value: object) -> str:
    return html.escape(one_line(value))
