"""`scratchbench course grade`: check, print, exit code."""

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.core.errors import EXIT_OK, EXIT_WORSE
from bench.core.files import write_atomically
from bench.course.formats import FORMATS, total
from bench.course.grader import SECONDS, Grader
from bench.course.tasks import TASKS


@dataclass(frozen=True)
class GradeOptions:
    """What the command line says; no `tasks` are all."""

    folder: Path
    tasks: tuple[str, ...] = ()
    form: str = "text"
    out: Path | None = None
    hint: bool = False
    seconds: float = SECONDS


def grade(options: GradeOptions) -> int:
    """Print or write the points; 1 where any are missing."""
    with Grader(options.folder, options.seconds) as grader:
        results = grader.all(options.tasks or tuple(TASKS))
    points, possible = total(results)
    text = FORMATS[options.form](results, options.hint)
    if options.out is None:
        sys.stdout.write(text)
    else:
        write_atomically(options.out, text)
        print(f"written: {options.out} ({points} of {possible} points)")
    return EXIT_OK if points == possible else EXIT_WORSE
