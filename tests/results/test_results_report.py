"""The report: every file whole, the same bytes when made again, also of a run cut short."""

import csv
import json
import math
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import builders
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.layout_engine import ConstrainedLayoutEngine

from bench.core.csv_text import csv_text, write_csv
from bench.core.errors import UnusableError
from bench.records.run import Records
from bench.report import tables
from bench.report.markdown import summary_markdown
from bench.report.plots import draw_figures, plots_of
from bench.report.tables import Tables
from bench.report.write import write_report

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"
TEXTS = ("run.json", "epochs.csv", "summary.csv", "summary.md", "report.html")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A run folder with two seeds of one spec."""
    return builders.write(tmp_path, builders.realistic([builders.spec(seeds=(0, 1))]))


def contents(folder: Path) -> dict[str, bytes]:
    """Name → bytes of every file but the lock."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def test_a_report_holds_what_was_asked_for_makes_everything_once_and_is_the_same_when_made_again(folder, monkeypatch):
    before, laid_out, made = (folder / "records.jsonl").read_bytes(), [], []
    lay_out = ConstrainedLayoutEngine.execute
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", lambda *args: laid_out.append(1) or lay_out(*args))
    for name in ("epochs_table", "summary_table", "aggregate_table", "sentence"):
        once = getattr(tables, name)
        monkeypatch.setattr(tables, name, lambda *given, name=name, once=once: made.append(name) or once(*given))
    results = write_report(folder)
    assert sorted(made) == ["aggregate_table", "epochs_table", "sentence", "summary_table"]
    records = results.tables.records
    plots = {f"{name}.{kind}" for name in plots_of(results.tables) for kind in ("png", "svg")}
    assert set(contents(folder)) == {"records.jsonl", *TEXTS, *plots}
    assert isinstance(records, Records)
    assert len(records.results) == 10
    assert (folder / "records.jsonl").read_bytes() == before
    facts = json.loads((folder / "run.json").read_text())
    assert facts["complete"] is True
    assert (facts["cells"], facts["cells_finished"], facts["threads"]) == (2, 2, 2)
    assert facts["seeds"] == {"784-30-10 M=32": [0, 1]}
    assert facts["verdict"] == Tables(records).verdict
    assert facts["runs"] == [json.loads((folder / "records.jsonl").read_text().split("\n")[0])]
    assert 2 * len(laid_out) == len(plots), "once for both files: this is most of the time that a plot takes"
    assert results._repr_html_().startswith("<iframe")
    first = contents(folder)
    write_report(folder)
    assert contents(folder) == first


def test_a_run_cut_short_is_reported(tmp_path):
    one = builders.spec(seeds=(0, 1))
    found = builders.realistic([one], unfinished=[(one.name, 1)])
    builders.write(tmp_path, [*found, builders.cell(one.name, 1), builders.epoch(one.name, 1, "scratchnet", 1)])
    assert not write_report(tmp_path).tables.records.complete
    assert json.loads((tmp_path / "run.json").read_text())["complete"] is False
    assert "incomplete: 1 of 2 pairs of spec and seed finished" in (tmp_path / "summary.md").read_text()


def test_a_run_without_a_finished_cell_is_reported(tmp_path):
    write_report(builders.write(tmp_path, [builders.run_record([builders.spec()])]))
    assert "no backend has a result" in (tmp_path / "summary.md").read_text()
    assert (tmp_path / "epochs.csv").read_text().count("\n") == 1


def test_a_folder_without_records_is_refused_and_left_empty(tmp_path):
    with pytest.raises(UnusableError, match="no records of a run"):
        write_report(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_one_error(folder):
    (folder / "summary.csv").mkdir()
    with pytest.raises(UnusableError, match=r"summary\.csv: cannot be written"):
        write_report(folder)
    assert not [name.name for name in folder.iterdir() if name.name.startswith(".summary")]


FORMULAS = ["=cmd|'/C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", '=HYPERLINK("http://x")', "＝1+1"]


def test_no_text_of_a_csv_starts_a_formula(tmp_path):
    ascii_names = [name for name in FORMULAS if name.isascii()]
    specs = [builders.spec(name=name, seeds=(0,), epochs=2) for name in ascii_names]
    found = builders.realistic(specs, ("keras-fit", *FORMULAS), ends=dict.fromkeys(FORMULAS, ("failed", 1)))
    run = Tables(Records.read(builders.write(tmp_path, found)))
    for table in (run.epochs, run.summary):
        rows = list(csv.DictReader(csv_text(table).splitlines()))
        assert {row["spec"] for row in rows} == {f"'{name}" for name in ascii_names}
        assert {row["backend"] for row in rows} == {"keras-fit", *(f"'{name}" for name in FORMULAS)}
        assert all(float(row["train_cost"]) > 0 for row in rows if row["backend"] == "keras-fit")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_every_start_of_a_formula_is_escaped_and_numbers_stay_numbers(start):
    table = pd.DataFrame({"name": [f"{start}1", None, "fine"], "cost": [-1.5, 2.0, float("nan")], "count": [-3, 1, 2]})
    text = csv_text(table).split("\n")
    assert text[1].startswith("'")
    assert text[1].endswith(",-1.5,-3")
    assert text[2:] == [",2.0,1", "fine,,2", ""]


def test_a_run_of_many_specs_draws_a_selection_and_says_so(tmp_path):
    specs = [builders.spec(name=f"spec {number}", seeds=(0,), epochs=2) for number in range(40)]
    folder = builders.write(tmp_path, builders.realistic(specs, ("scratchnet", "keras-fit")))
    run = Tables(Records.read(folder))
    assert "The plots show the first 12 of 40 specs; the tables hold all." in summary_markdown(run)
    for figure in draw_figures(run).values():
        titles = [axes.get_title(loc="left") for axes in figure.axes]
        assert [title for title in titles if title] == [f"spec {number}" for number in range(12)]
        assert figure.get_suptitle().endswith("; the first 12 of 40 specs")
    assert len(run.summary) == 80


def test_of_many_epochs_a_selection_is_drawn_and_the_title_says_so():
    run = builders.small_run({"scratchnet": [2.0] + [1.0] * 499, "keras-fit": [3.0] * 500})
    figure = draw_figures(Tables(run))["epoch_seconds"]
    assert figure.get_suptitle() == "Seconds of an epoch (one of every 5 epochs is drawn)"
    assert max(len(line.get_xdata()) for axes in figure.axes for line in axes.get_lines()) <= 100


def long_run(folder: Path, epochs: int) -> Path:
    """A run folder with two backends that trained so many epochs, each with batches of its own."""
    backends = ("scratchnet", "keras-fit")
    one = builders.spec(name="one", seeds=(0,), epochs=epochs)
    found = [builders.run_record([one], backends), builders.cell("one", 0)]
    found += [
        builders.epoch("one", 0, backend, n, n / 7, turn=turn, train_cost=1 / n, batches_fingerprint=f"{n:064d}")
        for n in range(1, epochs + 1)
        for turn, backend in enumerate(backends)
    ]
    found += [builders.result("one", 0, backend) for backend in backends]
    lines = (record.model_dump_json() + "\n" for record in [*found, builders.cell_end("one", 0)])
    folder.mkdir()
    (folder / "records.jsonl").write_text("".join(lines))
    return folder


def memory(action: Callable[[], object]) -> tuple[int, int]:
    """Bytes that the result takes, and the most that were in use while it was made."""
    tracemalloc.start()
    result = action()
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del result
    return held, most


def test_an_epoch_more_takes_little_more_memory(tmp_path):
    short, long = long_run(tmp_path / "short", 1000), long_run(tmp_path / "long", 6000)
    read = [memory(partial(Records.read, folder)) for folder in (short, long)]
    held, most = ((more - less) / 10_000 for less, more in zip(*read, strict=True))
    assert held < 200  # bytes; the same numbers as Python objects take 500 and more
    assert most < 400


def test_the_memory_that_writing_a_table_takes_does_not_grow_with_its_rows(tmp_path):
    numbers = np.random.default_rng(0).random((120_000, 5))
    tables = [pd.DataFrame(numbers[:rows], columns=list("abcde")) for rows in (20_000, 120_000)]
    short, long = (memory(partial(write_csv, tmp_path / "table.csv", table))[1] for table in tables)
    assert long < 1.5 * short
    assert pd.read_csv(tmp_path / "table.csv")["e"].tolist() == numbers[:, 4].tolist()


@pytest.mark.parametrize(
    ("name", "files"),
    [("founding", ("epochs.csv", "summary.csv", "summary.md")), ("standard", ("summary.csv", "summary.md"))],
)
def test_a_committed_run_still_gives_the_same_tables(name, files):
    run = tables.Tables(Records.read(REFERENCE / name))
    made = {
        "epochs.csv": csv_text(run.epochs),
        "summary.csv": csv_text(run.summary),
        "summary.md": summary_markdown(run),
    }
    for file in files:
        assert made[file] == (REFERENCE / name / file).read_text()


@given(st.floats())
def test_every_number_of_a_csv_is_as_python_writes_it(number):
    written = "" if math.isnan(number) else repr(number)
    assert csv_text(pd.DataFrame({"x": [1.5, number], "n": [1, 2]})) == f"x,n\n1.5,1\n{written},2\n"


CURVES = ("cost_curves", "accuracy_curves")


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_of_many_epochs_has_few_points_and_the_title_says_so(tmp_path, name):
    figure = draw_figures(Tables(Records.read(long_run(tmp_path / "run", 1600))))[name]
    assert figure.get_suptitle().endswith("; each point is the mean of 4 epochs")
    lines = [line for axes in figure.axes for line in axes.get_lines()]
    assert {len(line.get_xdata()) for line in lines} == {400}
    assert list(lines[0].get_xdata()[:2]) == [2.5, 6.5]


def test_what_a_single_epoch_did_is_seen_among_many(tmp_path):
    """The line is a mean, so the band must reach as far as any epoch did."""
    axes = draw_figures(Tables(Records.read(long_run(tmp_path / "run", 1600))))["cost_curves"].axes[0]
    band = axes.collections[0].get_paths()[0].get_extents()
    assert (band.y0, band.y1) == (1 / 1600, 1.0)
    assert axes.get_lines()[0].get_ydata()[0] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
