"""Mistakes that students make, planted into the solutions: task → name → the lines in place of the solution's.

Most are of docs/derivation/mistakes.md and of the twenty that recur in public issue threads.
"""

import re
from importlib.resources import files

from bench.course.tasks import TASKS

BODY = r"(def {0}\(.*?)( *)# BEGIN SOLUTION\n.*?# END SOLUTION\n"

SCALAR = {
    "weighted_input": {
        "bias-missing": "return [sum(W[i][k] * a[k] for k in range(len(a))) for i in range(len(b))]",
        "bias-subtracted": "return [sum(W[i][k] * a[k] for k in range(len(a))) - b[i] for i in range(len(b))]",
        "last-input-forgotten": "return [sum(W[i][k] * a[k] for k in range(len(a) - 1)) + b[i] for i in range(len(b))]",
        "weights-transposed": "return [sum(W[k][i] * a[k] for k in range(len(a))) + b[i] for i in range(len(b))]",
    },
    "activation": {
        "sign-of-exponent": "return [1.0 / (1.0 + np.exp(z_i)) for z_i in z]",
        "tanh": "return [np.tanh(z_i) for z_i in z]",
        "left-out": "return list(z)",
    },
    "loss": {
        "sign": "return sum(y[i] * np.log(a[i]) + (1 - y[i]) * np.log(1 - a[i]) for i in range(len(y)))",
        "mean-over-outputs": "return -sum(y[i] * np.log(a[i]) + (1 - y[i]) * np.log(1 - a[i]) for i in (0, 1)) / 2",
        "second-term-missing": "return -sum(y[i] * np.log(a[i]) for i in range(len(y)))",
        "logarithm-of-base-2": "return -sum(y[i] * np.log2(a[i]) + (1 - y[i]) * np.log2(1 - a[i]) for i in (0, 1))",
    },
    "output_error": {
        "sign": "return [y[i] - a[i] for i in range(len(y))]",
        "slope-kept": "return [(a[i] - y[i]) * a[i] * (1.0 - a[i]) for i in range(len(y))]",
        "factor-2": "return [2.0 * (a[i] - y[i]) for i in range(len(y))]",
        "mean-over-outputs": "return [(a[i] - y[i]) / len(y) for i in range(len(y))]",
    },
    "hidden_error": {
        "slope-missing": "return [sum(W[i][k] * delta[i] for i in range(len(delta))) for k in range(len(a))]",
        "half-a-slope": "return [a[k] * sum(W[i][k] * delta[i] for i in range(len(delta))) for k in range(len(a))]",
        "slope-of-tanh": "return [(1 - a[k]**2) * sum(row[k] * d for row, d in zip(W, delta)) for k in range(len(a))]",
        "weights-missing": "return [a[k] * (1 - a[k]) * sum(delta) for k in range(len(a))]",
    },
    "weight_gradient": {
        "activation-missing": "return [[delta[i] for k in range(len(a))] for i in range(len(delta))]",
        "sign": "return [[-delta[i] * a[k] for k in range(len(a))] for i in range(len(delta))]",
        "transposed": "return [[delta[i] * a[k] for i in range(len(delta))] for k in range(len(a))]",
        "squared": "return [[delta[i] ** 2 * a[k] for k in range(len(a))] for i in range(len(delta))]",
    },
    "bias_gradient": {
        "zero": "return [0.0 for _ in delta]",
        "summed-over-neurons": "return [sum(delta) for _ in delta]",
        "sign": "return [-one for one in delta]",
    },
    "update": {
        "ascent": "return parameter + learning_rate * gradient",
        "learning-rate-missing": "return parameter - gradient",
        "learning-rate-twice": "return parameter - learning_rate * learning_rate * gradient",
        "only-the-step": "return -learning_rate * gradient",
    },
}

VECTOR = {
    "weighted_input": {
        "bias-missing": "return W @ a",
        "bias-subtracted": "return W @ a - b",
        "bias-as-row": "return W @ a + b.T",
        "transposed": "return (a.T @ W.T).T - b",
    },
    "activation": {
        "sign-of-exponent": "return 1.0 / (1.0 + np.exp(z))",
        "tanh": "return np.tanh(z)",
        "relu": "return np.maximum(z, 0.0)",
    },
    "loss": {
        "sign": "return float(np.sum(y * np.log(a) + (1 - y) * np.log(1 - a)))",
        "mean-over-outputs": "return float(-np.mean(y * np.log(a) + (1 - y) * np.log(1 - a)))",
        "second-term-missing": "return float(-np.sum(y * np.log(a)))",
        "targets-swapped": "return float(-np.sum((1 - y) * np.log(a) + y * np.log(1 - a)))",
    },
    "output_error": {
        "sign": "return y - a",
        "slope-kept": "return (a - y) * a * (1 - a)",
        "divided-not-cancelled": "return (a - y) / (a * (1 - a))",
    },
    "hidden_error": {
        "slope-missing": "return W.T @ delta",
        "slope-at-the-activation": "s = 1 / (1 + np.exp(-a))\nreturn s * (1 - s) * (W.T @ delta)",
        "slope-of-tanh": "return (1 - a**2) * (W.T @ delta)",
        "not-transposed": "return a * (1 - a) * (W @ delta)",
    },
    "weight_gradient": {
        "transposed": "return a @ delta.T",
        "sign": "return -delta @ a.T",
        "activation-missing": "return delta @ np.ones_like(a).T",
        "mean-over-neurons": "return delta @ a.T / len(delta)",
    },
    "bias_gradient": {
        "zero": "return np.zeros_like(delta)",
        "summed-over-neurons": "return np.full_like(delta, np.sum(delta))",
        "one-number": "return np.sum(delta)",
        "sign": "return -delta",
    },
    "update": {
        "ascent": "return parameter + learning_rate * gradient",
        "learning-rate-missing": "return parameter - gradient",
        "only-the-step": "return -learning_rate * gradient",
    },
}

BATCH = {
    "weighted_input": {
        "bias-missing": "return W @ A",
        "bias-subtracted": "return W @ A - b",
        "bias-for-the-first-example": "Z = W @ A\nZ[:, :1] += b\nreturn Z",
        "transposed": "return A.T @ W.T + b.T",
    },
    "relu": {
        "leaky": "return np.where(Z > 0, Z, 0.01 * Z)",
        "absolute-value": "return np.abs(Z)",
        "minimum": "return np.minimum(Z, 0.0)",
        "step": "return (Z > 0).astype(float)",
    },
    "softmax": {
        "over-the-examples": "e = np.exp(Z - Z.max())\nreturn e / e.sum(axis=1, keepdims=True)",
        "over-the-whole-batch": "e = np.exp(Z - Z.max())\nreturn e / e.sum()",
        "not-divided": "return np.exp(Z - np.max(Z, axis=0, keepdims=True))",
        "sigmoid": "return 1 / (1 + np.exp(-Z))",
    },
    "cost": {
        "sum": "return float(-np.sum(Y * np.log(A)))",
        "mean-over-classes-too": "return float(-np.mean(Y * np.log(A)))",
        "divided-by-the-classes": "return float(-np.sum(Y * np.log(A)) / len(Y))",
        "sign": "return float(np.sum(Y * np.log(A)) / Y.shape[1])",
    },
    "output_error": {
        "mean": "return (A - Y) / Y.shape[1]",
        "sign": "return Y - A",
        "diagonal-of-the-jacobian": "return -Y * (1 - A)",
        "slope-of-sigmoid": "return (A - Y) * A * (1 - A)",
    },
    "hidden_error": {
        "slope-missing": "return W.T @ delta",
        "at-least-0": "return (A >= 0) * (W.T @ delta)",
        "activation-for-slope": "return A * (W.T @ delta)",
        "slope-of-sigmoid": "return A * (1 - A) * (W.T @ delta)",
    },
    "weight_gradient": {
        "mean-missing": "return delta @ A.T",
        "mean-twice": "return delta @ A.T / delta.shape[1] ** 2",
        "divided-by-the-neurons": "return delta @ A.T / delta.shape[0]",
        "full-batch-size-for-a-short-one": "return delta @ A.T / 4",
    },
    "bias_gradient": {
        "mean-missing": "return np.sum(delta, axis=1, keepdims=True)",
        "summed-over-neurons-too": "return np.full((len(delta), 1), np.sum(delta) / delta.shape[1])",
        "not-summed": "return delta / delta.shape[1]",
        "first-example-only": "return delta[:, :1].copy()",
    },
    "update": {
        "ascent": "return parameter + learning_rate * gradient",
        "learning-rate-missing": "return parameter - gradient",
        "learning-rate-twice": "return parameter - learning_rate**2 * gradient",
    },
}

OPTIMIZERS = {
    "momentum": {
        "damped": "velocity = mu * velocity - (1 - mu) * learning_rate * gradient\n"
        "return parameter + velocity, velocity",
        "old-velocity": "new = mu * velocity - learning_rate * gradient\nreturn parameter + velocity, new",
        "no-memory": "velocity = -learning_rate * gradient\nreturn parameter + velocity, velocity",
        "nesterov": "v = mu * velocity - learning_rate * gradient\n"
        "return parameter + mu * v - learning_rate * gradient, v",
    },
    "adam": {
        "power-missing": (
            "m = beta_1 * m + (1 - beta_1) * gradient\ns = beta_2 * s + (1 - beta_2) * gradient**2\n"
            "rate = learning_rate * np.sqrt(1 - beta_2) / (1 - beta_1)\n"
            "return parameter - rate * m / (np.sqrt(s) + epsilon), m, s"
        ),
        "no-correction": (
            "m = beta_1 * m + (1 - beta_1) * gradient\ns = beta_2 * s + (1 - beta_2) * gradient**2\n"
            "return parameter - learning_rate * m / (np.sqrt(s) + epsilon), m, s"
        ),
        "epsilon-inside-the-root": (
            "m = beta_1 * m + (1 - beta_1) * gradient\ns = beta_2 * s + (1 - beta_2) * gradient**2\n"
            "rate = learning_rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)\n"
            "return parameter - rate * m / np.sqrt(s + epsilon), m, s"
        ),
        "square-missing": (
            "m = beta_1 * m + (1 - beta_1) * gradient\ns = beta_2 * s + (1 - beta_2) * np.abs(gradient)\n"
            "rate = learning_rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)\n"
            "return parameter - rate * m / (np.sqrt(s) + epsilon), m, s"
        ),
    },
}

MISTAKES = {
    f"{exercise}.{function}": planted
    for exercise, table in (("scalar", SCALAR), ("vector", VECTOR), ("batch", BATCH), ("optimizers", OPTIMIZERS))
    for function, planted in table.items()
}


def solved(exercise: str, changes: dict[str, str] | None = None) -> str:
    """The text of a solved exercise, with other lines in some functions."""
    text = (files("bench.course.solutions") / f"{exercise}.py").read_text("utf-8")
    for function, lines in (changes or {}).items():
        pattern = re.compile(BODY.format(function), re.DOTALL)
        code = "".join(f"    {line}\n" for line in lines.split("\n"))
        text, count = pattern.subn(lambda match, code=code: match[1] + code, text, count=1)
        assert count == 1, function
    return text


def tasks_of(exercise: str) -> list[str]:
    """Ids of its tasks."""
    return [id for id, task in TASKS.items() if task.exercise == exercise]
