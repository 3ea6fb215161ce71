"""What a function returns beside the parameter counts too; the paper's ε in Adam costs nothing."""

import numpy as np
import pytest

from bench.course.calls import TaskError, matched
from bench.course.check import check_function
from bench.course.tasks import TASKS

MOMENTUM, ADAM = TASKS["optimizers.momentum"], TASKS["optimizers.adam"]


def _velocity_is_a_sum_of_gradients(parameter, velocity, gradient, learning_rate, mu):
    velocity = mu * velocity + gradient
    return parameter - learning_rate * velocity, velocity


def _right(parameter, velocity, gradient, learning_rate, mu):
    velocity = mu * velocity - learning_rate * gradient
    return parameter + velocity, velocity


def test_another_velocity_is_told_though_the_parameter_is_right():
    result = check_function(MOMENTUM, _velocity_is_a_sum_of_gradients)
    assert (result.status, result.points) == ("wrong", 0)
    assert "the new parameter is right, another value is not" in result.message()
    assert "momentum(...)[1], which is remembered for the next step: yours" in result.message()
    assert check_function(MOMENTUM, _right).points == MOMENTUM.points


def _paper(parameter, m, s, t, gradient, learning_rate, beta_1, beta_2, epsilon):
    m = beta_1 * m + (1 - beta_1) * gradient
    s = beta_2 * s + (1 - beta_2) * gradient**2
    corrected, root = m / (1 - beta_1**t), np.sqrt(s / (1 - beta_2**t))
    return parameter - learning_rate * corrected / (root + epsilon), m, s


def test_the_epsilon_of_the_paper_gets_all_points_and_a_note():
    result = check_function(ADAM, _paper)
    assert (result.status, result.points) == ("right", ADAM.points)
    assert any("ε" in note for note in result.notes)


def test_another_constant_for_epsilon_is_still_wrong():
    def constant(*arguments):
        return _paper(*arguments[:-1], 1e-8)

    assert check_function(ADAM, constant).status == "wrong"


def test_a_shape_is_told_as_a_shape_where_one_is_expected():
    with pytest.raises(TaskError, match=r"has shape \(6,\); expected: shape \(6, 1\)"):
        matched("f(...)", np.zeros(6), np.zeros((6, 1)))
    with pytest.raises(TaskError, match="has 6 numbers; expected: 4 numbers"):
        matched("f(...)", [0.0] * 6, [0.0] * 4)
