"""Made-up recordings and runs: pairs whose luck is known, without a process.

Fed by seeds; feeds the tests of whatever is derived from pairs and comparisons.
"""

import math
import random

from bench.gate_validation.recording import PairRecord, Recording, RecordingRecord
from bench.gate_validation.records import ComparisonRecord, Planned, RecordedPair, Records, RunRecord
from bench.gate_validation.scenarios import Scenario

ORDERS = ("ABBA", "BAAB")
EPOCH_SECONDS = 0.05
PAIR_SECONDS = 1.5
ENVIRONMENT = {"cpu_model": "made up", "usable_cores": 2, "warnings": []}
CELL = "784-128-10:32"


def pair(old=(0.05,) * 4, new=(0.05,) * 4, wall=PAIR_SECONDS, order="ABBA ABBA"):
    """A pair of two blocks."""
    return RecordedPair(order=order, old_seconds=old, new_seconds=new, wall_seconds=wall)


def lucky_pair(rng, sd=0.02, unlucky=0.25, noise=0.01, ratio=1.0):
    """As measured: processes of identical code 2 % apart, every fourth 5 % slower, epochs 1 % apart within one."""
    sides = []
    for factor in (1.0, ratio):
        luck = math.exp(rng.gauss(0, sd / math.sqrt(2))) * (1.05 if rng.random() < unlucky else 1.0)
        sides.append(tuple(EPOCH_SECONDS * factor * luck * math.exp(rng.gauss(0, noise)) for _ in range(4)))
    order = " ".join(rng.choice(ORDERS) for _ in range(2))
    return pair(*sides, order=order)


def recording(quiet=400, busy=400, seed=1):
    """A recording of so many pairs; those of the busy machine differ twice as much and take twice as long."""
    rng = random.Random(seed)
    pairs = {
        "quiet": tuple(lucky_pair(rng) for _ in range(quiet)),
        "busy": tuple(
            lucky_pair(rng, sd=0.04, noise=0.05).model_copy(update={"wall_seconds": 2 * PAIR_SECONDS})
            for _ in range(busy)
        ),
    }
    origin = RecordingRecord(cell=CELL, started="2026-01-02T03:04:05+00:00", setup_seconds=0.5, environment=ENVIRONMENT)
    return Recording(origin, pairs)


def write_lines(folder, *records):
    """Records, one a line."""
    folder.mkdir(exist_ok=True)
    (folder / "records.jsonl").write_text("".join(f"{record.model_dump_json()}\n" for record in records))
    return folder


def run_record(counts=None, simulated=False, **changes):
    """The first line of a run of `counts`, scenario → comparisons."""
    plan = [Planned(scenario=Scenario.parse(name), comparisons=n) for name, n in (counts or {"quiet:0": 200}).items()]
    values = {
        "cell": CELL,
        "simulated": simulated,
        "plan": tuple(plan),
        "tolerance": 0.03,
        "alpha": 0.01,
        "budget_seconds": 300.0,
        "seed": 0,
        "started": "2026-01-02T03:04:05+00:00",
        "environment": ENVIRONMENT,
    }
    return RunRecord(**(values | changes))


def comparison(scenario="quiet:0", number=1, verdict="pass", pairs=9, seconds=18.0, load_from=None, **changes):
    """A comparison of so many pairs, which took so many seconds together."""
    values = {
        "scenario": Scenario.parse(scenario),
        "number": number,
        "seed": number,
        "verdict": verdict,
        "budget_seconds": 300.0,
        "setup_seconds": 0.0,
        "load_from": load_from,
        "pairs": (pair(wall=seconds / pairs),) * pairs,
    }
    return ComparisonRecord(**(values | changes))


def run(verdicts, seconds=18.0):
    """A run: scenario → verdict → number of comparisons that ended so; all that it was asked for."""
    counts = {name: sum(of.values()) for name, of in verdicts.items()}
    made = []
    for name, of in verdicts.items():
        each = [verdict for verdict, count in of.items() for _ in range(count)]
        made += [comparison(name, number, verdict, seconds=seconds) for number, verdict in enumerate(each, 1)]
    return Records([run_record(counts), *made])


def write_recording(folder, made):
    """A recording as a run writes it, with every pair."""
    lines = [PairRecord(state=state, pair=one) for state, pairs in made.pairs.items() for one in pairs]
    return write_lines(folder, made.origin, *lines)
