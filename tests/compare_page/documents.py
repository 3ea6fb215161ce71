"""Documents of a comparison as the page gets them: small ones made up, and a large one from the committed run."""

import base64
import math
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from bench.compare.pictures import pictures
from bench.core.statistics import mean_interval, ratio_interval
from bench.data import Dataset, load_dataset
from bench.records.run import Records
from bench.spec import DataSpec

RUN = Path(__file__).resolve().parents[2] / "results" / "reference" / "standard"
DIGITS = tuple("0123456789")
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
MARGIN = 0.005
COST_TOLERANCE = 0.02
TIME_LIMIT = 1.05
MOST_EXAMPLES = 60

Ints = NDArray[np.int64]
Document = dict[str, Any]


def interval(centre: float, half: float | None = None, count: int = 3) -> Document:
    """An interval as JSON has it; of one seed where there is no half width."""
    if half is None:
        return {"centre": centre, "low": None, "high": None, "count": 1}
    return {"centre": centre, "low": centre - half, "high": centre + half, "count": count}


def row(spec: str = "784-30-10 M=32", backend: str = "scratchnet", **changes: Any) -> Document:
    """One (spec, backend), equivalent in accuracy."""
    values: Document = {
        "spec": spec,
        "backend": backend,
        "seeds_a": [0, 1, 2],
        "seeds_b": [0, 1, 2],
        "paired": True,
        "accuracy_a": interval(0.961, 0.003),
        "accuracy_b": interval(0.9606, 0.003),
        "difference": interval(-0.0004, 0.001),
        "equivalence": {"decision": "equivalent", "margin": MARGIN, "p": 0.003, "seeds_needed": None},
        "mcnemar": [{"seed": 0, "only_a": 1, "only_b": 2, "p": 1.0}],
        "confusion": {"classes": ["cat", "dog"], "a": [[9, 1], [2, 8]], "b": [[9, 1], [1, 9]]},
        "only_one_right": [
            {"index": 115, "label": 1, "a": 0, "b": 1, "seed": 0},
            {"index": 7, "label": 0, "a": 0, "b": 1, "seed": 0},
        ],
        "curves": {
            "cost": {"a": {"0": [0.5, 0.4, 0.3, 0.2]}, "b": {"0": [0.5, 0.41, 0.31, 0.21]}},
            "test_accuracy": {"a": {"0": [0.9, 0.93, 0.95, 0.961]}, "b": {"0": [0.9, 0.93, 0.95, 0.9606]}},
        },
        "cost_parts_at": {"epoch": 2, "relative": 0.025, "largest_relative": 0.05},
        "cost_decision": "within_tolerance",
        "speed": {"ratio": interval(1.03, 0.04), "reason": ""},
        "speed_decision": "undecided",
    }
    return values | changes


def bare(spec: str, backend: str = "scratchnet") -> Document:
    """One seed each, and nothing that could be left out."""
    return row(
        spec,
        backend,
        seeds_a=[0],
        seeds_b=[0],
        accuracy_a=interval(0.96),
        accuracy_b=interval(0.95),
        difference=interval(-0.01),
        equivalence={"decision": "undecided", "margin": MARGIN, "p": None, "seeds_needed": 5},
        mcnemar=[],
        confusion=None,
        only_one_right=[],
        curves={"cost": {"a": {}, "b": {}}, "test_accuracy": {"a": {}, "b": {}}},
        cost_parts_at={"epoch": None, "relative": None, "largest_relative": None},
        cost_decision="undecided",
        speed={"ratio": None, "reason": "A ran on 2 threads, B on 4"},
        speed_decision=None,
    )


def side(letter: str, **environment: Any) -> Document:
    """One of the two runs."""
    return {
        "path": f"results/{letter}",
        "title": f"Run {letter}",
        "started": "2026-11-24T07:29:00+00:00",
        "git_revision": "f6471a7abcbfc93b2ec3779fade4c83a41b175a9",
        "threads": 2,
        "environment": {"cpu_model": "Xeon", "packages": {"numpy": "2.4.6"}} | environment,
    }


def document(rows: Sequence[Document] = (), **changes: Any) -> Document:
    """A whole document."""
    values: Document = {
        "schema_version": 1,
        "verdict": "B is within tolerance of A in test accuracy and cost",
        "decision": "within_tolerance",
        "seeds_needed": None,
        "margins": {"accuracy_points": 100 * MARGIN, "cost": COST_TOLERANCE, "time_ratio": TIME_LIMIT},
        "fail_on": ["accuracy", "cost"],
        "a": side("a"),
        "b": side("b", packages={"numpy": "2.3.0"}),
        "differences": [],
        "rows": list(rows),
    }
    return values | changes


class Run:
    """The committed run, by spec and backend."""

    def __init__(self, records: Records, data: Dataset) -> None:
        self.run, self.data = records.run, data
        self.seconds: dict[Any, dict[int, float]] = defaultdict(dict)
        self.curves: dict[Any, dict[str, list[float | None]]] = defaultdict(lambda: defaultdict(list))
        self.predictions: dict[Any, dict[int, Ints]] = defaultdict(dict)
        for e in records.epochs.itertuples():
            self.curves[e.spec, e.backend, "cost"][str(e.seed)].append(e.train_cost)
            self.curves[e.spec, e.backend, "test_accuracy"][str(e.seed)].append(e.test_accuracy)
            if not e.warm_up:
                self.seconds[e.spec, e.backend].setdefault(e.seed, e.epoch_seconds)
        for r in records.results:
            self.predictions[r.spec, r.backend][r.seed] = decoded(r.test_predictions or "")


def decoded(predictions: str) -> Ints:
    """The predicted classes of a result record."""
    return np.frombuffer(zlib.decompress(base64.b64decode(predictions)), dtype="<u2").astype(np.int64)


def realistic() -> tuple[Document, dict[str, dict[str, str]]]:
    """Nine specs, five backends: A as committed, B each backend's place taken by the next; and the pictures."""
    data = load_dataset(DataSpec(source="mnist"))
    run = Run(Records.read(RUN), data)
    backends = run.run.suite.backends
    names = [spec.name for spec in run.run.suite.specs]
    rows = [
        compared(run, (name, backend), (source_of(name, place), backends[(place + 1) % len(backends)]))
        for name in names
        for place, backend in enumerate(backends)
    ]
    found = document(
        rows,
        verdict="B is worse than A in test accuracy in 1 of 45 rows: keras-fit on 784-128-10 M=32 loses 1.3 points "
        "(95 % interval 0.9 to 1.8); 40 rows are equivalent within 0.5 points, and speed is not compared",
        decision="worse",
        a=side("standard", **run.run.environment) | {"title": run.run.suite.title},
        b=side("new", **(run.run.environment | {"cpu_model": "AMD EPYC 7B13"})),
        differences=["spec '784-64-10 M=32' is in A only", "spec '784-128-10 M=128': batch_size is 128 in A, 256 in B"],
    )
    wanted = {
        each["spec"]: [e["index"] for r in rows if r["spec"] == each["spec"] for e in r["only_one_right"]]
        for each in rows
    }
    return found, {name: pictures(data.x_test, data.image_shape, indices) for name, indices in wanted.items()}


def source_of(name: str, place: int) -> str:
    """One row has a smaller network in B, so that something is worse."""
    return "784-30-10 M=32" if (name, place) == ("784-128-10 M=32", 1) else name


def compared(run: Run, a: tuple[str, str], b: tuple[str, str]) -> Document:
    """One row of the document, from the predictions, curves and seconds of two places in the run."""
    truth, guesses = run.data.y_test, (run.predictions[a], run.predictions[b])
    shared = sorted(guesses[0].keys() & guesses[1].keys())
    right = [{seed: guess[seed] == truth for seed in shared} for guess in guesses]
    accuracy = [[float(each[seed].mean()) for seed in shared] for each in right]
    differences = np.subtract(accuracy[1], accuracy[0])
    ratio = ratio_interval(run.seconds[b][seed] / run.seconds[a][seed] for seed in shared)
    curves = {name: {"a": run.curves[*a, name], "b": run.curves[*b, name]} for name in ("cost", "test_accuracy")}
    difference = asdict(mean_interval(differences))
    apart = parting(curves["cost"])
    return {
        "spec": a[0],
        "backend": a[1],
        "seeds_a": shared,
        "seeds_b": shared,
        "paired": True,
        "accuracy_a": asdict(mean_interval(accuracy[0])),
        "accuracy_b": asdict(mean_interval(accuracy[1])),
        "difference": difference,
        "equivalence": decided(difference),
        "mcnemar": [mcnemar(seed, right[0][seed], right[1][seed]) for seed in shared],
        "confusion": {"classes": list(DIGITS), "a": confusion(truth, guesses[0]), "b": confusion(truth, guesses[1])},
        "only_one_right": only_one_right(truth, guesses[0][shared[0]], guesses[1][shared[0]], shared[0]),
        "curves": curves,
        "cost_parts_at": apart,
        "cost_decision": "within_tolerance" if apart["epoch"] is None else "undecided",
        "speed": {"ratio": asdict(ratio) if ratio else None, "reason": ""},
        "speed_decision": timed(asdict(ratio)) if ratio else None,
    }


def decided(difference: Document) -> Document:
    low, high = difference["low"], difference["high"]
    decision = (
        "equivalent"
        if low > -MARGIN and high < MARGIN
        else "worse"
        if high < 0
        else "better"
        if low > 0
        else "undecided"
    )
    return {"decision": decision, "margin": MARGIN, "p": None, "seeds_needed": 12 if decision == "undecided" else None}


def timed(ratio: Document) -> str:
    low, high = ratio["low"], ratio["high"]
    inside = low > 1 / TIME_LIMIT and high < TIME_LIMIT
    return (
        "within_tolerance"
        if inside
        else "worse"
        if low > TIME_LIMIT
        else "better"
        if high < 1 / TIME_LIMIT
        else "undecided"
    )


def mcnemar(seed: int, a: NDArray[np.bool_], b: NDArray[np.bool_]) -> Document:
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    p = binomtest(only_a, only_a + only_b).pvalue if only_a + only_b else 1.0
    return {"seed": seed, "only_a": only_a, "only_b": only_b, "p": float(p)}


def confusion(truth: Ints, guesses: Mapping[int, Ints]) -> list[list[int]]:
    counts = np.zeros((10, 10), dtype=np.int64)
    for guess in guesses.values():
        np.add.at(counts, (truth, guess), 1)
    return [[int(count) for count in line] for line in counts]


def only_one_right(truth: Ints, a: Ints, b: Ints, seed: int) -> list[Document]:
    differ = np.flatnonzero((a == truth) != (b == truth))[:MOST_EXAMPLES]
    return [{"index": int(i), "label": int(truth[i]), "a": int(a[i]), "b": int(b[i]), "seed": seed} for i in differ]


def parting(cost: Mapping[str, Mapping[str, list[float]]]) -> Document:
    means = [np.mean(list(seeds.values()), axis=0) for seeds in (cost["a"], cost["b"])]
    relative = np.abs(means[1] - means[0]) / means[0]
    beyond = np.flatnonzero(relative > COST_TOLERANCE)
    first = int(beyond[0]) if beyond.size else None
    at = None if first is None else float(relative[first])
    return {"epoch": None if first is None else first + 1, "relative": at, "largest_relative": float(relative.max())}


def odd() -> tuple[Document, dict[str, dict[str, str]]]:
    """Sizes that are no MNIST's, and their pictures."""
    random = np.random.default_rng(0)
    examples = [{"index": i, "label": i, "a": i if i % 2 else 3, "b": i + i % 2, "seed": 0} for i in range(10)]
    pixels = random.integers(0, 256, (10, 32 * 24 * 3), dtype=np.uint8)
    seeds = {str(seed): [1 / epoch + 0.1 + random.normal(0, 0.003) for epoch in range(1, 301)] for seed in range(10)}
    tests = [{"seed": seed, "only_a": seed, "only_b": 2 * seed, "p": 0.5} for seed in range(30)]
    rows = [
        row(
            "many classes",
            confusion=drawn_confusion(random, [f"a rather long name of class {n}" for n in range(100)]),
            only_one_right=examples,
            seeds_a=list(range(30)),
            seeds_b=[0, 1],
            paired=False,
            mcnemar=tests,
        ),
        row("ten names", confusion=drawn_confusion(random, THINGS)),
        bare("one seed"),
        row("long", curves={"cost": {"a": seeds, "b": seeds}, "test_accuracy": {"a": {}, "b": {}}}),
    ]
    return document(rows), {"many classes": pictures(pixels, (32, 24, 3), range(10))}


def drawn_confusion(random: np.random.Generator, classes: Sequence[str]) -> Document:
    sides = {side: random.poisson(3, (len(classes), len(classes))).tolist() for side in "ab"}
    return {"classes": list(classes)} | sides


def hostile() -> Document:
    """Names and figures that would break a careless page."""
    script = "<script>alert(1)</script>"
    curves = {
        "cost": {"a": {"0": [0.5, math.nan, math.inf, 0.2]}, "b": {"0": [None, None, None, None]}},
        "test_accuracy": {"a": {"0": [0.9]}, "b": {"0": []}},
    }
    rows = [
        row(script, "</script><img src=x onerror=alert(2)>", curves=curves),
        row("x" * 10_000, "'\"&<b>", difference=interval(math.nan, math.nan), accuracy_b=interval(math.nan, math.inf)),
        row(
            "half a pair \udcff, a bell \x07 and\na line", "{{ 7 * 7 }}", confusion=confusion_of([script, "</script>"])
        ),
        bare("one seed"),
    ]
    return document(rows, verdict=f"{script} " + "y" * 10_000, differences=[f"spec '{script}' is in A only"] * 30)


def confusion_of(classes: list[str]) -> Document:
    return {"classes": classes, "a": [[1, 0], [0, 1]], "b": [[0, 1], [0, 1]]}
