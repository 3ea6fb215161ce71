"""Checks of the machine: clock of the cores, container limits, neighbours, timer, memory.

None of them trains anything.
"""

import os
import time
from collections.abc import Iterator
from itertools import pairwise
from mmap import PAGESIZE

import psutil

from bench.core import environment, system
from bench.core.text import one_line
from bench.doctor.finding import Finding
from bench.doctor.machine import Machine

DRIFT = 1.1
SPREAD = 1.5
BUSY_SHARE, STOLEN_SHARE, CULPRIT_SHARE = 0.05, 0.02, 0.3

SMALL_STEP_SECONDS = 60e-6
"""A training step of the smallest network that is measured."""
TIMER_SHARE = 0.01

SUITE_BYTES = 7_000_000_000
"""What a cell of the standard suite took at most here: its five workers are alive at once."""

ADAPTIVE = {"intel_pstate", "amd-pstate-epp"}
SLOW_CLOCKS = ("hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit")

Symptom = tuple[str, str]
"""What is wrong, and its remedy."""


def frequency(machine: Machine) -> Finding:
    """Frequency scaling as the kernel tells it, and the drift of a product's time under load."""
    symptoms = [*_governor(), *_cap(), *_turbo(), *_power()]
    drift = machine.load.drift
    measured = f"a product on one core takes {drift:.2f} times as long after 2 s of load as before"
    if drift >= DRIFT:
        symptoms.append((measured, "cool the machine, and let it rest between runs; a shared host may share its heat"))
        return _of_symptoms(symptoms, drift)
    if symptoms:
        return _of_symptoms([*symptoms, (measured, "")], None)
    governors = ", ".join(sorted(system.cpu_texts("scaling_governor")))
    if not governors:
        return Finding(f"the kernel tells nothing of frequency scaling (a virtual machine?); {measured}", "unknown")
    return Finding(f"governor {governors}; {measured}")


def container(machine: Machine) -> Finding:
    """A CPU limit below the affinity, and periods in which this program had to wait for it."""
    limit, grown, allowed = environment.FACTS["cpu_limit_cores"](), machine.grown, environment.cores_of_affinity()
    lines = []
    if limit is not None and limit < allowed:
        lines.append(f"a CPU limit of {limit:g} cores where {allowed} are allowed")
    if grown.throttled:
        lines.append(f"made to wait in {grown.throttled} of {grown.periods} periods of the load")
    if lines:
        remedy = "raise the limit (docker run --cpus, resources.limits.cpu), or lower `threads` in the suite file"
        return Finding("; ".join(lines), "warning", remedy=remedy)
    return Finding(f"no CPU limit below the {allowed} cores that this program is allowed, of {os.cpu_count()}")


def neighbour(machine: Machine) -> Finding:
    """Others that keep cores busy: programs of this machine, and of its host, which is seen as stolen time."""
    symptoms = [*_programs(machine), *_stolen(machine), *_spread(machine)]
    if symptoms:
        return _of_symptoms(symptoms, machine.load.delay)
    spread = f"under load the slow tenth of the products took {machine.load.spread:.2f} times as long as the fast tenth"
    if machine.rest is None:
        return Finding(f"what others use of the cores cannot be read; {spread}", "unknown")
    others = f"others kept {machine.rest.busy_cores:.2f} cores busy"
    return Finding(f"{others}; {spread}; {_stolen_share(machine):.1%} of the time went to others on the host")


def timer(machine: Machine) -> Finding:
    """Whether the clock that measures is fine and cheap enough."""
    call, step = _call_seconds(), _smallest_step()
    source = system.text(system.SYS / "devices/system/clocksource/clocksource0/current_clocksource")
    says = (
        f"perf_counter costs {call * 1e9:.0f} ns a call, its smallest observed step is {step * 1e9:.0f} ns "
        f"(stated resolution {time.get_clock_info('perf_counter').resolution * 1e9:g} ns); "
        f"clock source {one_line(source or 'not known', 40)}"
    )
    if source in SLOW_CLOCKS:
        return Finding(says, "warning", remedy="boot with clocksource=tsc, if the kernel finds that clock stable")
    if max(call, step) > TIMER_SHARE * SMALL_STEP_SECONDS:
        return Finding(says, "warning", remedy="time whole epochs, as `scratchbench run` does, not steps")
    return Finding(says)


def memory(machine: Machine) -> Finding:
    """Memory that is free for the workers, within a container's limit, and whether the machine swaps."""
    available = psutil.virtual_memory().available
    left = system.memory_left()
    free = available if left is None else min(available, left)
    limited = "" if left is None else f", {left / 1e9:.1f} GB within the container's limit"
    says = f"{available / 1e9:.1f} GB of memory are available{limited}"
    if machine.grown.swapped_in > 0:
        swapped = machine.grown.swapped_in * PAGESIZE / 1e6
        return Finding(
            f"{says}; {swapped:.1f} MB were read back from swap meanwhile",
            "warning",
            remedy="close programs that need much memory",
        )
    if free < SUITE_BYTES:
        needed = f"the standard suite with all its backends needs about {SUITE_BYTES / 1e9:.0f} GB"
        return Finding(f"{says}; {needed}", "warning", remedy="train fewer at a time: --backends scratchnet,tf-xla")
    return Finding(f"{says}, nothing was swapped in")


def memory_layout(machine: Machine) -> Finding:
    """How the kernel lays out memory; information only."""
    pages = system.bracketed(system.SYS / "kernel/mm/transparent_hugepage/enabled")
    random = system.number(system.PROC / "sys/kernel/randomize_va_space")
    if pages is None and random is None:
        return Finding("the kernel tells neither of huge pages nor of a randomised address space", "unknown")
    luck = "compare fresh processes only: about every fourth was seen to be 4 to 6 % slower for its whole life"
    layout = f"address space {'randomised' if random else 'not randomised' if random == 0 else 'not known'}"
    return Finding(f"transparent huge pages: {pages or 'not known'}; {layout}" + (f"; {luck}" if random else ""))


def _of_symptoms(symptoms: list[Symptom], cost: float | None) -> Finding:
    says = "; ".join(says for says, _ in symptoms)
    return Finding(says, "warning", cost, "; ".join(remedy for _, remedy in symptoms if remedy))


def _governor() -> Iterator[Symptom]:
    # Under intel_pstate and amd-pstate-epp "powersave" follows the load; under others it is the lowest clock.
    if "powersave" in system.cpu_texts("scaling_governor") and not system.cpu_texts("scaling_driver") & ADAPTIVE:
        yield "governor powersave: the cores keep to their lowest clock", "sudo cpupower frequency-set -g performance"


def _cap() -> Iterator[Symptom]:
    highest, allowed = (_largest(name) for name in ("cpuinfo_max_freq", "scaling_max_freq"))
    if highest and allowed and allowed < highest:
        yield (
            f"the clock is limited to {allowed / 1e6:.2f} of {highest / 1e6:.2f} GHz",
            f"sudo cpupower frequency-set -u {highest}kHz",
        )


def _turbo() -> Iterator[Symptom]:
    file = system.SYS / "devices/system/cpu/intel_pstate/no_turbo"
    if system.number(file) == 1:
        yield "turbo is off, which steadies a measurement and slows it", f"echo 0 | sudo tee {file}"


def _power() -> Iterator[Symptom]:
    if environment.FACTS["on_battery"]():
        yield "the machine runs on battery", "plug it in"


def _largest(name: str) -> int:
    written = (system.whole(value) for value in system.cpu_texts(name))
    return max((value for value in written if value is not None), default=0)


def _programs(machine: Machine) -> Iterator[Symptom]:
    rest = machine.rest
    if rest is not None and rest.busy_cores > BUSY_SHARE * machine.cores:
        # A program that ended meanwhile is not in the list; what is left of it need not be whom to stop.
        is_culprit = rest.program_cores > CULPRIT_SHARE * rest.busy_cores
        named = f", {rest.program} {rest.program_cores:.2f} of them" if is_culprit else ""
        load = environment.FACTS["load_average"]()[0]
        yield f"others keep {rest.busy_cores:.2f} cores busy{named} (load average {load:g})", "stop other programs"


def _stolen(machine: Machine) -> Iterator[Symptom]:
    if (share := _stolen_share(machine)) > STOLEN_SHARE:
        yield f"the host gave {share:.1%} of the time under load to others", "use a host of your own, or another hour"


def _stolen_share(machine: Machine) -> float:
    return machine.grown.stolen / machine.grown.total if machine.grown.total > 0 else 0.0


def _spread(machine: Machine) -> Iterator[Symptom]:
    if (spread := machine.load.spread) > SPREAD:
        yield (
            f"under load the slow tenth of the products took {spread:.2f} times as long as the fast tenth",
            "compare what ran in turns only, as `scratchbench run` does",
        )


def _call_seconds(calls: int = 20_000) -> float:
    clock = time.perf_counter
    start = clock()
    for _ in range(calls):
        clock()
    return (clock() - start) / calls


def _smallest_step(samples: int = 20_000) -> float:
    """Smallest positive difference between two readings; the stated resolution says what the interface could do."""
    readings = [time.perf_counter_ns() for _ in range(samples)]
    steps = [later - earlier for earlier, later in pairwise(readings) if later > earlier]
    return min(steps, default=0) / 1e9
