"""A run as an HTML page: the verdict, a table a spec, warnings, the plots. A notebook shows it without a network."""

import base64
import html
from collections.abc import Iterator
from io import BytesIO

import pandas as pd
from matplotlib.figure import Figure

from bench.core.text import one_line
from bench.report.markdown import spec_table
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
        cells, headers = spec_table(rows.to_dict("records"), tables.reference, tables.score_of(spec))
        yield pd.DataFrame(cells, columns=list(headers)).to_html(index=False, border=0)
    yield "".join(f"<p>warning: {_text(line)}</p>" for line in tables.warnings)
    for name, figure in draw_figures(tables).items():
        yield f'<img alt="{_text(name.replace("_", " "))}" style="max-width: 100%" src="{_picture(figure)}">'


def _picture(figure: Figure) -> str:
    file = BytesIO()
    with plot_settings():
        figure.savefig(file, format="svg", metadata=METADATA["svg"])
    return f"data:image/svg+xml;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _text(value: object) -> str:
    return html.escape(one_line(value))
