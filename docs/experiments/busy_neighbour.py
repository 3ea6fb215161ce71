"""What a neighbour that loads every core costs scratchnet, beside what it costs XLA's graph.

python docs/experiments/busy_neighbour.py        (numba and tensorflow installed; OPENBLAS_CORETYPE and
                                                  OPENBLAS_L2_SIZE unset)

In each round, fresh processes of both train in turns, now on a quiet machine, now beside one computing process a core.
A round gives two time ratios, scratchnet / tf-xla; the figure is the busy one over the quiet one.
"""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from shared import write

from bench.core.environment import describe, usable_cores
from bench.core.files import temporary_folder
from bench.core.statistics import ratio_interval, time_ratio
from bench.data import load_dataset
from bench.speed.grid import Grid, GridCell
from bench.speed.outcome import interval_text
from bench.speed.rounds import REST_SECONDS, TIME_LIMIT_SECONDS
from bench.workers.client import WorkerClient, job_of
from bench.workers.turns import in_turn

CELLS = [GridCell("784-128-10", 32), GridCell("784-128-10", 128), GridCell("784-512-512-10", 128)]
OURS, PEER = "scratchnet", "tf-xla"
ROUNDS, TURNS, SEED = 6, 4, 0


@contextmanager
def neighbour(cores: int) -> Iterator[None]:
    """So many processes that compute without a pause."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


@contextmanager
def quiet(cores: int) -> Iterator[None]:
    """Nobody else."""
    yield


def ratios(cell: GridCell, data: Path, number: int) -> dict[str, float | None]:
    """The time ratio of one round, quiet and busy."""
    order, grid, cores = random.Random(f"{cell} {number}"), Grid(), usable_cores()
    seconds: dict[tuple[str, str], dict[int, float]] = {}
    with ExitStack() as stack:
        clients = [
            stack.enter_context(
                WorkerClient(
                    name,
                    job_of(name, grid.spec(cell), SEED, data, cores),
                    data / f"{name}.log",
                    TIME_LIMIT_SECONDS,
                )
            )
            for name in (OURS, PEER)
        ]
        for client in clients:
            client.ready()
            client.time(1)
        for turn in range(1, TURNS + 1):
            for load in (quiet, neighbour):
                with load(cores):
                    time.sleep(REST_SECONDS)
                    for client in in_turn(clients, order, REST_SECONDS):
                        answer = client.time(1 + turn)
                        if answer is not None:
                            seconds.setdefault((load.__name__, client.name), {})[turn] = answer["epoch_seconds"]
        lost = [f"{client.name}: {client.lost}" for client in clients if client.lost]
    if lost:
        raise SystemExit("; ".join(lost))
    return {load: time_ratio(seconds[load, OURS], seconds[load, PEER]) for load in ("quiet", "neighbour")}


def main() -> None:
    found = {}
    with temporary_folder("neighbour") as data:
        load_dataset(Grid().spec(CELLS[0]).data).save(data)
        for cell in CELLS:
            seen = [ratios(cell, data, number) for number in range(1, ROUNDS + 1)]
            both = [(one["quiet"], one["neighbour"]) for one in seen if one["quiet"] and one["neighbour"]]
            of_each = {
                "quiet": ratio_interval(a for a, _ in both),
                "busy": ratio_interval(b for _, b in both),
                "busy / quiet": ratio_interval(b / a for a, b in both),
            }
            print(
                f"{cell}: {', '.join(f'{name} {interval_text(value)}' for name, value in of_each.items())}", flush=True
            )
            found[str(cell)] = {name: interval_text(value) for name, value in of_each.items()}
    write("busy_neighbour", {"processor": describe()["cpu_model"], "rounds": ROUNDS, "cells": found})


if __name__ == "__main__":
    main()
