"""The findings as plain names and values, ready for JSON: what a program reads of a validation.

Fed by the findings; written as gate-validation.json.
"""

import math
from typing import Any

from bench.gate_validation.findings import Findings
from bench.gate_validation.outcome import Outcome
from bench.gate_validation.proportions import Share, Spread
from bench.gate_validation.records import Session
from bench.gate_validation.scenarios import Scenario, asked_for
from bench.gate_validation.usual_tools import TOOLS

SCHEMA_VERSION = 1
ABOUT_A_SESSION = {"started", "environment"}
ABOUT_THE_RUN = {"kind", "schema_version", "plan", *ABOUT_A_SESSION}


def as_json(found: Findings) -> dict[str, Any]:
    """The whole document; seconds in s, rates from 0 to 1, slowdowns in per cent."""
    records, outcomes = found.records, found.outcomes.by_scenario
    return {
        "schema_version": SCHEMA_VERSION,
        "verdict": found.verdict,
        "state": found.state,
        "complete": records.complete,
        "run": records.run.model_dump(mode="json", exclude=ABOUT_THE_RUN),
        "sessions": [_session(session) for session in records.sessions],
        "targets": [vars(finding) | {"sentence": finding.sentence} for finding in found.targets],
        "scenarios": [_scenario(found, scenario, outcome) for scenario, outcome in outcomes.items()],
        "tools": [_tool(name, shares) for name, shares in found.tools.items()],
        "sensitivity": [
            {"text": one.text, "failed": {f"{percent:g}": _share(share) for percent, share in one.failed.items()}}
            for one in found.sensitivity
        ],
    }


def _session(session: Session) -> dict[str, Any]:
    about = session.record.model_dump(mode="json", include=ABOUT_A_SESSION)
    return {**about, "comparisons": len(session.comparisons)}


def _scenario(found: Findings, scenario: Scenario, outcome: Outcome) -> dict[str, Any]:
    return {
        **_place(scenario),
        "asked": found.records.run.counts[scenario],
        "asked_by_the_proof": asked_for(scenario.percent),
        "made": len(outcome.comparisons),
        "failed": _share(outcome.share("fail")),
        "passed": _share(outcome.share("pass")),
        "undecided": _share(outcome.share("undecided")),
        "measured_slowdown": _spread(outcome.slowdown),
        "seconds": _spread(outcome.seconds),
        "pairs": _spread(outcome.pairs),
    }


def _tool(name: str, shares: dict[Scenario, Share]) -> dict[str, Any]:
    tool = TOOLS.get(name)
    about = {"rule": tool.rule, "source": tool.source} if tool else {}
    return {"tool": name, **about, "said_slower": [_place(key) | _share(share) for key, share in shares.items()]}


def _place(scenario: Scenario) -> dict[str, Any]:
    return {"scenario": str(scenario), "load": scenario.load, "slowdown_percent": scenario.percent}


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval
    return {"count": share.count, "of": share.of, "rate": share.rate, "low": low, "high": high}


def _spread(spread: Spread | None) -> dict[str, float | None] | None:
    if spread is None:
        return None
    ends = {"low": spread.low, "high": spread.high}
    finite = {name: end if math.isfinite(end) else None for name, end in ends.items()}
    return {"median": spread.median, **finite, "90th_percentile": spread.ninth, "largest": spread.largest}
