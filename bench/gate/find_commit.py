"""`scratchbench gate bisect GOOD BAD`: finds the commit that made something slower, by gates against GOOD."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.core.errors import EXIT_INTERRUPTED, EXIT_NO_VERDICT, EXIT_OK, EXIT_UNDECIDED, EXIT_WORSE
from bench.core.files import write_atomically
from bench.core.text import one_line
from bench.gate import report
from bench.gate.command import Comparison, GateOptions, compare, repository_of
from bench.gate.outcome import CellResult, Final, interval, percent
from bench.gate.trees import Repository
from bench.records.folder import new_folder

NOT_FOUND: dict[Final, int] = {"pass": EXIT_WORSE, "undecided": EXIT_UNDECIDED, "no verdict": EXIT_NO_VERDICT}
"""Exit codes where GOOD against BAD does not fail."""

Judge = Callable[[int], Final]
"""Number of a commit → the verdict of its gate against GOOD."""


@dataclass
class Search:
    """Commits 0 (GOOD) to `last` (BAD): which of them are known to pass, to fail, or to have no verdict."""

    last: int
    good: int = 0
    bad: int = field(init=False)
    unknown: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.bad = self.last

    @property
    def most(self) -> int:
        """Gates that it may take, with that of BAD: halving takes half of them, the others are for commits without one.

        The error of the search is divided by it.
        """
        return 2 * (1 + math.ceil(math.log2(max(self.last, 1))))

    def next(self) -> int | None:
        """The commit to judge: the one nearest the middle of those that are open; None if there is none."""
        middle = (self.good + self.bad) / 2
        left = [at for at in range(self.good + 1, self.bad) if at not in self.unknown]
        return min(left, key=lambda at: abs(at - middle), default=None)

    def learn(self, at: int, verdict: Final) -> None:
        """That commit has that verdict."""
        if verdict == "fail":
            self.bad = at
        elif verdict == "pass":
            self.good = at
        else:
            self.unknown.add(at)

    def run(self, judge: Judge) -> None:
        """Judge until the commit is found or nothing more can be judged."""
        for _ in range(self.most - 1):
            if (at := self.next()) is None:
                return
            self.learn(at, judge(at))


@dataclass(frozen=True)
class Found:
    """What a search found: the commits among which the slower one is, in the words of git, and every gate.

    There are no such commits, and no case, if BAD does not fail against GOOD. The first gate is that of BAD.
    """

    good: str
    bad: str
    suspects: tuple[str, ...]
    case: str
    gates: Mapping[str, Comparison]
    alpha: float

    @property
    def exit_code(self) -> int:
        """0 found, 3 undecidable between several; otherwise what BAD's own verdict says."""
        if self.suspects:
            return EXIT_OK if len(self.suspects) == 1 else EXIT_UNDECIDED
        return NOT_FOUND[next(iter(self.gates.values())).outcome.verdict]

    @property
    def sentence(self) -> str:
        """What stands first."""
        if not self.suspects:
            why = next(iter(self.gates.values())).outcome.sentence
            return f"NOT FOUND: {self.bad} does not fail against {self.good}: {why}"
        error = f"the probability that this is wrong is at most {percent(self.alpha)}"
        if len(self.suspects) == 1:
            place = f"is the first commit that fails against {self.good} ({self.case})"
            return f"FOUND: {self.suspects[0]} {place}; {error}"
        return f"UNDECIDABLE between these {len(self.suspects)} commits ({self.case}); {error}"

    @property
    def lines(self) -> list[str]:
        """Each gate in its order, then the commits among which the slower one is, or what is said of BAD's own gate."""
        told = [f"{name}: {_told(one.outcome.verdict, one.outcome.cells)}" for name, one in self.gates.items()]
        if not self.suspects:
            return [*told, *next(iter(self.gates.values())).outcome.notes]
        return [*told, *(f"  {name}" for name in self.suspects if len(self.suspects) > 1)]


def _told(verdict: Final, cells: Sequence[CellResult]) -> str:
    shown = cells[0].effect if len(cells) == 1 else None
    return f"{verdict}, {shown.ratio:.3f} ({interval(shown)}), {shown.pairs} pairs" if shown else verdict


def bisect(options: GateOptions, bad: str, as_json: bool, out: Path | None) -> int:
    """Search from `options.against`, which is good, to `bad`; write, print, and return the exit code.

    Raises UnusableError: if repository, revisions or folder cannot be used.
    """
    repository = repository_of(replace(options, revision=bad))
    commits = [repository.revision(options.against), *repository.commits_between(options.against, bad)]
    search = Search(len(commits) - 1)
    shared = replace(options, against=commits[0], alpha=options.alpha / search.most)
    gates = _Gates(shared, repository, commits, new_folder(out, "bisect", resumes=False))
    with suppress(_Interrupted):
        gates.search(search)
    found = gates.found(search, options.alpha)
    _tell(found, gates.folder, as_json)
    if any(one.interrupted for one in gates.done.values()):
        return EXIT_INTERRUPTED
    return found.exit_code


class _Interrupted(KeyboardInterrupt):
    """By the user; what was measured is kept."""


@dataclass(frozen=True)
class _Gates:
    """Gates of commits against the first of them, each with a folder of its own in `folder`."""

    options: GateOptions
    repository: Repository
    commits: Sequence[str]
    folder: Path
    done: dict[str, Comparison] = field(default_factory=dict)

    def search(self, search: Search) -> None:
        """Judge BAD; if it fails, search for the commit by the case that became slower most."""
        self.judge(search.last)
        if case := self.case:
            search.run(lambda at: self.judge(at, case).outcome.verdict)

    @property
    def case(self) -> str:
        """The case whose slowdown is searched for: the slowest that failed of BAD's; nothing if none did."""
        first = next(iter(self.done.values()), None)
        failed = [cell for cell in first.outcome.cells if cell.verdict == "fail" and cell.effect] if first else []
        return max(failed, key=lambda cell: cell.effect.ratio if cell.effect else 0.0).name if failed else ""

    def found(self, search: Search, alpha: float) -> Found:
        """What the gates say together, with the error of the whole search."""
        case = self.case
        suspects = tuple(self.name(at) for at in range(search.good + 1, search.bad + 1)) if case else ()
        return Found(self.name(0), self.name(search.last), suspects, case, self.done, alpha)

    def name(self, at: int) -> str:
        """Short name and subject of a commit."""
        return one_line(self.repository.subject(self.commits[at]), 100)

    def judge(self, at: int, case: str = "") -> Comparison:
        """Compare that commit, in that case or in all."""
        commit = self.commits[at]
        place = new_folder(self.folder / f"{len(self.done) + 1:02}-{commit[:10]}", "gate")
        done = compare(replace(self.options, revision=commit, only=case), self.repository, place)
        report.write(done.outcome, done.facts, place)
        self.done[self.name(at)] = done
        if done.interrupted:
            raise _Interrupted
        return done


def _tell(found: Found, folder: Path, as_json: bool) -> None:
    written: dict[str, Any] = {
        "kind": "bisect",
        "schema_version": 1,
        "sentence": found.sentence,
        "good": found.good,
        "bad": found.bad,
        "suspects": found.suspects,
        "case": found.case,
        "alpha": found.alpha,
        "gates": {name: done.outcome.as_json(done.facts) for name, done in found.gates.items()},
    }
    text = json.dumps(written, indent=1)
    write_atomically(folder / "bisect.json", f"{text}\n")
    print(text if as_json else "\n".join([found.sentence, *found.lines, f"\nreports and pairs: {folder}"]))
