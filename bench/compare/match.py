"""Which (spec, backend) of A and B can be compared, and what differs. Every difference is reported."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.compare.equivalence import are_paired
from bench.compare.processes import Cells, ComparedCell, Process, cells_of
from bench.compare.read import NAMED_AT_MOST, Runs, listed, quoted, spec_names
from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.data.examples import Examples, examples_of
from bench.records.run import Records
from bench.report.scores import Score, score_of
from bench.spec import TrainingSpec

NOT_COMPARED_AS_FIELDS = {"name", "seeds", "data"}
"""Seeds are paired or not; data are compared by their fingerprint and the number of examples used."""


@dataclass(frozen=True)
class Match:
    """One (spec, backend) of both sides.

    `reference_a` and `reference_b` are the cells of each run's reference backend, None where it trained nothing;
    `differing` are the fields of the spec that differ although the user allowed it.
    """

    spec: TrainingSpec
    backend: str
    a: ComparedCell
    b: ComparedCell
    run_a: Records
    run_b: Records
    reference_a: ComparedCell | None = None
    reference_b: ComparedCell | None = None
    differing: tuple[str, ...] = ()

    def examples(self) -> Examples | str:
        """The test examples of both, or one line that says why they are not at hand."""
        return examples_of(self.spec.data, self.run_a.run.fingerprint_of(self.spec.data), "A")

    @property
    def score(self) -> Score:
        """What the networks are judged by."""
        return score_of(self.spec.data.task)

    @property
    def incomplete(self) -> bool:
        """Whether a seed failed on one side only."""
        lost_a, lost_b = (cell.processes.keys() - cell.ok.keys() for cell in (self.a, self.b))
        return lost_a != lost_b

    @property
    def diverged(self) -> bool:
        """Whether B diverged in all of its seeds (two or more) and A in none."""
        in_b = [process.status for process in self.b.processes.values()]
        return len(in_b) > 1 and set(in_b) == {"diverged"} and len(self.a.ok) == len(self.a.processes) > 1


@dataclass
class Matched:
    """What can be compared; what differs, one line each; whether something that both have was left out."""

    matches: list[Match] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    left_out: bool = False
    diverged: list[Match] = field(default_factory=list)


def match(a: Runs, b: Runs, allowed: Sequence[str] = ()) -> Matched:
    """Specs by name and backends by name. `allowed`: fields of a spec that may differ (`optimizer` covers all of its).

    Raises UnusableError: where nothing can be compared: says why.
    """
    found = Matched()
    shared = [name for name in dict.fromkeys(_names(a)) if b.holding(name)]
    found.differences += [*_only(a, b), *_several(a, "A", shared), *_several(b, "B", shared)]
    cells: dict[int, Cells] = {}
    for name in shared:
        _match_spec(found, _Pair(name, a.holding(name)[0], b.holding(name)[0], cells), allowed)
    found.differences[:] = list(dict.fromkeys(found.differences))
    if not found.matches and not found.diverged:
        reasons = "; ".join(found.differences[:NAMED_AT_MOST]) or "no backend ended well on both sides"
        raise UnusableError(f"nothing can be compared: {reasons}")
    return found


@dataclass(frozen=True)
class _Pair:
    """The two runs that hold a spec; the cells of a run are made once."""

    name: str
    a: Records
    b: Records
    cells: dict[int, Cells]

    def of(self, records: Records) -> dict[str, ComparedCell]:
        """Backend → its processes."""
        if id(records) not in self.cells:
            self.cells[id(records)] = cells_of(records)
        return {backend: cell for (spec, backend), cell in self.cells[id(records)].items() if spec == self.name}


def _names(side: Runs) -> list[str]:
    return [name for records in side.runs for name in spec_names(records)]


def _only(a: Runs, b: Runs) -> Iterator[str]:
    for one, other, label in ((a, b, "A"), (b, a, "B")):
        names = [name for name in dict.fromkeys(_names(one)) if not other.holding(name)]
        if names:
            is_or_are = f"spec {listed(names)} is" if len(names) == 1 else f"specs {listed(names)} are"
            yield f"{is_or_are} in {label} only"


def _several(side: Runs, label: str, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        runs = side.holding(name)
        if len(runs) > 1:
            yield f"{label} has {len(runs)} runs of {quoted(name)}: the newest is taken, of {runs[0].run.started}"


def _match_spec(found: Matched, pair: _Pair, allowed: Sequence[str]) -> None:
    spec_a, spec_b = pair.a.spec(pair.name), pair.b.spec(pair.name)
    fields = field_differences(spec_a, spec_b)
    barred = {name: text for name, text in fields.items() if not _is_allowed(name, allowed)}
    data = _data_difference(pair, spec_a, spec_b)
    where = f"spec {quoted(pair.name)}"
    found.differences += [f"{where}: {text}" for text in fields.values()]
    found.differences += [f"{where}: {data}"] if data else []
    if barred or data:
        remedy = f"; to compare it all the same: --allow-different {','.join(barred)}" if barred and not data else ""
        found.differences.append(f"{where} is not compared{remedy}")
        found.left_out = True
        return
    found.differences += _seeds(pair, spec_a, spec_b)
    _match_backends(found, pair, spec_a, tuple(fields))


def _match_backends(found: Matched, pair: _Pair, spec: TrainingSpec, differing: tuple[str, ...]) -> None:
    in_a, in_b = pair.of(pair.a), pair.of(pair.b)
    for one, other, label in ((in_a, in_b, "A"), (in_b, in_a, "B")):
        names = [name for name in one if name not in other or _skipped(other[name])]
        found.differences += [f"backend {quoted(name)} is in {label} only" for name in names if not _skipped(one[name])]
    for backend in in_a:
        if backend in in_b and not _skipped(in_a[backend]) and not _skipped(in_b[backend]):
            references = (in_a.get(pair.a.run.reference), in_b.get(pair.b.run.reference))
            made = Match(spec, backend, in_a[backend], in_b[backend], pair.a, pair.b, *references, differing)
            found.differences += _lost(made)
            _place(found, made)


def _place(found: Matched, made: Match) -> None:
    if made.diverged:
        found.diverged.append(made)
    elif made.a.ok and made.b.ok:
        found.matches.append(made)
    else:
        found.left_out = True


def _skipped(cell: ComparedCell) -> bool:
    """Whether the backend trained nothing, for example because its framework is missing."""
    return all(process.status == "skipped" for process in cell.processes.values())


def _lost(made: Match) -> Iterator[str]:
    for cell, label in ((made.a, "A"), (made.b, "B")):
        for seed, process in cell.processes.items():
            if seed not in cell.ok:
                reason = one_line(process.reason, 100)
                status = process.status if process.status != "ok" else _no_figure(made, process)
                place = f"{quoted(made.spec.name)}, {quoted(made.backend)}, seed {seed}"
                yield f"{place}: {status} in {label}" + (f" ({reason})" if reason else "")


def _no_figure(made: Match, process: Process) -> str:
    return f"the final test {made.score.title} is no number" if process.scores.size else "no epoch was finished"


def _seeds(pair: _Pair, spec_a: TrainingSpec, spec_b: TrainingSpec) -> Iterator[str]:
    for records, spec, label in ((pair.a, spec_a, "A"), (pair.b, spec_b, "B")):
        missing = [seed for seed in spec.seeds if (spec.name, seed) not in records.finished_cells]
        if missing:
            told = f"seed{'s' if len(missing) > 1 else ''} {listed(map(str, missing))}"
            yield f"spec {quoted(spec.name)}: {told} not finished in {label}"
    if set(spec_a.seeds) != set(spec_b.seeds):
        seeds = [", ".join(map(str, spec.seeds[:20])) for spec in (spec_a, spec_b)]
        paired = are_paired(dict.fromkeys(spec_a.seeds), dict.fromkeys(spec_b.seeds))
        used = "of those that both have" if paired else "of all, as two samples"
        yield f"spec {quoted(pair.name)}: seeds are {seeds[0]} in A, {seeds[1]} in B; the difference is {used}"


def field_differences(a: TrainingSpec, b: TrainingSpec) -> dict[str, str]:
    """Field with dots → "batch_size is 32 in A, 64 in B", of every field that decides what is computed.

    Where data come from may differ if the fingerprint does not; how many examples of it are used may not.
    """
    exclude: Any = NOT_COMPARED_AS_FIELDS
    flat_a, flat_b = (dict(_flat(spec.model_dump(mode="json", exclude=exclude))) for spec in (a, b))
    for flat, spec in ((flat_a, a), (flat_b, b)):
        flat |= {f"data.{name}": getattr(spec.data, name) for name in ("train_examples", "test_examples")}
    return {
        name: f"{name} is {_value(flat_a, name)} in A, {_value(flat_b, name)} in B"
        for name in dict.fromkeys([*flat_a, *flat_b])
        if _value(flat_a, name) != _value(flat_b, name)
    }


def _flat(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _flat(inner, f"{place}.{name}".lstrip("."))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, inner in enumerate(value):
            yield from _flat(inner, f"{place}[{index}]")
    else:
        yield place, value


def _value(flat: dict[str, Any], name: str) -> str:
    return one_line(flat[name], 60) if name in flat else "not there"


def _is_allowed(name: str, allowed: Sequence[str]) -> bool:
    return any(name == one or name.startswith((f"{one}.", f"{one}[")) for one in allowed)


def _data_difference(pair: _Pair, spec_a: TrainingSpec, spec_b: TrainingSpec) -> str | None:
    recorded = [records.run.fingerprint_of(spec.data) for records, spec in ((pair.a, spec_a), (pair.b, spec_b))]
    known = None not in recorded
    if known and recorded[0] != recorded[1]:
        return f"its data differ: {_data(spec_a, recorded[0])} in A, {_data(spec_b, recorded[1])} in B"
    if not known and spec_a.data != spec_b.data:
        return f"its data are {_data(spec_a)} in A, {_data(spec_b)} in B; no fingerprint says that they are the same"
    return None


def _data(spec: TrainingSpec, fingerprint: str | None = None) -> str:
    return one_line(spec.data.source, 60) + (f" (fingerprint {one_line(fingerprint, 8)})" if fingerprint else "")
