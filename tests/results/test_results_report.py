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
from bench.report.plots import draw_figures
from bench.report.tables import verdict
from bench.report.write import write_report

REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference"
TEXTS = ("run.json", "epochs.csv", "summary.csv", "summary.md")


@pytest.fixture
def folder(tmp_path) -> Path:
    """A run folder with two seeds of one spec."""
    return builders.write(tmp_path, builders.realistic([builders.spec(seeds=(0, 1))]))


def contents(folder: Path) -> dict[str, bytes]:
    """Name → bytes of every file but the lock."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != ".lock"}


def test_every_file_is_written_and_nothing_else(folder):
    write_report(folder)
    names = ("cost_curves", "accuracy_curves", "epoch_seconds", "time_ratio")
    plots = {f"{name}.{kind}" for name in names for kind in ("png", "svg")}
    assert set(contents(folder)) == {"records.jsonl", *TEXTS, *plots}


def test_made_again_it_is_the_same_to_the_byte(folder):
    write_report(folder)
    first = contents(folder)
    write_report(folder)
    assert contents(folder) == first


def test_records_are_returned_and_left_alone(folder):
    before = (folder / "records.jsonl").read_bytes()
    records = write_report(folder).records
    assert isinstance(records, Records)
    assert len(records.results) == 10
    assert (folder / "records.jsonl").read_bytes() == before


def test_run_json_holds_what_was_asked_for(folder):
    records = write_report(folder).records
    facts = json.loads((folder / "run.json").read_text())
    assert facts["complete"] is True
    assert (facts["cells"], facts["cells_finished"], facts["threads"]) == (2, 2, 2)
    assert facts["seeds"] == {"784-30-10 M=32": [0, 1]}
    assert facts["verdict"] == verdict(records)
    assert facts["runs"] == [json.loads((folder / "records.jsonl").read_text().split("\n")[0])]


def test_a_run_cut_short_is_reported(tmp_path):
    one = builders.spec(seeds=(0, 1))
    found = builders.realistic([one], unfinished=[(one.name, 1)])
    builders.write(tmp_path, [*found, builders.cell(one.name, 1), builders.epoch(one.name, 1, "scratchnet", 1)])
    assert not write_report(tmp_path).records.complete
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


@pytest.mark.parametrize("name", FORMULAS)
def test_no_text_of_a_csv_starts_a_formula(tmp_path, name):
    one = builders.spec(name=name if name.isascii() else "one", seeds=(0,), epochs=2)
    found = builders.realistic([one], ("keras-fit", name), ends={name: ("failed", 1)})
    write_report(builders.write(tmp_path, found))
    for file in ("epochs.csv", "summary.csv"):
        rows = list(csv.DictReader((tmp_path / file).read_text().splitlines()))
        assert {row["spec"] for row in rows} == {f"'{name}" if name.isascii() else "one"}
        assert {row["backend"] for row in rows} == {"keras-fit", f"'{name}"}
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
    records = write_report(folder).records
    assert "The plots show the first 12 of 40 specs; the tables hold all." in (folder / "summary.md").read_text()
    for figure in draw_figures(records).values():
        titles = [axes.get_title(loc="left") for axes in figure.axes]
        assert [title for title in titles if title] == [f"spec {number}" for number in range(12)]
        assert figure.get_suptitle().endswith("; the first 12 of 40 specs")
    assert len(pd.read_csv(folder / "summary.csv")) == 80


def test_of_many_epochs_a_selection_is_drawn_and_the_title_says_so():
    run = builders.small_run({"scratchnet": [2.0] + [1.0] * 499, "keras-fit": [3.0] * 500})
    figure = draw_figures(run)["epoch_seconds"]
    assert figure.get_suptitle() == "Seconds of an epoch (one of every 5 epochs is drawn)"
    assert max(len(line.get_xdata()) for axes in figure.axes for line in axes.get_lines()) <= 100


def test_the_tables_are_made_once(tmp_path, monkeypatch):
    made = []
    once = tables.summary_table
    monkeypatch.setattr(tables, "summary_table", lambda records: made.append(1) or once(records))
    write_report(builders.write(tmp_path, builders.realistic([builders.spec(seeds=(0, 1))])))
    assert made == [1]


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


@pytest.mark.parametrize("name", ["founding", "standard"])
def test_a_committed_run_still_gives_the_same_tables(name):
    run = tables.tables_of(Records.read(REFERENCE / name))
    assert csv_text(run.epochs) == (REFERENCE / name / "epochs.csv").read_text()
    assert csv_text(run.summary) == (REFERENCE / name / "summary.csv").read_text()
    assert tables.summary_markdown(run) == (REFERENCE / name / "summary.md").read_text()


@given(st.floats())
def test_every_number_of_a_csv_is_as_python_writes_it(number):
    written = "" if math.isnan(number) else repr(number)
    assert csv_text(pd.DataFrame({"x": [1.5, number], "n": [1, 2]})) == f"x,n\n1.5,1\n{written},2\n"


CURVES = ("cost_curves", "accuracy_curves")


@pytest.mark.parametrize("name", CURVES)
def test_a_curve_of_many_epochs_has_few_points_and_the_title_says_so(tmp_path, name):
    figure = draw_figures(Records.read(long_run(tmp_path / "run", 1600)))[name]
    assert figure.get_suptitle().endswith("; each point is the mean of 4 epochs")
    lines = [line for axes in figure.axes for line in axes.get_lines()]
    assert {len(line.get_xdata()) for line in lines} == {400}
    assert list(lines[0].get_xdata()[:2]) == [2.5, 6.5]


def test_what_a_single_epoch_did_is_seen_among_many(tmp_path):
    """The line is a mean, so the band must reach as far as any epoch did."""
    axes = draw_figures(Records.read(long_run(tmp_path / "run", 1600)))["cost_curves"].axes[0]
    band = axes.collections[0].get_paths()[0].get_extents()
    assert (band.y0, band.y1) == (1 / 1600, 1.0)
    assert axes.get_lines()[0].get_ydata()[0] == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)


def test_a_plot_is_laid_out_once_for_both_files(folder, monkeypatch):
    """This is most of the time that a plot takes."""
    laid_out, once = [], ConstrainedLayoutEngine.execute
    monkeypatch.setattr(ConstrainedLayoutEngine, "execute", lambda *args: laid_out.append(1) or once(*args))
    write_report(folder)
    assert len(laid_out) == 4
