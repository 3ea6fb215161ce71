"""The progress while pairs are measured: one line that changes on a terminal, a line for each pair elsewhere.

It is drawn between pairs, so it disturbs none. If there are many cases, only their verdicts have a line.
`bench.core.progress` draws with rich, which the gate alone (packaging/gate) does not install.
"""

import math
import shutil
import sys
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager

from bench.core.text import one_line
from bench.gate.decision import Rule, decide, effects
from bench.gate.pair import Pair

MANY = 5
"""Cases, of which not every pair has a line."""


class GateProgress(AbstractContextManager["GateProgress"]):
    """`title` says what is measured, `seconds` is the budget, `rules` are known once the warm-up is over."""

    def __init__(self, title: str, seconds: float) -> None:
        self._on_terminal, self._started = sys.stderr.isatty(), time.perf_counter()
        self._seen: dict[str, list[float]] = {}
        self._rules: Mapping[str, Rule] = {}
        self.say(f"{one_line(title, 200)}: pairs of fresh processes until the verdict, {seconds:.0f} s at most")

    def __exit__(self, *_: object) -> None:
        if self._on_terminal and self._seen:
            self._write("\n")

    def begin(self, rules: Mapping[str, Rule]) -> None:
        """Measure these cases."""
        self._rules = rules
        if len(rules) > MANY:
            self.say(f"{len(rules)} benchmarks; the time goes to those that are undecided")

    def pair(self, pair: Pair) -> None:
        """One more pair is measured."""
        log_ratios = self._seen.setdefault(pair.cell, [])
        log_ratios.append(pair.log_ratio)
        rule = self._rules[pair.cell]
        effect, verdict = effects(log_ratios, rule)[-1], decide(log_ratios, rule)
        low, high = (f"{end:.3f}" if 0 < end < math.inf else "?" for end in (effect.low, effect.high))
        place = f"{one_line(pair.cell, 100)}, pair {pair.number}: {math.exp(pair.log_ratio):.3f}"
        elapsed = time.perf_counter() - self._started
        line = f"{place}; median {effect.ratio:.3f} ({low} to {high}) {verdict}, {elapsed:.0f} s"
        if self._on_terminal:
            width = shutil.get_terminal_size().columns - 1
            self._write(f"\r{line[:width].ljust(width)}\r")
        elif len(self._rules) <= MANY or verdict != "undecided":
            self.say(line)

    def say(self, line: str) -> None:
        """A line of its own."""
        self._write(f"{line}\n")

    def _write(self, text: str) -> None:
        sys.stderr.write(text)
        sys.stderr.flush()
