"""Recorded pairs of identical sides, quiet and busy: what a simulated comparison draws from.

Fed by a whole run, which writes its pairs of slowdown 0 here; feeds the simulated machine, in CI and for sensitivity.
"""

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter

from bench.core.errors import UnusableError
from bench.core.files import write_atomically
from bench.core.models import NotNegative
from bench.gate_validation.records import Name, RecordedPair, Records, State
from bench.records.log import RECORDS_NAME, LogRecord, records_of

FEWEST = 30
"""Pairs of a state that drawing from them needs: with fewer, the same few processes would decide every comparison."""
MOST = 500
"""Pairs of a state that are kept: more would make the file larger and the distribution no better known."""
REFERENCE = Path(__file__).resolve().parents[2] / "results" / "reference" / "gate-validation" / "pairs"


class RecordingRecord(LogRecord):
    """The first line: what was recorded where."""

    ABOUT = ("kind",)
    kind: Literal["recording"] = "recording"
    schema_version: Literal[1] = 1
    cell: Name
    started: str = Field(description="UTC, ISO 8601")
    setup_seconds: NotNegative = Field(description="before the first pair of a comparison, median")
    environment: dict[str, Any]


class PairRecord(LogRecord):
    """One pair of identical sides. It has no number, but no two pairs took the same seconds in every turn."""

    ABOUT = ("state", "pair")
    kind: Literal["pair"] = "pair"
    state: State
    pair: RecordedPair


Record = Annotated[RecordingRecord | PairRecord, Field(discriminator="kind")]
_ADAPTER: TypeAdapter[Record] = TypeAdapter(Record)


@dataclass(frozen=True)
class Recording:
    """The pairs of each state, and the record of where they come from."""

    origin: RecordingRecord
    pairs: Mapping[State, tuple[RecordedPair, ...]]

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The recording in a folder.

        Raises
        ------
        UnusableError
            With file and line, where a record cannot be read.
        """
        records = records_of(folder, _ADAPTER, RecordingRecord)
        origin = next(record for record in records if isinstance(record, RecordingRecord))
        pairs = [record for record in records if isinstance(record, PairRecord)]
        return cls(origin, _by_state((record.state, record.pair) for record in pairs))

    @classmethod
    def of(cls, records: Records) -> Self:
        """The first pairs of a run's comparisons with slowdown 0, by what else the machine did during each.

        Those of its first session: what is drawn together comes from one machine.
        """
        run, comparisons = records.sessions[0]
        identical = [one for one in comparisons if one.scenario.percent == 0]
        found = _by_state((one.state_at(number), pair) for one in identical for number, pair in enumerate(one.pairs, 1))
        origin = RecordingRecord(
            cell=run.cell,
            started=run.started,
            setup_seconds=statistics.median([one.setup_seconds for one in identical] or [0.0]),
            environment=run.environment,
        )
        return cls(origin, {state: pairs[:MOST] for state, pairs in found.items()})

    def has(self, state: State) -> bool:
        """Whether there are enough pairs of that state to draw from."""
        return len(self.pairs[state]) >= FEWEST

    def of_state(self, state: State) -> tuple[RecordedPair, ...]:
        """The pairs of a state.

        Raises
        ------
        UnusableError
            Where they are too few to draw from.
        """
        if not self.has(state):
            count = f"{len(self.pairs[state])} recorded pairs of a {state} machine"
            remedy = f"record them: scratchbench gate-validate --scenario {state}:0"
            raise UnusableError(f"{count}, and drawing from them needs {FEWEST}; {remedy}, then --recording DIR/pairs")
        return self.pairs[state]

    def write(self, folder: Path) -> None:
        """Write it to a folder, whole or not at all."""
        folder.mkdir(exist_ok=True)
        kept = [PairRecord(state=state, pair=pair) for state, pairs in self.pairs.items() for pair in pairs]
        lines = (record.model_dump_json() for record in (self.origin, *kept))
        write_atomically(folder / RECORDS_NAME, "".join(f"{line}\n" for line in lines))


def _by_state(found: Iterable[tuple[State, RecordedPair]]) -> dict[State, tuple[RecordedPair, ...]]:
    pairs: dict[State, list[RecordedPair]] = {"quiet": [], "busy": []}
    for state, pair in found:
        pairs[state].append(pair)
    return {state: tuple(of_state) for state, of_state in pairs.items()}
