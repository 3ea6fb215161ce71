"""Synthetic records: runs whose every figure is known, without training anything."""

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.records.log import RecordLog
from bench.records.run import (
    CellEndRecord,
    CellRecord,
    EpochRecord,
    Record,
    Records,
    ResultRecord,
    RunRecord,
    WorkerRecord,
)
from bench.spec import ArchitectureSpec, LayerSpec, Suite, TrainingSpec
from bench.spec.optimizer import SGDSpec

BACKENDS = ("scratchnet", "keras-fit", "keras-fit-tuned", "tf-graph", "tf-xla")
SHAPES = ((30,), (128,), (512, 512))
BATCH_SIZES = (32, 128, 512)

# Backend → seconds of an epoch divided by keras-fit's, roughly as on two cores.
SPEEDS = {"scratchnet": 0.12, "keras-fit": 1.0, "keras-fit-tuned": 0.55, "tf-graph": 0.3, "tf-xla": 0.22}
WARM_UPS = {"scratchnet": 1.05, "keras-fit": 1.4, "keras-fit-tuned": 1.8, "tf-graph": 2.5, "tf-xla": 6.0}

Key = tuple[str, int, str]
Ends = Mapping[Key | str, tuple[str, int]]


def spec(hidden: Sequence[int] = (30,), batch_size: int = 32, **changes: Any) -> TrainingSpec:
    """A spec of 784 inputs and 10 softmax outputs, of 3 epochs and seeds 0, 1, 2 unless told otherwise."""
    layers = [LayerSpec(units=units, activation="relu") for units in hidden]
    values: dict[str, Any] = {
        "architecture": ArchitectureSpec(inputs=784, layers=(*layers, LayerSpec(units=10, activation="softmax"))),
        "loss": "categorical_crossentropy",
        "optimizer": SGDSpec(learning_rate=0.1),
        "batch_size": batch_size,
        "epochs": 3,
        "seeds": (0, 1, 2),
    }
    return TrainingSpec(**(values | changes))


def nine_specs(**changes: Any) -> tuple[TrainingSpec, ...]:
    """The shapes and batch sizes of the suite `standard`."""
    return tuple(spec(hidden, batch_size, **changes) for hidden in SHAPES for batch_size in BATCH_SIZES)


def run_record(specs: Sequence[TrainingSpec], backends: Sequence[str] = BACKENDS, **changes: Any) -> RunRecord:
    """The first line of a run."""
    values: dict[str, Any] = {
        "suite_name": "synthetic",
        "suite": Suite(title="Synthetic", backends=tuple(backends), specs=tuple(specs)),
        "threads": 2,
        "started": "2026-01-02T03:04:05+00:00",
        "data_fingerprints": {"mnist": "d" * 64},
        "environment": {"cpu": "synthetic", "warnings": []},
    }
    return RunRecord(**(values | changes))


def cell(spec_name: str, seed: int, attempt: int = 1) -> CellRecord:
    """Start of an attempt."""
    return CellRecord(spec=spec_name, seed=seed, attempt=attempt, parameters_fingerprint="p" * 64)


def cell_end(spec_name: str, seed: int, attempt: int = 1) -> CellEndRecord:
    """End of an attempt."""
    return CellEndRecord(spec=spec_name, seed=seed, attempt=attempt)


def worker(spec_name: str, seed: int, backend: str, **changes: Any) -> WorkerRecord:
    """A worker that started in 1.5 s."""
    values: dict[str, Any] = {
        "spec": spec_name,
        "seed": seed,
        "attempt": 1,
        "backend": backend,
        "parameters_fingerprint": "p" * 64,
        "startup_seconds": 1.5,
        "libraries": [],
        "versions": {},
    }
    return WorkerRecord(**(values | changes))


def epoch(spec_name: str, seed: int, backend: str, number: int, seconds: float = 1.0, **changes: Any) -> EpochRecord:
    """An epoch of so many seconds; 60,000 examples; the first is the warm-up."""
    values: dict[str, Any] = {
        "spec": spec_name,
        "seed": seed,
        "attempt": 1,
        "backend": backend,
        "epoch": number,
        "warm_up": number == 1,
        "turn": 0,
        "epoch_seconds": seconds,
        "cpu_seconds": 2 * seconds,
        "samples_per_second": 60_000 / seconds,
        "train_cost": 1 / number,
        "train_accuracy": 0.95,
        "validation_accuracy": None,
        "test_accuracy": 0.94,
        "test_binary_accuracy": 0.99,
        "batches_fingerprint": "b" * 64,
        "expected_batches_fingerprint": "b" * 64,
    }
    return EpochRecord(**(values | changes))


def result(
    spec_name: str, seed: int, backend: str, status: str = "ok", reason: str = "", **changes: Any
) -> ResultRecord:
    """An end with that status; one that went well has precision, recall and a peak memory of 250 MB."""
    final: dict[str, Any] = {"peak_memory_bytes": 250_000_000, "test_precision": 0.93, "test_recall": 0.92}
    values: dict[str, Any] = {
        "spec": spec_name,
        "seed": seed,
        "attempt": 1,
        "backend": backend,
        "status": status,
        "reason": reason,
        **(final if status == "ok" else {}),
    }
    return ResultRecord(**(values | changes))


def small_run(
    seconds: Mapping[str, Sequence[float]],
    accuracies: Mapping[str, float] | None = None,
    seeds: Sequence[int] = (0,),
    **changes: Any,
) -> Records:
    """One spec, "one"; backend → seconds of each epoch, in every seed; all ok; `changes` are the run record's."""
    epochs = max(1, *(len(each) for each in seconds.values()))
    one = spec(name="one", seeds=tuple(seeds), epochs=epochs)
    found: list[Record] = [run_record([one], tuple(seconds), **changes)]
    for seed in seeds:
        found.append(cell("one", seed))
        for backend, each in seconds.items():
            found.append(worker("one", seed, backend))
            accuracy = {"test_accuracy": (accuracies or {}).get(backend, 0.94)}
            found += [epoch("one", seed, backend, number, s, **accuracy) for number, s in enumerate(each, 1)]
            found.append(result("one", seed, backend))
        found.append(cell_end("one", seed))
    return Records(found)


def timed(seconds: Mapping[str, Sequence[Mapping[str, float]]], **changes: Any) -> list[Record]:
    """Spec → for each seed: backend → seconds of each of its two epochs."""
    specs = [spec(name=name, seeds=tuple(range(len(seeds))), epochs=2) for name, seeds in seconds.items()]
    found: list[Record] = [run_record(specs, ("scratchnet", "keras-fit"), **changes)]
    for name, seeds in seconds.items():
        for seed, backends in enumerate(seeds):
            found.append(cell(name, seed))
            for backend, each in backends.items():
                found += [*(epoch(name, seed, backend, n, each) for n in (1, 2)), result(name, seed, backend)]
            found.append(cell_end(name, seed))
    return found


def realistic(
    specs: Sequence[TrainingSpec],
    backends: Sequence[str] = BACKENDS,
    ends: Ends | None = None,
    unfinished: Sequence[tuple[str, int]] = (),
    **changes: Any,
) -> list[Record]:
    """A run such as a machine would give: curves that coincide, times with noise, luck of the process.

    `ends` maps a backend, or (spec, seed, backend), to (status, number of epochs it trained); `unfinished` lists
    the (spec, seed) that are left out. `changes` are the run record's.
    """
    found: list[Record] = [run_record(specs, backends, **changes)]
    for one in specs:
        for seed in one.seeds:
            if (one.name, seed) not in unfinished:
                found += _realistic_cell(one, seed, backends, ends or {})
    return found


def _realistic_cell(one: TrainingSpec, seed: int, backends: Sequence[str], ends: Ends) -> Iterator[Record]:
    yield cell(one.name, seed)
    for turn, backend in enumerate(backends):
        status, epochs = ends.get((one.name, seed, backend), ends.get(backend, ("ok", one.epochs)))
        if status != "skipped":
            yield worker(one.name, seed, backend)
        yield from (_realistic_epoch(one, seed, backend, n, turn, status) for n in range(1, epochs + 1))
        reason = "" if status == "ok" else f"made up: {status} after {epochs} epochs"
        yield result(one.name, seed, backend, status, reason)
    yield cell_end(one.name, seed)


def _realistic_epoch(one: TrainingSpec, seed: int, backend: str, number: int, turn: int, status: str) -> EpochRecord:
    size = sum(one.architecture.widths[1:-1])
    luck = random.Random(f"{one.name} {seed} {backend}").gauss(1, 0.02)
    noise = random.Random(f"{one.name} {seed} {backend} {number}").gauss(1, 0.03)
    keras = 0.4 + 60 / one.batch_size + size / 400
    overhead = SPEEDS.get(backend, 0.7) ** (1.3 - size / 1500)
    seconds = keras * overhead * luck * noise * (WARM_UPS.get(backend, 1.5) if number == 1 else 1)
    cost, accuracy = _curve(one, seed, number)
    gone = status == "diverged" and number == (2 if one.epochs > 1 else 1)
    return epoch(
        one.name,
        seed,
        backend,
        number,
        seconds,
        turn=turn,
        train_cost=None if gone else cost,
        train_accuracy=0.098 if gone else min(1.0, accuracy + 0.004 * math.log(number + 1)),
        test_accuracy=0.098 if gone else round(accuracy, 4),
        test_binary_accuracy=0.9 if gone else 1 - (1 - accuracy) / 5,
    )


def _curve(one: TrainingSpec, seed: int, number: int) -> tuple[float, float]:
    """The same for every backend: identical batches give identical curves."""
    wobble = random.Random(f"{one.name} {seed} {number}").gauss(0, 0.01)
    size = sum(one.architecture.widths[1:-1])
    floor = 0.25 / math.sqrt(size)
    cost = floor + (0.42 + 0.02 * seed) * number**-0.9 * (1 + wobble)
    return cost, 0.985 - 0.2 * floor - 0.065 * number**-0.8 * (1 + wobble)


def write(folder: Path, records: Sequence[Record]) -> Path:
    """Write records into a run folder, as a run does."""
    with RecordLog(folder) as log:
        for record in records:
            log.write(record)
    return folder
