"""Grades a folder: the student's code runs in a child process, and each task has a time limit."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from bench.core.child_process import ConnectedProcess, NoAnswerError, how_it_ended
from bench.core.environment import worker_environment
from bench.core.errors import UnusableError
from bench.core.text import one_line
from bench.course.result import Result
from bench.course.tasks import EXERCISES, TASKS

SECONDS = 20.0
STARTING_SECONDS = 120.0


class Grader:
    """Checks tasks one after the other, in one child process as long as it answers.

    The limits protect from accidents: a loop without end, a crash, memory. They are no sandbox for hostile code.

    seconds : timeout of one task.
    """

    def __init__(self, folder: Path | str, seconds: float = SECONDS) -> None:
        self.folder, self._seconds = Path(folder).resolve(), seconds
        if not any((self.folder / f"{name}.py").is_file() for name in EXERCISES):
            files = ", ".join(f"{name}.py" for name in EXERCISES)
            told = one_line(folder, 200)
            raise UnusableError(f"{told} has no exercise ({files}); remedy: scratchbench course new {told}")
        self._temporary = TemporaryDirectory(prefix="scratchbench-course-")
        self._process: ConnectedProcess | None = None

    def __enter__(self) -> "Grader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the child process."""
        self._end()
        self._temporary.cleanup()

    def all(self, ids: Sequence[str] = tuple(TASKS)) -> list[Result]:
        """The result of each of these tasks, in this order."""
        return [self.check(id) for id in ids]

    def check(self, id: str) -> Result:
        """The result of one task.

        Raises UnusableError: where there is no such task, or the child process cannot be started.
        """
        if id not in TASKS:
            raise UnusableError(f"{one_line(id, 80)!r} is no task; allowed: {', '.join(TASKS)}")
        process = self._process or self._start()
        process.send(id)
        try:
            answer = process.answer(self._seconds)
        except NoAnswerError as error:
            if error.code is None:
                return self._too_slow(id)
            return self._lost(id, f"ends the process: it {how_it_ended(error.code)}")
        return answer if isinstance(answer, Result) else self._lost(id, "sends something of its own")

    def _start(self) -> ConnectedProcess:
        log = Path(self._temporary.name) / "log"
        self._process = process = ConnectedProcess("bench.course.worker", worker_environment(1), log)
        process.send(str(self.folder))
        try:
            process.answer(STARTING_SECONDS)
        except NoAnswerError:
            self._end()
            told = one_line(log.read_text("utf-8")[-300:])
            raise UnusableError(f"the grader's process does not start: {told}") from None
        return process

    def _lost(self, id: str, how: str) -> Result:
        self._end()
        line = f"{TASKS[id].function} in {TASKS[id].file} {how}."
        return Result(id, "error", (line,), line)

    def _too_slow(self, id: str) -> Result:
        self._end()
        task = TASKS[id]
        line = f"{task.function} in {task.file}, or the import of that file, takes longer than {self._seconds:g} s."
        return Result(id, "timeout", (line,), line, seconds=self._seconds)

    def _end(self) -> None:
        if self._process:
            self._process.kill()
            self._process.end()
            self._process = None
