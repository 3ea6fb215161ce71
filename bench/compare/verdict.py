"""The decision, and the sentence at the start of the report that states it.

It never says "no difference was found": equivalence is shown, or the comparison is undecided.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.compare.document import Decision, Margins, RowDecision
from bench.compare.equivalence import MOST_SEEDS, Evidence, seeds_needed
from bench.compare.match import Match, Matched
from bench.compare.quantities import QUANTITIES, used_in
from bench.compare.read import quoted
from bench.compare.rows import Compared, Decided
from bench.core.text import one_line


@dataclass(frozen=True)
class QuantityFinding:
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
    """Worse if any quantity of `fail_on` is worse; undecided if any is undecided; else within tolerance."""
    findings = [
        QuantityFinding(row, name, each.get(name, "undecided"), row.evidence.get(name))
        for row, each in zip(compared, decided, strict=True)
        for name in fail_on
        if name in used_in(row.match.score.name)
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
    """Quantities that are worse but not in `fail_on` are reported too."""
    for name in QUANTITIES:
        count = sum(each.get(name) == "worse" for each in decided)
        if count and name not in fail_on:
            yield f"its {name} is worse in {count} of {len(decided)} row{'s' if len(decided) > 1 else ''}"


def _differences(matched: Matched) -> Iterator[str]:
    count = len(matched.differences)
    if count:
        yield f"{count} difference{'s' if count > 1 else ''} named below"


def _worse(worse: Sequence[QuantityFinding], margins: Margins) -> Iterator[str]:
    if worse:
        largest = max(worse, key=lambda finding: (-list(QUANTITIES).index(finding.quantity), finding.size))
        more = f" (and {len(worse) - 1} more)" if len(worse) > 1 else ""
        yield f"B is worse: {_place(largest.row.match)}: {_figure(largest, margins)}{more}"


def _diverged(matched: Matched) -> Iterator[str]:
    for match in matched.diverged[:1]:
        yield f"B is worse: {_place(match)} diverged in each of its {len(match.b.processes)} seeds, in none of A's"


def _undecided(undecided: Sequence[QuantityFinding], margins: Margins, needed: int | None) -> Iterator[str]:
    if not undecided:
        yield "not decidable: what A and B share could not all be compared"
        return
    worst = max(undecided, key=lambda finding: (finding.seeds_needed or math.inf, finding.size))
    more = f" (and {len(undecided) - 1} more)" if len(undecided) > 1 else ""
    yield f"not decidable: {_place(worst.row.match)}: {_figure(worst, margins)}{more}"
    yield _enough(worst, needed) if needed else _remedy(worst)


def _enough(finding: QuantityFinding, needed: int) -> str:
    paired = finding.evidence is not None and finding.evidence.gain is not None and finding.evidence.gain.paired
    fewer = "" if paired or finding.quantity == "speed" else " (the same seeds on both sides may need fewer)"
    return f"{needed} seeds on each side would decide it{fewer}"


def _remedy(finding: QuantityFinding) -> str:
    """What is missing if no number of seeds can be given."""
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


def _most(undecided: Sequence[QuantityFinding]) -> int | None:
    needed = [finding.seeds_needed for finding in undecided]
    known = [count for count in needed if count is not None]
    return max(known) if known and len(known) == len(needed) else None


def _within(findings: Sequence[QuantityFinding], compared: Sequence[Compared], margins: Margins) -> str:
    rows = "" if len(compared) == 1 else f" in all {len(compared)} rows"
    if all(row.identical for row in compared):
        seeds = (
            "" if all(set(row.match.a.ok) == set(row.match.b.ok) for row in compared) else " of the seeds they share"
        )
        scores = dict.fromkeys(row.match.score.title for row in compared)
        *first, last = ["cost", *scores, *(["prediction"] if _have_predictions(compared) else [])]
        return f"B is identical to A{rows}: every {', '.join(first)} and {last}{seeds}, bit by bit"
    better = sum(finding.decision == "better" for finding in findings)
    names = ", ".join(
        f"{name} {QUANTITIES[name].told(margins)}" for name in dict.fromkeys(f.quantity for f in findings)
    )
    if len(compared) == 1:
        shown = "; ".join(f"{_figure(finding, margins)}" for finding in findings)
        return f"B is within tolerance: {_place(compared[0].match)}: {shown}"
    return f"B is within tolerance{rows} ({names})" + (f", {better} of these better" if better else "")


def _have_predictions(compared: Sequence[Compared]) -> bool:
    processes = [process for row in compared for process in row.match.b.ok.values()]
    return all(process.result.test_predictions is not None for process in processes)


def _place(match: Match) -> str:
    return f"{quoted(match.backend)} on {quoted(match.spec.name)}"


def _figure(finding: QuantityFinding, margins: Margins) -> str:
    quantity = QUANTITIES[finding.quantity]
    gain = finding.evidence.gain if finding.evidence else None
    if gain is None:
        return f"no {finding.quantity} to compare"
    if finding.row.identical and finding.quantity != "speed":
        return f"identical {finding.quantity}"
    return f"{quantity.figure(gain.interval)} (tolerance {quantity.told(margins)})"
