"""The decision, and the one sentence that stands first.

Fed by the decided rows; feeds the document. "No difference was found" is never said:
equivalence is shown, or nothing is decided.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bench.compare.document import Decision, Margins, RowDecision
from bench.compare.equivalence import MOST_SEEDS, Evidence, seeds_needed
from bench.compare.match import Match, Matched, quoted
from bench.compare.rows import QUANTITIES, Compared, Decided
from bench.core.statistics import Interval
from bench.core.text import bound, factor, one_line, significant

MINUS = "−"


@dataclass(frozen=True)
class Finding:
    """One quantity of one row that may fail; `evidence` is None of a speed that is not compared."""

    row: Compared
    quantity: str
    decision: RowDecision
    evidence: Evidence | None

    @property
    def seeds_needed(self) -> int | None:
        """How many seeds a side would decide it; None where that cannot be said."""
        return seeds_needed(self.evidence) if self.evidence else None

    @property
    def size(self) -> float:
        """How far the difference lies from nothing, in margins."""
        gain = self.evidence.gain if self.evidence else None
        return abs(gain.centre) / self.evidence.margin if gain and self.evidence else 0.0


@dataclass(frozen=True)
class Verdict:
    """What the document says first."""

    decision: Decision
    sentence: str
    seeds_needed: int | None = None


def verdict(
    matched: Matched, compared: Sequence[Compared], decided: Sequence[Decided], fail_on: Sequence[str], margins: Margins
) -> Verdict:
    """Worse where anything that may fail is shown to be; else not decidable unless everything is decided."""
    findings = [
        Finding(row, name, each.get(name, "undecided"), row.evidence.get(name))
        for row, each in zip(compared, decided, strict=True)
        for name in fail_on
    ]
    worse = [finding for finding in findings if finding.decision == "worse"]
    undecided = [finding for finding in findings if finding.decision == "undecided"]
    notes = [*_worse_unasked(decided, fail_on), *_differences(matched)]
    if worse or matched.diverged:
        return Verdict("worse", _sentence(*_diverged(matched), *_worse(worse, margins), *notes))
    if undecided or matched.left_out:
        needed = None if matched.left_out else _most(undecided)
        return Verdict("undecided", _sentence(*_undecided(undecided, margins, needed), *notes), needed)
    return Verdict("within_tolerance", _sentence(_within(findings, compared, margins), *notes))


def _sentence(*parts: str) -> str:
    return one_line("; ".join(parts))


def _worse_unasked(decided: Sequence[Decided], fail_on: Sequence[str]) -> Iterator[str]:
    """What is worse and was not asked to fail is said all the same."""
    for name in QUANTITIES:
        count = sum(each.get(name) == "worse" for each in decided)
        if count and name not in fail_on:
            yield f"its {name} is worse in {count} of {len(decided)} row{'s' if len(decided) > 1 else ''}"


def _differences(matched: Matched) -> Iterator[str]:
    count = len(matched.differences)
    if count:
        yield f"{count} difference{'s' if count > 1 else ''} named below"


def _worse(worse: Sequence[Finding], margins: Margins) -> Iterator[str]:
    if worse:
        largest = max(worse, key=lambda finding: (-QUANTITIES.index(finding.quantity), finding.size))
        more = f" (and {len(worse) - 1} more)" if len(worse) > 1 else ""
        yield f"B is worse: {_place(largest.row.match)}: {_figure(largest, margins)}{more}"


def _diverged(matched: Matched) -> Iterator[str]:
    for match in matched.diverged[:1]:
        yield f"B is worse: {_place(match)} diverged in each of its {len(match.b.processes)} seeds, in none of A's"


def _undecided(undecided: Sequence[Finding], margins: Margins, needed: int | None) -> Iterator[str]:
    if not undecided:
        yield "not decidable: what A and B share could not all be compared"
        return
    worst = max(undecided, key=lambda finding: (finding.seeds_needed or math.inf, finding.size))
    more = f" (and {len(undecided) - 1} more)" if len(undecided) > 1 else ""
    yield f"not decidable: {_place(worst.row.match)}: {_figure(worst, margins)}{more}"
    yield _enough(worst, needed) if needed else _remedy(worst)


def _enough(finding: Finding, needed: int) -> str:
    paired = finding.evidence is not None and finding.evidence.gain is not None and finding.evidence.gain.paired
    fewer = "" if paired or finding.quantity == "speed" else " (the same seeds on both sides may need fewer)"
    return f"{needed} seeds on each side would decide it{fewer}"


def _remedy(finding: Finding) -> str:
    """What is missing where no number of seeds can be told."""
    evidence = finding.evidence
    if evidence is None:
        return f"speed is not compared: {finding.row.speed.reason}"
    if evidence.incomplete:
        return "a seed did not end well on one side, and the others cannot speak for it"
    if evidence.weak:
        return finding.row.speed.reason if finding.quantity == "speed" else "the specs define cost differently"
    if evidence.gain is None or evidence.gain.spread is None:
        return "one seed shows no spread: run more, with --seeds 0,1,2 for a start"
    return f"more than {MOST_SEEDS:,} seeds would be needed"


def _most(undecided: Sequence[Finding]) -> int | None:
    needed = [finding.seeds_needed for finding in undecided]
    known = [count for count in needed if count is not None]
    return max(known) if known and len(known) == len(needed) else None


def _within(findings: Sequence[Finding], compared: Sequence[Compared], margins: Margins) -> str:
    rows = "" if len(compared) == 1 else f" in all {len(compared)} rows"
    if all(row.identical for row in compared):
        seeds = (
            "" if all(set(row.match.a.ok) == set(row.match.b.ok) for row in compared) else " of the seeds they share"
        )
        what = "cost, accuracy and prediction" if _have_predictions(compared) else "cost and accuracy"
        return f"B is identical to A{rows}: every {what}{seeds}, bit by bit"
    better = sum(finding.decision == "better" for finding in findings)
    names = ", ".join(f"{name} {_TOLERANCES[name](margins)}" for name in dict.fromkeys(f.quantity for f in findings))
    if len(compared) == 1:
        shown = "; ".join(f"{_figure(finding, margins)}" for finding in findings)
        return f"B is within tolerance: {_place(compared[0].match)}: {shown}"
    return f"B is within tolerance{rows} ({names})" + (f", {better} of these better" if better else "")


def _have_predictions(compared: Sequence[Compared]) -> bool:
    processes = [process for row in compared for process in row.match.b.ok.values()]
    return all(process.result.test_predictions is not None for process in processes)


def _place(match: Match) -> str:
    return f"{quoted(match.backend)} on {quoted(match.spec.name)}"


def _figure(finding: Finding, margins: Margins) -> str:
    tolerance = _TOLERANCES[finding.quantity](margins)
    gain = finding.evidence.gain if finding.evidence else None
    if gain is None:
        return f"no {finding.quantity} to compare"
    if finding.row.identical and finding.quantity != "speed":
        return f"identical {finding.quantity}"
    return f"{_FIGURES[finding.quantity](gain.interval)} (tolerance {tolerance})"


def signed(value: float, digits: int = 2) -> str:
    """With a sign that is not a hyphen; no sign of what rounds to nothing."""
    text = f"{abs(value):.{digits}f}"
    return text if float(text) == 0 else f"{MINUS if value < 0 else '+'}{text}"


def _accuracy(gain: Interval) -> str:
    return f"test accuracy {signed(100 * gain.centre)} points{_between(gain, lambda value: signed(100 * value))}"


def _cost(gain: Interval) -> str:
    """The gain is ln(A / B); B / A − 1 in per cent is what people read."""
    turned = _turned(gain)
    return f"final cost {_relative(turned.centre)}{_between(turned, _relative)}"


def _relative(logarithm: float) -> str:
    change = math.expm1(min(logarithm, 20.0))
    return f"{signed(100 * change)} %" if change < 10 else f"+{significant(100 * change)} %"


def _speed(gain: Interval) -> str:
    turned = _turned(gain)
    return f"training takes {_factor(turned.centre)} times as long{_between(turned, _factor)}"


def _factor(logarithm: float) -> str:
    value = math.exp(max(-20.0, min(logarithm, 20.0)))
    return factor(value) if value >= 1 else bound(value)


def _turned(gain: Interval) -> Interval:
    low, high = (None if end is None else -end for end in (gain.high, gain.low))
    return Interval(-gain.centre, low, high, gain.count)


def _between(interval: Interval, write: Callable[[float], str]) -> str:
    if interval.low is None or interval.high is None:
        return ", one seed"
    return f", 95 % interval {write(interval.low)} to {write(interval.high)}"


_FIGURES: dict[str, Callable[[Interval], str]] = {"accuracy": _accuracy, "cost": _cost, "speed": _speed}
_TOLERANCES: dict[str, Callable[[Margins], str]] = {
    "accuracy": lambda margins: f"{significant(margins.accuracy_points, 2)} points",
    "cost": lambda margins: f"{significant(100 * margins.cost, 2)} %",
    "speed": lambda margins: factor(margins.time_ratio),
}
