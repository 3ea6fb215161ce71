"""Training time of B / that of A if the environments allow it; otherwise the reason.

Two runs are not interleaved, and the speed of a shared machine changes by a factor of two within minutes. This drift
affects all seeds of a run, so an interval over seeds does not cover it. Within a run the backends take turns epoch by
epoch. So the time ratio to the run's reference backend is compared, B's divided by A's: the drift cancels if the
reference is the same software on both sides. Seeds are two samples, since a seed does not determine the speed of a
process. For the reference itself, and without a reference, only seconds are left: weak evidence, which decides nothing.
`scratchbench gate` interleaves the two versions and decides.
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

from bench.compare.document import Speed
from bench.compare.equivalence import Evidence, welch_difference
from bench.compare.match import Match
from bench.compare.processes import ComparedCell
from bench.core.statistics import Interval
from bench.core.text import one_line
from bench.records.machines import KIND, Machine
from bench.records.run import Records, WorkerRecord

RESOLUTION = 1e-6
"""Of a ratio: finer than any clock on it."""
WEAK = (
    "weak evidence: seconds of two runs that did not take turns, not ratios to another backend beside them; "
    "`scratchbench gate` decides"
)
NO_TIMES = "no timed epoch: the warm-up alone was trained"
CROWDED = "other cells ran beside the cells of a run: such times do not count"


def speed_evidence(match: Match, tolerance: float) -> tuple[Speed, Evidence | None]:
    """The ratio with its 95 % interval over seeds, and the evidence against ln(tolerance); None where not compared."""
    reasons = list(dict.fromkeys(_reasons(match)))
    if reasons:
        return Speed(ratio=None, reason="; ".join(reasons)), None
    reference = match.run_a.run.reference
    weak = match.backend == reference or reference != match.run_b.run.reference
    found = None if weak else _evidence(match, "time_ratio", tolerance, weak)
    if found is None:
        found, weak = _evidence(match, "epoch_seconds", tolerance, True), True
    if found is None or found.gain is None:
        return Speed(ratio=None, reason=CROWDED if _is_crowded(match) else NO_TIMES), None
    reason = "the same measurement on both sides" if found.identical else WEAK if weak else ""
    return Speed(ratio=_ratio(found), reason="; ".join([*filter(None, [reason]), *_several(match)])), found


def _evidence(match: Match, name: str, tolerance: float, weak: bool) -> Evidence | None:
    a, b = match.a.values(name), match.b.values(name)
    log_a, log_b = ([math.log(value) for value in values.values() if value > 0] for values in (a, b))
    if not log_a or not log_b:
        return None
    identical = match.a.values("epoch_seconds") == match.b.values("epoch_seconds")
    gain = welch_difference(log_b, log_a, RESOLUTION)
    return Evidence(gain, math.log(tolerance), identical, match.incomplete, weak and not identical)


def _ratio(evidence: Evidence) -> Interval | None:
    """exp(−gain): the gain is a logarithm of A / B, the ratio is B / A."""
    if evidence.gain is None:
        return None
    if evidence.identical:
        return Interval(1.0, 1.0, 1.0, evidence.gain.count)
    log = evidence.gain.interval
    low, high = (None if end is None else _exp(-end) for end in (log.high, log.low))
    return Interval(_exp(-log.centre), low, high, log.count)


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf


def _reasons(match: Match) -> Iterator[str]:
    if match.differing:
        yield "the specs differ"
    kinds = [[machine.kind for machine in _machines(match, records)] for records in (match.run_a, match.run_b)]
    for name in KIND:
        yield from _difference(name, *({kind[name] for kind in side} for side in kinds))
    for backend, one, other in (
        (match.backend, match.a, match.b),
        (match.run_a.run.reference, match.reference_a, match.reference_b),
    ):
        workers = [_workers(cell) for cell in (one, other)]
        for name, of in SOFTWARE.items():
            if all(workers):
                yield from _difference(
                    f"{name} of {one_line(backend, 40)}", *({of(w) for w in each} for each in workers)
                )


def _machines(match: Match, records: Records) -> list[Machine]:
    """Where the cells of this spec ran."""
    return [machine for (spec, _), machine in records.machines.items() if spec == match.spec.name]


def _is_crowded(match: Match) -> bool:
    """Whether times of this spec were left out."""
    return any(spec == match.spec.name for records in (match.run_a, match.run_b) for spec, _ in records.crowded)


def _several(match: Match) -> Iterator[str]:
    """Machines of one kind may be put together, but not in silence."""
    for label, records in (("A", match.run_a), ("B", match.run_b)):
        count = len({machine.title for machine in _machines(match, records)})
        if count > 1:
            yield f"{label} ran on {count} machines of one kind"


def _difference(name: str, a: set[str], b: set[str]) -> Iterator[str]:
    if a != b or len(a) > 1:
        yield f"{name}: {_each(a)} in A, {_each(b)} in B"


def _each(values: set[str]) -> str:
    return one_line(" and ".join(sorted(values)), 120)


def _workers(cell: ComparedCell | None) -> list[WorkerRecord]:
    return [process.worker for process in cell.ok.values() if process.worker is not None] if cell else []


def _libraries(worker: WorkerRecord) -> str:
    """BLAS and thread pools: which build, which kernels, how many threads."""
    keys = ("package", "prefix", "version", "architecture", "num_threads")
    return ", ".join(sorted(" ".join(str(library.get(key)) for key in keys) for library in worker.libraries))


def _versions(worker: WorkerRecord) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(worker.versions.items()))


# What must be the same of each worker process for times to be compared, beside the kind of machine.
SOFTWARE: dict[str, Callable[[WorkerRecord], Any]] = {"BLAS": _libraries, "versions": _versions}
