"""A plan for 1,000 nodes: how long a large suite takes on a cluster, and what lost nodes cost, simulated.

The cells are those of a recorded run, repeated over more seeds. What the head spends on a cell is measured here, with
dask where it is installed. Node failures are drawn at a stated rate. The numbers of docs/cluster.md are from
docs/experiments/results/cluster_plan.json. Run it as `python docs/experiments/cluster_plan.py`, about a minute.
"""

import heapq
import json
import pickle
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any

from bench.records.log import RecordLog
from bench.records.run import Records, each_record

DOCS = Path(__file__).parents[1]
RECORDED = DOCS.parent / "results/reference/standard"
SEEDS = 1_000
NODES = (1, 10, 100, 1_000)
HOURS_BETWEEN_FAILURES = (float("inf"), 1_000.0, 24.0)
"""Of one node: never, about 40 days, a day."""
ATTEMPTS = 3
NOTICED_SECONDS = 60.0
"""Until the head knows that a node is lost: at once where its connection closes, the silence limit where it hangs."""
BACK_SECONDS = 300.0
"""Until another node takes its place."""
ROUND_TRIPS = 200
DRAWS = 20
"""Of the failures; outcomes are means over them."""


@dataclass(frozen=True)
class Outcome:
    """What simulated runs came to, on average. Hours; `efficiency` is needed node time / node time that passed."""

    nodes: int
    hours_between_failures: float | None
    hours: float
    efficiency: float
    head_busy: float
    attempts_lost: float
    node_hours_lost: float
    cells_given_up: float


def cell_seconds(folder: Path) -> dict[tuple[str, int], float]:
    """Seconds of each recorded cell: its slowest start, every epoch, the rests; evaluation is not recorded."""
    records = Records.read(folder)
    starts: dict[tuple[str, int], float] = defaultdict(float)
    for worker in records.workers:
        key = (worker.spec, worker.seed)
        starts[key] = max(starts[key], worker.startup_seconds)
    epochs = records.epochs.groupby(["spec", "seed"], observed=True)["epoch_seconds"].agg(["sum", "size"])
    rest = records.run.suite.rest_seconds
    return {key: starts[key] + row["sum"] + rest * row["size"] for key, row in epochs.iterrows()}


def head_seconds(folder: Path) -> dict[str, float]:
    """Measured seconds that the head spends on one cell: to unpack and to write its records; a round trip of dask."""
    cell = [record for record in each_record(folder) if getattr(record, "seed", None) == 0]
    first = [record for record in cell if record.spec == cell[0].spec]
    packed = pickle.dumps(first)
    unpacked = _median_seconds(lambda: pickle.loads(packed))
    with tempfile.TemporaryDirectory() as temporary, RecordLog(Path(temporary)) as log:
        written = _median_seconds(lambda: log.write(*first))
    return {"bytes": len(packed), "unpack": unpacked, "write": written, "round_trip": _round_trip()}


def _median_seconds(work: Any) -> float:
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return median(seconds)


def _round_trip() -> float:
    """Of a task that does nothing, bound to a node as a cell is; the node's own part is in it."""
    from distributed import Client, LocalCluster

    options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": None, "memory_limit": 0}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        (address,) = client.nthreads()
        start = time.perf_counter()
        for _ in range(ROUND_TRIPS):
            client.submit(int, workers=[address], pure=False).result()
        return (time.perf_counter() - start) / ROUND_TRIPS


def simulate(cells: Sequence[float], nodes: int, overhead: float, between: float, seed: int = 0) -> Outcome:
    """Give cells to nodes in their order; the head serves one node at a time, `overhead` seconds for each attempt."""
    rng = random.Random(seed)
    todo = [(seconds, 1) for seconds in reversed(cells)]
    free = [(0.0, number) for number in range(nodes)]  # when each node is free next
    head, end, lost, wasted, given_up = 0.0, 0.0, 0, 0.0, 0
    while todo:
        moment, number = heapq.heappop(free)
        seconds, attempt = todo.pop()
        head = max(head, moment) + overhead
        fails = rng.expovariate(1 / (between * 3600)) if between != float("inf") else float("inf")
        if fails >= seconds:
            heapq.heappush(free, (head + seconds, number))
            end = max(end, head + seconds)
            continue
        lost, wasted = lost + 1, wasted + fails
        end = max(end, head + fails + NOTICED_SECONDS)
        heapq.heappush(free, (head + fails + max(NOTICED_SECONDS, BACK_SECONDS), number))
        if attempt < ATTEMPTS:
            todo.append((seconds, attempt + 1))
        else:
            given_up += 1
    return Outcome(
        nodes=nodes,
        hours_between_failures=None if between == float("inf") else between,
        hours=end / 3600,
        efficiency=sum(cells) / (end * nodes),
        head_busy=(len(cells) + lost) * overhead / end,
        attempts_lost=lost,
        node_hours_lost=wasted / 3600,
        cells_given_up=given_up,
    )


def averaged(cells: Sequence[float], nodes: int, overhead: float, between: float) -> dict[str, Any]:
    """The mean of each figure over `DRAWS` simulated runs."""
    drawn = [asdict(simulate(cells, nodes, overhead, between, seed)) for seed in range(DRAWS)]
    about = {name: drawn[0][name] for name in ("nodes", "hours_between_failures")}
    return {**about, **{name: fmean(one[name] for one in drawn) for name in drawn[0] if name not in about}}


def main() -> None:
    """Measure, simulate, write the JSON file and print the table."""
    recorded = cell_seconds(RECORDED)
    specs: dict[str, list[float]] = defaultdict(list)
    for (spec, _), seconds in recorded.items():
        specs[spec].append(seconds)
    rng = random.Random(0)
    cells = [rng.choice(seconds) for seconds in specs.values() for _ in range(SEEDS)]
    head = head_seconds(RECORDED)
    overhead = head["unpack"] + head["write"] + head["round_trip"]
    outcomes = [averaged(cells, n, overhead, hours) for hours in HOURS_BETWEEN_FAILURES for n in NODES]
    found = {
        "recorded_cells": len(recorded),
        "cells": len(cells),
        "median_cell_seconds": median(cells),
        "longest_cell_seconds": max(cells),
        "node_hours": sum(cells) / 3600,
        "head_seconds_per_cell": head,
        "overhead_seconds": overhead,
        "cells_per_second_at_most": 1 / overhead,
        "outcomes": outcomes,
    }
    (DOCS / "experiments/results/cluster_plan.json").write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps({name: value for name, value in found.items() if name != "outcomes"}, indent=2))
    for one in outcomes:
        print("  ".join(f"{name} {value:.4g}" if value is not None else f"{name} –" for name, value in one.items()))


if __name__ == "__main__":
    main()
