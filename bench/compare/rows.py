"""The rows of a comparison: each quantity of each (spec, backend), decided with a controlled joint error.

Joint error: "worse" is said of any row in at most 5 % of comparisons in which none is worse than its margin (Holm, "A
simple sequentially rejective multiple test procedure", Scand. J. Statist. 6(2), 1979), over all rows and quantities
that may fail; the quantities that may not are a family of their own. "Within tolerance" needs every row, each at 5 %:
an intersection-union test, whose level is that of its parts without a correction (Berger, "Multiparameter hypothesis
testing and acceptance sampling", Technometrics 24(4), 1982).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from statsmodels.stats.multitest import multipletests

from bench.compare import predictions
from bench.compare.costs import RESOLUTION, cost_evidence, curves, parts_at, relative_evidence
from bench.compare.document import (
    Confusion,
    Equivalence,
    ErrorOfBoth,
    Margins,
    McNemar,
    OnlyOneRight,
    QuantityDecision,
    Row,
    RowDecision,
    Speed,
)
from bench.compare.equivalence import Difference, Evidence, are_paired, difference, seeds_needed
from bench.compare.match import Match
from bench.compare.quantities import QUANTITIES
from bench.compare.speed import speed_evidence
from bench.core.errors import UnusableError
from bench.core.statistics import Interval, mean_interval
from bench.data.examples import Examples
from bench.records.predictions import decode
from bench.report.scores import ErrorName

UNKNOWN_RESOLUTION = 1e-4
"""One of 10,000 test examples, where how many there are is not recorded."""

Decided = dict[str, RowDecision]


@dataclass(frozen=True)
class Compared:
    """A match with its evidence by quantity; a speed that is not compared has none."""

    match: Match
    difference: Difference
    evidence: dict[str, Evidence]
    speed: Speed
    identical: bool


def compare(match: Match, margins: Margins) -> Compared:
    """What is known of one (spec, backend): accuracy or R² (in pairs if seeds are the same), cost, errors and speed."""
    identical, score = is_identical(match), match.score
    gain = difference(match.a.values("score"), match.b.values("score"), _resolution(match))
    margin = getattr(margins, QUANTITIES[score.name].margin) / score.factor
    speed, time = speed_evidence(match, margins.time_ratio)
    evidence: dict[str, Evidence] = {
        score.name: Evidence(gain, margin, identical, match.incomplete),
        "cost": cost_evidence(match, margins.cost, identical),
        **{name: relative_evidence(match, name, getattr(margins, name), identical) for name in score.errors},
    }
    return Compared(match, gain, evidence | ({"speed": time} if time else {}), speed, identical)


def is_identical(match: Match) -> bool:
    """Whether every cost and score of every epoch and every prediction are the same, in every seed that both have.

    Seeds that only one side has are not compared. If both sides have such seeds, the runs are not identical.
    """
    a, b = match.a.ok, match.b.ok
    shared = a.keys() & b.keys()
    return are_paired(a, b) and not match.incomplete and all(a[seed].did_the_same(b[seed]) for seed in shared)


def _resolution(match: Match) -> float:
    """One test example, as a fraction of all; R² may change by any rounding."""
    if match.spec.data.task == "regression":
        return RESOLUTION
    labels = match.spec.architecture.widths[-1] if match.spec.data.task == "multi_label" else 1
    texts = [p.result.test_predictions for cell in (match.a, match.b) for p in cell.ok.values()]
    for text in texts:
        if text is not None:
            return 1 / max(1, _count(text) // labels)
    count = match.spec.data.test_examples
    return 1 / count if count else UNKNOWN_RESOLUTION


def _count(text: str) -> int:
    try:
        return len(decode(text))
    except ValueError as error:
        raise UnusableError(
            f"test_predictions cannot be read ({error}); the record was changed after the run"
        ) from None


def decide(compared: Sequence[Compared], fail_on: Sequence[str]) -> list[Decided]:
    """The decisions of each row, by quantity; a speed that is not compared has none."""
    decided: list[Decided] = [{} for _ in compared]
    for family in (fail_on, [name for name in QUANTITIES if name not in fail_on]):
        places = [(i, name) for i, row in enumerate(compared) for name in family if name in row.evidence]
        evidence = [compared[i].evidence[name] for i, name in places]
        corrected = holm([each.p_worse for each in evidence])
        for (i, name), each, p_worse in zip(places, evidence, corrected, strict=True):
            decided[i][name] = each.decision(p_worse)
    return decided


def holm(p_values: Sequence[float]) -> list[float]:
    """p values with Holm's correction for the chance of any false rejection, in the same order."""
    return [float(p) for p in multipletests(p_values, method="holm")[1]] if p_values else []


def row(compared: Compared, decided: Decided, margins: Margins) -> tuple[Row, str]:
    """The row of the document; and why the parts that need labels are missing, empty where they are not."""
    match, score = compared.match, compared.match.score
    found = _answers(match)
    a, b = match.a.values("score"), match.b.values("score")
    means: dict[str, Any] = {f"{score.name}_a": _mean(a), f"{score.name}_b": _mean(b)}
    made = Row(
        spec=match.spec.name,
        backend=match.backend,
        seeds_a=tuple(match.a.ok),
        seeds_b=tuple(match.b.ok),
        paired=are_paired(a, b),
        score=score.name,
        **means,
        errors={name: _error(match, name, decided[name]) for name in score.errors},
        difference=_difference_interval(compared),
        equivalence=_equivalence(compared.evidence[score.name], decided[score.name]),
        mcnemar=found.mcnemar,
        confusion=found.confusion,
        only_one_right=found.only_one_right,
        curves={"cost": curves(match, "costs"), score.column: curves(match, "scores")},
        cost_parts_at=parts_at(match, margins.cost),
        cost_decision=_in_words(decided["cost"]),
        speed=compared.speed,
        speed_decision=_in_words(decided["speed"]) if "speed" in decided else None,
    )
    return made, found.why_not


@dataclass(frozen=True)
class _Answers:
    mcnemar: tuple[McNemar, ...] = ()
    confusion: Confusion | None = None
    only_one_right: tuple[OnlyOneRight, ...] = ()
    why_not: str = ""


def _answers(match: Match) -> _Answers:
    if match.spec.data.task == "regression":
        return _Answers()
    if not any(process.result.test_predictions for process in match.a.ok.values()):
        return _Answers(why_not="A keeps no predictions")
    examples = match.examples()
    if not isinstance(examples, Examples):
        return _Answers(why_not=examples)
    a, b = predictions.predicted_of(match, examples)
    return _Answers(
        predictions.mcnemar_tests(a, b, examples.labels),
        predictions.confusion(a, b, examples),
        predictions.only_one_right(a, b, examples.labels),
        "" if b else "B keeps no predictions",
    )


def _error(match: Match, name: ErrorName, decision: RowDecision) -> ErrorOfBoth:
    return ErrorOfBoth(a=_mean(match.a.values(name)), b=_mean(match.b.values(name)), decision=_in_words(decision))


def _difference_interval(compared: Compared) -> Interval:
    seen = compared.difference
    return Interval(0.0, 0.0, 0.0, seen.count) if compared.identical and seen.count > 1 else seen.interval


def _equivalence(evidence: Evidence, decision: RowDecision) -> Equivalence:
    needed = seeds_needed(evidence) if decision == "undecided" else None
    return Equivalence(decision=decision, margin=evidence.margin, p=evidence.p_equivalent, seeds_needed=needed)


def _mean(values: Mapping[int, float]) -> Interval:
    return cast(Interval, mean_interval(values.values()))  # each side of a match has one finite score at least


def _in_words(decision: RowDecision) -> QuantityDecision:
    return "within_tolerance" if decision == "equivalent" else decision
