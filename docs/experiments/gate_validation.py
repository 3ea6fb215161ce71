"""How often the speed gate is wrong: real comparisons on this machine whose right answer is known.

The two sides are copies of this tree. In one of them `scratchnet/engine/step.py` repeats the forward pass of some
steps: a known slowdown. For docs/gate-validation.md; run it for a stated time, and again to go on:

    python docs/experiments/gate_validation.py results/mine --minutes 60

It writes records.jsonl (every comparison, with the seconds of every pair), gate-validation.md, .png and .svg. It reads
records.jsonl.gz where there is no records.jsonl.
"""

import argparse
import gzip
import json
import math
import random
import shutil
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binomtest
from tabulate import tabulate
from usual_tools import PROCESSES, TOOLS

from bench.core.environment import bindable_cores, describe
from bench.core.files import temporary_folder, write_atomically
from bench.gate.decision import Rule, Verdict, decide, measure
from bench.gate.pair import SIDES, Pair, single
from bench.gate.plan_files import PlanFiles, cell_of
from bench.gate.tree_pairs import EPOCHS, TrainingPairs
from bench.report.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, plot_settings

ROOT = Path(__file__).resolve().parents[2]
CELL, RULE, BUDGET_SECONDS, SEED = "784-128-10:32", Rule(), 300.0, 0
LOADS = {
    "quiet": "nothing else on the machine",
    "busy": "another process loads every core half of the time",
    "changing": "that load starts in the middle of the comparison",
}
WANTED = {0: 200, 2: 10, 3: 10, 5: 100, 10: 100, 20: 50, -5: 50}
"""Planted slowdown, % → how many comparisons are wanted of it; below 0 it is a speed-up."""
FEWEST_PAIRS = 9
"""No comparison is decided by fewer."""
CALIBRATION_PAIRS = 15
STEP, FORWARD = "scratchnet/engine/step.py", "    if not forward(job, layers, step):\n        return False\n"
REPEATED = """\
    for _ in range(1 + int((step + 1) * {share!r}) - int(step * {share!r})):
        if not forward(job, layers, step):
            return False
"""
LOAD = """\
import os, random, select, sys, time
os.sched_setaffinity(0, {int(sys.argv[1])})
random.seed(sys.argv[2])
seconds = random.uniform(0, 0.1)
while not select.select([sys.stdin], [], [], seconds)[0]:
    seconds = random.uniform(0.01, 0.05)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
"""
"""Computes half of the time, until the other end of its standard input is closed, for whatever reason."""

Record = dict[str, Any]
Pairs = Callable[[int], Pair]
"""Number of a pair, from 1 → the pair, measured now."""


def plant(tree: Path, share: float) -> None:
    """Make a copy of this tree slower: that share of its steps computes the forward pass twice."""
    text = (tree / STEP).read_text()
    if text.count(FORWARD) != 1:
        raise SystemExit(f"{tree / STEP}: has {text.count(FORWARD)} forward passes to repeat; expected 1")
    (tree / STEP).write_text(text.replace(FORWARD, REPEATED.format(share=share)))


@contextmanager
def pairs(shares: Mapping[str, float]) -> Iterator[Pairs]:
    """Pairs of two copies of this tree, of which each side repeats so many of its forward passes."""
    with temporary_folder("gate-validation") as folder:
        for side in SIDES:
            for package in ("scratchnet", "bench", "reference_tf"):
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / package, folder / side / package, ignore=ignored)
            if share := shares.get(side, 0.0):
                plant(folder / side, share)
        plan = PlanFiles(cell_of(CELL), EPOCHS, folder / "plan")
        yield TrainingPairs({side: folder / side for side in SIDES}, plan, 1, folder)


def cost_of_repeating() -> float:
    """By how much a step takes longer that computes its forward pass twice."""
    with pairs({"new": 1.0}) as source:
        return math.expm1(median(source(number).log_ratio for number in range(1, CALIBRATION_PAIRS + 1)))


@contextmanager
def half_loaded_cores(seed: int) -> Iterator[list[int]]:
    """Load every core half of the time, in periods with a phase of its own; the ids of the processes that do it."""
    command, found = [sys.executable, "-I", "-S", "-c", LOAD], list[int]()
    if not (cores := bindable_cores()):
        raise SystemExit(
            "the loads busy and changing bind processes to cores, which this system does not do; use quiet"
        )
    with ExitStack() as stack:
        for core in cores:
            loader = subprocess.Popen([*command, str(core), str(seed + core)], stdin=subprocess.PIPE)
            stack.enter_context(loader)
            stack.callback(loader.kill)
            found.append(loader.pid)
        yield found


def compare(source: Pairs) -> tuple[Verdict, list[Pair]]:
    """Pairs until the gate's own rule decides, or none more would end within the budget."""
    found: list[Pair] = []

    def may_begin(_: object) -> bool:
        seconds = [pair.wall_seconds for pair in found]
        return not seconds or sum(seconds) + max(seconds) <= BUDGET_SECONDS

    one = single("", lambda number: source(number).model_copy(update={"cell": ""}))
    measure([one], {"": RULE}, may_begin, found.append)
    return decide([pair.log_ratio for pair in found], RULE), found


def comparison(load: str, percent: float, number: int, cost: float) -> Record:
    """One comparison by real processes."""
    seed = zlib.crc32(f"{SEED} {load}:{percent:g} {number}".encode())
    load_from = {"quiet": None, "busy": 1, "changing": random.Random(seed).randint(2, FEWEST_PAIRS)}[load]
    slowdown = percent / 100
    extra = {"new": slowdown} if slowdown >= 0 else {"old": 1 / (1 + slowdown) - 1}
    with ExitStack() as stack:
        source = stack.enter_context(pairs({side: wanted / cost for side, wanted in extra.items()}))

        def under_load(pair: int) -> Pair:
            if pair == load_from:
                stack.enter_context(half_loaded_cores(seed))
            return source(pair)

        verdict, found = compare(under_load)
    told = {"scenario": f"{load}:{percent:g}", "number": number, "verdict": verdict, "load_from": load_from}
    return {"kind": "comparison", **told, "pairs": [timings(pair) for pair in found]}


def timings(pair: Pair) -> Record:
    """Order and seconds of a pair, to six digits."""
    names = ("old_seconds", "new_seconds", "old_elapsed", "new_elapsed")
    rounded = {name: [float(f"{value:.6g}") for value in getattr(pair, name)] for name in names}
    return {"order": pair.order, **rounded, "wall_seconds": round(pair.wall_seconds, 6), "steps": pair.new_steps}


def whole_lines(folder: Path) -> str:
    """The records of a folder as text, without a last line that a kill cut short."""
    plain, packed = folder / "records.jsonl", folder / "records.jsonl.gz"
    if plain.exists() or not packed.exists():
        text = plain.read_text() if plain.exists() else ""
    else:
        text = gzip.decompress(packed.read_bytes()).decode()
    lines, end, _ = text.rpartition("\n")
    return lines + end


def read(folder: Path) -> list[Record]:
    """The comparisons of a folder."""
    records = [json.loads(line) for line in whole_lines(folder).splitlines()]
    return [record for record in records if record["kind"] == "comparison"]


def scenario_of(record: Record) -> tuple[str, float]:
    """Load and planted slowdown, %."""
    load, percent = record["scenario"].split(":")
    return load, float(percent)


def scenarios_of(texts: str) -> list[tuple[str, float]]:
    """Scenarios with commas between, such as `quiet:0,busy:5`."""
    try:
        found = [scenario_of({"scenario": text}) for text in texts.split(",")]
    except ValueError:
        found = []
    if not found or not {load for load, _ in found} <= LOADS.keys():
        allowed = f"{', '.join(LOADS)}, then a colon and the slowdown in per cent, such as quiet:0,busy:5"
        raise argparse.ArgumentTypeError(f"{texts!r}; allowed: {allowed}")
    return found


def run(folder: Path, minutes: float, scenarios: Sequence[tuple[str, float]]) -> None:
    """Compare until the time is over; next is always the scenario that is furthest behind what is wanted of it."""
    made = [scenario_of(record) for record in read(folder)]
    write_atomically(folder / "records.jsonl", whole_lines(folder))
    with (folder / "records.jsonl").open("a") as log:
        begun = {"started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "environment": describe()}
        write(log, {"kind": "gate_validation", "schema_version": 1, "cell": CELL, **vars(RULE), **begun})
        cost = cost_of_repeating()
        print(f"a repeated forward pass costs {cost:.1%} of a step", flush=True)
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            load, percent = min(scenarios, key=lambda one: (made.count(one) + 1) / WANTED.get(one[1], 100))
            made.append((load, percent))
            record = comparison(load, percent, made.count((load, percent)), cost)
            write(log, record)
            told = f"{record['verdict']} after {len(record['pairs'])} pairs"
            print(f"{record['scenario']}, number {record['number']}: {told}", flush=True)


def write(log: Any, record: Record) -> None:
    """Append a line, on disk at once."""
    log.write(json.dumps(record) + "\n")
    log.flush()


def log_ratios(record: Record) -> list[float]:
    """Of its pairs, as the gate takes them."""
    return [as_pair(pair).log_ratio for pair in record["pairs"]]


def as_pair(timed: Record, number: int = 1, cell: str = CELL) -> Pair:
    """A recorded pair again."""
    values = {name: value for name, value in timed.items() if name != "steps"}
    return Pair(number=number, cell=cell, **values)


def share(count: int, of: int) -> str:
    """Per cent with the exact 95 % interval of Clopper and Pearson (Biometrika 26(4), 1934)."""
    ends = binomtest(count, of).proportion_ci(0.95, method="exact")
    rate, low, high = (f"{100 * value:.1f}".removesuffix(".0") for value in (count / of, ends.low, ends.high))
    return f"{rate} ({low} to {high})"


def grouped(records: Sequence[Record]) -> dict[tuple[str, float], list[Record]]:
    """Scenario → its comparisons, by load and slowdown."""
    keys = sorted({scenario_of(record) for record in records}, key=lambda one: (list(LOADS).index(one[0]), one[1]))
    return {key: [record for record in records if scenario_of(record) == key] for key in keys}


def row(load: str, percent: float, records: Sequence[Record]) -> list[str]:
    """What the gate said in a scenario."""
    # Of each comparison as many pairs as none has fewer of: when it ended must not matter.
    found = [math.expm1(value) for one in records for value in log_ratios(one)[:FEWEST_PAIRS]]
    verdicts = [one["verdict"] for one in records]
    seconds = [one.get("setup_seconds", 0) + sum(pair["wall_seconds"] for pair in one["pairs"]) for one in records]
    told = [share(verdicts.count(verdict), len(records)) for verdict in ("fail", "pass", "undecided")]
    times = [f"{np.quantile(seconds, q):.3g}" for q in (0.5, 0.9, 1)]
    return [load, f"{percent:g}", f"{100 * median(found):.1f}", str(len(records)), *told, *times]


def said_slower(tool: str, records: Sequence[Record]) -> tuple[int, int]:
    """In how many of how many comparisons that tool would have said "slower".

    Its old run is the old side's process of the first pair, its new run the new side's of the ninth, so when the gate
    stopped does not matter. The tools see wall time.
    """
    processes, answers = PROCESSES.get(tool, 1), []
    for one in records:
        if len(one["pairs"]) >= FEWEST_PAIRS:
            early, later = one["pairs"][:processes], one["pairs"][FEWEST_PAIRS - processes : FEWEST_PAIRS]
            old = [value for pair in early for value in pair["old_elapsed"] or pair["old_seconds"]]
            new = [value for pair in later for value in pair["new_elapsed"] or pair["new_seconds"]]
            answers.append(TOOLS[tool](np.array(old), np.array(new)))
    return sum(answers), len(answers)


def slower(records: Sequence[Record]) -> dict[str, dict[tuple[str, float], tuple[int, int]]]:
    """Tool, the gate first → scenario → in how many of how many comparisons it said "slower"."""
    by_scenario = grouped(records)
    gate = {key: (sum(one["verdict"] == "fail" for one in some), len(some)) for key, some in by_scenario.items()}
    return {
        "this gate": gate,
        **{tool: {key: said_slower(tool, some) for key, some in by_scenario.items()} for tool in TOOLS},
    }


def tables(records: Sequence[Record]) -> str:
    """What the gate said, and what the usual tools would have said, as Markdown."""
    head = ("load", "slowdown, %", "as measured, %", "comparisons", "fail, %", "pass, %", "undecided, %")
    by_scenario, said = grouped(records), slower(records)
    rows = [row(load, percent, some) for (load, percent), some in by_scenario.items()]
    tools = [[name, *(share(*counts) if counts[1] else "–" for counts in of.values())] for name, of in said.items()]
    ours = tabulate(rows, (*head, "seconds: median", "90 %", "worst"), tablefmt="pipe", disable_numparse=True)
    names = [f"{load}, {percent:g} %" for load, percent in by_scenario]
    theirs = tabulate(tools, ('said "slower", %', *names), tablefmt="pipe", disable_numparse=True)
    cell = f"{len(records)} comparisons of {CELL}, tolerance {RULE.tolerance:.0%}, α = {RULE.alpha:g}"
    return f"# The gate, measured\n\n{cell}; in brackets 95 % intervals.\n\n{ours}\n\n{theirs}\n"


def draw(records: Sequence[Record]) -> Figure:
    """A panel for each load: how often "slower" is said at each planted slowdown."""
    said = slower(records)
    loads = [load for load in LOADS if any(key[0] == load for key in said["this gate"])]
    figure = Figure(figsize=(4.6, 3.2 * len(loads) + 0.6), layout="constrained")
    for axes, load in zip(figure.subplots(len(loads), squeeze=False).ravel(), loads, strict=True):
        panel(axes, load, said)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def panel(axes: Axes, load: str, said: Mapping[str, Mapping[tuple[str, float], tuple[int, int]]]) -> None:
    """One load."""
    percents = sorted({percent for one, percent in said["this gate"] if one == load})
    for (tool, of), color in zip(said.items(), (BLACK, BLUE, SKY, GREEN, ORANGE, PURPLE), strict=True):
        known = {place: of[load, percent] for place, percent in enumerate(percents) if of[load, percent][1]}
        rates = [100 * count / all_of for count, all_of in known.values()]
        axes.plot(list(known), rates, "o-", color=color, linewidth=2.4 if tool == "this gate" else 1.2, label=tool)
    axes.set_xticks(range(len(percents)), [f"{percent:g}" for percent in percents])
    axes.set_ylim(-4, 104)
    axes.set(xlabel="planted slowdown, %", ylabel='said "slower", %')
    axes.set_title(f"{load}: {LOADS[load]}", loc="left", fontsize=9)


def main() -> None:
    """Compare, then write table and plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where records, table and plot go; an old run there goes on")
    parser.add_argument(
        "--minutes", type=float, default=60, help="begin no comparison after so many; 0: only the table"
    )
    every = ",".join(f"{load}:{percent}" for load in LOADS for percent in WANTED)
    parser.add_argument(
        "--scenarios", type=scenarios_of, default=every, help="load:slowdown in per cent [default: all]"
    )
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    try:
        if options.minutes > 0:
            run(options.folder, options.minutes, options.scenarios)
    except KeyboardInterrupt:
        print("interrupted; run it again to go on", file=sys.stderr)
    if records := read(options.folder):
        (options.folder / "gate-validation.md").write_text(tables(records))
        with plot_settings():
            for kind in ("png", "svg"):
                draw(records).savefig(options.folder / f"gate-validation.{kind}", dpi=150)
        print((options.folder / "gate-validation.md").read_text())


if __name__ == "__main__":
    main()
