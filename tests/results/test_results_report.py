"""The report: every file whole, the same bytes when made again, also of a run cut short."""

import csv
import json
import tracemalloc
from pathlib import Path

import builders
import pandas as pd
import pytest

from bench import tables
from bench.csv_text import csv_text
from bench.errors import UnusableError
from bench.plots import draw_figures
from bench.records import Records
from bench.report import write_report
from bench.tables import verdict

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


def test_an_epoch_that_was_read_takes_little_memory(tmp_path):
    folder = builders.write(tmp_path, builders.realistic([builders.spec(seeds=(0,), epochs=1000)], ("scratchnet",)))
    tracemalloc.start()
    records = Records.read(folder)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(records.epochs) == 1000
    assert held / 1000 < 1000  # bytes; a validated model takes several thousand
