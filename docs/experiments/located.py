"""How well `locate` names mistakes: the table of docs/locate.md, in docs/experiments/results/located.json.

`python docs/experiments/located.py` makes all of it, in about ten minutes; with names of parts it renews those alone.
"""

import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests" / "locate"))

from forms import FORMS
from handwritten import HandWritten
from mutants import SAME, distance, mutants, network_of, numbers, pairs
from of_scratchnet import OfScratchnet
from plants import Plant
from problems import PROBLEMS
from source_mutants import SourceMutant, makes_numbers, source_mutants
from unknown import CASES, WHERE, perturbed

from bench.core.errors import UnusableError
from bench.locate.compare import Comparison
from bench.locate.document import Document, Finding
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
from bench.parity.cells import ParityCell, all_cells, covering_cells, spec_of
from bench.spec import TrainingSpec
from scratchnet import engine

RESULTS = Path(__file__).parent / "results" / "located.json"
REPORTED = ("Z", "A", "cost", "delta", "dW", "db", "uW", "ub")
ONLY_THE_COST_SHOWS = ("(22)", "(24)", "(D31)")
PAIRS = 100
INPUTS = 17
"""Of the networks of the parity matrix, in place of 784."""
OFFERS: tuple[tuple[str, ...], ...] = (HandWritten.offers, ("cost",), ("forward",), ("gradients",), ())
Counts = dict[str, Any]

made = cache(mutants)


def single() -> Counts:
    """One mistake in a network that reports everything."""
    singles, nothing, repeated = made()
    layouts, layers = Counter(layout for _, layout in singles), Counter(plant.where for plant, _ in singles)
    counts = _counted(singles)
    counts["change_nothing"] = [{"mutant": name, "largest difference in 80 bits": far} for name, far in nothing]
    counts["repeat_another"] = repeated
    counts["layouts"] = dict(layouts)
    counts["layers"] = {str(layer or "all or none"): count for layer, count in layers.items()}
    return counts


def steps() -> Counts:
    """The same in a network that reports its parameters after a step, and nothing else."""
    singles = [one for one in made()[0] if one[0].equation not in ONLY_THE_COST_SHOWS]
    return _counted(singles, offers=())


def _counted(singles: list[tuple[Plant, str]], **attributes: Any) -> Counts:
    found, missed = Counter[str](), []
    for plant, layout in singles:
        document = locate_one(network_of([plant], layout, **attributes), PROBLEMS[plant.problem], "Mutant").document
        marks = _marks(document.mistakes[:1], plant)
        found.update(marks)
        if not {"detected", "equation", "layer", "cause"} <= set(marks):
            missed.append(f"{plant.name}, {layout}: {_told(document)}")
    return {"mistakes": len(singles), **found, "not_wholly_named": missed}


def _marks(findings: list[Finding], plant: Plant) -> list[str]:
    """What is right about the first of these findings that fits best."""
    return max((_marks_of(one, plant) for one in findings), key=len, default=[])


def _marks_of(finding: Finding, plant: Plant) -> list[str]:
    ids = {reason.id for reason in finding.causes}
    names = (plant.id, f"{plant.id}-from-a")
    cause = bool(ids & {*names, *(f"{name}@{plant.where}" for name in names)})
    right = {
        "detected": True,
        "equation": finding.equation == plant.equation or (cause and len(ids) > 1),
        "layer": plant.where is None or finding.layer == plant.where,
        "cause": cause,
        "cause_alone": cause and len(ids) == 1,
    }
    return [name for name, holds in right.items() if holds]


def _told(document: Document) -> str:
    """What was said in its place."""
    return "; ".join(
        f"{one.kind} {one.equation} layer {one.layer} ({', '.join(reason.id for reason in one.causes) or 'no cause'})"
        for one in document.findings
    )


def unknown() -> Counts:
    """Mistakes of another kind than the library's."""
    found = Counter[str]()
    for method, layer, way in CASES:
        first = locate_one(perturbed(method, layer, way), PROBLEMS["classes"], "Unknown").document.mistakes[0]
        found["detected"] += 1
        found["equation"] += first.equation == WHERE[method, layer]
        found["layer"] += first.layer == (layer or 3)
        found["wrong_cause"] += bool(first.causes)
    return {"mistakes": len(CASES), **found}


def source() -> Counts:
    """Mistakes made by a program, each in the first problem in which it changes a number.

    A cause that is claimed reproduces every number; it is wrong where none of its equations is the edited line's.
    """
    found, missed = Counter[str](), []
    for mutant in source_mutants():
        fate, told = _fate(mutant)
        found.update(fate)
        if told:
            missed.append(f"{mutant.name}: {told}")
    return {"wrong_cause": 0, **found, "not_named": missed}


def _fate(mutant: SourceMutant) -> tuple[list[str], str]:
    problem = _where_it_changes(mutant)
    if not problem:
        return ["no_numbers_or_no_change"], ""
    try:
        document = locate_one(mutant.network(), PROBLEMS[problem], "Edited").document
    except UnusableError:
        return ["refused_with_a_line"], ""
    if not document.findings:
        return ["mistakes"], f"not found ({problem})"
    true, first = mutant.equations(PROBLEMS[problem]), document.findings[0]
    named = bool(_equations(first) & true)
    marks = {
        "mistakes": True,
        "detected": True,
        "equation": named,
        "equation_alone": _equations(first) <= true,
        "cause": bool(first.causes) and named,
        "wrong_cause": any(one.causes and not _equations(one) & true for one in document.findings),
    }
    missed = not named or marks["wrong_cause"]
    return [name for name, holds in marks.items() if holds], f"{problem}: {_told(document)}" if missed else ""


def _equations(finding: Finding) -> set[str]:
    """All that are told of it: of a cause, or of several that make the same numbers; else those that may be wrong."""
    told = {reason.equation for reason in finding.causes} or {finding.equation}
    return {one for name in told for part in name.split(" or ") for one in part.split(" and ")}


@cache
def _right_numbers(problem: str) -> dict[Any, Any]:
    found: dict[Any, Any] = numbers(HandWritten, PROBLEMS[problem])
    return found


def _where_it_changes(mutant: SourceMutant) -> str | None:
    for problem, spec in PROBLEMS.items():
        try:
            told = numbers(mutant.network(), spec)
        except Exception:  # what an edited source raises, nobody knows; it stops by itself
            continue
        if makes_numbers(told) and distance(told, _right_numbers(problem)) > SAME:
            return problem
    return None


def double() -> Counts:
    """Two mistakes at once: one of them is named, and the other one after it is mended."""
    found, missed = Counter[str](), []
    for (first, layout), (second, _) in pairs(made()[0], PAIRS):
        plants = [first, second]
        document = locate_one(network_of(plants, layout), PROBLEMS[first.problem], "Two").document
        named = [plant for plant in plants if _is_named(document.mistakes[:1], plant)]
        both = all(_is_named(document.mistakes, plant) for plant in plants)
        rest = plants[0] if named[:1] == plants[1:] else plants[1]
        mended = locate_one(network_of([rest], layout), PROBLEMS[first.problem], "One").document
        found.update({"one": bool(named), "both_at_once": both, "then_the_other": _is_named(mended.mistakes[:1], rest)})
        if not named:
            missed.append(f"{first.name} and {second.name}, {layout}: {_told(document)}")
    return {"pairs": PAIRS, **found, "not_named": missed}


def _is_named(findings: list[Finding], plant: Plant) -> bool:
    return {"equation", "layer"} <= set(_marks(findings, plant))


def right() -> Counts:
    """Networks without a mistake, in every layout and both dtypes, reporting much or little."""
    kinds = [HandWritten, *(FORMS[name][0] for name in FORMS if name != "lists")]
    cases = list(product(kinds, OFFERS, (np.float64, np.float32), PROBLEMS))
    told = (
        (f"{form.__name__}, {offers}, {dtype.__name__}, {name}", _right_by_hand(form, offers, dtype, name))
        for form, offers, dtype, name in cases
    )
    return _summed(len(cases), told)


def _right_by_hand(form: Any, offers: tuple[str, ...], dtype: Any, problem: str) -> Document:
    return locate_one(type("Right", (form,), {"offers": offers, "dtype": dtype}), PROBLEMS[problem], "R").document


def parity() -> Counts:
    """Every network of the parity matrix by hand, and scratchnet's own for each pair of values, with all its steps."""
    cells, covering = _seen_by_locate(all_cells()), _seen_by_locate(covering_cells())
    return {
        "cells_of_the_matrix": len(all_cells()),
        "that_differ_for_locate": len(cells),
        "by_hand": _alarms(HandWritten, cells),
        **{f"scratchnet_{steps}": _of_scratchnet(steps, covering) for steps in engine.installed()},
    }


def _of_scratchnet(steps: str, cells: list[ParityCell]) -> Counts:
    with patch.dict(os.environ, {engine.VARIABLE: steps}):
        return _alarms(OfScratchnet, cells)


def _seen_by_locate(cells: Iterable[ParityCell]) -> list[ParityCell]:
    """Without what `locate` does not read: number of examples, initial parameters."""
    return list(dict.fromkeys(cell._replace(last_batch="shorter", initializer="glorot_uniform") for cell in cells))


def _alarms(subject: Any, cells: list[ParityCell]) -> Counts:
    told = ((str(cell), locate_one(subject, _small(spec_of(cell)), "Right").document) for cell in cells)
    return _summed(len(cells), told)


def _summed(networks: int, documents: Iterable[tuple[str, Document]]) -> Counts:
    """Whatever is found is a false alarm, but for a convention that is told, as a constant of Keras's."""
    found = [(name, one) for name, one in documents if one.findings]
    alarms = sum(any(finding.kind != "convention" for finding in one.findings) for _, one in found)
    return {"networks": networks, "false_alarms": alarms, "told": [f"{name}: {_told(one)}" for name, one in found]}


def _small(spec: TrainingSpec) -> TrainingSpec:
    """With so many inputs that the whole matrix takes minutes."""
    architecture = spec.architecture.model_copy(update={"inputs": INPUTS})
    return spec.model_copy(update={"architecture": architecture})


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


def _nobody(net: Net) -> Any:
    raise NotImplementedError


def chosen() -> Iterator[tuple[Net, Mistake]]:
    """Each entry at all its layers and at one of them, in the first problem in which it changes any number."""
    left = {entry.id for entry in ENTRIES}
    for spec in PROBLEMS.values():
        net = net_of(spec)
        reference = _numbers(net, REFERENCE)
        for mistake in library(net):
            if mistake.id in left and not _same(reference, _numbers(net, mistake.plant(REFERENCE))):
                left.discard(mistake.id)
                yield net, mistake


def _numbers(net: Net, equations: Equations) -> list[Any]:
    return [value for seen in played(net, equations).seen for given in seen.given for value in given.values()]


def _same(one: list[Any], other: list[Any]) -> bool:
    return all(np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True) for a, b in zip(one, other, strict=True))


def confused() -> Counts:
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


PARTS: dict[str, Callable[[], Counts]] = {
    "single": single,
    "steps": steps,
    "unknown": unknown,
    "source": source,
    "pairs": double,
    "right": right,
    "parity": parity,
    "library": confused,
}


def main() -> None:
    """Renew all parts, or those that are named."""
    names = sys.argv[1:] or list(PARTS)
    for name in names:
        counts = PARTS[name]()
        known = {**(json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}), name: counts}
        ordered = {part: known[part] for part in PARTS if part in known}
        RESULTS.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(name, {key: value for key, value in known[name].items() if not isinstance(value, list)}, flush=True)


if __name__ == "__main__":
    main()
