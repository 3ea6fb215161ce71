"""The dots of a cell's pairs as text, for places that show no picture, such as a summary or a comment."""

import math
from collections import Counter

from bench.gate.outcome import CellResult, percent

WIDTH = 61
HEIGHT = 12
DOT, EQUAL, TOLERANCE = "●", "│", "┊"


def text_plot(cell: CellResult) -> str:
    """A column for each step of the ratio, a dot for each pair in it (or for several, if there are very many)."""
    ratios = [math.exp(value) for value in cell.log_ratios]
    limit = 1 + cell.rule.tolerance
    least, most = min(*ratios, 1.0), max(*ratios, limit)
    low, high = least - (most - least) / 20, most + (most - least) / 20

    def column(ratio: float) -> int:
        return min(WIDTH - 1, int((ratio - low) / (high - low) * WIDTH))

    counts = Counter(map(column, ratios))
    pairs = math.ceil(max(counts.values()) / HEIGHT)
    several = f", {DOT} is up to {pairs} pairs" if pairs > 1 else ""
    lines = _lines(counts, pairs, {column(1.0): EQUAL, column(limit): TOLERANCE})
    legend = f"{EQUAL} equal, {TOLERANCE} tolerance {percent(cell.rule.tolerance)}{several}"
    return "\n".join([*lines, "─" * WIDTH, f"{low:.3f}{high:>{WIDTH - 5}.3f}", legend])


def _lines(counts: Counter[int], pairs: int, marks: dict[int, str]) -> list[str]:
    """From the top; a dot for so many pairs."""
    rows = range(math.ceil(max(counts.values()) / pairs), 0, -1)
    filled = [{at for at, count in counts.items() if count > pairs * (row - 1)} for row in rows]
    lines = ["".join(DOT if at in dots else marks.get(at, " ") for at in range(WIDTH)) for dots in filled]
    return [line.rstrip() for line in lines]
