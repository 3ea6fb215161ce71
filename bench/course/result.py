"""What the grader says about one task: plain data. The child process sends it, and every format is made from it."""

from dataclasses import dataclass
from typing import Literal

from bench.course.tasks import TASKS, Task

Status = Literal["right", "wrong", "blank", "error", "timeout"]
WORDS: dict[Status, str] = {
    "right": "right",
    "wrong": "wrong",
    "blank": "not done yet",
    "error": "cannot be checked",
    "timeout": "takes too long",
}


@dataclass(frozen=True)
class Result:
    """The verdict of one task. `lines` say what is wrong; `hint` only leads there; `notes` cost nothing.

    seconds : how long the check took.
    """

    id: str
    status: Status
    lines: tuple[str, ...] = ()
    hint: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def task(self) -> Task:
        """What was to be done."""
        return TASKS[self.id]

    @property
    def ok(self) -> bool:
        """Whether the equation is right."""
        return self.status == "right"

    @property
    def points(self) -> int:
        """All of the task, or none."""
        return self.task.points if self.ok else 0

    def headline(self) -> str:
        """`scalar.loss: wrong (0 of 3 points)`."""
        return f"{self.id}: {WORDS[self.status]} ({self.points} of {self.task.points} points)"

    def message(self, hint: bool = False) -> str:
        """All that is said of it; with `hint`, not what is wrong."""
        said = (self.hint,) if hint and self.hint else self.lines
        return "\n".join([self.headline(), *(f"  {line}" for line in (*said, *self.notes))])
