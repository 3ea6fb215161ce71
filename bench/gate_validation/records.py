"""Every comparison as an append-only JSON line: what was planted, what the gate said, all seconds of all pairs.

Fed by the measuring; feeds the outcome, and says what a resumed run need not compare again. Schema history: 1, first.
A run may be gone on with another day and on another machine: each such session begins with a record of its own.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    TypeAdapter,
    field_serializer,
    model_validator,
)

from bench.core.errors import UnusableError
from bench.core.models import FiniteRecord, NotNegative, Positive
from bench.gate.decision import Rule, Verdict
from bench.gate.pair import Pair
from bench.gate_validation.scenarios import Scenario, Turn
from bench.records.log import RECORDS_NAME, LogRecord, records_of

MOST_COMPARISONS = 1_000_000
Whole = Annotated[int, Field(ge=1, le=MOST_COMPARISONS)]
State = Literal["quiet", "busy"]
Name = Annotated[str, Field(max_length=400)]


def _scenario(value: Any) -> Scenario:
    if isinstance(value, Scenario):
        return value
    try:
        return Scenario.parse(str(value))
    except UnusableError as error:
        raise ValueError(str(error)) from None


ScenarioName = Annotated[Scenario, PlainValidator(_scenario), PlainSerializer(str)]


class RecordedPair(FiniteRecord):
    """One pair: what a `bench.gate.pair.Pair` says of time, to six digits; its number is its place."""

    order: str = Field(max_length=400, description="A: a turn of the old side, B: of the new one")
    old_seconds: tuple[Positive, ...] = Field(min_length=1)
    new_seconds: tuple[Positive, ...] = Field(min_length=1)
    old_elapsed: tuple[Positive, ...] = Field(default=(), description="what other tools see: other programs' share too")
    new_elapsed: tuple[Positive, ...] = ()
    wall_seconds: Positive
    steps: str = Field(default="NumPy", max_length=60, description="how they were taken; older records: all by NumPy")

    @model_validator(mode="after")
    def _same_turns(self) -> Self:
        turns = (self.order.count("A"), self.order.count("B"))
        if turns != (len(self.old_seconds), len(self.new_seconds)) or turns[0] != turns[1]:
            raise ValueError("the turns of the order are not those of the two sides' seconds")
        if (len(self.old_elapsed), len(self.new_elapsed)) not in (turns, (0, 0)):
            raise ValueError("as many turns went by as there are seconds, or nothing is said of that")
        return self

    @field_serializer("old_seconds", "new_seconds", "old_elapsed", "new_elapsed")
    def _rounded(self, seconds: tuple[float, ...]) -> tuple[float, ...]:
        return tuple(map(_six_digits, seconds))

    @property
    def log_ratio(self) -> float:
        """ln(new / old), as the gate takes it of a pair."""
        return self.as_pair(1, "").log_ratio

    def as_pair(self, number: int, cell: str) -> Pair:
        """The pair again."""
        return Pair(
            number=number,
            cell=cell,
            order=self.order,
            old_seconds=self.old_seconds,
            new_seconds=self.new_seconds,
            old_elapsed=self.old_elapsed,
            new_elapsed=self.new_elapsed,
            wall_seconds=self.wall_seconds,
            old_steps=self.steps,
            new_steps=self.steps,
        )

    @classmethod
    def of(cls, pair: Pair) -> Self:
        """The pair without number and costs."""
        return cls(
            order=pair.order,
            old_seconds=pair.old_seconds,
            new_seconds=pair.new_seconds,
            old_elapsed=pair.old_elapsed,
            new_elapsed=pair.new_elapsed,
            wall_seconds=_six_digits(pair.wall_seconds),
            steps=pair.new_steps if pair.new_steps == pair.old_steps else f"{pair.old_steps}, {pair.new_steps}",
        )


def _six_digits(seconds: float) -> float:
    return float(f"{seconds:.6g}")


class Planned(FiniteRecord):
    """So many comparisons of a scenario."""

    scenario: ScenarioName
    comparisons: Whole


def planned(counts: Mapping[Scenario, int]) -> tuple[Planned, ...]:
    """Scenario → comparisons, as a record has it."""
    return tuple(Planned(scenario=scenario, comparisons=count) for scenario, count in counts.items())


class RunRecord(LogRecord):
    """The first line of a session: what was asked for, by which rule, where it runs."""

    kind: Literal["gate_validation"] = "gate_validation"
    schema_version: Literal[1] = 1
    cell: Name
    simulated: bool
    recording: Name = Field(default="", description="where the pairs of a simulated run are drawn from")
    recorded_on: Name = Field(default="", description="the processor they were recorded on")
    plan: tuple[Planned, ...] = Field(min_length=1)
    tolerance: float = Field(ge=0, le=1)
    alpha: float = Field(gt=0, lt=1)
    budget_seconds: Positive
    seed: int
    started: str = Field(description="UTC, ISO 8601")
    environment: dict[str, Any]

    @property
    def rule(self) -> Rule:
        """The gate's rule."""
        return Rule(tolerance=self.tolerance, alpha=self.alpha)

    @property
    def counts(self) -> dict[Scenario, int]:
        """Scenario → comparisons."""
        return {planned.scenario: planned.comparisons for planned in self.plan}

    def with_counts(self, counts: Mapping[Scenario, int]) -> Self:
        """The same run, asked for so many comparisons of each of those scenarios."""
        return self.model_copy(update={"plan": planned(counts)})

    def goes_on_with(self, first: Self) -> bool:
        """Whether both compare the same by the same rule, be it with other counts, elsewhere and at another time."""
        same = {name: getattr(first, name) for name in ("plan", "started", "environment")}
        return self.model_copy(update=same) == first


class ComparisonRecord(LogRecord):
    """One finished comparison."""

    ABOUT = ("scenario", "number")
    kind: Literal["comparison"] = "comparison"
    scenario: ScenarioName
    number: Whole
    seed: int
    verdict: Verdict
    budget_seconds: Positive
    setup_seconds: NotNegative = Field(description="before the first pair, e.g. decoding the data")
    load_from: Whole | None = Field(description="the load ran from this pair on; null: never")
    pairs: tuple[RecordedPair, ...] = Field(min_length=1)

    @property
    def turn(self) -> Turn:
        """Which comparison it is."""
        return Turn(self.scenario, self.number)

    @property
    def seconds(self) -> float:
        """Until the verdict, or until no further pair was begun."""
        return self.setup_seconds + sum(pair.wall_seconds for pair in self.pairs)

    def state_at(self, number: int) -> State:
        """What else the machine did while the pair of that number was measured."""
        return "busy" if self.load_from is not None and number >= self.load_from else "quiet"


Record = Annotated[RunRecord | ComparisonRecord, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[Record] = TypeAdapter(Record)


class Session(NamedTuple):
    """What was compared in one go, and the record that it began with."""

    record: RunRecord
    comparisons: list[ComparisonRecord]


class Records:
    """The records of one run, in the order in which they were written.

    run : the first session's record, with the most that any session asked for of each scenario.
    """

    def __init__(self, records: Iterable[Record]) -> None:
        self.sessions: list[Session] = []
        for record in records:
            if isinstance(record, RunRecord):
                self.sessions.append(Session(record, []))
            else:
                self.sessions[-1].comparisons.append(record)
        self.run = self.sessions[0].record.with_counts(_most(session.record for session in self.sessions))
        self.comparisons = [one for session in self.sessions for one in session.comparisons]

    def of(self, scenario: Scenario) -> list[ComparisonRecord]:
        """The comparisons of a scenario, by number."""
        return sorted((one for one in self.comparisons if one.scenario == scenario), key=lambda one: one.number)

    @property
    def complete(self) -> bool:
        """Whether all that was asked for is there."""
        return sum(self.run.counts.values()) == len(self.comparisons)

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The records of a folder. A last line cut short by a kill is left out.

        Raises
        ------
        UnusableError
            With file and line, where a record cannot be read; where a session went on by another rule.
        """
        records = records_of(folder, _ADAPTER, RunRecord)
        sessions = [(line, record) for line, record in enumerate(records, 1) if isinstance(record, RunRecord)]
        for line, session in sessions:
            if not session.goes_on_with(sessions[0][1]):
                raise UnusableError(f"{folder / RECORDS_NAME}:{line}: goes on with another cell, rule or seed")
        return cls(records)


def _most(runs: Iterable[RunRecord]) -> dict[Scenario, int]:
    """Of each scenario the most comparisons that any of them asks for."""
    most: dict[Scenario, int] = {}
    for run in runs:
        most |= {scenario: max(count, most.get(scenario, 0)) for scenario, count in run.counts.items()}
    return most
