"""Run files whose every ratio is known: of `scratchbench run`, `scratchbench speed`, the gate and pytest-benchmark."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import builders

ENVIRONMENT: dict[str, Any] = {
    "cpu_model": "Made Up 9000",
    "usable_cores": 2,
    "blas": "mkl",
    "git_revision": "abc1234def",
    "git_dirty": False,
}
START = datetime.fromisoformat("2026-01-02T03:04:05+00:00")


def day(number: int) -> str:
    """So many days after the first."""
    return (START + timedelta(days=number)).isoformat()


def run(folder: Path, ratio: float, started: str = day(0), seeds: Sequence[int] = (0,), **changes: Any) -> Path:
    """A folder of `scratchbench run`: scratchnet takes `ratio` times the seconds of the reference."""
    folder.mkdir(parents=True)
    reference = changes.get("reference", "keras-fit")
    one = builders.spec(name=changes.pop("spec", "one"), seeds=tuple(seeds), epochs=3, **changes.pop("training", {}))
    values = {"environment": ENVIRONMENT, "started": started} | changes
    records = [builders.run_record([one], ("scratchnet", reference), **values)]
    for seed in seeds:
        records.append(builders.cell(one.name, seed))
        for backend, seconds in (("scratchnet", ratio * (1 + 0.01 * seed)), (reference, 1.0)):
            records.append(builders.worker(one.name, seed, backend))
            records += [builders.epoch(one.name, seed, backend, number, seconds) for number in (1, 2, 3)]
            records.append(builders.result(one.name, seed, backend))
        records.append(builders.cell_end(one.name, seed))
    return builders.write(folder, records)


def speed(folder: Path, ratio: float, peer: str = "tf-xla", **changes: Any) -> Path:
    """A folder of `scratchbench speed`, one cell."""
    cell = {
        "architecture": "784-30-10",
        "batch_size": 32,
        "fastest_peer": peer,
        "time_ratio": ratio,
        "time_ratio_low": ratio / 1.1,
        "time_ratio_high": ratio * 1.1,
        "product_floor_ratio": 2 * ratio,
        "peers": {},
    }
    observed = {"schema_version": 1, "optimizer": "sgd", "dtype": "float32", "threads": 2, "environment": ENVIRONMENT}
    write(folder / "observations.json", observed | changes)
    write(folder / "speed.json", [cell])
    return folder


def gate(path: Path, ratio: float, started: str = day(0), **changes: Any) -> Path:
    """A file of the gate, one cell."""
    cells = [{"cell": "784-128-10 M=32", "ratio": ratio, "low": ratio / 1.02, "high": ratio * 1.02, "pairs": 17}]
    head = {"schema_version": 1, "kind": "gate", "started": started, "new": {"revision": "fedcba9876"}}
    return write(path, head | {"cells": cells} | changes)


def benchmarks(path: Path, medians: Mapping[str, float], started: str = day(0), **changes: Any) -> Path:
    """A file of pytest-benchmark."""
    cpu = {"brand_raw": "Made Up 9000", "count": 2, "hz_actual": [len(str(path)) * 1000, 0], "flags": ["avx2"]}
    values = {
        "machine_info": {"node": "here", "python_version": "3.11.7", "cpu": cpu},
        "commit_info": {"id": "0123456789abcdef", "dirty": True, "branch": "main"},
        "benchmarks": [{"fullname": name, "stats": {"median": median}} for name, median in medians.items()],
        "datetime": started,
        "version": "5.3.1",
    }
    return write(path, values | changes)


def write(path: Path, content: Any) -> Path:
    """As JSON, into a folder that is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")
    return path
