"""The results of a run for Python: pandas frames, the verdict, and a page where a notebook shows it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from bench.records.run import WELL
from bench.report.tables import Tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Results:
    """A run folder and its tables, which are made once and handed to everything that shows them."""

    folder: Path
    tables: Tables

    @property
    def verdict(self) -> str:
        """The run in one sentence."""
        return self.tables.verdict

    @property
    def warnings(self) -> list[str]:
        """What to know before the numbers are trusted."""
        return self.tables.warnings

    @property
    def complete(self) -> bool:
        """Whether every (spec, seed) was finished."""
        return self.tables.records.complete

    @property
    def ok(self) -> bool:
        """Whether every (spec, seed) was finished, and every backend that could run ended well."""
        return self.complete and all(result.status in WELL for result in self.tables.records.results)

    @property
    def epochs(self) -> pd.DataFrame:
        """One row an epoch of each process; see `bench.report.tables.epochs_table`."""
        return self.tables.epochs

    @property
    def summary(self) -> pd.DataFrame:
        """One row a (spec, backend, seed); see `bench.report.tables.summary_table`."""
        return self.tables.summary

    @property
    def aggregate(self) -> pd.DataFrame:
        """One row a (spec, backend), over its seeds; see `bench.report.tables.aggregate_table`."""
        return self.tables.aggregate

    def figures(self) -> "dict[str, Figure]":
        """Name → Matplotlib figure of each plot."""
        from bench.report.plots import draw_figures

        return draw_figures(self.tables)

    def __repr__(self) -> str:
        return f"{self.verdict}\n(tables, plots and records: {self.folder})"

    def page(self) -> str:
        """The HTML page that `report.html` holds."""
        from bench.report.page import page

        return page(self.tables, self.folder)

    def _repr_html_(self) -> str:
        """The page in a frame."""
        from bench.page.render import framed

        return framed(self.page())
