"""How many mistakes `locate` names: planted by hand, unknown to the library, and each of the library in turn.

Writes docs/experiments/results/located.json, which docs/locate.md quotes. Run `python docs/experiments/located.py`,
about three minutes; with the name of a part (planted, steps, unknown, right, library) it renews that part alone.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "locate"))

from handwritten import HandWritten
from plants import PLANTS, Plant
from problems import PROBLEMS
from unknown import CASES, WHERE, perturbed

from bench.locate.compare import Comparison
from bench.locate.document import Document
from bench.locate.equations import REFERENCE
from bench.locate.experiment import experiment
from bench.locate.layout import Layout
from bench.locate.mistakes.library import ENTRIES, library
from bench.locate.mistakes.mistake import Mistake
from bench.locate.net import Net, net_of
from bench.locate.run import locate_one
from bench.locate.search import Search
from bench.locate.state import Equations, Given, Key, step
from bench.locate.survey import Seen, Survey

RESULTS = Path(__file__).parent / "results" / "located.json"
REPORTED = ("Z", "A", "cost", "delta", "dW", "db", "uW", "ub")
ONLY_THE_COST_SHOWS = ("(22)", "(24)", "(D31)")


def counted(plants: list[Plant], **attributes: Any) -> dict[str, Any]:
    """Of mistakes planted by hand into the hand-written network."""
    found = Counter[str]()
    missed = []
    for plant in plants:
        document = locate_one(plant.network(**attributes), PROBLEMS[plant.problem], plant.name).document
        marks = _marks(document, plant)
        found.update(marks)
        if len(marks) < 4:
            missed.append(plant.name)
    return {"mistakes": len(plants), **found, "not_wholly_named": missed}


def _marks(document: Document, plant: Plant) -> list[str]:
    """What was right about the answer."""
    if not document.mistakes:
        return []
    first = document.mistakes[0]
    ids = {reason.id for reason in first.causes}
    names = (plant.id, f"{plant.id}-from-a")
    cause = bool(ids & {*names, *(f"{name}@{plant.where}" for name in names)})
    right = {
        "detected": True,
        "equation": first.equation == plant.equation or (cause and len(ids) > 1),
        "layer": plant.where is None or first.layer == plant.where,
        "cause": cause,
        "cause_alone": cause and len(ids) == 1,
    }
    return [name for name, holds in right.items() if holds]


def planted() -> dict[str, Any]:
    """A network that reports everything."""
    return counted(PLANTS)


def steps() -> dict[str, Any]:
    """A network that reports its parameters after a step, and nothing else."""
    return counted([plant for plant in PLANTS if plant.equation not in ONLY_THE_COST_SHOWS], offers=())


def unknown() -> dict[str, Any]:
    """Mistakes of another kind than the library's."""
    found = Counter[str]()
    for method, layer, way in CASES:
        document = locate_one(perturbed(method, layer, way), PROBLEMS["classes"], "Unknown").document
        first = document.mistakes[0] if document.mistakes else None
        found["detected"] += first is not None
        found["equation"] += first is not None and first.equation == WHERE[method, layer]
        found["layer"] += first is not None and first.layer == (layer or 3)
        found["wrong_cause"] += first is not None and bool(first.causes)
    return {"mistakes": len(CASES), **found}


def right() -> dict[str, Any]:
    """Networks without a mistake: none may be called wrong."""
    offers = [HandWritten.offers, ("cost",), ("forward",), ("gradients",), ()]
    kinds = [{"offers": one, "dtype": dtype} for one in offers for dtype in (np.float64, np.float32)]
    documents = [
        locate_one(type("Right", (HandWritten,), kind), spec, "Right").document
        for kind in kinds
        for spec in PROBLEMS.values()
    ]
    return {"networks": len(documents), "false_alarms": sum(bool(document.findings) for document in documents)}


def played(net: Net, equations: Equations, dtype: str = "float64") -> Survey:
    """What a network that computes by these equations would report."""
    seen = []
    for trajectory in experiment(net, dtype):
        memory: dict[Key, Any] = {}
        given: list[Given] = []
        for t, moment in enumerate(trajectory.moments, start=1):
            state = step(net, equations, moment, {}, dict(memory), t)
            memory |= state.remembered
            given.append({key: value for key, value in state.expected.items() if key.name in REPORTED})
        seen.append(Seen(trajectory, tuple(given)))
    layout = Layout("columns", "out_in", "pairs")
    return Survey("played", net, layout, dtype, (), tuple(seen), (), _nobody)


def _nobody() -> Any:
    raise NotImplementedError


def chosen() -> Iterator[tuple[Net, Mistake]]:
    """Each entry at all its layers and at one of them, in the first problem in which it changes any number."""
    left = {entry.id for entry in ENTRIES}
    for spec in PROBLEMS.values():
        net = net_of(spec)
        right = _numbers(net, REFERENCE)
        for mistake in library(net):
            if mistake.id in left and not _same(right, _numbers(net, mistake.plant(REFERENCE))):
                left.discard(mistake.id)
                yield net, mistake


def _numbers(net: Net, equations: Equations) -> list[Any]:
    return [value for seen in played(net, equations).seen for given in seen.given for value in given.values()]


def _same(one: list[Any], other: list[Any]) -> bool:
    return all(np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True) for a, b in zip(one, other, strict=True))


def confused() -> dict[str, Any]:
    """Each entry of the library planted in turn: whether it is named, and with how many that make the same numbers."""
    sizes, missed, sets = Counter[int](), list[str](), list[list[str]]()
    tried = set()
    for net, mistake in chosen():
        tried.add(mistake.id)
        search = Search(Comparison(played(net, mistake.plant(REFERENCE))), library(net))
        causes = search.next() if search.left else []
        ids = [one.id for cause in causes for one in cause.mistakes]
        if mistake.id not in ids:
            missed.append(mistake.id)
            continue
        sizes[len(ids)] += 1
        if len(ids) > 1:
            sets.append(sorted(ids))
    return {
        "entries": len(ENTRIES),
        "tried": len(tried),
        "change_nothing": sorted({entry.id for entry in ENTRIES} - tried),
        "named_alone": sizes[1],
        "named_in_a_set": sum(count for size, count in sizes.items() if size > 1),
        "largest_set": max(sizes),
        "sets": [list(one) for one in sorted(set(map(tuple, sets)))],
        "not_named": missed,
    }


PARTS = {"planted": planted, "steps": steps, "unknown": unknown, "right": right, "library": confused}


def main() -> None:
    """Renew all parts, or those that are named."""
    names = sys.argv[1:] or list(PARTS)
    known = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    for name in names:
        known[name] = PARTS[name]()
        RESULTS.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(name, {key: value for key, value in known[name].items() if not isinstance(value, list)}, flush=True)


if __name__ == "__main__":
    main()
