"""`scratchbench doctor`: runs every check, prints the findings, returns the exit code."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from rich.console import Console

from bench.core.errors import EXIT_FAILED_BACKEND, EXIT_OK, UnusableError
from bench.core.progress import progress_on
from bench.core.text import one_line
from bench.doctor import blas_checks, machine_checks
from bench.doctor.finding import Finding, by_cost
from bench.doctor.machine import READ_ERRORS, Machine, Say, look
from bench.doctor.report import as_json, show

Check = Callable[[Machine], Finding]

CHECKS: dict[str, Check] = {
    "forced kernels": blas_checks.forced_kernels,
    "kernel choice": blas_checks.kernel_choice,
    "compiled steps": blas_checks.compiled_steps,
    "BLAS pools": blas_checks.blas_pools,
    "threads": blas_checks.threads,
    "hyperthreads": blas_checks.hyperthreads,
    "frequency": machine_checks.frequency,
    "container": machine_checks.container,
    "neighbour": machine_checks.neighbour,
    "timer": machine_checks.timer,
    "memory": machine_checks.memory,
    "memory layout": machine_checks.memory_layout,
}


def doctor(json: bool) -> int:
    """Make every check and print the findings; the exit code.

    Raises UnusableError: where not even a process with nothing forced can train.
    """
    with progress_on(Console(stderr=True)) as progress:  # with --json, stdout is for the findings alone
        findings = by_cost(examine(lambda what: progress.stage(f"looking at {what}")))
    if json:
        print(as_json(findings))
    else:
        show(findings, Console())
    return EXIT_FAILED_BACKEND if any(finding.state == "warning" for finding in findings) else EXIT_OK


def examine(say: Say) -> Iterator[Finding]:
    """Findings in the order of the table of checks; `say` hears what is being measured."""
    machine = look(say)
    for name, check in CHECKS.items():
        say(name)
        yield replace(_made(check, machine), name=name)


def _made(check: Check, machine: Machine) -> Finding:
    """A check that fails does not stop the others."""
    try:
        return check(machine)
    except (*READ_ERRORS, UnusableError) as error:
        return Finding(f"could not be checked: {one_line(error, 200)}", "unknown")
