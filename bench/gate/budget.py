"""The time budget of a gate: whether another pair may begin, and an early warning if the verdict will be too late."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from bench.gate.anytime import log_gain
from bench.gate.decision import Rule, decide, effects
from bench.gate.outcome import percent
from bench.gate.pair import Pair

FEWEST = 3
"""Pairs of a case before its time is judged: the first may be slow, since caches are cold."""
ENOUGH = 15
"""Pairs of a case before its course is judged."""
TOO_LONG = 1.5
"""Times the budget: a forecast is rough, so only what is far beyond it is said while pairs are measured."""
MOST_PAIRS = 10_000
MOST_NAMES = 3


class Course(NamedTuple):
    """A case so far: pairs, how many lie above and below the tolerance, seconds of each, and its rule."""

    log_ratios: Sequence[float]
    seconds: Sequence[float]
    rule: Rule

    @property
    def above(self) -> int:
        """Pairs that speak for a failure."""
        return sum(value > self.rule.limit for value in self.log_ratios)

    @property
    def below(self) -> int:
        """Pairs that speak for a pass."""
        return sum(value < self.rule.limit for value in self.log_ratios)

    def can_end_within(self, more: int) -> bool:
        """Whether so many more pairs can bring a verdict, should they all agree."""
        more = min(more, 50 + 4 * len(self.log_ratios))  # so many that agree always do
        pairs, rule = len(self.log_ratios) + more, self.rule
        fails = log_gain(self.above + more, pairs) >= -math.log(rule.fail_alpha)
        return fails or log_gain(self.below + more, pairs) >= -math.log(rule.alpha)

    def pairs_needed(self) -> int | None:
        """Pairs in all, if the share that lies on one side of the tolerance stays; None: more than can be measured."""
        pairs = len(self.log_ratios)
        alpha, side = max((self.rule.fail_alpha, self.above), (self.rule.alpha, self.below), key=lambda one: one[1])
        share = (side + 0.5) / (pairs + 1)
        total = float(max(pairs, 1))
        while total <= MOST_PAIRS:
            if _rough_log_gain(share * total, total) >= -math.log(alpha):
                return math.ceil(total)
            total = max(total + 1, total * 1.03)
        return None

    def remedies(self) -> str:
        """Tolerances by which these pairs would have decided."""
        effect = effects(self.log_ratios, self.rule)[-1]
        found = [f"pass with a tolerance above {percent(effect.high - 1)}"] if 1 < effect.high < math.inf else []
        found += [f"fail with a tolerance below {percent(effect.low - 1)}"] if effect.low > 1 else []
        return f"; it would {' and '.join(found)}" if found else ""


def _rough_log_gain(above: float, pairs: float) -> float:
    """ln of twice 2^n B(k+1, n−k+1): `log_gain` for a share well above ½, for any number of pairs at once."""
    beta = math.lgamma(above + 1) + math.lgamma(pairs - above + 1) - math.lgamma(pairs + 2)
    return (pairs + 1) * math.log(2) + beta


@dataclass
class Budget:
    """So many seconds from now on, for the cases of `rules`; `say` gets early word, once."""

    seconds: float
    rules: Mapping[str, Rule]
    say: Callable[[str], None]
    now: Callable[[], float] = time.perf_counter
    pairs: dict[str, list[Pair]] = field(default_factory=dict)
    started: float = field(init=False)
    said: bool = False
    stopped: bool = False

    def __post_init__(self) -> None:
        self.started = self.now()

    @property
    def left(self) -> float:
        """Seconds."""
        return self.started + self.seconds - self.now()

    def take(self, pair: Pair) -> None:
        """One more pair is measured."""
        self.pairs.setdefault(pair.cell, []).append(pair)

    def may_begin(self, names: Sequence[str]) -> bool:
        """Whether there is time for a pair of these cases, and one of them can still get its verdict."""
        if self.left <= 0:
            return False
        courses = [self.course(name) for name in names]
        if any(len(course.seconds) < FEWEST for course in courses):
            return True
        fits = int(self.left / sum(min(course.seconds) for course in courses))
        self.stopped = not any(course.can_end_within(fits) for course in courses)
        if not self.stopped and not self.said and (lines := list(self._forecasts(names, TOO_LONG))):
            self.said = True
            for line in lines:
                self.say(line)
        return not self.stopped

    def course(self, name: str) -> Course:
        """That of a case."""
        pairs = self.pairs.get(name, [])
        return Course([pair.log_ratio for pair in pairs], [pair.wall_seconds for pair in pairs], self.rules[name])

    def notes(self) -> list[str]:
        """What would have brought the verdicts that are missing."""
        undecided = [name for name in self.rules if self._undecided(self.course(name))]
        if self.stopped:
            left = f"stopped {self.left:.0f} s early: even if all further pairs agreed, the time left would not do"
            return [left, *self._forecasts(undecided, 0)]
        return list(self._forecasts(undecided, 0))

    def _undecided(self, course: Course) -> bool:
        return bool(course.log_ratios) and decide(course.log_ratios, course.rule) == "undecided"

    def _forecasts(self, names: Sequence[str], least: float) -> Iterator[str]:
        """A line for each case whose verdict would take so many times the budget at least, the longest first."""
        courses = {name: self.course(name) for name in names}
        together = sum(median(course.seconds) for course in courses.values() if course.seconds)
        needed = {name: _pairs(course) for name, course in courses.items()}
        late = [name for name, pairs in needed.items() if pairs * together > least * self.seconds]
        for name in sorted(late, key=lambda one: -needed[one])[:MOST_NAMES]:
            yield f"{name}: {_forecast(courses[name], needed[name], together)}"
        if len(late) > MOST_NAMES:
            yield f"and {len(late) - MOST_NAMES} more that are undecided"


def _pairs(course: Course) -> float:
    """Needed in all; before the course can be judged the fewest that can do."""
    if len(course.log_ratios) >= ENOUGH:
        return course.pairs_needed() or math.inf
    return next(more for more in range(MOST_PAIRS) if course.can_end_within(more)) + len(course.log_ratios)


def _forecast(course: Course, pairs: float, seconds: float) -> str:
    """Of a case that is undecided, if all cases together take so many seconds a round."""
    if pairs == math.inf:
        return f"the difference is too close to the tolerance to be decided in any time{course.remedies()}"
    kind = "about" if len(course.log_ratios) >= ENOUGH else "at least"
    minutes = math.ceil(1.2 * pairs * seconds / 60)
    return f"a verdict needs {kind} {pairs:.0f} pairs: --minutes {minutes}{course.remedies()}"
