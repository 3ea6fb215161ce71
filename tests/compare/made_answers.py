"""Runs whose every figure is given: what a test of a comparison needs, and nothing else."""

import base64
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import builders
import numpy as np

from bench.records.log import RECORDS_NAME
from bench.records.run import Record

SPEC = "one"
TEST_EXAMPLES = 200
MACHINE = {"cpu_model": "made up", "usable_cores": 2, "machine": "x86_64", "python_version": "3.11.7"}


def packed(classes: Sequence[int]) -> str:
    """Predictions as a worker records them."""
    return base64.b64encode(zlib.compress(np.asarray(classes, "<u2").tobytes(), 9)).decode()


def cell(
    backend: str,
    seed: int,
    accuracy: float = 0.95,
    costs: Sequence[float | None] = (0.5, 0.3),
    seconds: float = 1.0,
    predictions: Sequence[int] | None = None,
    status: str = "ok",
    versions: Mapping[str, str] | None = None,
    name: str = SPEC,
) -> list[Record]:
    """One process; `accuracy` is that of its last epoch."""
    made: list[Record] = [builders.worker(name, seed, backend, versions=dict(versions or {"numpy": "2.0"}))]
    for number, cost in enumerate(costs, 1):
        last = number == len(costs)
        figures = {"train_cost": cost, "test_accuracy": accuracy if last else accuracy / 2}
        made.append(builders.epoch(name, seed, backend, number, seconds, **figures))
    text = None if predictions is None else packed(predictions)
    return [*made, builders.result(name, seed, backend, status, test_predictions=text)]


def records(cells: Mapping[tuple[str, int], Mapping[str, Any]], **changes: Any) -> list[Record]:
    """A run of one spec: (backend, seed) → arguments of `cell`. `changes`: the spec's under "spec", else the run's."""
    of_spec = {"name": SPEC, "epochs": 2, **changes.pop("spec", {})}
    seeds = tuple(dict.fromkeys(seed for _, seed in cells)) or (0,)
    backends = tuple(dict.fromkeys(backend for backend, _ in cells)) or ("scratchnet",)
    one = builders.spec(**{"seeds": seeds, **of_spec})
    made: list[Record] = [builders.run_record([one], backends, **{"environment": MACHINE, **changes})]
    for seed in seeds:
        of_seed = {backend: arguments for (backend, each), arguments in cells.items() if each == seed}
        made.append(builders.cell(one.name, seed))
        for backend, arguments in of_seed.items():
            made += cell(backend, seed, name=one.name, **arguments)
        made += [builders.cell_end(one.name, seed)] if of_seed else []
    return made


def run(folder: Path, cells: Mapping[tuple[str, int], Mapping[str, Any]], **changes: Any) -> Path:
    """A run folder of `records`."""
    return write(folder, records(cells, **changes))


def write(folder: Path, made: Sequence[Record]) -> Path:
    """A new run folder of those records: at once, where a run waits for the disk after each."""
    folder.mkdir()
    (folder / RECORDS_NAME).write_text("".join(record.model_dump_json() + "\n" for record in made))
    return folder


def with_accuracies(folder: Path, accuracies: Sequence[float], first_seed: int = 0, **changes: Any) -> Path:
    """A run of scratchnet alone: one accuracy a seed."""
    cells = {("scratchnet", first_seed + i): {"accuracy": accuracy} for i, accuracy in enumerate(accuracies)}
    return run(folder, cells, **changes)
