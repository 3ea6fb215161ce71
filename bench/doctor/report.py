"""Shows the findings: a table on a terminal, plain lines elsewhere, and the remedy below each finding."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bench.core.text import MISSING, factor, one_line
from bench.doctor.finding import Finding, State, verdict

STYLES: dict[State, str] = {"warning": "bold yellow", "unknown": "dim", "ok": "green"}


def show(findings: Sequence[Finding], console: Console) -> None:
    """One sentence, then the findings."""
    console.print(Text(verdict(findings)), soft_wrap=True)
    console.print()
    if console.is_terminal:
        console.print(_table(findings))
        return
    for line in lines(findings):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """A line a finding, one more for its remedy."""
    width = max((len(finding.name) for finding in findings), default=0)
    for finding in findings:
        head = f"{finding.state:<7}  {finding.name:<{width}}  {_cost(finding):>7}  "
        yield head + one_line(finding.says)
        if finding.remedy:
            yield f"{'':{len(head)}}remedy: {one_line(finding.remedy)}"


def as_json(findings: Sequence[Finding]) -> str:
    """All findings, for a program."""
    return json.dumps([asdict(finding) for finding in findings], indent=2, allow_nan=False)


def _table(findings: Sequence[Finding]) -> Table:
    made = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for justify in ("left", "left", "right", "left"):
        made.add_column(justify=justify)
    for finding in findings:
        state = Text(finding.state, STYLES[finding.state])
        made.add_row(state, Text(finding.name), Text(_cost(finding)), Text(one_line(finding.says)))
        if finding.remedy:
            made.add_row("", "", "", Text(f"remedy: {one_line(finding.remedy)}", "bold"))
    return made


def _cost(finding: Finding) -> str:
    return MISSING if finding.cost is None else f"{factor(finding.cost)} x"
