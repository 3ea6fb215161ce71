"""The commands of the course: write a student's folder, and grade it."""

from pathlib import Path

import click

from bench.cli.group import PATH, main, names_option

EXIT_CODES = """\b
Exit codes: 0 every task that was graded is right; 1 points are missing;
2 the folder or an option cannot be used: one line says why."""


def _graders() -> list[str]:
    return ["classroom", "nbgrader", "otter"]


def _tasks() -> list[str]:
    from bench.course.tasks import TASKS

    return list(TASKS)


@main.group()
def course() -> None:
    """Exercises from the derivation, with one task per equation, and their grader."""


@course.command()
@click.argument("folder", type=PATH)
@names_option("--graders", "Also write the files that these graders read: classroom, nbgrader, otter.", _graders)
def new(folder: Path, graders: tuple[str, ...] | None) -> int:
    """Write the exercises into a new FOLDER: files with blanks, instructions, tests.

    \b
    Examples:
      scratchbench course new my-network
      scratchbench course new assignment --graders classroom,otter
    """
    from bench.course import kit

    return kit.new(folder, graders or ())


@course.command(epilog=EXIT_CODES)
@click.argument("folder", type=PATH, default=".")
@names_option("--task", "Grade only these tasks, such as scalar.loss.", _tasks)
@click.option("--hint", is_flag=True, help="Show only a question that leads to each mistake.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "junit", "gradescope", "classroom"]),
    default="text",
    show_default=True,
    help="gradescope is the format of otter-grader; classroom is the format of GitHub Classroom's reporter.",
)
@click.option("--out", type=PATH, help="File to write.  [default: stdout]")
@click.option(
    "--seconds",
    type=click.FloatRange(0.5, 3600),
    default=20.0,
    show_default=True,
    help="Timeout per task, in seconds.",
)
def grade(folder: Path, task: tuple[str, ...] | None, hint: bool, form: str, out: Path | None, seconds: float) -> int:
    """Give the points of each task in FOLDER, and say which equation is wrong.

    Each function is checked in a network whose other functions are right, so a mistake costs only the points of its
    own task. The code runs in a child process, which is ended if it takes too long. This is not a sandbox.

    \b
    Examples:
      scratchbench course grade my-network
      scratchbench course grade my-network --task batch.cost --hint
      scratchbench course grade my-network --format junit --out points.xml
    """
    from bench.course.command import GradeOptions
    from bench.course.command import grade as graded

    return graded(GradeOptions(folder, task or (), form, out, hint, seconds))
