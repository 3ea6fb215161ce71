"""`scratchbench doctor`: runs every check, prints the findings, returns the exit code."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace

import click
from rich.console import Console

from bench.core.errors import EXIT_FAILED_BACKEND, EXIT_OK, UnusableError
from bench.core.text import one_line
from bench.doctor import blas_checks, machine_checks
from bench.doctor.finding import Finding, by_cost
from bench.doctor.machine import READ_ERRORS, Machine, Say, look
from bench.doctor.report import as_json, show

CLEAR = "\r\x1b[K"
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
    findings = by_cost(examine(_say))
    _clear()
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


def _say(what: str) -> None:
    # On stderr: with --json, stdout is for the findings alone.
    # On a terminal each line takes the place of the one before.
    terminal = sys.stderr.isatty()
    click.echo(f"{CLEAR if terminal else ''}looking at {what}", nl=not terminal, err=True)


def _clear() -> None:
    if sys.stderr.isatty():
        click.echo(CLEAR, nl=False, err=True)
