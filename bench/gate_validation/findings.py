"""Everything that a run of comparisons comes to, worked out once: outcomes, targets, the usual tools, sensitivity.

Fed by the records; feeds the report, the plot and the exit code.
"""

from dataclasses import dataclass
from typing import Self

from bench.gate_validation.outcome import Outcomes
from bench.gate_validation.proportions import Share
from bench.gate_validation.recording import Recording
from bench.gate_validation.records import Records
from bench.gate_validation.scenarios import Load, Scenario
from bench.gate_validation.sensitivity import Sensitivity, sensitivity
from bench.gate_validation.targets import TARGETS, Finding, State, findings, seconds_told, share_told, state_of_all
from bench.gate_validation.usual_tools import TOOLS, said_slower

GATE = "this gate"
FIRST_WORDS: dict[State, str] = {
    "holds": "the gate does what is asked of it",
    "met": "the gate does what is asked of it",
    "missed": "the gate misses {missed} of {all} targets ({places})",
    "too few": "too few comparisons to say whether the gate does what is asked of it",
}


@dataclass(frozen=True)
class Findings:
    """What a run comes to."""

    records: Records
    outcomes: Outcomes
    targets: list[Finding]
    tools: dict[str, dict[Scenario, Share]]
    sensitivity: list[Sensitivity]

    @classmethod
    def of(cls, records: Records) -> Self:
        """Work it out; the same from the same records."""
        outcomes = Outcomes.of(records)
        by_tool = {
            name: {scenario: said_slower(tool, one.comparisons) for scenario, one in outcomes.by_scenario.items()}
            for name, tool in TOOLS.items()
        }
        own = {scenario: one.share("fail") for scenario, one in outcomes.by_scenario.items()}
        return cls(records, outcomes, findings(outcomes), {GATE: own, **by_tool}, _sensitivity(records))

    @property
    def state(self) -> State:
        """Of all targets together."""
        return state_of_all(self.targets)

    @property
    def verdict(self) -> str:
        """One sentence."""
        missed = [finding.place for finding in self.targets if finding.state == "missed"]
        words = FIRST_WORDS[self.state]
        first = words.format(missed=len(missed), all=len(self.targets), places="; ".join(missed))
        loads, every = self.outcomes.loads, self.outcomes.together(self.outcomes.loads, self.outcomes.percents)
        told = [told for percent in self.outcomes.percents if (told := self._told(loads, percent))]
        return f"{first}: {'; '.join(told)}; a decision takes {seconds_told(every)}{self._unfinished()}"

    def _told(self, loads: list[Load], percent: float) -> str:
        """What the targets are about: nothing of the slowdowns between."""
        if not any(target.at(percent) for target in TARGETS):
            return ""
        share = share_told(self.outcomes.together(loads, [percent]).share("fail"))
        if percent > 0:
            return f"a slowdown of {percent:g} % found in {share}"
        return f"false alarms in {share}" if percent == 0 else f"a speed-up of {-percent:g} % failed in {share}"

    def _unfinished(self) -> str:
        asked, made = sum(self.records.run.counts.values()), len(self.records.comparisons)
        return "" if self.records.complete else f" ({made} of the {asked} comparisons asked for were made)"


def _sensitivity(records: Records) -> list[Sensitivity]:
    """Where enough pairs of a quiet machine were measured to draw from."""
    recording, run = Recording.of(records), records.run
    if not recording.has("quiet"):
        return []
    return list(sensitivity(recording, run.rule, run.seed))
