"""What a neighbour that loads every core costs scratchnet, beside what it costs XLA's graph.

python docs/experiments/busy_neighbour.py        (numba and tensorflow installed; OPENBLAS_CORETYPE and
                                                  OPENBLAS_L2_SIZE unset)

In each round, fresh processes of both train in turns, now on a quiet machine, now beside one computing process a core.
A round gives two time ratios, scratchnet / tf-xla; the figure is the busy one over the quiet one.
"""

import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
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

CELLS = [GridCell("784-128-10", 128), GridCell("784-512-512-10", 128)]
OURS, PEER = "scratchnet", "tf-xla"
ROUNDS, TURNS, SEED = 4, 4, 0
COMPUTE = """\
import os
parent = os.getppid()
while os.getppid() == parent:
    sum(range(10_000))
"""
"""Until the experiment ends, however it does."""


@contextmanager
def busy(cores: int) -> Iterator[None]:
    """So many processes that compute without a pause."""
    processes = [subprocess.Popen([sys.executable, "-c", COMPUTE]) for _ in range(cores)]
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


Seconds = dict[int, float]


def seconds_of(cell: GridCell, data: Path, number: int) -> dict[tuple[str, str], Seconds]:
    """(Load, backend) → seconds of its epochs by their turn, in one round."""
    order, cores = random.Random(f"{cell} {number}"), usable_cores()
    seconds: dict[tuple[str, str], Seconds] = {}
    with ExitStack() as stack:
        clients = [stack.enter_context(client_of(name, cell, data, cores)) for name in (OURS, PEER)]
        for client in clients:
            client.ready()
            client.time(1)
        for turn in range(1, TURNS + 1):
            for load in (quiet, busy):
                with load(cores):
                    for client in in_turn(clients, order, REST_SECONDS):
                        answer = client.time(1 + turn) or {}
                        seconds.setdefault((load.__name__, client.name), {})[turn] = answer.get("epoch_seconds", 0.0)
        lost = [f"{client.name}: {client.lost}" for client in clients if client.lost]
    if lost:
        raise SystemExit("; ".join(lost))
    return seconds


def client_of(name: str, cell: GridCell, data: Path, cores: int) -> WorkerClient:
    job = job_of(name, Grid().spec(cell), SEED, data, cores)
    return WorkerClient(name, job, data / f"{name}.log", TIME_LIMIT_SECONDS)


def figures(rounds: Sequence[dict[tuple[str, str], Seconds]]) -> dict[str, str]:
    """Ratios of the two on either machine, the quotient of these, and how much slower each is beside the neighbour."""
    of_loads = [
        tuple(time_ratio(one[load, OURS], one[load, PEER]) or 0.0 for load in ("quiet", "busy")) for one in rounds
    ]
    slower = {
        name: [time_ratio(one["busy", name], one["quiet", name]) or 0.0 for one in rounds] for name in (OURS, PEER)
    }
    found = {
        "quiet": [alone for alone, _ in of_loads],
        "busy": [beside for _, beside in of_loads],
        "busy / quiet": [beside / alone for alone, beside in of_loads],
        **{f"{name}, busy / quiet": ratios for name, ratios in slower.items()},
    }
    return {name: interval_text(ratio_interval(ratios)) for name, ratios in found.items()}


def main() -> None:
    cells = {}
    with temporary_folder("neighbour") as data:
        load_dataset(Grid().spec(CELLS[0]).data).save(data)
        for cell in CELLS:
            cells[str(cell)] = figures([seconds_of(cell, data, number) for number in range(1, ROUNDS + 1)])
            print(f"{cell}: {', '.join(f'{name} {text}' for name, text in cells[str(cell)].items())}", flush=True)
    write("busy_neighbour", {"processor": describe()["cpu_model"], "rounds": ROUNDS, "cells": cells})


if __name__ == "__main__":
    main()
