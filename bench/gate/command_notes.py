"""Notes that a report adds to the verdict on a command: whether its seconds measure what they should."""

import math
from collections.abc import Sequence
from statistics import median, stdev

from bench.gate.commands import Command
from bench.gate.pair import Pair

SHORT_SECONDS = 0.05
ONE_THREAD = 1.1
"""CPU seconds a wall second: a single thread has at most 1, and the clocks are not read at once."""
MOSTLY_WAITING = 0.2
"""CPU seconds a wall second: below it the command sleeps or waits, which CPU time does not see."""
QUIETER = 2.0
SMALLEST_SPREAD = 0.005
ENOUGH = 5
"""Pairs that a spread needs."""


def notes_of(command: Command, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """A line each."""
    if not pairs or command.own_clock or command.quantity != "seconds":
        return ()
    wall = [second for pair in pairs for second in (*pair.old_elapsed, *pair.new_elapsed)]
    cpu = [second for pair in pairs for second in (*pair.old_cpu, *pair.new_cpu)]
    busy = median(one / other for one, other in zip(cpu, wall, strict=True))
    notes = (_short(median(wall)), _advice(pairs, busy) if command.clock == "wall" else _unseen(busy))
    return tuple(f"{command.name}: {note}" for note in notes if note)


def _short(seconds: float) -> str:
    if seconds >= SHORT_SECONDS:
        return ""
    remedy = "repeat the work within the command, or use --own-clock"
    return f"warning: a run takes {1000 * seconds:.0f} ms, of which starting a process may be most; {remedy}"


def _advice(pairs: Sequence[Pair], busy: float) -> str:
    """Whether CPU time would decide sooner."""
    if len(pairs) < ENOUGH or not MOSTLY_WAITING <= busy <= ONE_THREAD:
        return ""
    wall = stdev(_log_ratio(pair.old_elapsed, pair.new_elapsed) for pair in pairs)
    cpu = stdev(_log_ratio(pair.old_cpu, pair.new_cpu) for pair in pairs)
    if wall < max(SMALLEST_SPREAD, QUIETER * cpu):
        return ""
    spreads = f"the pairs vary by {100 * wall:.1f} % in wall time and by {100 * cpu:.1f} % in CPU time"
    return f"{spreads}, and the command uses one thread: --clock cpu decides sooner"


def _unseen(busy: float) -> str:
    """What CPU time does not say of this command."""
    if busy > ONE_THREAD:
        return f"warning: it uses {busy:.1f} cores; CPU time adds them up and does not see how well they share the work"
    if busy < MOSTLY_WAITING:
        return f"warning: {100 * (1 - busy):.0f} % of its wall time is waiting, which --clock cpu does not see"
    return ""


def _log_ratio(old: tuple[float, ...], new: tuple[float, ...]) -> float:
    """0 if a clock is too coarse to see a run."""
    return math.log(new[0] / old[0]) if old[0] > 0 and new[0] > 0 else 0.0
