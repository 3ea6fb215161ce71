"""Optional outputs of a report: figures as PDF, tables as Parquet, scalars for TensorBoard."""

import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.core.errors import UnusableError, refused
from bench.core.files import atomic_path, temporary_folder
from bench.core.text import is_missing, one_line
from bench.records.epochs import by_process
from bench.records.scores import ACCURACIES, ERRORS
from bench.report.plots import draw_plots
from bench.report.tables import Tables

TENSORBOARD = "tensorboard"
EVENTS_NAME = "events.out.tfevents.0.scratchbench"
SCALARS = {"train_cost", "epoch_seconds", *ACCURACIES, *ERRORS} - {"test_binary_accuracy"}


@dataclass(frozen=True)
class Output:
    """What writes it to a run folder, and the package that this needs: the extra of the output's name has it."""

    write: Callable[[Tables, Path], object]
    package: str = ""


def check_outputs(names: Collection[str]) -> None:
    """Whether all of them can be written: to be known before a run trains for hours.

    Raises UnusableError: names the package that is missing and how to install it.
    """
    for name in names:
        if name not in OUTPUTS:
            raise UnusableError(f"output {one_line(name, 60)!r}; allowed: {', '.join(OUTPUTS)}")
        package = OUTPUTS[name].package
        if package and find_spec(package) is None:
            raise UnusableError(f"{name}: needs {package}; install it with: pip install 'scratchnet[{name}]'")


def write_outputs(names: Collection[str], tables: Tables, folder: Path) -> None:
    """Write those that were asked for.

    Raises UnusableError: where the folder cannot be written.
    """
    for name in names:
        OUTPUTS[name].write(tables, folder)


def _write_parquet(tables: Tables, folder: Path) -> None:
    for name, table in (("epochs", tables.epochs), ("summary", tables.summary)):
        with atomic_path(folder / f"{name}.parquet") as temporary:
            table.to_parquet(temporary, engine="pyarrow", index=False)


def _write_tensorboard(tables: Tables, folder: Path) -> None:
    """An event file a process, below FOLDER/tensorboard, whose earlier contents are replaced."""
    target, started = folder / TENSORBOARD, _started(tables)
    with refused(target, "written"), temporary_folder(TENSORBOARD, folder) as made:
        new = made / TENSORBOARD
        new.mkdir()
        for run, columns in _runs(tables):
            _write_events(new / run, columns, started)
        if target.exists():
            shutil.rmtree(target)
        new.rename(target)


def _runs(tables: Tables) -> Iterator[tuple[str, dict[str, Any]]]:
    """`SPEC/BACKEND/seed N` of each process, which leads to no other folder, and its epochs."""
    for (spec, seed, backend), columns in by_process(tables.epochs).items():
        names = (one_line(name, 80).replace("/", "-").lstrip(".") or "-" for name in (spec, backend))
        yield "/".join([*names, f"seed {seed}"]), columns


def _write_events(folder: Path, columns: dict[str, Any], started: float) -> None:
    """As TensorBoard's own writer does, which would import TensorFlow and put the time into the file's name."""
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.record_writer import RecordWriter

    folder.mkdir(parents=True, exist_ok=True)
    with (folder / EVENTS_NAME).open("wb") as file:
        writer = RecordWriter(file)
        writer.write(Event(wall_time=started, file_version="brain.Event:2").SerializeToString())
        for place, epoch in enumerate(columns["epoch"].tolist()):
            known = [name for name in columns if name in SCALARS and not is_missing(columns[name][place])]
            values = [Summary.Value(tag=name, simple_value=float(columns[name][place])) for name in known]
            started += float(columns["epoch_seconds"][place])
            event = Event(step=epoch, wall_time=started, summary=Summary(value=values))
            writer.write(event.SerializeToString())


def _started(tables: Tables) -> float:
    with suppress(ValueError):
        return datetime.fromisoformat(tables.records.run.started).timestamp()
    return 0.0


OUTPUTS: dict[str, Output] = {
    "pdf": Output(lambda tables, folder: draw_plots(tables, folder, ("pdf",))),
    "parquet": Output(_write_parquet, "pyarrow"),
    TENSORBOARD: Output(_write_tensorboard, "tensorboard"),
}
