"""The plots: drawn whatever the run holds, told apart, legends off the data, the same bytes each time."""

import re
from itertools import pairwise

import builders
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from bench.records.run import Records
from bench.report.plots import ABOUT, PLOTS, draw_figures, draw_plots
from bench.report.scores import R2
from bench.report.style import STYLES, label, style_of
from bench.report.tables import Tables

NAMES = tuple(name for name in PLOTS if ABOUT.get(name) is not R2)


def panels(figure: Figure) -> list[Axes]:
    """The panels in use."""
    return [axes for axes in figure.axes if axes.axison]


def curve(axes: Axes, backend: str):
    """The labelled curve of a backend."""
    return next(line for line in axes.lines if line.get_label() == backend)


def drawn_boxes(figure: Figure) -> tuple[list[Bbox], Bbox]:
    """Where panels with their labels, and the legend, come to lie."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    return [axes.get_tightbbox(renderer) for axes in panels(figure)], figure.legends[0].get_window_extent(renderer)


@pytest.fixture(scope="module", params=["three_seeds", "with_losses", "nine_specs"])
def figures(request) -> dict[str, Figure]:
    """All plots of each of the runs."""
    return draw_figures(Tables(request.getfixturevalue(request.param)))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_lies_on_anything_else(figures, name):
    figure = figures[name]
    boxes, legend = drawn_boxes(figure)
    assert boxes
    assert not any(box.overlaps(legend) for box in boxes)
    assert legend.x0 >= 0
    assert legend.x1 <= figure.bbox.width
    assert legend.y0 >= 0
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_the_box_test_can_fail(three_seeds):
    figure = draw_figures(Tables(three_seeds))["cost_curves"]
    figure.legends[0].set_loc("center")
    boxes, legend = drawn_boxes(figure)
    assert boxes[0].overlaps(legend)


def test_files_are_png_and_svg_without_a_date(three_seeds, tmp_path):
    paths = draw_plots(Tables(three_seeds), tmp_path)
    assert [path.name for path in paths] == [f"{name}.{kind}" for name in NAMES for kind in ("png", "svg")]
    assert {path.read_bytes()[:4] for path in paths if path.suffix == ".png"} == {b"\x89PNG"}
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(path.name for path in paths)
    assert "<dc:date>" not in (tmp_path / "cost_curves.svg").read_text()


@pytest.mark.parametrize("name", ["cost_curves", "accuracy_curves"])
def test_curves_that_coincide_are_all_seen(name, three_seeds):
    """Nested: what lies on top is thinner, with a smaller marker of another shape and colour."""
    axes = panels(draw_figures(Tables(three_seeds))[name])[0]
    curves = sorted((curve(axes, backend) for backend in builders.BACKENDS), key=lambda line: line.get_zorder())
    assert all(list(line.get_ydata()) == list(curves[0].get_ydata()) for line in curves)
    for lower, upper in pairwise(curves):
        assert upper.get_linewidth() <= lower.get_linewidth() - 1
        assert upper.get_markersize() < lower.get_markersize()
    assert len({line.get_marker() for line in curves}) == len(curves)
    assert len({line.get_color() for line in curves}) == len(curves)


def test_a_backend_looks_the_same_in_every_run():
    runs = ({"tf-xla": [1.0, 1.0], "new": [1.0, 1.0]}, {"a": [1.0], "new": [1.0], "tf-xla": [1.0]})
    one, other = (panels(draw_figures(Tables(builders.small_run(run)))["cost_curves"])[0] for run in runs)
    for name in ("tf-xla", "new"):
        for look in ("get_color", "get_marker", "get_linewidth"):
            assert getattr(curve(one, name), look)() == getattr(curve(other, name), look)()


def test_colours_of_the_known_are_fixed():
    assert {name: style.color for name, style in STYLES.items()} == {
        "keras-fit": "#0072B2",
        "keras-fit-tuned": "#56B4E9",
        "tf-graph": "#009E73",
        "tf-xla": "#E69F00",
        "scratchnet": "#000000",
        "jax-scan": "#CC79A7",
        "torch-eager": "#D55E00",
        "torch-compile": "#F0E442",
        "sklearn": "#999999",
    }


@pytest.mark.parametrize("attribute", ["color", "marker", "width"])
def test_no_two_known_backends_share(attribute):
    assert len({getattr(style, attribute) for style in STYLES.values()}) == len(STYLES)


@given(st.text(), st.text())
def test_an_unknown_backend_looks_by_its_name_alone(name, other):
    before = style_of(name)
    style_of(other)
    assert style_of(name) == before


def test_unknown_backends_mostly_look_different():
    assert len({style_of(f"backend {number}") for number in range(50)}) > 40


def test_cost_is_the_mean_over_seeds_within_a_band():
    one = builders.spec(name="one", seeds=(0, 1), epochs=2)
    found = [builders.run_record([one], ("keras-fit",))]
    for seed, cost in ((0, 1.0), (1, 3.0)):
        found.append(builders.cell("one", seed))
        found += [builders.epoch("one", seed, "keras-fit", n, train_cost=cost) for n in (1, 2)]
        found += [builders.result("one", seed, "keras-fit"), builders.cell_end("one", seed)]
    axes = panels(draw_figures(Tables(Records(found)))["cost_curves"])[0]
    assert list(curve(axes, "keras-fit").get_ydata()) == [2.0, 2.0]
    band = axes.collections[0].get_paths()[0].get_extents()
    assert (band.y0, band.y1) == (1.0, 3.0)


def test_accuracy_is_in_per_cent_after_each_epoch(three_seeds):
    axes = panels(draw_figures(Tables(three_seeds))["accuracy_curves"])[0]
    assert axes.get_ylabel() == "accuracy, %"
    assert list(curve(axes, "scratchnet").get_xdata()) == [1, 2, 3, 4]
    assert 90 < curve(axes, "scratchnet").get_ydata()[-1] < 100


def test_every_epoch_is_a_dot_and_warm_ups_are_hollow():
    axes = panels(draw_figures(Tables(builders.small_run({"keras-fit": [9.0, 1.0, 3.0, 2.0]})))["epoch_seconds"])[0]
    dots = {line.get_fillstyle(): list(line.get_xdata()) for line in axes.lines}
    assert dots == {"full": [1.0, 3.0, 2.0], "none": [9.0]}
    median = axes.collections[0].get_segments()[0]
    assert median[:, 0].tolist() == [2.0, 2.0]
    assert axes.get_xlabel() == "seconds of an epoch (logarithmic)"


def test_time_ratio_shows_seeds_centre_interval_and_reference(three_seeds):
    axes = panels(draw_figures(Tables(three_seeds))["time_ratio"])[0]
    assert axes.get_xscale() == "log"
    rows = [text.get_text() for text in axes.get_yticklabels()]
    assert rows == ["scratchnet", "keras-fit-tuned", "tf-graph", "tf-xla"]
    reference, seeds, interval, centre = axes.lines[:4]
    assert list(reference.get_xdata()) == [1, 1]
    assert len(seeds.get_xdata()) == 3
    assert interval.get_xdata()[0] < centre.get_xdata()[0] < interval.get_xdata()[1]


def test_statuses_stand_where_there_is_no_ratio(with_losses):
    figures = draw_figures(Tables(with_losses))
    notes = [text.get_text() for text in panels(figures["time_ratio"])[0].texts]
    assert notes[1] == "skipped"
    assert notes[3] == "diverged"
    legend = [text.get_text() for text in figures["cost_curves"].legends[0].get_texts()]
    assert {"tf-xla (diverged)", "keras-fit-tuned (skipped)", "tf-graph"} <= set(legend)


def test_a_diverged_backend_does_not_flatten_the_others(with_losses):
    low, high = panels(draw_figures(Tables(with_losses))["accuracy_curves"])[0].get_ylim()
    assert low > 85  # tf-xla fell to 9.8 %
    assert high < 100


def every_backend(status: str, epochs: int) -> Records:
    """A run in which all of them end so."""
    ends = dict.fromkeys(builders.BACKENDS, (status, epochs))
    return Records(builders.realistic([builders.spec(seeds=(0,))], ends=ends))


HOSTILE = {"_under $\\frac{1}{$ score": [1.0, 1.0], "keras-fit": [1.0, 1.0], "漢字 🚀" * 2000: [1.0, 2.0]}


@pytest.mark.parametrize(
    "records",
    [
        Records([builders.run_record([builders.spec()])]),
        builders.small_run({"scratchnet": [1.0], "keras-fit": [2.0]}),
        builders.small_run({"scratchnet": [1.0, 1.0]}),
        builders.small_run({"keras-fit": []}),
        every_backend("diverged", 2),
        every_backend("skipped", 0),
        builders.small_run(HOSTILE),
    ],
    ids=["nothing", "warm-up", "one backend", "no epochs", "all diverged", "all skipped", "hostile"],
)
def test_every_plot_is_drawn_whatever_the_run_holds(records, tmp_path):
    assert len(draw_plots(Tables(records), tmp_path)) == 2 * len(NAMES)


def test_more_specs_than_a_row_leave_no_empty_axes():
    records = Records(builders.realistic(builders.nine_specs(seeds=(0,), epochs=2)[:4]))
    figure = draw_figures(Tables(records))["epoch_seconds"]
    assert [axes.axison for axes in figure.axes] == [True] * 4 + [False] * 2
    assert [bool(axes.get_xlabel()) for axes in panels(figure)] == [False, True, True, True]


def test_labels_are_short_and_never_dropped():
    assert label("_x") == " _x"
    assert re.fullmatch(r"x{27}…", label("x" * 100))
