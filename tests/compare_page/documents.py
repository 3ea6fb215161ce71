"""Documents of a comparison as the page gets them: small ones made up, and a large one from the committed run."""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from bench.compare.comparison import compare_runs
from bench.page.pictures import pictures
from bench.records.log import RECORDS_NAME

RUN = Path(__file__).resolve().parents[2] / "results" / "reference" / "standard"
THINGS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
MARGIN = 0.005
COST_TOLERANCE = 0.02
TIME_LIMIT = 1.05

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
        "score": "accuracy",
        "errors": {},
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


def realistic() -> tuple[Document, dict[str, dict[str, str]]]:
    """The committed run beside one in which the next backend takes each one's place; and the pictures."""
    with TemporaryDirectory() as folder:
        (Path(folder) / RECORDS_NAME).write_text("".join(f"{json.dumps(one)}\n" for one in exchanged()), "utf-8")
        comparison = compare_runs(RUN, folder)
        return json.loads(comparison.document.model_dump_json()), comparison.pictures()


def exchanged() -> Iterator[Document]:
    """The records of the other run. One row is of a smaller network and loses 3 points more: it is worse."""
    run, *records = map(json.loads, (RUN / RECORDS_NAME).read_text("utf-8").splitlines())
    backends = run["suite"]["backends"]
    before = dict(zip(backends[1:] + backends[:1], backends, strict=True))
    smaller = {place(one): one for one in records if one.get("spec") == "784-30-10 M=32"}
    yield run
    for one in records:
        if (one.get("spec"), one.get("backend")) == ("784-128-10 M=32", backends[2]):
            one |= smaller[place(one)] | {"spec": one["spec"]}
            one |= {"test_accuracy": one["test_accuracy"] - 0.03} if one["kind"] == "epoch" else {}
        yield one | ({"backend": before[one["backend"]]} if "backend" in one else {})


def place(record: Document) -> tuple[Any, ...]:
    return tuple(record.get(name) for name in ("kind", "backend", "seed", "epoch"))


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
