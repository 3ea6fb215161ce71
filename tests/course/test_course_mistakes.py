"""The grader itself: a planted mistake costs the points of its task and no others, and right solutions lose none."""

import re

import pytest
from course_mistakes import MISTAKES, solved, tasks_of
from covering import weekly

from bench.course.check import check
from bench.course.tasks import EXERCISES, POSSIBLE, TASKS
from bench.locate.run import locate

MOST = max(map(len, MISTAKES.values()))


def test_every_task_has_three_mistakes():
    assert list(MISTAKES) == list(TASKS)
    assert min(len(planted) for planted in MISTAKES.values()) >= 3
    assert POSSIBLE == 100


@pytest.mark.parametrize("id", TASKS)
def test_a_right_solution_gets_all_points(folder, id):
    result = check(folder, TASKS[id])
    assert (result.status, result.points, result.lines) == ("right", TASKS[id].points, ())


@pytest.mark.parametrize("number", [0, *weekly(*range(1, MOST))])
@pytest.mark.parametrize("odd", [0, 1], ids=["even", "odd"])
@pytest.mark.parametrize("exercise", EXERCISES)
def test_a_mistake_costs_its_own_points_and_no_others(folder, exercise, odd, number):
    # Every other task has a mistake: the tasks between, which come before and after it, must not lose points.
    planted = {
        TASKS[id].function: list(MISTAKES[id].values())[number]
        for id in tasks_of(exercise)[odd::2]
        if number < len(MISTAKES[id])
    }
    (folder / f"{exercise}.py").write_text(solved(exercise, planted), "utf-8")
    results = {id: check(folder, TASKS[id]) for id in tasks_of(exercise)}
    assert {TASKS[id].function for id, one in results.items() if not one.ok} == set(planted)
    assert all(one.points == (0 if TASKS[id].function in planted else TASKS[id].points) for id, one in results.items())
    assert all(one.status in ("right", "wrong", "error") for one in results.values())


@pytest.mark.parametrize(
    ("id", "mistake", "cause"),
    [
        ("scalar.hidden_error", "slope-missing", "slope|derivative"),
        ("vector.output_error", "sign", "sign"),
        ("batch.weight_gradient", "mean-missing", "mean"),
        ("batch.bias_gradient", "mean-missing", "mean"),
        ("batch.output_error", "diagonal-of-the-jacobian", "diagonal"),
        ("batch.hidden_error", "at-least-0", "left out"),
        ("optimizers.adam", "power-missing", "power|count|t"),
        ("optimizers.adam", "epsilon-inside-the-root", "root"),
    ],
)
def test_the_cause_is_named(folder, id, mistake, cause):
    task = TASKS[id]
    (folder / task.file).write_text(solved(task.exercise, {task.function: MISTAKES[id][mistake]}), "utf-8")
    result = check(folder, task)
    text = result.message()
    assert result.status == "wrong"
    assert task.equation in text
    assert re.search(r"yours \S+, expected \S+", text)
    assert re.search(f"Cause: .*({cause})", text), text
    assert task.link in text


def test_a_hint_does_not_tell_the_numbers_or_the_cause(folder):
    mistake = MISTAKES["batch.weight_gradient"]["mean-missing"]
    (folder / "batch.py").write_text(solved("batch", {"weight_gradient": mistake}), "utf-8")
    text = check(folder, TASKS["batch.weight_gradient"]).message(hint=True)
    assert "Look at BP3.2" in text
    assert "yours" not in text
    assert "Cause" not in text


def test_what_the_student_reads_is_what_locate_says(folder):
    from bench.course.check import function_of, rule_of, solutions_for
    from bench.course.network import CourseNetwork, spec_for
    from bench.locate import words

    mistake = MISTAKES["batch.cost"]["sum"]
    (folder / "batch.py").write_text(solved("batch", {"cost": mistake}), "utf-8")
    task = TASKS["batch.cost"]
    functions = {**solutions_for("batch"), "cost": function_of(folder, task)}
    report = locate(lambda: CourseNetwork("batch", functions, rule_of(task)), spec_for("batch", "cost"))
    (finding, *_) = report.document.mistakes
    assert words.cause(finding) in check(folder, task).message()
    assert words.number(finding.yours) in check(folder, task).message()
