"""Student code that cannot be compared: a clear line, no points for that task, and all others keep theirs."""

import pytest
from course_mistakes import solved, tasks_of

from bench.core.errors import UnusableError
from bench.course.check import check
from bench.course.grader import Grader
from bench.course.tasks import TASKS

FOREVER = "while True:\n    pass"
DEAF = "while True:\n    try:\n        while True:\n            pass\n    except BaseException:\n        pass"

IN_ONE_PROCESS = {
    "raises": ("raise KeyError('W')", "error", r"raised KeyError: 'W' \(vector.py:\d+\)"),
    "exits": ("import sys\nsys.exit(3)", "error", "raised SystemExit: 3"),
    "endless recursion": ("return weighted_input(a, W, b)", "error", "raised RecursionError"),
    "nothing": ("pass", "error", "returned None; expected: shape (4, 1)"),
    "prints instead": ("print(W @ a + b)", "error", "returned None; expected: shape (4, 1)"),
    "text": ("return 'z'", "error", "returned 'z'; expected: shape (4, 1)"),
    "wrong shape": ("return (W @ a + b).T", "error", "has shape (1, 4); expected: shape (4, 1)"),
    "ragged": ("return [[1.0, 2.0], [3.0]]", "error", "expected: shape (4, 1)"),
    "complex": ("return (W @ a + b) * 1j", "error", "expected: shape (4, 1)"),
    "not a number": ("return (W @ a + b) * np.nan", "wrong", "yours nan"),
    "random": ("return W @ a + b + np.random.normal(size=b.shape)", "", ""),
    "blank": ("# YOUR CODE HERE\nraise NotImplementedError", "blank", "not done yet"),
}


@pytest.mark.parametrize("name", IN_ONE_PROCESS)
def test_what_cannot_be_compared(folder, name):
    lines, status, said = IN_ONE_PROCESS[name]
    (folder / "vector.py").write_text(solved("vector", {"weighted_input": lines}), "utf-8")
    result = check(folder, TASKS["vector.weighted_input"])
    assert not result.ok
    assert result.status == status or not status
    import re

    assert re.search(said, result.message()) or said in result.message(), result.message()
    assert "Traceback" not in result.message()
    assert check(folder, TASKS["vector.hidden_error"]).ok


def test_printing_costs_nothing(folder, capfd):
    (folder / "vector.py").write_text(solved("vector", {"weighted_input": "print('hello')\nreturn W @ a + b"}), "utf-8")
    assert check(folder, TASKS["vector.weighted_input"]).ok
    assert capfd.readouterr().out == ""


def test_changed_arguments_are_noted(folder):
    lines = "parameter -= learning_rate * gradient\nreturn parameter"
    (folder / "vector.py").write_text(solved("vector", {"update": lines}), "utf-8")
    result = check(folder, TASKS["vector.update"])
    assert result.ok
    assert "changes its arguments" in result.message()


def test_a_softmax_that_overflows_is_right_and_noted(folder):
    lines = "e = np.exp(Z)\nreturn e / e.sum(axis=0, keepdims=True)"
    (folder / "batch.py").write_text(solved("batch", {"softmax": lines}), "utf-8")
    result = check(folder, TASKS["batch.softmax"])
    assert result.ok
    assert "large numbers" in result.message()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def weighted_input(a, W, b:\n", r"vector.py cannot be imported: SyntaxError"),
        ("import nothing_of_that_name\n", "cannot be imported: ModuleNotFoundError"),
        ("raise ValueError('no')\n", r"cannot be imported: ValueError: no (vector.py:1)"),
        ("import sys\nsys.exit()\n", "cannot be imported: SystemExit"),
        ("", "has no function"),
        (None, "vector.py is missing"),
    ],
)
def test_a_file_that_cannot_be_imported_costs_its_tasks(folder, text, said):
    path = folder / "vector.py"
    path.unlink() if text is None else path.write_text(text, "utf-8")
    results = [check(folder, TASKS[id]) for id in tasks_of("vector")]
    assert all(one.status == "error" and said in one.message() for one in results)
    assert check(folder, TASKS["scalar.loss"]).ok


def test_what_hangs_or_dies_costs_its_own_task(folder):
    changes = {
        "weighted_input": FOREVER,
        "loss": DEAF,
        "output_error": "import os\nos._exit(0)",
        "hidden_error": "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)",
        "weight_gradient": "import os\nos.close(3)\nos.closerange(3, 100)\nreturn delta @ a.T",
    }
    (folder / "vector.py").write_text(solved("vector", changes), "utf-8")
    with Grader(folder, seconds=3.0) as grader:
        results = {one.task.function: one for one in grader.all(tasks_of("vector"))}
    assert {name for name, one in results.items() if not one.ok} == set(changes)
    assert results["weighted_input"].status == results["loss"].status == "timeout"
    assert "longer than 3 s" in results["loss"].message()
    assert "ended with exit code 0" in results["output_error"].message()
    assert "SIGSEGV" in results["hidden_error"].message()


@pytest.mark.weekly
def test_an_import_that_hangs_costs_the_tasks_of_its_file(folder):
    (folder / "optimizers.py").write_text("while True:\n    pass\n", "utf-8")
    with Grader(folder, seconds=4.0) as grader:
        results = grader.all(["optimizers.momentum", "optimizers.adam", "batch.update"])
    assert [one.status for one in results] == ["timeout", "timeout", "right"]


def test_memory_without_end_is_an_error(folder):
    lines = "parts = []\nwhile True:\n    parts.append(np.empty(1 << 26))"
    (folder / "batch.py").write_text(solved("batch", {"cost": lines}), "utf-8")
    with Grader(folder) as grader:
        result = grader.check("batch.cost")
        assert grader.check("batch.softmax").ok
    assert result.status in ("error", "timeout")


def test_no_process_is_left(folder):
    import psutil

    with Grader(folder) as grader:
        assert grader.check("scalar.loss").ok
        (child,) = [one for one in psutil.Process().children() if "bench.course.worker" in one.cmdline()]
    assert not child.is_running()


def test_a_folder_without_exercises_is_refused(tmp_path):
    with pytest.raises(UnusableError, match=r"has no exercise .*; remedy: scratchbench course new"):
        Grader(tmp_path)


def test_an_unknown_task_is_refused(folder):
    with (
        Grader(folder) as grader,
        pytest.raises(UnusableError, match=r"'scalar.x' is no task; allowed: scalar.weighted"),
    ):
        grader.check("scalar.x")
