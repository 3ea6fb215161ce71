"""The validation as Markdown, JSON and plot, and its pairs as a recording that later simulations draw from.

Fed by the findings; writes gate-validation.md, .json, .png, .svg, each whole or not at all, and pairs/.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from tabulate import tabulate

from bench.core.files import write_atomically
from bench.core.text import MISSING, escaped
from bench.gate_validation.document import as_json
from bench.gate_validation.findings import Findings
from bench.gate_validation.plot import draw
from bench.gate_validation.proportions import Share, Spread
from bench.gate_validation.recording import Recording
from bench.gate_validation.records import Records, Session
from bench.gate_validation.scenarios import FEWEST_PAIRS, LOAD_TEXTS, Load
from bench.gate_validation.sensitivity import BUDGET_SECONDS, COMPARISONS
from bench.gate_validation.targets import percent_told
from bench.gate_validation.usual_tools import TOOLS

NAME = "gate-validation"
RECORDING_NAME = "pairs"

HOW_TO_READ = """\
A comparison is a whole run of the gate: fresh pairs of processes until it says pass or fail, or until no further pair
would end within {budget:g} s (undecided). Tolerance {tolerance:g} %, α = {alpha:g}. The right answer is known, for the
slowdown is planted: more work in every epoch of one side. "As measured" is the median of new / old − 1 over the first
{pairs} pairs of every comparison: it ought to be what was planted. In brackets: 95 % intervals, of shares those of
Clopper and Pearson. At a slowdown up to the tolerance a failure is false; above it, all but a failure is a miss."""

SIMULATED = """\
**This run is simulated**: its pairs were drawn, whole and with replacement, from pairs of identical sides recorded on
{processor} ({recording}), and the planted slowdown was put on by multiplying one side's seconds. That takes pairs to be
independent of each other and the work to take the same share of every epoch; a drift over minutes is not in it. The
clock is the seconds that the recorded pairs took."""

TOOLS_TEXT = """\
Each tool gets two separate runs, as where a stored baseline is compared with a later run: the old side's process of a
comparison's first pair, the new side's of its pair {pairs} (asv's rule: two processes each), warm-up epochs left out.
The two are a minute or so apart on the same machine; real baselines are older. The seconds are those that went by, as
the tools take them; the gate's own clock takes off what other programs took of the core. At 0 every "slower" is a false
alarm; above the tolerance, what is missing to 100 % is missed. That a tool finds 2 or 3 % is no mistake where it asks
for any difference at all."""

SENSITIVITY_TEXT = """\
{comparisons} simulated comparisons each, of {budget:g} s at most, drawn from the pairs of a quiet machine, made worse.
At the tolerance itself a failure is still false, and this is where it is likeliest."""


def write(records: Records, folder: Path) -> Findings:
    """Write everything to the folder; what it was made from.

    Raises
    ------
    UnusableError
        Where the folder cannot be written.
    """
    found = Findings.of(records)
    write_atomically(folder / f"{NAME}.json", json.dumps(as_json(found), indent=1) + "\n")
    write_atomically(folder / f"{NAME}.md", "\n\n".join(_sections(found)) + "\n")
    draw(found, folder / NAME)
    if not records.run.simulated:
        Recording.of(records).write(folder / RECORDING_NAME)
    return found


def _sections(found: Findings) -> Iterator[str]:
    return (section for part in PARTS for section in part(found))


def _head(found: Findings) -> Iterator[str]:
    run = found.records.run
    yield "# Can the gate be believed?"
    yield f"**{found.verdict}.**"
    yield f"Cell {escaped(run.cell, 60)}, {'; '.join(map(_session_told, found.records.sessions))}."
    ways = {pair.steps or "not known" for one in found.records.comparisons for pair in one.pairs}
    yield f"Steps: {', '.join(sorted(ways)) or 'none measured'}."
    if run.simulated:
        yield SIMULATED.format(processor=escaped(run.recorded_on, 120), recording=escaped(run.recording, 200))
    yield HOW_TO_READ.format(
        budget=run.budget_seconds, tolerance=100 * run.tolerance, alpha=run.alpha, pairs=FEWEST_PAIRS
    )
    yield from (f"Warning: {escaped(line, 1000)}" for line in _warnings(found.records.sessions))


def _session_told(session: Session) -> str:
    started, facts = escaped(session.record.started, 40), session.record.environment
    processor = escaped(facts.get("cpu_model", "an unknown processor"), 120)
    count = len(session.comparisons)
    return f"{count:,} comparisons begun {started} on {processor}, {facts.get('usable_cores', '?')} cores"


def _warnings(sessions: Iterable[Session]) -> Iterable[str]:
    """Each once, in the order in which they came up."""
    return dict.fromkeys(line for one in sessions for line in one.record.environment.get("warnings") or ())


def _targets(found: Findings) -> Iterator[str]:
    yield "## Targets"
    rows = [
        (
            finding.target,
            MISSING if finding.percent is None else f"{finding.percent:g}",
            finding.load,
            finding.figures,
            f"**{finding.sentence}**" if finding.state == "missed" else finding.sentence,
        )
        for finding in found.targets
    ]
    yield _table(rows, ("target", "slowdown, %", "load", "figures", "verdict"))


def _scenarios(found: Findings) -> Iterator[str]:
    yield "## Every scenario"
    for load in found.outcomes.loads:
        yield f"**{load}**: {LOAD_TEXTS[load]}"
        rows = [
            (
                f"{scenario.percent:g}",
                _measured(outcome.slowdown),
                f"{len(outcome.comparisons)} of {found.records.run.counts[scenario]}",
                *(_rate(outcome.share(verdict)) for verdict in ("fail", "pass", "undecided")),
                *_three(outcome.seconds),
                *_three(outcome.pairs),
            )
            for scenario, outcome in found.outcomes.by_scenario.items()
            if scenario.load == load
        ]
        yield _table(rows, SCENARIO_HEADERS)


SCENARIO_HEADERS = (
    *("slowdown, %", "as measured, %", "comparisons", "fail, %", "pass, %", "undecided, %"),
    *("seconds: median", "90th percentile", "worst", "pairs: median", "90th percentile", "most"),
)


def _measured(slowdown: Spread | None) -> str:
    """The median pair's, with its interval."""
    if slowdown is None:
        return MISSING
    low, high = (100 * end for end in (slowdown.low, slowdown.high))
    ends = f" ({low:z.1f} to {high:z.1f})" if math.isfinite(low + high) else ""
    return f"{100 * slowdown.median:z.1f}{ends}"


def _three(spread: Spread | None) -> Sequence[str]:
    if spread is None:
        return (MISSING,) * 3
    return [f"{value:.3g}" for value in (spread.median, spread.ninth, spread.largest)]


def _rate(share: Share) -> str:
    if share.rate is None:
        return MISSING
    low, high = share.interval
    return f"{percent_told(share.rate)} ({percent_told(low)} to {percent_told(high)})"


def _tools(found: Findings) -> Iterator[str]:
    yield "## What the usual tools would have said"
    yield TOOLS_TEXT.format(pairs=FEWEST_PAIRS)
    for load in found.outcomes.loads:
        yield f'**{load}**: said "slower", %'
        yield _tool_table(found, load)
    rules = [(name, tool.rule, tool.source) for name, tool in TOOLS.items()]
    yield _table(rows=rules, headers=("tool", "rule", "published in"))


def _tool_table(found: Findings, load: Load) -> str:
    scenarios = sorted(key for key in found.outcomes.by_scenario if key.load == load)
    rows = [(name, *(_rate(shares[scenario]) for scenario in scenarios)) for name, shares in found.tools.items()]
    return _table(rows, ("tool", *(_column(scenario.percent) for scenario in scenarios)))


def _column(percent: float) -> str:
    return f"at {percent:g} % (false alarms)" if percent <= 0 else f"at {percent:g} %"


def _sensitivity(found: Findings) -> Iterator[str]:
    if found.sensitivity:
        yield "## On a worse machine"
        yield SENSITIVITY_TEXT.format(comparisons=COMPARISONS, budget=BUDGET_SECONDS)
        percents = list(found.sensitivity[0].failed)
        rows = [(one.text, *(_rate(one.failed[percent]) for percent in percents)) for one in found.sensitivity]
        yield _table(rows, ("machine", *(f"failed at {percent:g} %, %" for percent in percents)))


def _plot(found: Findings) -> Iterator[str]:
    yield f"![How often slower is said against the planted slowdown, and seconds until a decision]({NAME}.png)"


def _table(rows: Sequence[Sequence[str]], headers: Sequence[str]) -> str:
    text: str = tabulate(rows, headers, tablefmt="pipe", disable_numparse=True)
    return text


PARTS: tuple[Callable[[Findings], Iterator[str]], ...] = (_head, _targets, _plot, _scenarios, _tools, _sensitivity)
