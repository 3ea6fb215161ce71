"""The run in one honest sentence: what did not go well, then accuracy, then speed."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from bench.core.text import bound, factor, one_line, significant
from bench.report.scores import ACCURACY, SCORES, Score

SUBJECT = "scratchnet"

# Status → what the sentence says of a backend; "ok" and "not_comparable" have words of their own.
LOST: dict[str, str] = {
    "diverged": "diverged",
    "failed": "failed",
    "killed": "was killed",
    "timeout": "ran out of time",
    "skipped": "was skipped",
}


ONE_EPOCH, CROWDED = "the warm-up epoch alone was trained", "other cells ran beside each cell"


@dataclass(frozen=True)
class Findings:
    """What the sentence is drawn from: the tables, and what was asked for; `crowded`: no times that count."""

    summary: pd.DataFrame
    aggregate: pd.DataFrame
    reference: str
    backends: tuple[str, ...]
    specs: tuple[str, ...]
    cells: int
    cells_finished: int
    crowded: bool = False
    scores: Mapping[str, Score] = field(default_factory=dict)

    def judged_by(self, score: Score) -> "Findings":
        """Of the specs alone whose networks are judged by that figure: accuracy, where nothing else is said."""
        specs = tuple(spec for spec in self.specs if self.scores.get(spec, ACCURACY) is score)
        tables = {name: getattr(self, name) for name in ("summary", "aggregate")}
        return replace(self, specs=specs, **{name: table[table["spec"].isin(specs)] for name, table in tables.items()})

    @property
    def subject(self) -> str | None:
        """The backend whose speed is spoken of: scratchnet, or else the first that is not the reference."""
        others = [name for name in self.backends if name != self.reference]
        return SUBJECT if SUBJECT in others else next(iter(others), None)

    @property
    def ok(self) -> pd.DataFrame:
        """The processes that may be compared."""
        return self.summary[self.summary["status"] == "ok"]

    def of(self, backend: str) -> pd.DataFrame:
        """The processes of that backend that may be compared."""
        return self.ok[self.ok["backend"] == backend]


def sentence(findings: Findings) -> str:
    """The verdict, one sentence on one line, plain text."""
    return one_line("; ".join(part for part_of in PARTS for part in part_of(findings)))


def score_differences(findings: Findings, score: Score) -> pd.DataFrame:
    """Mean over shared seeds of the test score minus the reference's, in its unit; one row a (spec, backend)."""
    name = score.column
    reference = findings.of(findings.reference)[["spec", "seed", name]]
    pairs = findings.ok.merge(reference, on=["spec", "seed"], suffixes=("", "_reference"))
    pairs = pairs[pairs["backend"] != findings.reference]
    points = score.factor * (pairs[name] - pairs[f"{name}_reference"])
    means = pairs.assign(points=points.round(6)).groupby(["spec", "backend"], sort=False)["points"].mean()
    return means.dropna().reset_index()


def _not_comparable(findings: Findings) -> Iterator[str]:
    rows = findings.summary[findings.summary["status"] == "not_comparable"]
    if len(rows):
        first = rows.drop_duplicates("backend")
        named = (f"{_name(row.backend)} ({one_line(row.reason, 100)})" for row in first.itertuples())
        yield f"NOT COMPARABLE: {', '.join(named)}"


def _incomplete(findings: Findings) -> Iterator[str]:
    if findings.cells_finished < findings.cells:
        yield f"incomplete: {findings.cells_finished} of {findings.cells} pairs of spec and seed finished"


def _lost(findings: Findings) -> Iterator[str]:
    rows = findings.summary[findings.summary["status"].isin(list(LOST))]
    if len(rows):
        backends = rows["backend"].nunique()
        groups = rows.groupby(["backend", "status"], sort=False)
        named = (_lost_backend(str(key[0]), str(key[1]), len(group), findings) for key, group in groups)
        yield f"{backends} of {len(findings.backends)} backends did not finish: {', '.join(named)}"


def _lost_backend(backend: str, status: str, count: int, findings: Findings) -> str:
    runs = int((findings.summary["backend"] == backend).sum())
    return f"{_name(backend)} {LOST[status]}" + ("" if count == runs else f" in {count} of {runs} runs")


def _predictions(findings: Findings) -> Iterator[str]:
    if findings.ok.empty:
        yield "no backend has a result"
        return
    for score in SCORES.values():
        judged = findings.judged_by(score)
        if not judged.ok.empty:
            yield _score(judged, score, findings)


def _score(judged: Findings, score: Score, findings: Findings) -> str:
    differences = score_differences(judged, score)
    if differences.empty:
        return _score_without_a_peer(judged, score)
    largest = differences.iloc[int(differences["points"].abs().to_numpy().argmax())]
    points = abs(float(largest["points"]))
    if points > score.same_within:
        place = f"{_name(largest['backend'])}, spec {one_line(largest['spec'], 80)}"
        return f"test {score.title} DIFFERS by up to {score.in_unit(significant(points, 2))} ({place})"
    same = f"same test {score.title} within {score.in_unit(_up(points, score.digits - 1))}"
    return (same if points else f"identical test {score.title}") + _in_specs(differences["spec"].nunique(), findings)


def _score_without_a_peer(judged: Findings, score: Score) -> str:
    reference = _name(judged.reference)
    missing = judged.of(judged.reference).empty
    why = f"no result of {reference} to compare with" if missing else f"nothing to compare {reference} with"
    means = judged.ok.groupby(["spec", "backend"])[score.column].mean()
    ends = " to ".join(dict.fromkeys(map(score.value, (means.min(), means.max()))))
    return f"{why}, test {score.title} {ends} {score.unit}".rstrip()


def _speed(findings: Findings) -> Iterator[str]:
    if findings.subject is None or findings.ok.empty:
        return
    of_subject = findings.aggregate[findings.aggregate["backend"] == findings.subject]
    rows = of_subject[of_subject["time_ratio"].notna()]
    if rows.empty:
        # Where accuracy already said that a peer is missing, there is nothing to add.
        if not findings.of(findings.subject).empty and not findings.of(findings.reference).empty:
            yield f"no time ratio: {CROWDED if findings.crowded else ONE_EPOCH}"
        return
    if len(rows) > 1:
        yield _several_specs(rows, findings)
    else:
        yield f"{_one_spec(rows, _name(findings.subject), _name(findings.reference))}{_in_some_specs(1, findings)}"


def _one_spec(rows: pd.DataFrame, subject: str, reference: str) -> str:
    row = rows.iloc[0]
    centre, low, high = (float(row[name]) for name in ("time_ratio", "time_ratio_low", "time_ratio_high"))
    if low <= 1 <= high:
        interval = f"95 % interval {bound(low)} to {bound(high)}"
        return f"undecided which trains faster: {subject} takes {centre:.2f} times as long as {reference} ({interval})"
    if math.isnan(low):
        note = "one seed: no interval"
    else:
        low, high = (low, high) if centre > 1 else (1 / high, 1 / low)
        note = f"95 % interval {factor(low)} to {factor(high)}"
    return f"{subject} trains {_compared(centre)} than {reference} ({note})"


def _several_specs(rows: pd.DataFrame, findings: Findings) -> str:
    """A speed is claimed of the specs that decide it, and the number of those that do not is said."""
    subject, reference = _name(findings.subject), _name(findings.reference)
    undecided = (rows["time_ratio_low"] <= 1) & (rows["time_ratio_high"] >= 1)
    decided, count = rows[~undecided], int(undecided.sum())
    if decided.empty:
        where = _in_specs(count, findings)
        return f"undecided which trains faster, {subject} or {reference},{where}: each 95 % interval includes 1"
    note = " (one seed: no interval)" if decided["time_ratio_low"].isna().all() else ""
    claim = f"{subject} trains {_span(decided['time_ratio'])} than {reference}{note}"
    claim += _in_some_specs(len(decided), findings)
    return f"{claim}, undecided in {count} (the 95 % interval includes 1)" if count else claim


def _span(ratios: pd.Series) -> str:
    fastest, slowest = float(ratios.min()), float(ratios.max())
    if _compared(fastest) == _compared(slowest):
        return _compared(fastest)
    if slowest <= 1:
        return f"{factor(1 / slowest)} to {_compared(fastest)}"
    if fastest >= 1:
        return f"{factor(fastest)} to {_compared(slowest)}"
    return f"from {_compared(slowest)} to {_compared(fastest)}"


def _compared(ratio: float) -> str:
    return f"{factor(ratio)} times slower" if ratio > 1 else f"{factor(1 / ratio)} times faster"


def _in_specs(count: int, findings: Findings) -> str:
    every = len(findings.specs)
    if count < every:
        return f" in {count} of {every} specs"
    return {1: "", 2: " in both specs"}.get(every, f" in all {every} specs")


def _in_some_specs(count: int, findings: Findings) -> str:
    return _in_specs(count, findings) if count < len(findings.specs) else ""


def _up(difference: float, digits: int) -> str:
    """Rounded up to so many digits: "within" must not promise more than was measured."""
    steps = 10.0**digits
    return f"{math.ceil(round(difference * steps, 4)) / steps:.{digits}f}"


def _name(backend: object) -> str:
    return one_line(backend, 40)


PARTS: tuple[Callable[[Findings], Iterator[str]], ...] = (_not_comparable, _incomplete, _lost, _predictions, _speed)
