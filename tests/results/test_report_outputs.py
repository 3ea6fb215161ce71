"""Figures as PDF, tables as Parquet, scalars for TensorBoard: written where asked for, or one line says why not."""

import builders
import pandas as pd
import pytest
from click.testing import CliRunner

from bench.cli import main
from bench.core.errors import UnusableError
from bench.report import outputs
from bench.report.plots import ABOUT, PLOTS
from bench.report.scores import R2
from bench.report.write import write_report

NAMES = ("scratchnet", "a/../b", "a bell \x07", "漢字 🚀")


@pytest.fixture
def folder(tmp_path):
    """A run folder with two seeds of one spec and odd names."""
    return builders.write(tmp_path, builders.realistic([builders.spec(seeds=(0, 1))], NAMES, reference="scratchnet"))


def report(folder, *options):
    """How `scratchbench report` ended."""
    return CliRunner().invoke(main, ["report", str(folder), *options])


def test_nothing_of_it_is_written_unless_asked_for(folder):
    assert report(folder).exit_code == 0
    assert not [path for path in folder.iterdir() if path.suffix in (".pdf", ".parquet") or path.is_dir()]


def test_every_figure_is_written_as_pdf_the_same_bytes_each_time(folder):
    result = report(folder, "--pdf")
    assert result.exit_code == 0, result.output
    first = {path.name: path.read_bytes() for path in folder.glob("*.pdf")}
    assert set(first) == {f"{name}.pdf" for name in PLOTS if ABOUT.get(name) is not R2}
    assert all(content.startswith(b"%PDF-") for content in first.values())
    for path in folder.glob("*.pdf"):
        path.unlink()
    report(folder, "--pdf")
    assert {path.name: path.read_bytes() for path in folder.glob("*.pdf")} == first


def test_parquet_tables_are_the_csv_tables(folder):
    pytest.importorskip("pyarrow")
    results = write_report(folder, ["parquet"])
    for name in ("epochs", "summary"):
        table = pd.read_parquet(folder / f"{name}.parquet")
        made = getattr(results, name)
        assert list(table.columns) == list(made.columns)
        assert len(table) == len(made)
        assert set(table["backend"]) == {"scratchnet", "a/../b", "a bell \x07", "漢字 🚀"}
        assert table["epoch_seconds"].tolist() == made["epoch_seconds"].tolist()
    assert table["peak_memory_bytes"].tolist() == results.summary["peak_memory_bytes"].tolist()


def test_tensorboard_reads_the_scalars_of_every_process(folder):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    results = write_report(folder, ["tensorboard"])
    files = sorted((folder / "tensorboard").rglob("events.*"))
    assert len(files) == 8
    first = [path.read_bytes() for path in files]
    of_one = folder / "tensorboard" / "784-30-10 M=32" / "scratchnet" / "seed 1"
    read = accumulator.EventAccumulator(str(of_one))
    read.Reload()
    assert set(read.Tags()["scalars"]) == {"train_cost", "train_accuracy", "test_accuracy", "epoch_seconds"}
    epochs = results.epochs.query("backend == 'scratchnet' and seed == 1")
    assert [event.step for event in read.Scalars("train_cost")] == [1, 2, 3]
    assert [event.value for event in read.Scalars("train_cost")] == pytest.approx(epochs["train_cost"].tolist())
    (folder / "tensorboard" / "old").mkdir()
    write_report(folder, ["tensorboard"])
    assert [path.read_bytes() for path in sorted((folder / "tensorboard").rglob("events.*"))] == first
    assert not (folder / "tensorboard" / "old").exists()
    assert sorted(path.name for path in (folder / "tensorboard" / "784-30-10 M=32").iterdir()) == [
        "a bell ?",
        "a-..-b",
        "scratchnet",
        "漢字 🚀",
    ]


@pytest.mark.parametrize("name", ["parquet", "tensorboard"])
@pytest.mark.parametrize("command", ["report", "run"])
def test_a_missing_package_is_said_before_anything_is_done(folder, tmp_path, monkeypatch, name, command):
    monkeypatch.setattr(outputs, "find_spec", lambda package: None)
    target = [str(folder)] if command == "report" else ["--out", str(tmp_path / "new")]
    result = CliRunner().invoke(main, [command, *target, f"--{name}"])
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {name}: needs ")
    assert result.stderr.endswith(f"install it with: pip install 'scratchnet[{name}]'\n")
    assert not (folder / "summary.csv").exists()
    assert not (tmp_path / "new").exists()


def test_an_unknown_output_is_named(folder):
    with pytest.raises(UnusableError, match=r"output 'xlsx'; allowed: pdf, parquet, tensorboard"):
        write_report(folder, ["xlsx"])
