"""What a gate measures: networks of this project, commands and suites of any project, each as a source of pairs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.core.errors import UnusableError
from bench.gate.command_pairs import CommandPairs
from bench.gate.commands import Command, Place
from bench.gate.pair import SIDES, Source, single
from bench.gate.suites import Suite, SuitePairs
from bench.gate.warm_up import WarmUp

if TYPE_CHECKING:
    from bench.spec import TrainingSpec

THREADS = 1
"""Of each side unless `--threads` says more: a second one doubles what a neighbour on the machine can disturb."""


@dataclass(frozen=True)
class Workplace:
    """Both sides' folders, what sees which code they run, a temporary folder, and `--threads`."""

    places: Mapping[str, Place]
    warm_up: WarmUp
    temporary: Path
    threads: int | None = None


@dataclass(frozen=True)
class Found:
    """A source that is ready to measure, and what the report says of it."""

    source: Source
    notes: tuple[str, ...] = ()

    def of_case(self, name: str) -> "Found":
        """The same for one of its cases; for all of them if no name is given."""
        return replace(self, source=self.source._replace(cases=(name,))) if name else self


def ready(jobs: "Iterable[Command | Suite | TrainingSpec]", workplace: Workplace) -> list[Found]:
    """Run the warm-up of each job.

    Raises NoVerdictError: if a side is broken, runs other code than its own, or the work is not fixed.
    Raises UnusableError: if two cases have one name, or a suite has none.
    """
    found, names = [], set[str]()
    for job in jobs:
        one = _ready(job, workplace)
        if twice := names & set(one.source.cases):
            raise UnusableError(f"{min(twice)}: is measured by two jobs; name each benchmark once")
        names |= set(one.source.cases)
        found.append(one)
    return found


def _ready(job: "Command | Suite | TrainingSpec", workplace: Workplace) -> Found:
    if isinstance(job, Command):
        workplace.warm_up.command(job)
        return Found(single(job.name, CommandPairs(job, workplace.places)))
    return _suite(job, workplace) if isinstance(job, Suite) else _training(job, workplace)


def _suite(suite: Suite, workplace: Workplace) -> Found:
    # A project without settings of its own must not get those of a folder above, such as /tmp.
    (workplace.temporary / "pytest.ini").write_text("[pytest]\n")
    pairs = SuitePairs(suite, workplace.places, workplace.temporary)
    tried: dict[str, dict[str, dict[str, object]]] = {}

    def run(place: Place, variables: Mapping[str, str]) -> None:
        tried[place.side] = pairs.tried(place, variables)

    workplace.warm_up.watch(suite.name, run)
    pairs = pairs.knowing(tried)
    alone = [(side, sorted(tried[side].keys() - pairs.found.keys())) for side in SIDES]
    notes = [f"only on the {side} side, not compared: {', '.join(names)}" for side, names in alone if names]
    if pairs.suite.threads == 1 and suite.threads is None and suite.quantity == "seconds":
        notes.append(f"{suite.name}: no benchmark used more than one core, so both sides of a pair shared one")
    return Found(Source(tuple(pairs.found), pairs), tuple(notes))


def _training(spec: "TrainingSpec", workplace: Workplace) -> Found:
    from bench.gate.plan_files import PlanFiles
    from bench.gate.tree_pairs import EPOCHS, TrainingPairs

    trees = {side: place.tree for side, place in workplace.places.items()}
    plan = PlanFiles(spec, EPOCHS, workplace.temporary / f"plan-{len(list(workplace.temporary.iterdir()))}")
    pairs = TrainingPairs(trees, plan, workplace.threads or THREADS, workplace.temporary)
    return Found(single(spec.name, pairs))
