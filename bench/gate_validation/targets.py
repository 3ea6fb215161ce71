"""Whether the gate does what is asked of it: each target with the figures, and how sure these are.

Fed by the outcomes; feeds the report and the exit code.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from bench.core.text import significant
from bench.gate_validation.outcome import Outcome, Outcomes
from bench.gate_validation.proportions import Share
from bench.gate_validation.scenarios import Load, asked_for

State = Literal["holds", "met", "missed", "too few"]
WORDS: dict[State, str] = {
    "holds": "holds",
    "met": "met by the figures; not shown with this many comparisons: the interval reaches beyond",
    "missed": "missed",
    "too few": "too few comparisons to say",
}
MOST_SECONDS = 90.0
ALL_LOADS = "all loads"


@dataclass(frozen=True)
class Target:
    """The share of failures at the slowdowns that `at` picks is to lie within these ends.

    of_all_loads : the loads are looked at together too, for the rule promises the same under each.
    """

    text: str
    at: Callable[[float], bool]
    least: float = 0.0
    most: float = 1.0
    of_all_loads: bool = False

    def meets(self, rate: float) -> bool:
        """Whether that rate is what is asked for."""
        return self.least <= rate <= self.most


TARGETS: tuple[Target, ...] = (
    Target("false alarms: at most 1 %", lambda percent: percent == 0, most=0.01, of_all_loads=True),
    Target("found: at least 90 %", lambda percent: percent == 5, least=0.9),
    Target("found: at least 99 %", lambda percent: percent >= 10, least=0.99),
    Target("a speed-up never fails", lambda percent: percent < 0, most=0.0, of_all_loads=True),
)
TIME_TARGET = f"median until a decision: at most {MOST_SECONDS:g} s"


@dataclass(frozen=True)
class Finding:
    """One target: at which slowdown, under which load, whether it holds, and the figures in words."""

    target: str
    percent: float | None
    load: str
    state: State
    figures: str

    @property
    def sentence(self) -> str:
        """The state in words."""
        return WORDS[self.state]

    @property
    def place(self) -> str:
        """The target, and where it was looked at."""
        slowdown = "" if self.percent is None else f" at {self.percent:g} %"
        return f"{self.target}{slowdown}, {self.load}"


def findings(outcomes: Outcomes) -> list[Finding]:
    """Every target at every slowdown that it is about: under each load, and some of them under all loads together."""
    each = [finding for load in outcomes.loads for finding in (*_shares(outcomes, [load]), _time(outcomes, load))]
    return [*each, *_shares(outcomes, outcomes.loads)] if len(outcomes.loads) > 1 else each


def state_of_all(every: Sequence[Finding]) -> State:
    """Missed where one is; else too few where one is; else met or holds."""
    states = {finding.state for finding in every}
    return next((state for state in ("missed", "too few", "met") if state in states), "holds")


def _shares(outcomes: Outcomes, loads: Sequence[Load]) -> Iterator[Finding]:
    together = len(loads) > 1
    for target in TARGETS:
        percents = [percent for percent in outcomes.percents if target.at(percent)]
        for percent in percents if target.of_all_loads or not together else ():
            asked = _asked(outcomes, loads, [percent])
            share = outcomes.together(loads, [percent]).share("fail")
            if asked:
                load = ALL_LOADS if together else loads[0]
                yield Finding(target.text, percent, load, state_of(target, share, asked), share_told(share))


def _time(outcomes: Outcomes, load: Load) -> Finding:
    every, asked = outcomes.together([load], outcomes.percents), _asked(outcomes, [load], outcomes.percents)
    return Finding(TIME_TARGET, None, load, _time_state(every, asked), seconds_told(every))


def _asked(outcomes: Outcomes, loads: Sequence[Load], percents: Sequence[float]) -> int:
    return sum(asked_for(key.percent) for key in outcomes.by_scenario if key.load in loads and key.percent in percents)


def state_of(target: Target, share: Share, asked: int) -> State:
    """Holds where the whole interval meets the target, missed where none of it does.

    In between, the figure itself counts once there are as many comparisons as the proof asks for.
    """
    low, high = share.interval
    if target.least <= low and high <= target.most:
        return "holds"
    if high < target.least or low > target.most:
        return "missed"
    if share.rate is None or share.of < asked:
        return "too few"
    return "met" if target.meets(share.rate) else "missed"


def _time_state(outcome: Outcome, asked: int) -> State:
    seconds = outcome.seconds
    if seconds is None:
        return "too few"
    if seconds.high <= MOST_SECONDS:
        return "holds"
    if seconds.low > MOST_SECONDS:
        return "missed"
    if len(outcome.comparisons) < asked:
        return "too few"
    return "met" if seconds.median <= MOST_SECONDS else "missed"


def share_told(share: Share) -> str:
    """`3 of 200, 1.5 % (0.3 to 4.3)`."""
    if share.rate is None:
        return "none compared"
    low, high = share.interval
    return f"{share.count} of {share.of}, {percent_told(share.rate)} % ({percent_told(low)} to {percent_told(high)})"


def percent_told(rate: float) -> str:
    """A share as per cent, to a tenth."""
    return f"{100 * rate:.1f}".removesuffix(".0")


def seconds_told(outcome: Outcome) -> str:
    """`median 12 s, 90th percentile 31 s, worst 120 s`."""
    seconds = outcome.seconds
    if seconds is None:
        return "none compared"
    return (
        f"median {significant(seconds.median, 2)} s, 90th percentile {significant(seconds.ninth, 2)} s, "
        f"worst {significant(seconds.largest, 2)} s"
    )
