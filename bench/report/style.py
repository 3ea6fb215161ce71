"""The look of plots: one style per backend in every run, settings, the grid of panels, and how a figure is saved."""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from bench.core.files import atomic_path
from bench.core.text import one_line, significant

Dash = tuple[float, tuple[float, ...]] | Literal["-"]

COLUMNS = 3
PANEL_INCHES = (4.0, 2.7)
LARGEST_PIXELS = 30_000
METADATA: dict[str, dict[str, Any]] = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}
"""Kind of file → what it must not hold, for the same data are to give the same bytes."""
KINDS = ("png", "svg")

# Okabe & Ito, "Color Universal Design", 2008: told apart with every kind of colour blindness.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY = "#999999"
# What a page lays over each other, in the light and in the dark scheme: 3 to 1 against the ground.
SIDES = {"--a": (BLUE, SKY), "--b": (VERMILLION, ORANGE)}

# Text is shown as it is: a name with `$` is no mathematics. A fixed salt makes the ids in an SVG reproducible.
SETTINGS: dict[Any, Any] = {
    "text.parse_math": False,
    "svg.hashsalt": "scratchnet",
    "pdf.fonttype": 42,  # letters, not drawings of them
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E4E4",
    "grid.linewidth": 0.6,
}


@contextmanager
def plot_settings(more: Mapping[Any, Any] | None = None) -> Iterator[None]:
    """Draw and save with Matplotlib's defaults, ours over them, and `more` over these.

    Nothing else: Matplotlib reads a file `matplotlibrc` in the current folder, which may be a stranger's.
    """
    with matplotlib.rc_context(), warnings.catch_warnings():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update({**SETTINGS, **(more or {})})
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # a name may be in any script
        yield


@dataclass(frozen=True)
class Style:
    """Colour, marker, line width (points) and dashes of a backend."""

    color: str
    marker: str
    width: float
    dash: Dash = "-"

    @property
    def line(self) -> dict[str, Any]:
        """Of a curve, as Matplotlib names it."""
        look = {"color": self.color, "linewidth": self.width, "linestyle": self.dash}
        return {**look, "marker": self.marker, "markersize": self.width + 2.5}

    @property
    def order(self) -> float:
        """Where curves coincide, the thinner lies on top of the wider, and both are seen."""
        return 4 - self.width / 10


STYLES: dict[str, Style] = {
    "keras-fit": Style(BLUE, "o", 7.0),
    "keras-fit-tuned": Style(SKY, "s", 5.4),
    "tf-graph": Style(GREEN, "^", 4.0),
    "tf-xla": Style(ORANGE, "D", 2.8),
    "scratchnet": Style(BLACK, "v", 1.2),
    "jax-scan": Style(PURPLE, "P", 2.2, (0, (4, 2))),
    "torch-eager": Style(VERMILLION, "X", 3.4, (0, (6, 2))),
    "torch-compile": Style(YELLOW, "p", 1.8, (0, (2, 2))),
    "sklearn": Style(GREY, "h", 1.5, (0, (5, 1, 1, 1))),
}
_OTHER_COLORS = (PURPLE, VERMILLION, GREY, YELLOW)
_OTHER_MARKERS = ("<", ">", "d", "*", "8", "H")
_OTHER_DASHES: tuple[Dash, ...] = ((0, (1, 1)), (0, (3, 1)), (0, (7, 2)), (0, (3, 1, 1, 1)))


def style_of(backend: str) -> Style:
    """The backend's style; of an unknown one, drawn from its name alone, so that it is the same in every run."""
    if backend in STYLES:
        return STYLES[backend]
    number = int.from_bytes(sha256(backend.encode("utf-8", "replace")).digest())
    number, color = divmod(number, len(_OTHER_COLORS))
    number, marker = divmod(number, len(_OTHER_MARKERS))
    number, dash = divmod(number, len(_OTHER_DASHES))
    return Style(_OTHER_COLORS[color], _OTHER_MARKERS[marker], 1.6 + number % 5 / 5, _OTHER_DASHES[dash])


def label(name: object, limit: int = 28) -> str:
    """A name as a label. Matplotlib drops those that begin with an underscore."""
    text = one_line(name, limit)
    return f" {text}" if text.startswith("_") else text


@dataclass(frozen=True)
class Drawn:
    """What the plots are drawn from: the tables of a run, its specs and backends in the suite's order."""

    epochs: pd.DataFrame
    summary: pd.DataFrame
    aggregate: pd.DataFrame
    specs: tuple[str, ...]
    backends: tuple[str, ...]
    reference: str
    all_specs: int

    def title(self, text: str) -> str:
        """`text`, and how many specs are left out."""
        left_out = self.all_specs > len(self.specs)
        return f"{text}; the first {len(self.specs)} of {self.all_specs} specs" if left_out else text

    def step(self, most: int) -> int:
        """How many epochs a point stands for, where a plot has room for at most `most` points a process."""
        return math.ceil(self.epochs["epoch"].max() / most) if len(self.epochs) else 1

    def title_of(self, backend: str) -> str:
        """The backend's label, with what became of it where no seed on any spec went well."""
        rows = self.summary[self.summary["backend"] == backend]
        lost = "" if (rows["status"] == "ok").any() else ", ".join(dict.fromkeys(rows["status"]))
        return f"{label(backend)} ({lost})" if lost else label(backend)


def grid(specs: Sequence[str], title: str, height: float = PANEL_INCHES[1]) -> tuple[Figure, list[Axes]]:
    """A figure with a titled panel a spec, three in a row, each `height` inches high."""
    columns = min(COLUMNS, max(1, len(specs)))
    rows = max(1, math.ceil(len(specs) / columns))
    width = 6.6 if columns == 1 else PANEL_INCHES[0] * columns
    figure = Figure(figsize=(width, height * rows + 1.2), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", weight="bold", fontsize=11)
    every = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, spec in zip(every, specs, strict=False):
        axes.set_title(label(spec, 36), loc="left", fontsize=9.5)
    for axes in every[len(specs) :]:
        axes.set_axis_off()
    return figure, list(every[: len(specs)])


def outer(axes: Axes) -> tuple[bool, bool]:
    """Whether a panel stands in the first column, and whether no panel in use stands below it."""
    place = axes.get_subplotspec()
    if place is None:
        return True, True
    others = (other.get_subplotspec() for other in axes.figure.axes if other.axison)
    column, row = place.colspan.start, place.rowspan.start
    below = any(other and other.colspan.start == column and other.rowspan.start > row for other in others)
    return place.is_first_col(), not below


def legend_below(figure: Figure, handles: Sequence[Line2D]) -> None:
    """A legend under all panels, where it cannot cover data, in as many columns as the width has room for."""
    longest = max((len(str(handle.get_label())) for handle in handles), default=0)
    columns = int(figure.get_figwidth() / (0.075 * longest + 0.7))
    if handles:
        figure.legend(handles=handles, loc="outside lower left", ncols=max(1, columns), frameon=False, handlelength=3.2)


def logarithmic(
    axes: Axes, name: Literal["x", "y"], lowest: float, highest: float, write: Callable[[float], str] | None = None
) -> None:
    """Make the x or y axis logarithmic, with plain numbers of one digit or as `write` has them, a few for any span."""
    axes.set(**{f"{name}scale": "log", f"{name}lim": (lowest, highest)})
    decades = math.log10(highest / lowest)
    twice, once = (1.5, 2.5) if name == "x" else (2, 3.5)  # more numbers fit above each other than beside each other
    steps = (1, 2, 5) if decades < twice else (1, 3) if decades < once else (1,)
    axis = axes.xaxis if name == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axis.set_major_formatter(FuncFormatter(lambda value, _: write(value) if write else significant(value, 1)))
    axis.set_minor_formatter(NullFormatter())


def save_figure(figure: Figure, stem: Path, kinds: Sequence[str] = KINDS) -> list[Path]:
    """Write STEM.png and STEM.svg, or those kinds, within `plot_settings`; the same figure gives the same bytes."""
    # 150 dots an inch, or fewer where a plot of very many panels would pass what can be drawn.
    figure.set_dpi(min(150.0, LARGEST_PIXELS / float(figure.get_figheight())))
    figure.draw_without_rendering()  # places the panels once; else each file would do it, which takes most of the time
    figure.set_layout_engine("none")
    paths = [stem.with_name(f"{stem.name}.{kind}") for kind in kinds]
    for path, kind in zip(paths, kinds, strict=True):
        with atomic_path(path) as temporary:
            figure.savefig(temporary, dpi=figure.dpi, metadata=METADATA[kind])
    return paths
